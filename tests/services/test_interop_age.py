"""age files pass between tillit and other people's programs, both ways."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path

import pyrage
import pytest
from tests.services.conftest import missing, require

from tillit.crypto import age

HERE = Path(__file__).resolve().parent
SIZES = [0, 1, 65536, 65537, 200_000]

pytestmark = pytest.mark.services


def plaintext(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sealed(data: bytes, recipient: str) -> bytes:
    sink = io.BytesIO()
    age.encrypt(io.BytesIO(data), sink, [recipient])
    return sink.getvalue()


def opened(file: bytes, identity: str) -> bytes:
    sink = io.BytesIO()
    age.decrypt(io.BytesIO(file), sink, [identity])
    return sink.getvalue()


def run(command: list[str], data: bytes = b"") -> bytes:
    ran = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr.decode("utf-8", "replace")
    return ran.stdout


def node(*arguments: str, data: bytes = b"") -> bytes:
    """The npm package age-encryption, by the author of age."""
    program = require("node", "nodejs")
    if not (HERE / "node_modules" / "age-encryption").is_dir():
        missing("the npm package age-encryption is not installed (npm ci in tests/services)")
    return run([program, str(HERE / "age_encryption.mjs"), *arguments], data)


@pytest.mark.parametrize("size", SIZES)
def test_age_encryption_opens_ours(size: int, tmp_path: Path) -> None:
    identity = age.generate_identity()
    (tmp_path / "identity").write_text(identity.encode())
    data = plaintext(size)
    file = sealed(data, age.recipient_of(identity))
    assert node("decrypt", str(tmp_path / "identity"), data=file) == data


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_age_encryption_sealed(size: int, tmp_path: Path) -> None:
    identity, recipient = node("keygen").decode().split()
    assert identity.startswith("AGE-SECRET-KEY-PQ-1")
    (tmp_path / "recipient").write_text(recipient)
    data = plaintext(size)
    file = node("encrypt", str(tmp_path / "recipient"), data=data)
    assert b"-> mlkem768x25519 " in file
    assert opened(file, identity) == data


def test_age_encryption_and_we_agree_on_keys() -> None:
    identity, recipient = node("keygen").decode().split()
    assert age.recipient_of(age.Identity.parse(identity)) == recipient


@pytest.mark.parametrize("size", SIZES)
def test_the_age_program_opens_ours(size: int, tmp_path: Path) -> None:
    program = require("age", "age")
    identity = age.generate_identity("X25519")
    (tmp_path / "identity").write_text(identity.encode())
    data = plaintext(size)
    file = sealed(data, age.recipient_of(identity))
    assert run([program, "--decrypt", "-i", str(tmp_path / "identity")], file) == data


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("armor", [[], ["--armor"]], ids=["binary", "armored"])
def test_we_open_what_the_age_program_sealed(size: int, armor: list[str]) -> None:
    program = require("age", "age")
    identity = age.generate_identity("X25519")
    data = plaintext(size)
    file = run([program, "--encrypt", *armor, "-r", age.recipient_of(identity)], data)
    assert opened(file, identity.encode()) == data


def test_the_age_program_opens_our_armor(tmp_path: Path) -> None:
    program = require("age", "age")
    identity = age.generate_identity("X25519")
    (tmp_path / "identity").write_text(identity.encode())
    data, sink = plaintext(100_000), io.BytesIO()
    age.encrypt(io.BytesIO(data), sink, [age.recipient_of(identity)], armored=True)
    assert run([program, "-d", "-i", str(tmp_path / "identity")], sink.getvalue()) == data


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_ours_and_we_open_its(size: int) -> None:
    theirs = pyrage.x25519.Identity.generate()
    ours = age.generate_identity("X25519")
    data = plaintext(size)
    assert pyrage.decrypt(sealed(data, str(theirs.to_public())), [theirs]) == data
    recipient = pyrage.x25519.Recipient.from_str(age.recipient_of(ours))
    assert opened(pyrage.encrypt(data, [recipient]), ours.encode()) == data


def test_pyrage_and_we_agree_on_passphrases() -> None:
    sink = io.BytesIO()
    age.encrypt_with_passphrase(io.BytesIO(b"plan"), sink, "blåbær".encode(), work_factor=10)
    assert pyrage.passphrase.decrypt(sink.getvalue(), "blåbær") == b"plan"
