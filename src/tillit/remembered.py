"""Answers kept from one run to the next, to be shown sooner. I/O: one private file of JSON lines.

Only a cache: it may be deleted at any time, and what is wrong with it (another's file, one that
others may read, half a line, a full disk) is as if nothing had been remembered. A key must bind
everything that its answer follows from, because nobody says when an answer is out of date; and no
answer may decide what leaves or lands.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Remembered"]

_MOST_BYTES = 256 * 1024 * 1024
# Not waiting for somebody to write into a pipe.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Remembered:
    """A file of answers by key; the last one of a key counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Any]:
        """Everything remembered; whoever asks must expect values of any shape."""
        found: dict[str, Any] = {}
        for line in self._read().split(b"\n"):
            with suppress(ValueError, TypeError, RecursionError):
                key, value = json.loads(line)
                if isinstance(key, str):
                    found[key] = value
        return found

    def add(self, answers: Mapping[str, object]) -> None:
        """Remember more, behind what is there: in one write, so that no two runs mix lines."""
        with suppress(OSError):
            if not self._is_private():
                self._path.unlink(missing_ok=True)
            descriptor = os.open(self._path, _WRITE | os.O_APPEND, 0o600)
            try:
                # The new line before is for a run that was killed within a line.
                os.write(descriptor, b"\n" + _lines(answers))
            finally:
                os.close(descriptor)

    def replace(self, answers: Mapping[str, object]) -> None:
        """Remember these and nothing else."""
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        with suppress(OSError):
            try:
                with os.fdopen(os.open(new, _WRITE | os.O_EXCL, 0o600), "wb") as file:
                    file.write(_lines(answers))
                new.replace(self._path)
            finally:
                new.unlink(missing_ok=True)

    def _read(self) -> bytes:
        try:
            descriptor = os.open(self._path, _READ)
        except OSError:
            return b""
        try:
            state = os.fstat(descriptor)
            if not _private(state) or state.st_size > _MOST_BYTES:
                return b""
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _is_private(self) -> bool:
        try:
            return _private(self._path.lstat())
        except FileNotFoundError:
            return True


def _private(state: os.stat_result) -> bool:
    """Whether it is a file of ours that nobody else may read or write."""
    own = stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid()
    return own and not stat.S_IMODE(state.st_mode) & 0o077


def _lines(answers: Mapping[str, object]) -> bytes:
    return b"".join(
        json.dumps([key, value], ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for key, value in answers.items()
    )
