"""The payload of an age file: ChaCha20-Poly1305 in chunks of 64 KiB (STREAM). Pure, over files.

A chunk's nonce is its number and whether it is the last, so chunks cannot be dropped, swapped or
added. Blocks of 16 chunks pass through fixed buffers: memory is constant, and nothing is copied
between the source's buffer and the sink.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tillit.crypto.age.reader import Reader
from tillit.errors import PayloadRefused

__all__ = ["CHUNK", "decrypt_stream", "encrypt_stream"]

CHUNK = 64 * 1024
_TAG = 16
_SEALED = CHUNK + _TAG
_CHUNKS = 16

Write = Callable[[memoryview], None]
"""Takes a block. The buffer is filled anew only after the *next* call has returned."""


def encrypt_stream(key: bytes, reader: Reader, write: Write) -> int:
    """Encrypt the rest of the reader; how many bytes of plaintext there were."""
    cipher = ChaCha20Poly1305(key)
    blocks = _Blocks(reader, CHUNK * _CHUNKS)
    outs = _buffers(_SEALED * _CHUNKS)
    total = number = 0
    while True:
        block, last = blocks.take()
        out, used = outs[number // _CHUNKS % 2], 0
        for start in range(0, max(len(block), 1), CHUNK):
            chunk = block[start : start + CHUNK]
            final = last and start + CHUNK >= len(block)
            size = len(chunk) + _TAG
            cipher.encrypt_into(_nonce(number, final=final), chunk, None, out[used : used + size])
            used += size
            number += 1
        total += len(block)
        write(out[:used])
        if last:
            return total


def decrypt_stream(key: bytes, reader: Reader, write: Write, max_bytes: int | None) -> int:
    """Decrypt the rest of the reader; how many bytes of plaintext there were.

    Raises PayloadRefused: ``corrupt``, ``truncated`` (what is there is genuine, the end is
    missing), ``unpacks-too-large``. What was written before is genuine, but not the whole.
    """
    cipher = ChaCha20Poly1305(key)
    blocks = _Blocks(reader, _SEALED * _CHUNKS)
    outs = _buffers(CHUNK * _CHUNKS)
    total = number = 0
    while True:
        block, last = blocks.take()
        out, used = outs[number // _CHUNKS % 2], 0
        for start in range(0, max(len(block), 1), _SEALED):
            chunk = block[start : start + _SEALED]
            final = last and start + _SEALED >= len(block)
            used += _open(cipher, chunk, number, out[used:], final=final)
            number += 1
        total += used
        if max_bytes is not None and total > max_bytes:
            raise PayloadRefused(
                "unpacks-too-large", "the payload is larger than stated", expected=max_bytes
            )
        write(out[:used])
        if last:
            return total


def _open(
    cipher: ChaCha20Poly1305, chunk: memoryview, number: int, out: memoryview, *, final: bool
) -> int:
    size = len(chunk) - _TAG
    if size < 0 or (size == 0 and number > 0):
        raise PayloadRefused("truncated", f"chunk {number} of the payload is cut short")
    try:
        cipher.decrypt_into(_nonce(number, final=final), chunk, None, out[:size])
    except InvalidTag:
        if final and _is_genuine(cipher, chunk, number):
            raise PayloadRefused("truncated", f"the payload ends after chunk {number}") from None
        raise PayloadRefused("corrupt", f"chunk {number} of the payload was changed") from None
    return size


def _is_genuine(cipher: ChaCha20Poly1305, chunk: memoryview, number: int) -> bool:
    """Whether the last chunk that we got is an earlier one of the file."""
    try:
        cipher.decrypt(_nonce(number, final=False), chunk, None)
    except InvalidTag:
        return False
    return True


def _nonce(number: int, *, final: bool) -> bytes:
    return (number << 8 | final).to_bytes(12, "big")


def _buffers(size: int) -> tuple[memoryview, memoryview]:
    return memoryview(bytearray(size)), memoryview(bytearray(size))


class _Blocks:
    """Blocks of a reader, one read ahead: only then is it known which one is the last."""

    def __init__(self, reader: Reader, size: int) -> None:
        self._reader = reader
        self._here, self._ahead = _buffers(size)
        self._filled = reader.fill(self._here)

    def take(self) -> tuple[memoryview, bool]:
        """A block, valid until the next call, and whether it is the last; never empty after one."""
        block = self._here[: self._filled]
        full = self._filled == len(self._here)
        self._filled = self._reader.fill(self._ahead) if full else 0
        self._here, self._ahead = self._ahead, self._here
        return block, self._filled == 0
