"""A store in memory, for tests: the product's own interface, with switches for what goes wrong.

Pure. It is reached by no URL, so that nobody can lose a delivery in it by a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tillit.errors import MailboxUnavailable
from tillit.mailbox.store import CHUNK, Entry, Shape, pieces

__all__ = ["MemoryStore"]


class MemoryStore:
    """An inbox in memory; give the same one to `Incoming` and to each `Outgoing`.

    ``unreachable`` and ``denied`` fail every call; ``full_after`` is how many bytes still fit;
    ``puts`` counts objects that were put, for tests of what is not put twice.
    """

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, bytes]] = {}
        self.unreachable = False
        self.denied = False
        self.full_after: int | None = None
        self.puts = 0

    def __repr__(self) -> str:
        return "MemoryStore()"

    def _answer(self) -> None:
        if self.unreachable:
            raise MailboxUnavailable("unreachable", "the mailbox does not answer")
        if self.denied:
            raise MailboxUnavailable("denied", "the mailbox lets nobody in")

    def prepare(self) -> None:
        """Nothing has to be made."""
        self._answer()

    def scan(self, folder: str = "") -> Iterator[Entry]:
        """Folders are never empty here: a folder is there as long as something is in it."""
        self._answer()
        if folder:
            found = sorted(self.folders.get(folder, {}).items())
            yield from [Entry(name, Shape.FILE, len(content)) for name, content in found]
        else:
            yield from [Entry(name, Shape.FOLDER) for name in sorted(self.folders)]

    def size(self, folder: str, name: str) -> int | None:
        """Bytes of a file, None when there is no such file."""
        self._answer()
        content = self.folders.get(folder, {}).get(name)
        return None if content is None else len(content)

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """A file's bytes in pieces."""
        self._answer()
        try:
            content = self.folders[folder][name]
        except KeyError:
            raise MailboxUnavailable("missing-object", f"{folder}/{name} is gone") from None
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]

    def put(self, folder: str, name: str, content: bytes | Path, temporary: str) -> None:
        """Put an object there whole; what did not fit leaves nothing behind."""
        del temporary
        self._answer()
        whole = bytearray()
        for piece in pieces(content):
            whole += piece
            if self.full_after is not None and len(whole) > self.full_after:
                raise MailboxUnavailable("full", f"no space left for {folder}/{name}")
        if self.full_after is not None:
            self.full_after -= len(whole)
        self.folders.setdefault(folder, {})[name] = bytes(whole)
        self.puts += 1

    def remove(self, folder: str, name: str) -> None:
        """Remove a file if it is there."""
        self._answer()
        self.folders.get(folder, {}).pop(name, None)

    def close(self) -> None:
        """There is nothing to let go of."""
