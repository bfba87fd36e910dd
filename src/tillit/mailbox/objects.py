"""A store in an object store such as S3, through fsspec. I/O.

An object appears there whole or not at all, so nothing has to be renamed; there are no folders
and no links.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from tillit.errors import MailboxUnavailable
from tillit.mailbox.address import Address
from tillit.mailbox.store import CHUNK, Entry, Shape, pieces, system_errors

__all__ = ["ObjectStore"]


class ObjectStore:
    """An inbox in an object store; credentials are what its own tools find in the environment."""

    def __init__(self, root: str, filesystem: Any) -> None:
        self._root = root.rstrip("/")
        self._fs = filesystem

    def __repr__(self) -> str:
        return f"ObjectStore({self._root})"

    @classmethod
    def s3(cls, address: Address) -> ObjectStore:
        """S3 by the package s3fs; MailboxUnavailable ``address`` when that is not installed."""
        try:
            filesystem = fsspec.filesystem("s3", use_listings_cache=False, anon=False)
        except ImportError as error:
            raise MailboxUnavailable(
                "address",
                f"{address} cannot be reached from here",
                expected="the package s3fs, installed beside tillit",
                found="none",
            ) from error
        return cls(f"{address.host}{address.path}", filesystem)

    def prepare(self) -> None:
        """A prefix does not have to be made."""

    def _at(self, folder: str, name: str = "") -> str:
        return "/".join(step for step in (self._root, folder, name) if step)

    def scan(self, folder: str = "") -> Iterator[Entry]:
        """What is under a prefix; a prefix with nothing under it is not told from a missing one."""
        path = self._at(folder)
        with _errors(f"listing {path}"):
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(path, detail=True)
            except FileNotFoundError:
                return
        for item in found:
            name = str(item["name"]).rstrip("/").rpartition("/")[2]
            if item["type"] == "file" and name:
                yield Entry(name, Shape.FILE, int(item["size"] or 0))
            elif name:
                yield Entry(name, Shape.FOLDER)

    def size(self, folder: str, name: str) -> int | None:
        """Bytes of an object."""
        with _errors(f"looking at {self._at(folder, name)}"):
            self._fs.invalidate_cache()
            try:
                info = self._fs.info(self._at(folder, name))
            except FileNotFoundError:
                return None
        return int(info["size"] or 0) if info["type"] == "file" else None

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """An object's bytes."""
        path = self._at(folder, name)
        with (
            _errors(f"reading {path}"),
            self._fs.open(path, "rb", block_size=4 * CHUNK) as file,
        ):
            while piece := file.read(CHUNK):
                yield piece

    def put(self, folder: str, name: str, content: bytes | Path, temporary: str) -> None:
        """Upload; S3 shows an object when all of it is there."""
        del temporary
        path = self._at(folder, name)
        if isinstance(content, Path):
            next(pieces(content), None)  # our own file is not there: that is not the store's fault
        with _errors(f"writing {path}", "unreachable"):
            if isinstance(content, bytes):
                self._fs.pipe_file(path, content)
            else:
                self._fs.put_file(str(content), path)

    def remove(self, folder: str, name: str) -> None:
        """Remove an object if it is there."""
        path = self._at(folder, name)
        with _errors(f"removing {path}"):
            try:
                self._fs.rm_file(path)
            except FileNotFoundError:
                return

    def close(self) -> None:
        """Connections are kept by fsspec."""


def _foreign() -> tuple[type[Exception], ...]:
    """The errors of S3's client that are no OSError."""
    try:
        from botocore.exceptions import (  # type: ignore[import-not-found,unused-ignore]
            BotoCoreError,
            ClientError,
        )
    except ImportError:
        return ()
    return (BotoCoreError, ClientError)


@contextmanager
def _errors(doing: str, missing: str = "missing-object") -> Iterator[None]:
    try:
        with system_errors(doing, missing):
            yield
    except _foreign() as error:
        raise MailboxUnavailable("unreachable", f"{doing} failed", found=error) from error
