"""What a report shows, as frozen values. Pure.

A figure that is not measured is None everywhere; the page says so instead of drawing a zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

__all__ = [
    "ColumnBits",
    "Content",
    "Direction",
    "Mark",
    "Mover",
    "Refused",
    "Relationship",
    "Sure",
    "Week",
]


@dataclass(frozen=True)
class Week:
    """One week of one direction; scores from 0 to 100, shares from 0 to 1, bits a due cell."""

    week: date
    score: float | None
    information: float | None
    promises: float | None
    candour: float | None
    ideas: float | None


@dataclass(frozen=True)
class Sure:
    """Between what the score of a week lies, nine times in ten."""

    week: date
    low: float
    high: float


@dataclass(frozen=True)
class Mark:
    """An alarm: the week from which it was seen, whether it stands, and what it says.

    ``told`` are those that people are told of; the rest may be chance.
    """

    week: date
    stands: bool
    told: bool
    says: str


@dataclass(frozen=True)
class ColumnBits:
    """One permitted column: how much it told, by week too, and how much weight it has."""

    kind: str
    column: str
    level: int
    bits: float | None
    honesty_gap: float | None
    share: float | None
    due: int
    arrived: int
    enough: bool
    late: int = 0
    missing: int = 0
    history: tuple[tuple[date, float | None], ...] = ()


@dataclass(frozen=True)
class Mover:
    """What moved the score since the earlier week, in points; the parts add up to the whole.

    ``within`` are the columns that add up to a part.
    """

    part: str
    points: float
    within: tuple[Mover, ...] = ()


@dataclass(frozen=True)
class Direction:
    """What ``sender`` shares with ``receiver``, as the receiver measures it.

    ``short``, ``worth``, ``waits`` and ``beside`` are sentences: what is to be said first, what it
    was worth, what is overdue or unanswered, and what stands beside the score without being in it.
    """

    sender: str
    receiver: str
    score: float | None
    information: float | None
    promises: float | None
    candour: float | None
    ideas: float | None
    due: int
    arrived: int
    late: int
    missing: int
    columns: tuple[ColumnBits, ...] = ()
    history: tuple[Week, ...] = ()
    moved: tuple[Mover, ...] = ()
    moved_since: date | None = None
    interval: tuple[float, float] | None = None
    band: tuple[Sure, ...] = ()
    alarms: tuple[Mark, ...] = ()
    short: str = ""
    worth: str = ""
    waits: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relationship:
    """Both directions between two parties; ``story`` is what was planted, where it is known."""

    buyer: str
    supplier: str
    name: str
    there: Direction
    back: Direction
    story: str = ""

    @property
    def score(self) -> float | None:
        """The geometric mean of both directions; None unless both are measured."""
        if self.there.score is None or self.back.score is None:
            return None
        return float((self.there.score * self.back.score) ** 0.5)


@dataclass(frozen=True)
class Refused:
    """Rows or a whole shipment that somebody refused, and why."""

    where: str
    sender: str
    receiver: str
    kind: str
    rule: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Content:
    """Everything on the page."""

    title: str
    as_of: datetime
    relationships: tuple[Relationship, ...]
    refused: tuple[Refused, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())
    agreements: tuple[tuple[str, str], ...] = ()
