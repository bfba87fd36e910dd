"""What a store of mailbox objects has to do. I/O is in those who do it.

Two levels: the inbox, and in it one folder a sender. Every failure comes out as
MailboxUnavailable: ``unreachable``, ``full``, ``denied`` or ``missing-object``.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from tillit.errors import MailboxUnavailable

__all__ = ["CHUNK", "Entry", "Shape", "Store", "pieces", "system_errors"]

CHUNK = 1024 * 1024


class Shape(Enum):
    """What stands under a name; links are never followed."""

    FILE = auto()
    FOLDER = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Entry:
    """One name in a folder of the store; ``size`` is 0 for what is no file."""

    name: str
    shape: Shape
    size: int = 0


class Store(Protocol):
    """An inbox, wherever it lies. Names are checked by the caller; no method follows a link."""

    def prepare(self) -> None:
        """Make the inbox itself if it is missing; only its owner does."""

    def scan(self, folder: str = "") -> Iterator[Entry]:
        """What is in a sender's folder, or in the inbox; a missing folder is empty.

        An inbox that is missing altogether is unreachable: it may be a share that is not mounted.
        """

    def size(self, folder: str, name: str) -> int | None:
        """Bytes of a file, None when there is no such file."""

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """A file's bytes in pieces of `CHUNK` or less; ``missing-object`` when there is none."""

    def put(self, folder: str, name: str, content: bytes | Path, temporary: str) -> None:
        """Put an object there whole, in place of another of that name.

        It is written under the temporary name first where names can be changed, and that name is
        gone afterwards, also when it fails.
        """

    def remove(self, folder: str, name: str) -> None:
        """Remove a file; nothing happens when it is gone already."""

    def close(self) -> None:
        """Let go of connections; the next call makes them again."""


def pieces(content: bytes | Path) -> Iterator[bytes]:
    """The bytes to be put, in pieces; ``missing-object`` when the sealed file cannot be read."""
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    except OSError as error:
        raise MailboxUnavailable(
            "missing-object", "what is to be delivered cannot be read", found=error.strerror
        ) from error


_CODES = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.ENOENT: "missing-object",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EROFS: "denied",
    errno.ELOOP: "denied",
    errno.ENOTDIR: "denied",
    errno.EISDIR: "denied",
}
# fsspec raises these without a number.
_NUMBERS: dict[type[OSError], int] = {
    FileNotFoundError: errno.ENOENT,
    PermissionError: errno.EACCES,
}


@contextmanager
def system_errors(doing: str, missing: str = "missing-object") -> Iterator[None]:
    """Tell the system's errors as MailboxUnavailable; ``missing`` is the code for "not there"."""
    try:
        yield
    except OSError as error:
        code = _CODES.get(error.errno or _NUMBERS.get(type(error), 0), "unreachable")
        if code == "missing-object":
            code = missing
        reason = error.strerror or str(error) or type(error).__name__
        raise MailboxUnavailable(code, f"{doing} failed", found=reason) from error
