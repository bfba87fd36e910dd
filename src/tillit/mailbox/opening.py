"""From an address to the side of a mailbox. I/O: reads the environment when it is called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from tillit.errors import ConfigError, MailboxUnavailable
from tillit.mailbox.address import Address, check_address
from tillit.mailbox.box import Incoming, Outgoing
from tillit.mailbox.store import Store

__all__ = ["open_incoming", "open_outgoing"]


def open_incoming(url: str, options: Mapping[str, str]) -> Incoming:
    """Our own inbox. Nothing is reached yet; ConfigError for an address that cannot be used."""
    return Incoming(_store(check_address(url), options))


def open_outgoing(url: str, me: str, options: Mapping[str, str]) -> Outgoing:
    """Our folder in a partner's inbox, the same object for the same arguments.

    Nothing is reached yet. The address is the partner's word: one that cannot be used is
    MailboxUnavailable ``address``, so that it holds up nobody else.
    """
    return _outgoing(url, me, tuple(sorted(options.items())))


@lru_cache(maxsize=256)
def _outgoing(url: str, me: str, options: tuple[tuple[str, str], ...]) -> Outgoing:
    try:
        address = check_address(url)
    except ConfigError as error:
        raise MailboxUnavailable("address", str(error)) from error
    return Outgoing(_store(address, dict(options)), me)


def _store(address: Address, options: Mapping[str, str]) -> Store:
    if address.scheme == "file":
        from tillit.mailbox.folder import FolderStore

        return FolderStore(Path(address.path), sync=options.get("sync", "yes") != "no")
    if address.scheme == "sftp":
        from tillit.mailbox.sftp import SftpStore
        from tillit.mailbox.ssh import Login

        return SftpStore(address, Login.of(options, os.environ))
    from tillit.mailbox.objects import ObjectStore

    return ObjectStore.s3(address)
