"""Reach an SFTP server, and only the one that is meant. I/O.

A server is only talked to when its key is in the known_hosts file that the party keeps: nobody's
key is learnt on the way, and neither the SSH agent nor keys that happen to lie about are offered.
fsspec's SFTP accepts every host, so paramiko is used as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import paramiko
from paramiko.sftp import CMD_READDIR

from tillit.errors import MailboxUnavailable
from tillit.mailbox.address import Address
from tillit.mailbox.store import system_errors

__all__ = ["Client", "Login", "connect"]

_QUIET_SECONDS = 60.0


@dataclass(frozen=True)
class Login:
    """What a party needs to reach SFTP servers, as its configuration or the environment says.

    Secrets are files, read when a connection is made and not kept.
    """

    known_hosts: Path | None = None
    user: str | None = None
    key_file: Path | None = None
    password_file: Path | None = None

    @classmethod
    def of(cls, options: Mapping[str, str], environment: Mapping[str, str]) -> Login:
        """From ``[mailbox]`` of the configuration, or ``TILLIT_SFTP_KNOWN_HOSTS`` and so on."""

        def option(name: str) -> str | None:
            return options.get(name) or environment.get(f"TILLIT_SFTP_{name.upper()}")

        def file(name: str) -> Path | None:
            value = option(name)
            return None if value is None else Path(value)

        return cls(file("known_hosts"), option("user"), file("key_file"), file("password_file"))


class Client(paramiko.SFTPClient):
    """paramiko's client, not to be stopped by one name that is not UTF-8.

    Whoever may write into an inbox could otherwise make it unreadable for its owner.
    """

    def _request(self, t: Any, *arguments: Any) -> Any:
        answer = super()._request(t, *arguments)  # type: ignore[misc]
        if t == CMD_READDIR:
            message = answer[1]
            message.get_text = lambda: message.get_string().decode("utf-8", "surrogateescape")
        return answer


class _UnknownHost(paramiko.SSHException):
    """The server's key is not among those that we know."""


class _KnownOnly(paramiko.MissingHostKeyPolicy):
    """No key is accepted that was not known before."""

    def missing_host_key(
        self, _client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> NoReturn:
        """Refuse, and say what was shown, so that it can be compared and added by hand."""
        raise _UnknownHost(f"{hostname} shows {key.get_name()} {key.fingerprint}")


def connect(address: Address, login: Login, seconds: float) -> tuple[paramiko.SSHClient, Client]:
    """An authenticated connection and its SFTP client; every failure is MailboxUnavailable."""
    if login.known_hosts is None:
        raise MailboxUnavailable(
            "host-key",
            f"{address}: it is not said which servers are trusted",
            expected="known_hosts under [mailbox] in config.toml, or TILLIT_SFTP_KNOWN_HOSTS",
            found="neither",
        )
    user = address.user or login.user
    if user is None:
        raise MailboxUnavailable(
            "denied", f"{address}: no user", expected="user under [mailbox] in config.toml"
        )
    password = None if login.password_file is None else _secret(login.password_file)
    if login.key_file is not None:
        _require_private(login.key_file)
    ssh = paramiko.SSHClient()
    ssh.set_missing_host_key_policy(_KnownOnly())
    try:
        with _connecting(address):
            ssh.load_host_keys(str(login.known_hosts))
            ssh.connect(
                address.host,
                address.port or 22,
                user,
                password=password,
                key_filename=None if login.key_file is None else str(login.key_file),
                timeout=seconds,
                banner_timeout=seconds,
                auth_timeout=seconds,
                channel_timeout=seconds,
                allow_agent=False,
                look_for_keys=False,
            )
            return ssh, _session(ssh)
    except BaseException:
        ssh.close()
        raise


def _session(ssh: paramiko.SSHClient) -> Client:
    transport = ssh.get_transport()
    if transport is None:
        raise paramiko.SSHException("the connection is gone")
    transport.set_keepalive(30)
    client = Client.from_transport(transport)
    if not isinstance(client, Client):
        raise paramiko.SSHException("the server has no SFTP")
    client.get_channel().settimeout(_QUIET_SECONDS)  # type: ignore[union-attr]
    return client


@contextmanager
def _connecting(address: Address) -> Iterator[None]:
    """What can go wrong before the first question, told apart by who has to mend it."""
    try:
        with system_errors(f"connecting to {address}", missing="host-key"):
            yield
    except (_UnknownHost, paramiko.BadHostKeyException) as error:
        raise MailboxUnavailable(
            "host-key",
            f"{address} does not show a key that is in known_hosts",
            found=error,
        ) from error
    except paramiko.AuthenticationException as error:
        raise MailboxUnavailable("denied", f"{address} does not let us in", found=error) from error
    except (paramiko.SSHException, EOFError, ValueError) as error:
        raise MailboxUnavailable(
            "unreachable", f"{address} does not answer as SFTP does", found=error
        ) from error


def _secret(file: Path) -> str:
    _require_private(file)
    return file.read_text(encoding="utf-8").rstrip("\r\n")


def _require_private(file: Path) -> None:
    """The file is there and nobody else can read it."""
    with system_errors(f"reading {file}", missing="denied"):
        mode = file.stat().st_mode & 0o777
    if mode & 0o077:
        raise MailboxUnavailable(
            "denied", f"{file} can be read by others", expected="mode 0600", found=oct(mode)
        )
