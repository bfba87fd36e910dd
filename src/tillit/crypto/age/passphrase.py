"""The scrypt recipient type: a passphrase. Pure, slow on purpose."""

from __future__ import annotations

import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tillit.crypto.age.header import Stanza, decode64, encode64, malformed
from tillit.crypto.age.reader import Random

__all__ = ["KIND", "MAX_WORK_FACTOR", "WORK_FACTOR", "unwrap", "wrap"]

KIND = "scrypt"
WORK_FACTOR = 18
"""2^18: 256 MiB and about a second, as the age tool does."""
MAX_WORK_FACTOR = 22
"""2^22: 4 GiB. Whoever writes the file chooses the factor, so there must be an end."""

_LABEL = b"age-encryption.org/v1/scrypt"
_SALT_BYTES = 16
_BODY_BYTES = 32
_NONCE = bytes(12)


def wrap(passphrase: bytes, file_key: bytes, random: Random, work_factor: int) -> Stanza:
    """The file key under a passphrase."""
    salt = random(_SALT_BYTES)
    key = _stretch(passphrase, salt, work_factor)
    body = ChaCha20Poly1305(key).encrypt(_NONCE, file_key, None)
    return Stanza(KIND, (encode64(salt), str(work_factor)), body)


def unwrap(passphrase: bytes, stanza: Stanza, max_work_factor: int) -> bytes | None:
    """The file key, or None for a wrong passphrase."""
    if len(stanza.arguments) != 2:
        raise malformed("a scrypt stanza's arguments", expected=2, found=len(stanza.arguments))
    salt = decode64(stanza.arguments[0])
    if len(salt) != _SALT_BYTES or len(stanza.body) != _BODY_BYTES:
        raise malformed("a scrypt stanza of another size")
    # Four digits at most: int() of a partner's text is bounded before it is made.
    if not re.fullmatch(r"[1-9][0-9]{0,3}", stanza.arguments[1]):
        raise malformed("a scrypt work factor", found=stanza.arguments[1])
    work_factor = int(stanza.arguments[1])
    if work_factor > max_work_factor:
        raise malformed(
            "a scrypt work factor", expected=f"at most {max_work_factor}", found=work_factor
        )
    key = _stretch(passphrase, salt, work_factor)
    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, stanza.body, None)
    except InvalidTag:
        return None


def _stretch(passphrase: bytes, salt: bytes, work_factor: int) -> bytes:
    return Scrypt(salt=_LABEL + salt, length=32, n=1 << work_factor, r=8, p=1).derive(passphrase)
