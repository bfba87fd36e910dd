"""What a term is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tillit.agreement.fields import Schema
from tillit.model import Agreement, Kind, Rule

__all__ = [
    "Change",
    "Compare",
    "Direction",
    "Term",
    "asks_nothing",
    "refuses_nothing",
    "unread",
    "widening",
]


class Direction(StrEnum):
    """Whether a new version lets through more than the old one, less, or neither by itself."""

    WIDENING = "widening"
    NARROWING = "narrowing"
    NEITHER = "neither"


def widening(more: bool, less: bool) -> Direction:
    """The direction of a change that lets through more, or less, or neither."""
    return Direction.WIDENING if more else Direction.NARROWING if less else Direction.NEITHER


@dataclass(frozen=True)
class Change:
    """One difference between two versions, in words: where it stands and what it does."""

    at: str
    says: str
    direction: Direction


Compare = Callable[[Any, Any, str], Sequence[Change]]
"""What differs between the old and the new value of a term, at a place; None where it is absent."""


def asks_nothing(_agreement: Agreement, _at: str, _kind: Kind) -> None:
    """For terms that hold for every kind."""


def refuses_nothing(_agreement: Agreement, _kind: Kind) -> Iterable[Rule]:
    """For terms that no row can break."""
    return ()


@dataclass(frozen=True)
class Term:
    """One term: its JSON Schema, its reader, and what it asks of kind, rows and later versions.

    ``read`` takes the value and its place; ``fits`` raises ContractRefused when the kind cannot
    be shared so under the rest of the agreement. ``rules`` are what the consumer holds each row
    against, beside the rules of the kind, for what can be seen in the rows themselves. ``compare``
    says in words what a new value lets through; it is called when old and new differ, and without
    it a person is told to read them.
    """

    schema: Schema
    read: Callable[[object, str], Any]
    fits: Callable[[Agreement, str, Kind], None] = asks_nothing
    required: bool = False
    compare: Compare | None = None
    rules: Callable[[Agreement, Kind], Iterable[Rule]] = refuses_nothing


def unread(old: Any, new: Any, at: str) -> tuple[Change, ...]:
    """For terms that cannot compare themselves: say that there is something to read."""
    if old is None:
        says = "is new; what it does has to be read"
    elif new is None:
        says = "is gone; what it did has to be read in the old version"
    else:
        says = "has changed; both versions have to be read"
    return (Change(at, says, Direction.NEITHER),)
