"""The mlkem768x25519 recipient type: ML-KEM-768 and X25519 through HPKE. Pure.

What is recorded today stays closed when one of the two falls. The random bytes of a wrapping come
from inside ``cryptography``, whatever source the caller passes: HPKE offers no other way.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from tillit.crypto.age.header import Stanza, decode64, encode64, malformed
from tillit.crypto.age.reader import Random

__all__ = [
    "HRP",
    "IDENTITY_HRP",
    "KIND",
    "PUBLIC_BYTES",
    "SHARE_BYTES",
    "public_of",
    "unwrap",
    "wrap",
]

KIND = "mlkem768x25519"
HRP = "age1pq"
IDENTITY_HRP = "age-secret-key-pq-"
_KEM_PUBLIC = 1184
_KEM_SHARE = 1088
PUBLIC_BYTES = _KEM_PUBLIC + 32
SHARE_BYTES = _KEM_SHARE + 32
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def public_of(secret: bytes) -> bytes:
    """The public key (1216 bytes) of a seed of 32."""
    kem, dh = _private(secret)
    return kem.public_key().public_bytes_raw() + dh.public_key().public_bytes_raw()


def wrap(public: bytes, file_key: bytes, random: Random) -> Stanza:  # noqa: ARG001
    """The file key for one recipient; ValueError for a public key that is none."""
    key = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:_KEM_PUBLIC]),
        X25519PublicKey.from_public_bytes(public[_KEM_PUBLIC:]),
    )
    sealed = _SUITE.encrypt(file_key, key, info=_INFO)
    return Stanza(KIND, (encode64(sealed[:SHARE_BYTES]),), sealed[SHARE_BYTES:])


def unwrap(secret: bytes, stanza: Stanza) -> bytes | None:
    """The file key, or None when the stanza is for somebody else; the form is checked before."""
    share = decode64(stanza.arguments[0])
    kem, dh = _private(secret)
    try:
        # HPKE reports a share of low order as it does a wrong key; age wants the two told apart.
        dh.exchange(X25519PublicKey.from_public_bytes(share[_KEM_SHARE:]))
    except ValueError:
        raise malformed("an X25519 share of low order") from None
    try:
        return _SUITE.decrypt(share + stanza.body, MLKEM768X25519PrivateKey(kem, dh), info=_INFO)
    except InvalidTag:
        return None


def _private(secret: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """Both private keys out of the one seed (X-Wing's expansion)."""
    expanded = hashlib.shake_256(secret).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )
