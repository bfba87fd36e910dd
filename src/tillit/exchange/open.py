"""Open: from a sealed object in the mailbox to a Parquet file in the spool. I/O.

Each step reads no more than the signed statement allows, and what was opened vanishes with the
context, whatever happens in it.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from tillit.crypto import age
from tillit.errors import PayloadRefused
from tillit.home import Home
from tillit.ledger.bodies import PayloadRef

__all__ = ["open_sealed"]


@contextmanager
def open_sealed(home: Home, sender: str, payload: PayloadRef) -> Iterator[Path]:
    """The opened payload of a sender's statement, for as long as the context lasts.

    Raises PayloadRefused (missing, size, digest, or what age refuses) and MailboxUnavailable.
    """
    with tempfile.TemporaryDirectory(prefix="open-", dir=home.lake.folder) as folder:
        sealed = Path(folder) / "sealed.age"
        opened = Path(folder) / "opened.parquet"
        # 1. As many bytes as stated, and those that were signed.
        with sealed.open("wb") as sink:
            hashing = _Hashing(sink)
            home.incoming.fetch_payload(
                sender, payload.name, cast("BinaryIO", hashing), expected_bytes=payload.bytes
            )
        if hashing.hexdigest() != payload.sha256:
            raise PayloadRefused(
                "digest",
                f"{payload.name} is not the file that was signed",
                expected=payload.sha256,
                found=hashing.hexdigest(),
            )
        # 2. Opened by one of our identities, and no longer than stated.
        with sealed.open("rb") as source, opened.open("wb") as sink:
            size = age.decrypt(
                source, sink, home.keys.identities, max_bytes=payload.plaintext_bytes
            )
        sealed.unlink()
        if size != payload.plaintext_bytes:
            raise PayloadRefused(
                "size",
                f"{payload.name} holds less than was stated",
                expected=f"{payload.plaintext_bytes} bytes",
                found=f"{size} bytes",
            )
        yield opened


class _Hashing(io.RawIOBase):
    """A sink that digests what passes, so that a large file is read once."""

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__()
        self._sink = sink
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = cast("bytes", data)
        self._hash.update(content)
        return self._sink.write(content)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
