"""One party's installation, opened: configuration, keys, ledger, lake, mailboxes. I/O.

Everything is opened when it is first used, so that `tillit party list` starts no database. A home
is a context manager; leaving it closes what was opened.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tillit import places
from tillit.config import CONFIG_FILE, Config, read_config, write_config
from tillit.errors import ConfigError, HomeError, KeyFileError, PartyRefused
from tillit.model import PARTY_ID, Kind

if TYPE_CHECKING:
    from tillit.crypto.keys import KeyRing
    from tillit.crypto.party import Party
    from tillit.database import Database
    from tillit.lake import Lake
    from tillit.ledger.store import Ledger
    from tillit.mailbox import Incoming, Outgoing

__all__ = ["Home", "Passphrase", "create_home"]

Passphrase = Callable[[], bytes]
"""Asked only when a key file turns out to be locked."""

_FOLDERS = ("keys", "parties", "outbox", "spool", "sources")


def create_home(  # noqa: PLR0913 (a home is made once, and all of it is said then)
    folder: Path,
    *,
    party_id: str,
    name: str,
    now: datetime,
    mailbox_url: str | None = None,
    mailbox: Mapping[str, str] | None = None,
    sources: Mapping[str, str] | None = None,
    contracts: Path | None = None,
    database_url_file: Path | None = None,
    passphrase: bytes | None = None,
    threads: int | None = None,
) -> Home:
    """Make a home: folders, keys, the party's own document, configuration, ledger and lake.

    The configuration is written last: a folder without it is not a home, so an interrupted
    call can be repeated after deleting the folder. Raises HomeError if there is one already.
    """
    from tillit.crypto.keys import KeyRing
    from tillit.crypto.party import PartyDocument
    from tillit.mailbox import check_address

    if not PARTY_ID.fullmatch(party_id):
        raise ConfigError(
            "wrong-value", "the party's id", expected=PARTY_ID.pattern, found=party_id
        )
    if (folder / CONFIG_FILE).exists() or (folder / "keys").exists():
        raise HomeError("exists", f"{folder} is a home already, or the rest of one")
    mailbox_url = mailbox_url or (folder / "mailbox").resolve().as_uri()
    address = check_address(mailbox_url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for part in _FOLDERS:
        (folder / part).mkdir(mode=0o700, exist_ok=True)
    config = Config(
        party_id=party_id,
        party_name=name,
        mailbox_url=mailbox_url,
        mailbox=mailbox or {},
        database_url_file=database_url_file,
        threads=threads,
        contracts=contracts,
        sources=sources or {},
    )
    ring = KeyRing.create(folder / "keys", passphrase=passphrase)
    try:
        document = PartyDocument.first(
            id=party_id, name=name, mailbox_url=mailbox_url, keys=ring, issued_at=now
        )
    except PartyRefused:
        shutil.rmtree(folder / "keys")  # made just now, and nobody knows them
        raise
    _store_document(folder, party_id, 1, document.envelope)
    write_config(folder, config)
    made = Home.open(folder, passphrase=None if passphrase is None else lambda: passphrase)
    if address.scheme == "file":
        made.incoming.prepare()  # elsewhere the inbox is made by whoever runs the server
    return made


def _store_document(folder: Path, party_id: str, version: int, envelope: bytes) -> None:
    """Put a document in place, whole or not at all, and never in place of another."""
    place = folder / "parties" / party_id
    place.mkdir(mode=0o700, exist_ok=True)
    new = place / f"{version:06d}.new"
    with new.open("wb") as file:
        file.write(envelope)
        file.flush()
        os.fsync(file.fileno())
    (place / f"{version:06d}.dsse.json").hardlink_to(new)
    new.unlink()


class Home:
    """A party's installation; see the module."""

    def __init__(self, folder: Path, config: Config, passphrase: Passphrase | None) -> None:
        self.folder = folder
        self.config = config
        self.readable: list[str] = []
        """Files that the lake may read besides the sources; said before it is first used."""
        self._passphrase = passphrase
        self._stack = ExitStack()

    @classmethod
    def open(cls, folder: Path, *, passphrase: Passphrase | None = None) -> Self:
        """Open the home in a folder; HomeError or ConfigError if it is none."""
        folder = folder.resolve()
        return cls(folder, read_config(folder), passphrase)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened; a home can be opened again."""
        self._stack.close()

    def __repr__(self) -> str:
        return f"Home({self.party_id})"

    @property
    def party_id(self) -> str:
        """Our own id."""
        return self.config.party_id

    def place(self, name: str) -> Path:
        """A private folder of the home, made when it is missing."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @cached_property
    def keys(self) -> KeyRing:
        """Our signing keys and age identities; HomeError without them."""
        from tillit.crypto.keys import KeyRing

        folder = self.folder / "keys"
        if not folder.is_dir() or not any(folder.iterdir()):
            raise HomeError("without-keys", f"{self.folder} has no keys, so it can sign nothing")
        try:
            return KeyRing.load(folder)
        except KeyFileError as error:
            if error.code != "key.passphrase" or self._passphrase is None:
                raise
            return KeyRing.load(folder, passphrase=self._passphrase())

    @cached_property
    def database(self) -> Database:
        """PostgreSQL: by the URL in the file that the configuration names, or the home's own.

        KeyFileError for a file that is not there or that others may read: it holds a password.
        """
        from tillit.crypto.secret_file import read_secret
        from tillit.database import Database

        url = None
        if self.config.database_url_file is not None:
            url = read_secret(self.config.database_url_file).decode(errors="replace").strip()
        return self._stack.enter_context(Database.open(url, self.folder / "postgres"))

    @cached_property
    def ledger(self) -> Ledger:
        """The record of everything sent and received."""
        from tillit.ledger.store import Ledger

        return Ledger(self.database.engine("ledger"), self.party_id)

    @cached_property
    def lake(self) -> Lake:
        """What was landed, observed and refused, in DuckDB."""
        from tillit.lake import Lake

        lake = Lake.open(
            self.database.libpq("lake"),
            self.config.lake_data or str(self.place("lake")),
            spool=self.place("spool"),
            memory_limit=self.config.memory_limit,
            threads=self.config.threads,
            readable=[
                *self.config.sources.values(),
                *(str(path) for path in self.place("sources").glob("*") if path.is_file()),
                *self.readable,
            ],
            ledger=self.database.libpq("ledger"),
        )
        return self._stack.enter_context(lake)

    @cached_property
    def incoming(self) -> Incoming:
        """Our own inbox."""
        from tillit.mailbox import open_incoming

        return open_incoming(self.config.mailbox_url, self.config.mailbox)

    def outgoing(self, partner: str) -> Outgoing:
        """The place in a partner's inbox that is ours."""
        from tillit.mailbox import open_outgoing

        return open_outgoing(self.party(partner).mailbox_url, self.party_id, self.config.mailbox)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds of exchange whose contracts are installed, by name."""
        from tillit.kinds import installed

        return installed(self.config.contracts)

    @property
    def transforms(self) -> Path:
        """The folder with all SQL."""
        return places.transforms(self.config.transforms)

    # ---- parties ------------------------------------------------------------------------------

    def documents(self, party_id: str) -> list[bytes]:
        """A party's documents as received, oldest first; empty for a stranger."""
        if not PARTY_ID.fullmatch(party_id):
            return []
        folder = self.folder / "parties" / party_id
        return [path.read_bytes() for path in sorted(folder.glob("*.dsse.json"))]

    def party(self, party_id: str) -> Party:
        """A party that we know; PartyRefused for a stranger."""
        known = self.parties.get(party_id)
        if known is None:
            names = ", ".join(sorted(self.parties)) or "nobody"
            raise PartyRefused(
                "unknown",
                f"{party_id} is not known here",
                expected=f"one of {names} (tillit party add)",
                found=party_id,
            )
        return known

    @cached_property
    def parties(self) -> dict[str, Party]:
        """Everybody we know, ourselves included, each with all generations of keys."""
        from tillit.crypto.party import replay

        folder = self.folder / "parties"
        ids = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        # An empty folder is what an interrupted acquaintance leaves; other names are not ours.
        kept = ((party_id, self.documents(party_id)) for party_id in ids)
        return {party_id: replay(documents) for party_id, documents in kept if documents}

    def keep_party(self, party: Party, envelope: bytes) -> None:
        """Keep a document that was accepted."""
        _store_document(self.folder, party.id, party.version, envelope)
        self.parties[party.id] = party
