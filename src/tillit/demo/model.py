"""What every world has, simulated or real. Pure but for `write_tables`, which writes Parquet.

A world is parties, the exchanges they want, the tables that each of them has at home, and the
steps of a clock. Rows carry ``recorded_at``, the instant at which they became known at home, so
that whoever runs a world writes all tables once and lets the clock pick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from tillit.model import Every

__all__ = ["OWN", "Fact", "Move", "Partner", "Step", "Want", "World", "write_tables"]

OWN = "own_"
"""Tables named so are what a party observed itself (for ``own.<kind>`` of its lake); the others
are sources of what it sends."""


@dataclass(frozen=True)
class Partner:
    """A party: its id, and the name that people call it."""

    id: str
    name: str


@dataclass(frozen=True)
class Want:
    """An exchange that two parties want: one agreement.

    ``cut_off_hours`` as in `tillit.model.Cadence`: negative hours lie after the period's start.
    ``also_for`` are further purposes.
    """

    provider: str
    consumer: str
    kind: str
    every: Every
    cut_off_hours: float
    purpose: str
    withheld: tuple[str, ...] = ()
    also_for: tuple[str, ...] = ()
    version: str = "1.0.0"

    @property
    def agreement_id(self) -> str:
        """The id of the agreement about it, whatever its version."""
        return f"{self.provider}--{self.consumer}.{self.kind}"

    @property
    def parties(self) -> tuple[str, str]:
        """Provider and consumer."""
        return self.provider, self.consumer


@dataclass(frozen=True)
class Step:
    """One turn of the clock: at ``now`` the wants are published, at ``receive_at`` all receive.

    A want is published for the period that is next due at ``now``, with what was recorded before
    ``now``; it has nothing to send in some steps (nobody complains every month).
    """

    now: datetime
    receive_at: datetime
    wants: tuple[Want, ...]


@dataclass(frozen=True)
class Move:
    """A step in the life of an agreement that ``who`` takes: propose, sign, decline or revoke.

    What is proposed is the ``want``, in its version; the other moves are about that version, but
    revocation, which is about all of them. No and the end of something need a ``reason``.
    """

    now: datetime
    who: str
    what: str
    want: Want
    reason: str = ""

    @property
    def partner(self) -> str:
        """Whom it is said to."""
        return next(party for party in self.want.parties if party != self.who)


@dataclass(frozen=True)
class Fact:
    """One planted story: what the measure should show, and from when on."""

    who: str
    what: str
    since: datetime
    shows: str


@dataclass(frozen=True)
class World:
    """Parties, wants, tables and clock; ``contents`` is party -> table name -> table.

    ``moves`` change agreements between the steps, in the order of time. ``planted`` lists the rows
    that the rules must refuse: party, partner, kind, key (the grain's values with ``|`` between
    them), column, what, rule, recorded_at. ``outbound`` is SQL that a party prepares a kind with
    instead of the product's (party -> kind -> file). ``names`` (party, name) says whom a party
    stands for. ``left_out`` counts what of the input is no row of any table, by the reason.
    """

    name: str
    parties: tuple[Partner, ...]
    wants: tuple[Want, ...]
    steps: tuple[Step, ...]
    contents: Mapping[str, Mapping[str, pa.Table]] = field(repr=False)
    planted: pa.Table = field(repr=False)
    story: tuple[Fact, ...] = ()
    moves: tuple[Move, ...] = ()
    outbound: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    names: pa.Table | None = field(default=None, repr=False)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frozen = {party: MappingProxyType(dict(t)) for party, t in self.contents.items()}
        object.__setattr__(self, "contents", MappingProxyType(frozen))

    @property
    def start(self) -> datetime:
        """When the first step begins."""
        return self.steps[0].now

    @property
    def end(self) -> datetime:
        """When the last step ends."""
        return self.steps[-1].receive_at

    @property
    def turned(self) -> date | None:
        """The last week before what was planted changed; None where nothing changes on the way."""
        later = [fact.since for fact in self.story if fact.since > self.start]
        return (min(later) - timedelta(weeks=1)).date() if later else None

    def tables(self, party: str) -> Mapping[str, pa.Table]:
        """A party's tables by name: a kind's name, or `OWN` and a kind's name."""
        return self.contents[party]


def write_tables(world: World, party: str, folder: Path) -> dict[str, Path]:
    """Write a party's tables as ``<name>.parquet``; the same world gives the same bytes."""
    written: dict[str, Path] = {}
    for name, table in sorted(world.tables(party).items()):
        written[name] = folder / f"{name}.parquet"
        pq.write_table(table, written[name], compression="zstd")
    return written
