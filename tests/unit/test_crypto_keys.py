"""Key rings on disk: modes, passphrases, rotation, and what a crash leaves."""

from __future__ import annotations

import io
import json
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tillit.crypto import age, dsse
from tillit.crypto.keys import FILE, KeyRing
from tillit.crypto.secret_file import read_secret, write_secret
from tillit.errors import KeyFileError, UsageError


def seeded(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def code(folder: Path, passphrase: bytes | None = None) -> str:
    with pytest.raises(KeyFileError) as refused:
        KeyRing.load(folder, passphrase=passphrase)
    return refused.value.code


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_ring_is_its_owners_only(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        KeyRing.create(tmp_path / "keys", random=seeded(1))
    finally:
        os.umask(before)
    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys" / FILE) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [FILE]


def test_a_secret_was_never_readable_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    opened = os.open

    def watched(path: Path, flags: int, permissions: int = 0o777) -> int:
        descriptor = opened(path, flags, permissions)
        if flags & os.O_CREAT:
            seen.append((bool(flags & os.O_EXCL), stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    write_secret(tmp_path / "secret", b"x")
    assert seen == [(True, 0o600)]


@pytest.mark.parametrize("others", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, others: int) -> None:
    KeyRing.create(tmp_path, random=seeded(1))
    (tmp_path / FILE).chmod(others)
    assert code(tmp_path) == "key.mode"


def test_keys_are_not_made_twice(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path, random=seeded(1))
    with pytest.raises(UsageError):
        KeyRing.create(tmp_path, random=seeded(2))
    assert KeyRing.load(tmp_path).generations == ring.generations


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"format": "tillit keyring v1", "generations": [], "pending": null}',
        b'{"format": "tillit keyring v1", "generations": [{}], "pending": null}',
        b'{"format": "tillit keyring v9", "generations": [], "pending": null}',
        b"age-encryption.org/v1\nnot a header",
    ],
)
def test_what_is_no_ring_is_refused(tmp_path: Path, content: bytes) -> None:
    write_secret(tmp_path / FILE, content)
    assert code(tmp_path, b"any") == "key.unreadable"


def test_errors_show_no_secret(tmp_path: Path) -> None:
    KeyRing.create(tmp_path, random=seeded(1))
    fields = json.loads((tmp_path / FILE).read_text())
    secret = fields["generations"][0]["identity"]
    fields["generations"][0]["identity"] = secret[:-1]
    write_secret(tmp_path / FILE, json.dumps(fields).encode())
    with pytest.raises(KeyFileError) as refused:
        KeyRing.load(tmp_path)
    assert secret[20:40] not in str(refused.value)


def test_missing_and_linked_files(tmp_path: Path) -> None:
    assert code(tmp_path) == "key.missing"
    write_secret(tmp_path / "elsewhere", b"{}")
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    assert code(tmp_path) == "key.unreadable"
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeyFileError) as refused:
            read_secret(path)
        assert refused.value.code == "key.unreadable"


def test_a_passphrase_locks_the_ring(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path, passphrase=b"right", random=seeded(1), work_factor=3)
    stored = (tmp_path / FILE).read_bytes()
    assert stored.startswith(b"age-encryption.org/v1\n-> scrypt ")
    assert code(tmp_path) == code(tmp_path, b"wrong") == "key.passphrase"
    assert KeyRing.load(tmp_path, passphrase=b"right").generations == ring.generations
    ring.rotate(seeded(2))
    assert code(tmp_path) == "key.passphrase"
    ring.change_passphrase(b"another")
    assert code(tmp_path, b"right") == "key.passphrase"
    assert KeyRing.load(tmp_path, passphrase=b"another").generations == ring.generations
    ring.change_passphrase(None)
    assert KeyRing.load(tmp_path).generations == ring.generations


def test_a_locked_ring_is_an_age_file(tmp_path: Path) -> None:
    KeyRing.create(tmp_path, passphrase=b"right", random=seeded(1), work_factor=3)
    sink = io.BytesIO()
    with (tmp_path / FILE).open("rb") as file:
        age.decrypt_with_passphrase(file, sink, b"right")
    assert json.loads(sink.getvalue())["format"] == "tillit keyring v1"


def test_old_shipments_still_open_and_old_statements_still_verify(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path, random=seeded(1))
    file = io.BytesIO()
    age.encrypt(io.BytesIO(b"plan"), file, [age.recipient_of(ring.identities[0])])
    statement = dsse.sign(b"{}", "t", [ring.signing])
    ring.rotate(seeded(2))
    back = KeyRing.load(tmp_path)
    opened = io.BytesIO()
    file.seek(0)
    assert age.decrypt(file, opened, back.identities) == 4
    known = {"us": tuple(generation.signing.public for generation in back.generations)}
    assert dsse.verify(statement, known, "t").keys["us"] == back.generations[1].signing.public
    assert back.signing == back.generations[0].signing != back.generations[1].signing


def test_a_rotation_that_died_is_taken_up_again(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path, random=seeded(1))
    before = ring.signing
    prepared = ring.prepare_rotation(seeded(2))
    # Dies here. What was sealed for the announced keys opens already, and we sign as before.
    ring = KeyRing.load(tmp_path)
    assert ring.signing == before
    assert ring.pending == prepared
    assert ring.identities[0] == prepared.identity
    assert ring.prepare_rotation(seeded(3)) == prepared
    ring.finish_rotation()
    ring.finish_rotation()
    back = KeyRing.load(tmp_path)
    assert [g.signing for g in back.generations] == [prepared.signing, before]
    assert back.pending is None


def test_a_crash_while_writing_leaves_the_old_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing.create(tmp_path, random=seeded(1))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(KeyFileError, match="No space") as refused:
            ring.rotate(seeded(2))
    assert refused.value.code == "key.unwritable"
    assert KeyRing.load(tmp_path).generations == ring.generations
    assert ring.pending is None
    ring.rotate(seeded(3))
    assert len(KeyRing.load(tmp_path).generations) == 2
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_somebody_elses_rotation_is_not_overwritten(tmp_path: Path) -> None:
    one = KeyRing.create(tmp_path, random=seeded(1))
    other = KeyRing.load(tmp_path)
    other.rotate(seeded(2))
    with pytest.raises(KeyFileError, match="somebody else"):
        one.rotate(seeded(3))
    assert KeyRing.load(tmp_path).generations == other.generations


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path, passphrase=b"hunter2", random=seeded(1), work_factor=2)
    shown = repr(ring) + repr(ring.generations) + repr(ring.identities)
    assert "hunter2" not in shown
    assert ring.identities[0].encode()[20:40] not in shown
    assert ring.signing.ed25519.hex() not in shown
