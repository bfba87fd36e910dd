"""A party's signing keys: Ed25519 and ML-DSA-65 together, never one alone. Pure."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from tillit.crypto.age.reader import Random

__all__ = ["ALGORITHMS", "PublicKeys", "Signature", "SigningKeys"]

ALGORITHMS = ("ed25519", "mldsa65")
_SEED_BYTES = 32


@dataclass(frozen=True)
class Signature:
    """One signature; ``keyid`` is a hint which key made it, and proves nothing."""

    keyid: str
    value: bytes


@dataclass(frozen=True)
class PublicKeys:
    """One generation of a party's public keys, raw; ValueError if they are no keys."""

    ed25519: bytes = field(repr=False)
    mldsa65: bytes = field(repr=False)

    def __post_init__(self) -> None:
        Ed25519PublicKey.from_public_bytes(self.ed25519)
        MLDSA65PublicKey.from_public_bytes(self.mldsa65)

    def __repr__(self) -> str:
        return f"PublicKeys({self.fingerprint})"

    @cached_property
    def keyids(self) -> dict[str, str]:
        """By algorithm: its name and the SHA-256 of the raw public key."""
        raw = {"ed25519": self.ed25519, "mldsa65": self.mldsa65}
        return {name: f"{name}:{hashlib.sha256(raw[name]).hexdigest()}" for name in ALGORITHMS}

    @cached_property
    def fingerprint(self) -> str:
        """``tillit1-abcd-...``: 160 bits of SHA-256 over both keys, to be compared by people.

        Base 32 in lower case, which has no 0, 1, 8 or 9 to mistake for letters.
        """
        digest = hashlib.sha256(b"tillit fingerprint v1\0" + self.ed25519 + self.mldsa65).digest()
        text = base64.b32encode(digest[:20]).decode("ascii").lower()
        return "-".join(["tillit1", *(text[i : i + 4] for i in range(0, len(text), 4))])

    def verifies(self, algorithm: str, signature: bytes, message: bytes) -> bool:
        """Whether our key of that algorithm made the signature over the message."""
        try:
            if algorithm == "ed25519":
                Ed25519PublicKey.from_public_bytes(self.ed25519).verify(signature, message)
            else:
                MLDSA65PublicKey.from_public_bytes(self.mldsa65).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKeys:
    """One generation of a party's secret signing keys, as their two seeds of 32 bytes."""

    ed25519: bytes = field(repr=False)
    mldsa65: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.ed25519) != _SEED_BYTES or len(self.mldsa65) != _SEED_BYTES:
            raise ValueError("a seed of another size")

    def __repr__(self) -> str:
        return f"SigningKeys({self.public.fingerprint})"

    @classmethod
    def generate(cls, random: Random = os.urandom) -> Self:
        """New keys."""
        return cls(random(_SEED_BYTES), random(_SEED_BYTES))

    @cached_property
    def public(self) -> PublicKeys:
        """What others need to verify."""
        classic, lattice = self._private
        return PublicKeys(
            classic.public_key().public_bytes_raw(), lattice.public_key().public_bytes_raw()
        )

    def sign(self, message: bytes) -> tuple[Signature, Signature]:
        """Both signatures; the ML-DSA one is another each time."""
        classic, lattice = self._private
        keyids = self.public.keyids
        return (
            Signature(keyids["ed25519"], classic.sign(message)),
            Signature(keyids["mldsa65"], lattice.sign(message)),
        )

    @cached_property
    def _private(self) -> tuple[Ed25519PrivateKey, MLDSA65PrivateKey]:
        return (
            Ed25519PrivateKey.from_private_bytes(self.ed25519),
            MLDSA65PrivateKey.from_seed_bytes(self.mldsa65),
        )
