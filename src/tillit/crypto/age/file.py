"""Whole age files, from a file object to a file object in constant memory. I/O: those two."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from tillit.crypto.age import passphrase as by_passphrase
from tillit.crypto.age.armor import ArmorReader, ArmorWriter, is_armored
from tillit.crypto.age.header import (
    Header,
    Stanza,
    check_mac,
    derive,
    encode_header,
    malformed,
    read_header,
)
from tillit.crypto.age.reader import Random, Reader
from tillit.crypto.age.recipients import Identity, unwrap, wrap
from tillit.crypto.age.stream import CHUNK, decrypt_stream, encrypt_stream
from tillit.errors import PayloadRefused, UsageError

__all__ = ["Sealed", "decrypt", "decrypt_with_passphrase", "encrypt", "encrypt_with_passphrase"]

_FILE_KEY_BYTES = 16
_NONCE_BYTES = 16


@dataclass(frozen=True)
class Sealed:
    """What was written: its size and SHA-256, and how many bytes of plaintext are in it."""

    bytes: int
    sha256: str
    plaintext_bytes: int


def encrypt(
    source: BinaryIO,
    sink: BinaryIO,
    recipients: Sequence[str],
    *,
    random: Random = os.urandom,
    armored: bool = False,
) -> Sealed:
    """Seal everything in ``source`` for recipients of one kind.

    UsageError for a recipient that is none, or for a mixture of post-quantum and other ones.
    """
    file_key = random(_FILE_KEY_BYTES)
    stanzas = wrap(recipients, file_key, random)
    return _write(source, sink, stanzas, file_key, random, armored=armored)


def encrypt_with_passphrase(
    source: BinaryIO,
    sink: BinaryIO,
    passphrase: bytes,
    *,
    work_factor: int = by_passphrase.WORK_FACTOR,
    random: Random = os.urandom,
    armored: bool = False,
) -> Sealed:
    """Seal everything in ``source`` under a passphrase.

    It takes 2^work_factor KiB of memory, to write and to open. UsageError for no passphrase.
    """
    if not passphrase or not 1 <= work_factor <= by_passphrase.MAX_WORK_FACTOR:
        raise UsageError("argument", "a passphrase, or the work that it is stretched with")
    file_key = random(_FILE_KEY_BYTES)
    stanza = by_passphrase.wrap(passphrase, file_key, random, work_factor)
    return _write(source, sink, [stanza], file_key, random, armored=armored)


def decrypt(
    source: BinaryIO,
    sink: BinaryIO,
    identities: Sequence[Identity | str],
    *,
    max_bytes: int | None = None,
    armored: bool | None = None,
) -> int:
    """Open a file with whichever identity fits; how many bytes of plaintext it held.

    On an error the sink holds a part, to be thrown away by the caller. ``armored`` is found out
    when it is None. Raises PayloadRefused: ``not-age``, ``unsupported``, ``armor``, ``header``,
    ``no-identity``, ``hmac``, ``corrupt``, ``truncated``, ``unpacks-too-large``.
    """
    parsed = [Identity.parse(each) if isinstance(each, str) else each for each in identities]
    reader = _dearmored(source, armored)
    header = read_header(reader)
    file_key = unwrap(header.stanzas, parsed)
    if file_key is None:
        kinds = ", ".join(sorted({stanza.kind for stanza in header.stanzas}))
        raise PayloadRefused("no-identity", "sealed for somebody else", found=f"{kinds} recipients")
    return _read(reader, sink, header, file_key, max_bytes)


def decrypt_with_passphrase(
    source: BinaryIO,
    sink: BinaryIO,
    passphrase: bytes,
    *,
    max_work_factor: int = by_passphrase.MAX_WORK_FACTOR,
    max_bytes: int | None = None,
    armored: bool | None = None,
) -> int:
    """Open a file that is sealed under a passphrase; otherwise as `decrypt`.

    The file says how much work it takes: lower ``max_work_factor`` for a stranger's file.
    """
    reader = _dearmored(source, armored)
    header = read_header(reader)
    file_key = None
    if any(stanza.kind == by_passphrase.KIND for stanza in header.stanzas):
        # Whoever knows the passphrase may have written the file; another recipient beside it
        # would have been able to as well.
        if len(header.stanzas) > 1:
            raise malformed("a passphrase beside another recipient")
        file_key = by_passphrase.unwrap(passphrase, header.stanzas[0], max_work_factor)
    if file_key is None:
        raise PayloadRefused("no-identity", "this passphrase does not open it")
    return _read(reader, sink, header, file_key, max_bytes)


def _write(
    source: BinaryIO,
    sink: BinaryIO,
    stanzas: Sequence[Stanza],
    file_key: bytes,
    random: Random,
    *,
    armored: bool,
) -> Sealed:
    nonce = random(_NONCE_BYTES)
    head = encode_header(stanzas, file_key) + nonce
    key = derive(file_key, salt=nonce, info=b"payload")
    with _Meter(sink) as meter:
        if armored:
            armor = ArmorWriter(lambda text: meter.write(memoryview(text)))
            armor.write(memoryview(head))
            plaintext = encrypt_stream(key, Reader(source), armor.write)
            armor.close()
        else:
            meter.write(memoryview(head))
            plaintext = encrypt_stream(key, Reader(source), meter.write)
    return Sealed(meter.written, meter.sha256, plaintext)


def _dearmored(source: BinaryIO, armored: bool | None) -> Reader:
    reader = Reader(source)
    if armored is None:
        armored = is_armored(reader)
    return Reader(ArmorReader(reader)) if armored else reader


def _read(
    reader: Reader, sink: BinaryIO, header: Header, file_key: bytes, max_bytes: int | None
) -> int:
    check_mac(header, file_key)
    nonce = memoryview(bytearray(_NONCE_BYTES))
    if reader.fill(nonce) != _NONCE_BYTES:
        raise malformed("no nonce after it: the file ends")
    key = derive(file_key, salt=bytes(nonce), info=b"payload")
    return decrypt_stream(key, reader, lambda block: _write_all(sink, block), max_bytes)


def _write_all(sink: BinaryIO, block: memoryview) -> None:
    """Write a block; an unbuffered file may take less than it is given."""
    while block:
        block = block[sink.write(block) :]


class _Meter:
    """Writes to a sink, and counts and digests what passes.

    SHA-256 takes as long as the cipher, so large blocks are digested by a second thread while the
    next one is encrypted. One block is under way at most: its buffer is not filled anew before.
    """

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: Future[None] | None = None
        self.written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def write(self, block: memoryview) -> None:
        """Write a block and digest it, the digest perhaps after this has returned."""
        self._wait()
        if len(block) > CHUNK * 8:
            self._pool = self._pool or ThreadPoolExecutor(1, "age-digest")
            self._under_way = self._pool.submit(self._digest.update, block)
        else:
            self._digest.update(block)
        _write_all(self._sink, block)
        self.written += len(block)

    @property
    def sha256(self) -> str:
        """Of everything written."""
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None
