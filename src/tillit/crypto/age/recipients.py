"""Recipients (public) and identities (secret) with key pairs. Pure.

``age1pq1...`` and ``AGE-SECRET-KEY-PQ-1...`` are the post-quantum hybrid, ``age1...`` and
``AGE-SECRET-KEY-1...`` X25519.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Self

from tillit.crypto.age import bech32, hybrid, passphrase, x25519
from tillit.crypto.age.header import Stanza, decode64, malformed
from tillit.crypto.age.reader import Random
from tillit.errors import KeyFileError, UsageError

__all__ = ["Identity", "Recipient", "generate_identity", "recipient_of", "unwrap", "wrap"]

_SECRET_BYTES = 32
# Checked before anything is decrypted: a body of another length could be made to open under
# several keys, and would then tell which of them somebody holds.
_BODY_BYTES = 32


@dataclass(frozen=True)
class _Kind:
    name: str
    hrp: str
    identity_hrp: str
    public_bytes: int
    share_bytes: int
    public_of: Callable[[bytes], bytes]
    wrap: Callable[[bytes, bytes, Random], Stanza]
    unwrap: Callable[[bytes, Stanza], bytes | None]


_KINDS = {
    module.KIND: _Kind(
        module.KIND,
        module.HRP,
        module.IDENTITY_HRP,
        module.PUBLIC_BYTES,
        module.SHARE_BYTES,
        module.public_of,
        module.wrap,
        module.unwrap,
    )
    for module in (hybrid, x25519)
}


@dataclass(frozen=True)
class Recipient:
    """Whom a file is for."""

    kind: str
    public: bytes = field(repr=False)

    @staticmethod
    @lru_cache(maxsize=256)  # checking a hybrid key takes longer than sealing a small file for it
    def parse(text: str) -> Recipient:
        """Read ``age1...`` or ``age1pq1...``; UsageError for anything else."""
        try:
            hrp, public = bech32.decode(text)
        except ValueError as error:
            raise UsageError("argument", f"an age recipient: {error}", found=text[:40]) from None
        for kind in _KINDS.values():
            if kind.hrp == hrp and len(public) == kind.public_bytes and text == text.lower():
                recipient = Recipient(kind.name, public)
                recipient._try()
                return recipient
        raise UsageError(
            "argument", "an age recipient", expected="age1pq1... or age1...", found=text[:40]
        )

    def encode(self) -> str:
        """The recipient as people pass it around."""
        return bech32.encode(_KINDS[self.kind].hrp, self.public)

    def wrap(self, file_key: bytes, random: Random) -> Stanza:
        """The stanza that lets this recipient open the file."""
        return _KINDS[self.kind].wrap(self.public, file_key, random)

    def _try(self) -> None:
        """Not every string of the right length is a key; using it once shows."""
        try:
            self.wrap(bytes(16), lambda size: b"\x01" * size)
        except ValueError as error:
            raise UsageError("argument", f"an age recipient: {error}") from error


@dataclass(frozen=True)
class Identity:
    """What opens a file. Neither its representation nor its errors show the secret."""

    kind: str
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``AGE-SECRET-KEY-...``; KeyFileError ``unreadable`` for anything else."""
        try:
            hrp, secret = bech32.decode(text)
        except ValueError as error:
            raise KeyFileError("unreadable", f"an age identity: {error}") from None
        for kind in _KINDS.values():
            if kind.identity_hrp == hrp and len(secret) == _SECRET_BYTES and text == text.upper():
                return cls(kind.name, secret)
        raise KeyFileError(
            "unreadable",
            "an age identity",
            expected="AGE-SECRET-KEY-PQ-1... or AGE-SECRET-KEY-1...",
        )

    def encode(self) -> str:
        """The secret itself, as the age tool's key files hold it: for a 0600 file only."""
        return bech32.encode(_KINDS[self.kind].identity_hrp, self.secret).upper()

    @cached_property
    def recipient(self) -> Recipient:
        """Whom to seal for, so that this identity opens."""
        return Recipient(self.kind, _KINDS[self.kind].public_of(self.secret))


def generate_identity(kind: str = hybrid.KIND, random: Random = os.urandom) -> Identity:
    """A new identity: ``mlkem768x25519`` or ``X25519``."""
    if kind not in _KINDS:
        raise UsageError("argument", "an identity's kind", expected=", ".join(_KINDS), found=kind)
    return Identity(kind, random(_SECRET_BYTES))


def recipient_of(identity: Identity) -> str:
    """The recipient string of an identity."""
    return identity.recipient.encode()


def wrap(recipients: Sequence[str], file_key: bytes, random: Random) -> list[Stanza]:
    """A stanza for each recipient; UsageError for none, a wrong one, or a mixture of kinds.

    A file sealed for both kinds is as weak as the weaker, so a mixture is refused; opening one
    that somebody else made is not.
    """
    parsed = [Recipient.parse(text) for text in recipients]
    kinds = {recipient.kind for recipient in parsed}
    if len(kinds) != 1:
        raise UsageError(
            "argument",
            "recipients of a file",
            expected="one or more, all of one kind",
            found=", ".join(sorted(kinds)) or "none",
        )
    return [recipient.wrap(file_key, random) for recipient in parsed]


def unwrap(stanzas: Sequence[Stanza], identities: Sequence[Identity]) -> bytes | None:
    """The file key by whichever identity opens a stanza, or None.

    Stanzas of other types are passed over; those of a type that we hold an identity for must be
    well formed, all of them. PayloadRefused ``header`` otherwise.
    """
    if len(stanzas) > 1 and any(stanza.kind == passphrase.KIND for stanza in stanzas):
        raise malformed("a passphrase beside another recipient")
    held = {identity.kind for identity in identities}
    ours = [stanza for stanza in stanzas if stanza.kind in held]
    for stanza in ours:
        _check(stanza, _KINDS[stanza.kind])
    for stanza in ours:
        for identity in identities:
            if identity.kind == stanza.kind:
                file_key = _KINDS[stanza.kind].unwrap(identity.secret, stanza)
                if file_key is not None:
                    return file_key
    return None


def _check(stanza: Stanza, kind: _Kind) -> None:
    if len(stanza.arguments) != 1:
        raise malformed(f"arguments of {kind.name}", expected=1, found=len(stanza.arguments))
    share = len(decode64(stanza.arguments[0]))
    if share != kind.share_bytes:
        raise malformed(
            f"bytes in the share of {kind.name}", expected=kind.share_bytes, found=share
        )
    if len(stanza.body) != _BODY_BYTES:
        raise malformed(
            f"bytes in the body of {kind.name}", expected=_BODY_BYTES, found=len(stanza.body)
        )
