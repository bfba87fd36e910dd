"""age v1 files (C2SP age.md), written and read in constant memory on ``cryptography`` alone.

Anyone can open one with the ``age`` tool. Native recipient types: ``mlkem768x25519``
(post-quantum hybrid), ``X25519`` and ``scrypt`` (a passphrase).
"""

from __future__ import annotations

from tillit.crypto.age.file import (
    Sealed,
    decrypt,
    decrypt_with_passphrase,
    encrypt,
    encrypt_with_passphrase,
)
from tillit.crypto.age.recipients import Identity, Recipient, generate_identity, recipient_of

__all__ = [
    "Identity",
    "Recipient",
    "Sealed",
    "decrypt",
    "decrypt_with_passphrase",
    "encrypt",
    "encrypt_with_passphrase",
    "generate_identity",
    "recipient_of",
]
