"""The address of a mailbox, read from a URL that a partner may have written. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from tillit.errors import ConfigError

__all__ = ["Address", "check_address"]

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]{2,39}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
_LONGEST = 1024


@dataclass(frozen=True)
class Address:
    """Where a mailbox is: ``path`` is absolute, for s3 without the bucket, which is ``host``."""

    scheme: str
    path: str
    host: str = ""
    port: int | None = None
    user: str | None = None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{host}{port}{self.path}"


def check_address(url: str) -> Address:
    """Read ``file:///...``, an absolute path, ``sftp://[user@]host[:port]/...`` or ``s3://...``.

    Raises ConfigError for everything else: other schemes, a password, a path with ``..``, a query.
    The refusal shows no password.
    """
    # 1. Nothing that a terminal or a URL library would read in two ways.
    if not url or len(url) > _LONGEST or not url.isprintable() or "\\" in url:
        raise _wrong("an address without controls, at most 1024 characters", "another text")
    if url.startswith("/"):
        return Address("file", _path(url))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong("a URL", str(error)) from None
    # 2. A scheme that we know; the password goes before anything could be shown.
    if parts.password is not None:
        raise _wrong("no password in the address: it is passed on", "a password")
    if parts.scheme not in _READERS:
        raise _wrong(f"file://, sftp:// or s3://, not {parts.scheme!r}", _without_user(parts))
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise _wrong("no query and no fragment", _without_user(parts))
    # 3. What that scheme needs, and nothing that it does not.
    path = _path(unquote(parts.path, errors="strict"))
    return _READERS[parts.scheme](parts, path, port)


def _sftp(parts: SplitResult, path: str, port: int | None) -> Address:
    host, user = parts.hostname or "", parts.username
    if not _HOST.fullmatch(host) or (user is not None and not _USER.fullmatch(user)):
        raise _wrong("sftp://user@host:port/folder", _without_user(parts))
    return Address("sftp", path, host, port, user)


def _s3(parts: SplitResult, path: str, port: int | None) -> Address:
    host = parts.hostname or ""
    if parts.username is not None or port is not None or not _BUCKET.fullmatch(host):
        raise _wrong("s3://bucket/folder", _without_user(parts))
    return Address("s3", path, host)


def _file(parts: SplitResult, path: str, _port: int | None) -> Address:
    if parts.netloc not in ("", "localhost"):
        raise _wrong("file:///folder on this machine", _without_user(parts))
    return Address("file", path)


_READERS = {"file": _file, "sftp": _sftp, "s3": _s3}


def _path(path: str) -> str:
    """An absolute path that names itself: no ``..``, no ``.``, not the root."""
    steps = path.split("/")
    if steps[0] != "" or not any(steps) or not path.isprintable():
        raise _wrong("an absolute path to a folder", path)
    if {".", ".."} & set(steps):
        raise _wrong("a path without . and ..", path)
    return "/" + "/".join(step for step in steps if step)


def _without_user(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _wrong(expected: str, found: str) -> ConfigError:
    return ConfigError(
        "wrong-value", "the address of the mailbox cannot be used", expected=expected, found=found
    )
