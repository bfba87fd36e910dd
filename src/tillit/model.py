"""What passes between modules, as frozen values. Pure; no module here does I/O.

Times are aware and in UTC, digests are lower-case hexadecimal SHA-256, sizes are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

__all__ = [
    "AGREEMENT_ID",
    "NAME",
    "PARTY_ID",
    "Agreement",
    "Cadence",
    "Column",
    "Every",
    "Kind",
    "Period",
    "Rule",
    "Treatment",
    "counted",
    "isoformat",
    "parse_instant",
]

# ASCII only, so that no two ids look alike; no dots or slashes first, so that each is a safe
# file name.
PARTY_ID = re.compile(r"[a-z][a-z0-9]{0,30}(?:-[a-z0-9]{1,30}){0,3}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
AGREEMENT_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,118}[a-z0-9]")


class Every(StrEnum):
    """How often an agreement's shipments are due; ``event`` means when something happens."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    EVENT = "event"


class Treatment(StrEnum):
    """What the terms do to a column before it is sealed."""

    CLEAR = "clear"
    WITHHELD = "withheld"
    PSEUDONYM = "pseudonym"
    ROUNDED = "rounded"
    BANDED = "banded"
    REDACTED = "text-redacted"


@dataclass(frozen=True)
class Column:
    """One column of a kind, named and typed as in its ODCS contract.

    ``sql_type`` is as DuckDB writes it. ``key`` is the 1-based place in the grain, 0 outside it.
    ``level`` is the classification, 1 public to 4 restricted. ``witness`` is ``kind.column`` of the
    outcome that the receiver observes itself, or None.
    """

    name: str
    sql_type: str
    description: str = ""
    required: bool = False
    key: int = 0
    level: int = 2
    witness: str | None = None
    unit: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule of a kind.

    ``breaks`` is a DuckDB boolean expression over the columns that is true for a row that breaks
    the rule (null counts as not broken); for ``scope == "key"`` it is empty and ``columns`` must be
    unique together. ``reason`` is what the partner is told.
    """

    name: str
    reason: str
    breaks: str = ""
    columns: tuple[str, ...] = ()
    scope: str = "row"
    dimension: str = "validity"


@dataclass(frozen=True)
class Kind:
    """A kind of exchange: an ODCS v3.1.0 contract, read. ``digest`` is of the contract's bytes."""

    name: str
    version: str
    digest: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    purpose: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the grain's columns, in order."""
        keyed = sorted((c for c in self.columns if c.key), key=lambda c: c.key)
        return tuple(c.name for c in keyed)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Period:
    """One turn of a cadence: ``start`` to ``end`` (exclusive); due there by ``cut_off``."""

    start: datetime
    end: datetime
    cut_off: datetime


@dataclass(frozen=True)
class Cadence:
    """``cut_off_hours`` before the start of a period its shipment must have arrived.

    Negative hours lie after the start: orders of a week are due when it is over.
    """

    every: Every
    cut_off_hours: float = 0.0

    def period_at(self, when: datetime) -> Period:
        """The period that contains ``when``; periods are UTC, a week begins on Monday."""
        day = when.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        if self.every is Every.HOUR:
            start, end = day, day + timedelta(hours=1)
        elif self.every is Every.DAY:
            start = day.replace(hour=0)
            end = start + timedelta(days=1)
        elif self.every is Every.WEEK:
            start = day.replace(hour=0) - timedelta(days=day.weekday())
            end = start + timedelta(days=7)
        elif self.every is Every.MONTH:
            start = day.replace(hour=0, day=1)
            end = (start + timedelta(days=32)).replace(day=1)
        else:
            start = end = when.astimezone(UTC).replace(microsecond=0)
        return Period(start, end, start - timedelta(hours=self.cut_off_hours))

    def next_due(self, now: datetime) -> Period:
        """The first period whose cut-off has not passed at ``now``: what to publish next."""
        if self.every is Every.EVENT:
            return self.period_at(now)
        # A cut-off lies ``cut_off_hours`` before its period's start, so the period that begins
        # at or after now + hours is the one to serve.
        period = self.period_at(now + timedelta(hours=self.cut_off_hours))
        return period if period.cut_off >= now else self.period_at(period.end)


@dataclass(frozen=True)
class Agreement:
    """An access agreement, read. ``digest`` is of the exact YAML bytes that both parties sign.

    ``coarseness`` holds the step of each rounded column and the edges of each banded one.
    ``terms`` are the optional ones that it has, by name, as their modules read them.
    """

    id: str
    version: str
    digest: str
    provider: str
    consumer: str
    kind: str
    kind_version: str
    kind_digest: str
    start: datetime
    end: datetime
    purposes: tuple[str, ...]
    columns: Mapping[str, Treatment]
    cadence: Cadence
    coarseness: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    purpose: str = ""
    reassess: datetime | None = None
    text: bytes = field(default=b"", repr=False)
    terms: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        object.__setattr__(self, "coarseness", MappingProxyType(dict(self.coarseness)))
        object.__setattr__(self, "terms", MappingProxyType(dict(self.terms)))

    @property
    def shared_columns(self) -> tuple[str, ...]:
        """Names that may leave the provider, in the agreement's order."""
        return tuple(n for n, t in self.columns.items() if t is not Treatment.WITHHELD)


def isoformat(when: datetime) -> str:
    """``2026-03-01T06:00:00Z``, with microseconds only where there are any; aware times only."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone")
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """The inverse of `isoformat`; ValueError for anything else, a local time included."""
    if not isinstance(text, str) or not text.endswith("Z"):
        raise ValueError("an instant is written like 2026-03-01T06:00:00Z")
    return datetime.fromisoformat(text)


def counted(number: int, noun: str) -> str:
    """A number with its noun, for people: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
