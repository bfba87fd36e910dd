"""Pseudonyms that only their maker can trace back: a keyed hash. Pure.

With a key that the other side knows, or none, whoever tries every site number finds the one that
gives the pseudonym. This key never leaves the key ring.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["Pseudonyms"]

_BYTES = 16


@dataclass(frozen=True)
class Pseudonyms:
    """The pseudonyms that one consumer sees: the same in all its agreements, like no other's."""

    _key: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret: bytes, consumer: str) -> Pseudonyms:
        """The key for a consumer, by HKDF-SHA256 (RFC 5869) from a secret of the provider's."""
        info = b"tillit pseudonyms v1\0" + consumer.encode()
        return cls(HKDF(SHA256(), 32, salt=None, info=info).derive(secret))

    def of(self, column: str, text: str) -> str:
        """``p-`` and 26 letters and digits: HMAC-SHA256 over column and text, 128 bits of it.

        The column counts, so that equal texts in different columns do not look alike.
        """
        message = column.encode() + b"\0" + text.encode()
        digest = hmac.digest(self._key, message, "sha256")[:_BYTES]
        return "p-" + base64.b32encode(digest).decode("ascii").rstrip("=").lower()
