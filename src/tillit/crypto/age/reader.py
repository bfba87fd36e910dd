"""Bytes from a file object, by line and by block. I/O: reads what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Protocol

__all__ = ["Random", "Readable", "Reader"]

Random = Callable[[int], bytes]
"""That many bytes which nobody can guess, such as ``os.urandom``."""

_READ = 64 * 1024


class Readable(Protocol):
    """What is needed of a source: at most that many bytes, none at the end."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


class Reader:
    """Reads lines first and large blocks after, from a source that may give less than asked."""

    def __init__(self, source: Readable | BinaryIO) -> None:
        self._source = source
        self._rest = b""
        self._at = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, without taking them; fewer only at the end."""
        while len(self._rest) - self._at < size and self._more():
            pass
        return self._rest[self._at : self._at + size]

    def line(self, limit: int) -> bytes:
        """Up to and including the next line feed; without one at the end or beyond the limit."""
        while (end := self._rest.find(b"\n", self._at, self._at + limit)) < 0:
            if len(self._rest) - self._at >= limit or not self._more():
                break
        stop = end + 1 if end >= 0 else min(len(self._rest), self._at + limit)
        line = self._rest[self._at : stop]
        self._at = stop
        return line

    def fill(self, buffer: memoryview) -> int:
        """Fill the buffer, less only at the end of the source; how many bytes there are."""
        have = 0
        # readinto spares a copy of everything; a source need not have it.
        into = getattr(self._source, "readinto", None)
        while have < len(buffer):
            if into is None or self._at < len(self._rest):
                part = self.peek(1) and self._rest[self._at : self._at + len(buffer) - have]
                buffer[have : have + len(part)] = part
                self._at += len(part)
                got = len(part)
            else:
                got = into(buffer[have:]) or 0
            if not got:
                break
            have += got
        return have

    def _more(self) -> bool:
        more = self._source.read(_READ)
        self._rest = self._rest[self._at :] + more
        self._at = 0
        return bool(more)
