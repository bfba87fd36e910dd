"""A store in a folder of this machine or of a mounted share. I/O.

Whoever else can write there is not trusted: files are opened below the folder's own descriptor,
links are not followed, and what is not a plain file is not opened.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tillit.mailbox.store import CHUNK, Entry, Shape, pieces, system_errors

__all__ = ["FolderStore"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FolderStore:
    """An inbox that is a folder. With ``sync`` what was put is on the disk when `put` returns."""

    def __init__(self, root: Path, *, sync: bool = True) -> None:
        self._root = root
        self._sync = sync

    def __repr__(self) -> str:
        return f"FolderStore({self._root})"

    def prepare(self) -> None:
        """Make the inbox if it is missing."""
        with system_errors(f"making the mailbox {self._root}"):
            self._root.mkdir(mode=0o770, parents=True, exist_ok=True)

    @contextmanager
    def _opened(self, folder: str) -> Iterator[int | None]:
        """A descriptor of a sender's folder or of the inbox; None when the sender has none."""
        with system_errors(f"opening the mailbox {self._root}", missing="unreachable"):
            root = os.open(self._root, _FOLDER)
        try:
            if not folder:
                yield root
                return
            with system_errors(f"opening {folder} in the mailbox"):
                inner = _open_folder(root, folder)
            if inner is None:
                yield None
                return
            try:
                yield inner
            finally:
                os.close(inner)
        finally:
            os.close(root)

    def scan(self, folder: str = "") -> Iterator[Entry]:
        """What is in a folder, in no order."""
        with self._opened(folder) as there:
            if there is None:
                return
            with system_errors("listing the mailbox"), os.scandir(there) as found:
                for item in found:
                    entry = _entry(item)
                    if entry is not None:
                        yield entry

    def size(self, folder: str, name: str) -> int | None:
        """Bytes of a plain file."""
        with self._opened(folder) as there:
            if there is None:
                return None
            with system_errors(f"looking at {folder}/{name}"):
                try:
                    status = os.stat(name, dir_fd=there, follow_symlinks=False)
                except FileNotFoundError:
                    return None
            return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """A plain file's bytes."""
        with self._opened(folder) as there, system_errors(f"reading {folder}/{name}"):
            if there is None:
                raise FileNotFoundError(errno.ENOENT, "no such folder")
            with os.fdopen(os.open(name, _READ, dir_fd=there), "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise PermissionError(errno.EACCES, "not a plain file")
                while piece := file.read(CHUNK):
                    yield piece

    def put(self, folder: str, name: str, content: bytes | Path, temporary: str) -> None:
        """Write, flush, rename."""
        self._make(folder)
        with (
            self._opened(folder) as there,
            system_errors(f"writing {folder}/{name}", "unreachable"),
        ):
            if there is None:
                raise FileNotFoundError(errno.ENOENT, "no such folder")
            try:
                with os.fdopen(os.open(temporary, _WRITE, 0o660, dir_fd=there), "wb") as file:
                    for piece in pieces(content):
                        file.write(piece)
                    file.flush()
                    if self._sync:
                        os.fsync(file.fileno())
                os.rename(temporary, name, src_dir_fd=there, dst_dir_fd=there)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=there)
                raise
            if self._sync:
                os.fsync(there)

    def _make(self, folder: str) -> None:
        with (
            self._opened("") as root,
            system_errors(f"making {folder} in the mailbox"),
            suppress(FileExistsError),
        ):
            os.mkdir(folder, mode=0o770, dir_fd=root)

    def remove(self, folder: str, name: str) -> None:
        """Remove a file, or the link that stands in its place."""
        with self._opened(folder) as there, system_errors(f"removing {folder}/{name}"):
            if there is not None:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=there)

    def close(self) -> None:
        """Nothing is kept open."""


def _open_folder(root: int, folder: str) -> int | None:
    try:
        return os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=root)
    except FileNotFoundError:
        return None


def _entry(item: os.DirEntry[str]) -> Entry | None:
    """What a name stands for, None when it has gone in the meantime."""
    try:
        status = item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(status.st_mode):
        return Entry(item.name, Shape.FILE, status.st_size)
    return Entry(item.name, Shape.FOLDER if stat.S_ISDIR(status.st_mode) else Shape.OTHER)
