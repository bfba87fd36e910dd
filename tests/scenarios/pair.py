"""Two companies that have met and agreed: what every story begins with.

Building it costs seconds, so it is built once for a run's worker and laid out anew, from a copy of
its folders, for each test. A copy only works at the same place: a mailbox's address is signed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tillit.database.embedded import stop
from tillit.demo import acts
from tillit.demo.model import Want, World, write_tables
from tillit.demo.world import simulate
from tillit.exchange.publish import Published, publish
from tillit.exchange.receive import Received, receive
from tillit.home import Home

__all__ = ["BUYER", "SUPPLIER", "Company", "Pair", "agreement_id", "build", "lay_out"]

BUYER, SUPPLIER = "nordvik", "fjordstal"
BEFORE = timedelta(days=7)


def agreement_id(provider: str, kind: str) -> str:
    """The agreement under which one of the two tells the other a kind."""
    consumer = SUPPLIER if provider == BUYER else BUYER
    return f"{provider}--{consumer}.{kind}"


class Company:
    """One of the two, with its home open."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def publish(self, kind: str, *, now: datetime, revision: int = 1) -> Published:
        """Publish what is due of a kind to the other."""
        return publish(
            self.home, agreement_id(self.home.party_id, kind), now=now, revision=revision
        )

    def receive(self, *, now: datetime) -> Received:
        """Take what waits."""
        return receive(self.home, now=now)

    @property
    def mailbox(self) -> Path:
        """The folder of our inbox, as whoever runs the server sees it."""
        return Path(self.home.config.mailbox_url.removeprefix("file://"))

    def waiting(self, suffix: str = "") -> list[Path]:
        """Files that lie in our inbox, by name."""
        return sorted(p for p in self.mailbox.rglob(f"*{suffix}") if p.is_file())

    def source(self, name: str) -> Path:
        """The Parquet file of one of our sources."""
        return Path(self.home.config.sources[name])

    def change_source(self, name: str, select: str) -> None:
        """Replace a source by a query over it, in which it is called ``source``."""
        path = self.source(name)
        with duckdb.connect() as connection:
            connection.execute("create table source as select * from read_parquet($1)", [str(path)])
            connection.sql(select).write_parquet(str(path))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask our lake."""
        return self.home.lake.connection.execute(sql, list(parameters)).fetchall()

    def landed(self, kind: str = "demand_forecast") -> int:
        """How many rows of a kind have landed."""
        return int(self.rows(f"select count(*) from landed.{kind}")[0][0])

    def statements(self, **chosen: Any) -> list[Any]:
        """Entries of our ledger."""
        return list(self.home.ledger.entries(**chosen))


class Pair:
    """The buyer and the supplier, and what time it is when their story begins."""

    def __init__(self, buyer: Home, supplier: Home, now: datetime) -> None:
        self.buyer, self.supplier, self.now = Company(buyer), Company(supplier), now

    def later(self, step: timedelta = timedelta(minutes=30)) -> datetime:
        """Let time pass; what time it is then."""
        self.now += step
        return self.now

    @property
    def both(self) -> tuple[Company, Company]:
        """Buyer and supplier."""
        return self.buyer, self.supplier


def build(folder: Path) -> datetime:
    """Build both homes in a folder; the instant of the first week's publications."""
    world = simulate(seed=11, weeks=8)
    wants = [want for want in world.wants if {want.provider, want.consumer} == {BUYER, SUPPLIER}]
    start = world.start - BEFORE
    with ExitStack() as stack:
        stages = {}
        for party in (BUYER, SUPPLIER):
            stages[party] = stage = acts.Stage(folder / party)
            stack.callback(stage.close)
            _make(world, stage, folder / "mailboxes" / party, start)
        documents = {party: acts.document(stage) for party, stage in stages.items()}
        acts.meet(stages[BUYER], documents=[documents[SUPPLIER]], now=start)
        acts.meet(stages[SUPPLIER], documents=[documents[BUYER]], now=start)
        _agree(list(stages.values()), wants, start, world.end + timedelta(days=365))
    return world.steps[0].now.astimezone(UTC)


def _make(world: World, stage: acts.Stage, mailbox: Path, now: datetime) -> None:
    party = stage.folder.name
    name = next(partner.name for partner in world.parties if partner.id == party)
    (stage.folder / "sources").mkdir(parents=True)
    write_tables(world, party, stage.folder / "sources")
    acts.build(stage, party=party, name=name, mailbox=mailbox.as_uri(), outbound={}, now=now)


def _agree(stages: list[acts.Stage], wants: list[Want], start: datetime, end: datetime) -> None:
    for stage in stages:
        acts.propose(stage, wants=wants, start=start, end=end, now=start)
    for act in (acts.receive, acts.countersign, acts.receive):
        for stage in stages:
            act(stage, now=start)


def lay_out(template: Path, folder: Path) -> None:
    """Put the folders of a template where they were built, or keep what was built as a template.

    Owners are kept (`cp -a`): as root, the embedded PostgreSQL runs under an account of its own.
    """
    # A server that still runs there would take the socket of the next one with it when it ends.
    for party in (BUYER, SUPPLIER):
        stop(folder / party / "postgres")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
