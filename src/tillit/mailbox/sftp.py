"""A store on an SFTP server. I/O; how the server is reached stands in `tillit.mailbox.ssh`."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import paramiko

from tillit.errors import MailboxUnavailable
from tillit.mailbox.address import Address
from tillit.mailbox.ssh import Client, Login, connect
from tillit.mailbox.store import CHUNK, Entry, Shape, pieces, system_errors

__all__ = ["SftpStore"]

_SECONDS = 20.0
_READ_AHEAD = 4 * CHUNK
_REQUEST = 32 * 1024


class SftpStore:
    """An inbox on an SFTP server; one connection, made when it is first needed."""

    def __init__(self, address: Address, login: Login, *, seconds: float = _SECONDS) -> None:
        self._address = address
        self._login = login
        self._seconds = seconds
        self._lock = Lock()
        self._open: tuple[int, paramiko.SSHClient, Client] | None = None

    def __repr__(self) -> str:
        return f"SftpStore({self._address})"

    # ---- the connection -----------------------------------------------------------------------

    def _client(self) -> Client:
        with self._lock:
            if self._open is not None:
                process, ssh, client = self._open
                transport = ssh.get_transport()
                # A connection does not survive a fork: both sides would speak into it.
                if process == os.getpid() and transport is not None and transport.is_active():
                    return client
                self._open = None
                if process == os.getpid():
                    with suppress(OSError, EOFError, paramiko.SSHException):
                        ssh.close()
            ssh, client = connect(self._address, self._login, self._seconds)
            self._open = (os.getpid(), ssh, client)
            return client

    def close(self) -> None:
        """Close the connection; the next call makes another."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is None or opened[0] != os.getpid():
            return
        # paramiko tells the server that it closes; over a connection that was cut, that raises.
        for part in (opened[2], opened[1]):
            with suppress(OSError, EOFError, paramiko.SSHException):
                part.close()

    @contextmanager
    def _asking(self, doing: str, missing: str = "missing-object") -> Iterator[Client]:
        """The connection, and its errors told as MailboxUnavailable."""
        client = self._client()
        try:
            with system_errors(f"{doing} at {self._address}", missing):
                yield client
        except (paramiko.SSHException, EOFError) as error:
            self.close()
            raise MailboxUnavailable(
                "unreachable", f"{self._address} fell silent", found=error
            ) from error
        except MailboxUnavailable as error:
            if isinstance(error.__cause__, TimeoutError | ConnectionError):
                self.close()
            raise

    def _at(self, folder: str, name: str = "") -> str:
        return "/".join(step for step in (self._address.path, folder, name) if step)

    # ---- what a store does --------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the inbox if it is missing; the folder above it must be there."""
        with self._asking("making the mailbox") as client:
            if not _is_there(client.stat, self._address.path):
                client.mkdir(self._address.path, 0o770)

    def scan(self, folder: str = "") -> Iterator[Entry]:
        """What is in a folder, in no order."""
        try:
            with self._asking("listing", "missing-object" if folder else "unreachable") as client:
                if folder and not _is_folder(client, self._at(folder)):
                    return
                found = client.listdir_attr(self._at(folder))
        except MailboxUnavailable as error:
            if error.code == "mailbox.missing-object":
                return
            raise
        for item in found:
            shape = _shape(item)
            yield Entry(item.filename, shape, (item.st_size or 0) if shape is Shape.FILE else 0)

    def size(self, folder: str, name: str) -> int | None:
        """Bytes of a plain file."""
        with self._asking(f"looking at {folder}/{name}") as client:
            try:
                status = client.lstat(self._at(folder, name))
            except FileNotFoundError:
                return None
        return (status.st_size or 0) if _shape(status) is Shape.FILE else None

    def read(self, folder: str, name: str) -> Iterator[bytes]:
        """A plain file's bytes, a few megabytes asked for ahead of the reader."""
        path = self._at(folder, name)
        with self._asking(f"reading {folder}/{name}") as client:
            status = client.lstat(path)
            if _shape(status) is not Shape.FILE:
                raise PermissionError(errno.EACCES, "not a plain file")
            size = status.st_size or 0
            with client.open(path, "rb") as file:
                for start in range(0, size, _READ_AHEAD):
                    end = min(size, start + _READ_AHEAD)
                    asked = [(at, min(_REQUEST, end - at)) for at in range(start, end, _REQUEST)]
                    yield from file.readv(asked)

    def put(self, folder: str, name: str, content: bytes | Path, temporary: str) -> None:
        """Write, compare the size, rename."""
        with self._asking(f"writing {folder}/{name}", "unreachable") as client:
            aside = self._at(folder, temporary)
            try:
                _write(client, aside, content, make=self._at(folder))
                _rename(client, aside, self._at(folder, name))
            except BaseException:
                with suppress(OSError, paramiko.SSHException, EOFError):
                    client.remove(aside)
                raise

    def remove(self, folder: str, name: str) -> None:
        """Remove a file, or the link that stands in its place."""
        with self._asking(f"removing {folder}/{name}") as client, suppress(FileNotFoundError):
            client.remove(self._at(folder, name))


def _shape(status: paramiko.SFTPAttributes) -> Shape:
    mode = status.st_mode or 0
    if stat.S_ISREG(mode):
        return Shape.FILE
    return Shape.FOLDER if stat.S_ISDIR(mode) else Shape.OTHER


def _is_there(look: Callable[[str], object], path: str) -> bool:
    try:
        look(path)
    except FileNotFoundError:
        return False
    return True


def _is_folder(client: Client, path: str) -> bool:
    try:
        return _shape(client.lstat(path)) is Shape.FOLDER
    except FileNotFoundError:
        return False


def _write(client: Client, path: str, content: bytes | Path, *, make: str) -> None:
    """Write a new file and see that the server holds all of it."""
    if not _is_folder(client, make):
        with suppress(FileExistsError):
            client.mkdir(make, 0o770)
    written = 0
    file = client.open(path, "wx")
    try:
        with file:
            file.set_pipelined(True)
            for piece in pieces(content):
                file.write(piece)
                written += len(piece)
    except OSError as error:
        raise _not_whole(path, error) from error
    held = client.lstat(path).st_size
    if held != written:
        raise _not_whole(path, OSError(f"{held} of {written} bytes"))


def _not_whole(path: str, error: OSError) -> OSError:
    """SFTP says "Failure" for a full disk and a quota alike; errors with a number stay."""
    if error.errno is not None or isinstance(error, TimeoutError | ConnectionError):
        return error
    return OSError(errno.ENOSPC, f"the server took only a part ({error})", path)


def _rename(client: Client, old: str, new: str) -> None:
    try:
        client.posix_rename(old, new)
    except FileNotFoundError:
        raise
    except OSError:
        client.rename(old, new)  # servers without OpenSSH's extension; fails if new is there
