"""A party's secrets on disk: signing keys and age identities of all generations. I/O: one file.

All generations are in the one file ``keyring`` (0600), which is written beside itself, synced and
renamed into place: whatever dies, either the old state or the new one is there, whole. Under a
passphrase the file is an age file, which ``age -d`` opens too.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tillit.crypto import age
from tillit.crypto.age import Identity
from tillit.crypto.age.reader import Random
from tillit.crypto.pseudonym import Pseudonyms
from tillit.crypto.secret_file import MAX_BYTES, read_secret, write_secret
from tillit.crypto.signing import PublicKeys, SigningKeys
from tillit.errors import KeyFileError, PayloadRefused, UsageError

__all__ = ["Generation", "KeyRing", "PublicKeys", "SigningKeys"]

FILE = "keyring"
_FORMAT = "tillit keyring v1"
_WORK_FACTOR = 18


@dataclass(frozen=True)
class Generation:
    """The keys that a party uses between two rotations."""

    signing: SigningKeys
    identity: Identity = field(repr=False)

    @classmethod
    def generate(cls, random: Random = os.urandom) -> Self:
        """New keys of each kind."""
        return cls(SigningKeys.generate(random), age.generate_identity(random=random))


class KeyRing:
    """A party's keys, newest generation first.

    A rotation has two steps, because others must learn of it between them: `prepare_rotation`
    keeps the new keys as `pending`, and `finish_rotation` makes them current. Each may be
    repeated after a crash. Earlier generations stay, so old shipments still open.
    """

    def __init__(
        self,
        folder: Path,
        generations: tuple[Generation, ...],
        pending: Generation | None,
        *,
        passphrase: bytes | None,
        work_factor: int,
    ) -> None:
        self._path = folder / FILE
        self._generations = generations
        self._pending = pending
        self._passphrase = passphrase
        self._work_factor = work_factor
        self._digest = b""

    def __repr__(self) -> str:
        return f"KeyRing({self.signing.public.fingerprint}, {len(self._generations)} generations)"

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        passphrase: bytes | None = None,
        random: Random = os.urandom,
        work_factor: int = _WORK_FACTOR,
    ) -> Self:
        """Make the first keys in a folder (made 0700); UsageError ``exists`` if there are any."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (folder / FILE).exists():
            raise UsageError("exists", f"{folder} holds keys already")
        ring = cls(
            folder,
            (Generation.generate(random),),
            None,
            passphrase=passphrase,
            work_factor=work_factor,
        )
        ring._store(ring._generations, None, passphrase)
        return ring

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        passphrase: bytes | None = None,
        work_factor: int = _WORK_FACTOR,
    ) -> Self:
        """Read the keys; a passphrase that is not needed is not used.

        Raises KeyFileError: ``missing``, ``mode`` (others may read the file), ``passphrase``
        (locked and none was given, or a wrong one), ``unreadable``.
        """
        path = folder / FILE
        stored = read_secret(path)
        locked = stored.startswith(b"age-encryption.org/")
        plain = _unlock(path, stored, passphrase) if locked else stored
        generations, pending = _parse(path, plain)
        ring = cls(
            folder,
            generations,
            pending,
            passphrase=passphrase if locked else None,
            work_factor=work_factor,
        )
        ring._digest = hashlib.sha256(stored).digest()
        return ring

    def pseudonyms(self, consumer: str) -> Pseudonyms:
        """What one consumer sees in place of names; the same before and after a rotation.

        Derived from the oldest keys, which stay in the ring: whoever steals those can try names.
        """
        return Pseudonyms.derive(self._generations[-1].signing.ed25519, consumer)

    @property
    def signing(self) -> SigningKeys:
        """What to sign with now."""
        return self._generations[0].signing

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Everything that may open what was sealed for us, pending keys included."""
        pending = () if self._pending is None else (self._pending,)
        return tuple(generation.identity for generation in (*pending, *self._generations))

    @property
    def generations(self) -> tuple[Generation, ...]:
        """All generations in use or used before, newest first."""
        return self._generations

    @property
    def pending(self) -> Generation | None:
        """New keys of a rotation that is not finished."""
        return self._pending

    def prepare_rotation(self, random: Random = os.urandom) -> Generation:
        """New keys, kept but not yet used; those of an unfinished rotation if there is one."""
        if self._pending is None:
            pending = Generation.generate(random)
            self._store(self._generations, pending, self._passphrase)
            self._pending = pending
        return self._pending

    def finish_rotation(self) -> None:
        """Use the pending keys from now on; nothing to do without them."""
        if self._pending is not None:
            generations = (self._pending, *self._generations)
            self._store(generations, None, self._passphrase)
            self._generations, self._pending = generations, None

    def rotate(self, random: Random = os.urandom) -> None:
        """Both steps at once: for when nobody has to be told in between."""
        self.prepare_rotation(random)
        self.finish_rotation()

    def change_passphrase(self, passphrase: bytes | None) -> None:
        """Keep the keys under another passphrase from now on, or under none."""
        self._store(self._generations, self._pending, passphrase)
        self._passphrase = passphrase

    def _store(
        self,
        generations: tuple[Generation, ...],
        pending: Generation | None,
        passphrase: bytes | None,
    ) -> None:
        """Write a state, unless somebody else has written one since ours was read."""
        with contextlib.suppress(FileNotFoundError):
            if hashlib.sha256(self._path.read_bytes()).digest() != self._digest:
                raise KeyFileError("unreadable", f"{self._path} was changed by somebody else")
        stored = _encode(generations, pending)
        if passphrase is not None:
            sink = io.BytesIO()
            age.encrypt_with_passphrase(
                io.BytesIO(stored), sink, passphrase, work_factor=self._work_factor
            )
            stored = sink.getvalue()
        write_secret(self._path, stored)
        self._digest = hashlib.sha256(stored).digest()


def _encode(generations: tuple[Generation, ...], pending: Generation | None) -> bytes:
    fields = {
        "format": _FORMAT,
        "generations": [_to_json(generation) for generation in generations],
        "pending": None if pending is None else _to_json(pending),
    }
    return json.dumps(fields, indent=1).encode("ascii")


def _parse(path: Path, plain: bytes) -> tuple[tuple[Generation, ...], Generation | None]:
    """Generations and pending keys. What went wrong is not repeated: it may hold a secret."""
    try:
        fields: dict[str, Any] = json.loads(plain)
        known = fields["format"] == _FORMAT
        generations = tuple(_from_json(each) for each in fields["generations"])
        pending = None if fields["pending"] is None else _from_json(fields["pending"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyFileError("unreadable", f"{path} is not a key file") from None
    if not known or not generations:
        raise KeyFileError("unreadable", f"{path} has another format", expected=_FORMAT)
    return generations, pending


def _to_json(generation: Generation) -> dict[str, str]:
    return {
        "ed25519": base64.b64encode(generation.signing.ed25519).decode("ascii"),
        "mldsa65": base64.b64encode(generation.signing.mldsa65).decode("ascii"),
        "identity": generation.identity.encode(),
    }


def _from_json(fields: Mapping[str, str]) -> Generation:
    signing = SigningKeys(
        base64.b64decode(fields["ed25519"], validate=True),
        base64.b64decode(fields["mldsa65"], validate=True),
    )
    return Generation(signing, Identity.parse(fields["identity"]))


def _unlock(path: Path, stored: bytes, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        raise KeyFileError("passphrase", f"{path} is locked: it needs its passphrase")
    sink = io.BytesIO()
    try:
        age.decrypt_with_passphrase(io.BytesIO(stored), sink, passphrase, max_bytes=MAX_BYTES)
    except PayloadRefused as refusal:
        if refusal.code == "payload.no-identity":
            raise KeyFileError("passphrase", f"{path}: wrong passphrase") from None
        raise KeyFileError("unreadable", f"{path}: {refusal}") from refusal
    return sink.getvalue()
