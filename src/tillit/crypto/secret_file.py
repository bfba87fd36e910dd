"""Files that only their owner may read. I/O: the file named."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tillit.errors import KeyFileError

__all__ = ["MAX_BYTES", "read_secret", "write_secret"]

MAX_BYTES = 1024 * 1024


def write_secret(path: Path, data: bytes) -> None:
    """Put a file in place that was 0600 from the first, whole or not at all.

    KeyFileError ``unwritable`` when it cannot be; what was there before is still there then.
    """
    try:
        _replace(path, data)
    except OSError as error:
        raise KeyFileError("unwritable", f"{path}: {error.strerror}") from error


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)  # of a run that died
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_secret(path: Path) -> bytes:
    """A secret file's content; KeyFileError ``missing``, ``mode`` or ``unreadable``.

    A file that others may read is refused, because it must be counted as known to them.
    """
    try:
        # Not following links, and not waiting for somebody to write into a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileError("missing", f"{path} is not there") from None
    except OSError as error:
        raise KeyFileError("unreadable", f"{path}: {error.strerror}") from error
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:
            raise KeyFileError("unreadable", f"{path} is not a key file")
        if stat.S_IMODE(state.st_mode) & 0o077:
            raise KeyFileError(
                "mode",
                f"{path} can be read by others (chmod 600, if nobody has)",
                expected="0600",
                found=f"{stat.S_IMODE(state.st_mode):04o}",
            )
        return _read_all(descriptor, state.st_size)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    parts = list[bytes]()
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
