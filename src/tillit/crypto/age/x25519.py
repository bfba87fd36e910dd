"""The X25519 recipient type: opened by every age tool, but not for ever secret. Pure."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tillit.crypto.age.header import Stanza, decode64, derive, encode64, malformed
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

KIND = "X25519"
HRP = "age"
IDENTITY_HRP = "age-secret-key-"
PUBLIC_BYTES = SHARE_BYTES = 32
_INFO = b"age-encryption.org/v1/X25519"
# A wrap key is used once, so its nonce is fixed.
_NONCE = bytes(12)


def public_of(secret: bytes) -> bytes:
    """The public key of a secret one, both 32 bytes."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def wrap(public: bytes, file_key: bytes, random: Random) -> Stanza:
    """The file key for one recipient; ValueError for a public key of low order."""
    ephemeral = X25519PrivateKey.from_private_bytes(random(32))
    share = ephemeral.public_key().public_bytes_raw()
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key = derive(secret, salt=share + public, info=_INFO)
    body = ChaCha20Poly1305(key).encrypt(_NONCE, file_key, None)
    return Stanza(KIND, (encode64(share),), body)


def unwrap(secret: bytes, stanza: Stanza) -> bytes | None:
    """The file key, or None when the stanza is for somebody else; the form is checked before."""
    share = decode64(stanza.arguments[0])
    private = X25519PrivateKey.from_private_bytes(secret)
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:
        raise malformed("an X25519 share of low order") from None
    key = derive(shared, salt=share + private.public_key().public_bytes_raw(), info=_INFO)
    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, stanza.body, None)
    except InvalidTag:
        return None
