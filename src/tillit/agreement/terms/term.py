"""What a term is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tillit.agreement.fields import Schema
from tillit.model import Kind

__all__ = ["Change", "Compare", "Direction", "Term", "asks_nothing", "unread"]


class Direction(StrEnum):
    """Whether a new version lets through more than the old one, less, or neither by itself."""

    WIDENING = "widening"
    NARROWING = "narrowing"
    NEITHER = "neither"


@dataclass(frozen=True)
class Change:
    """One difference between two versions, in words: where it stands and what it does."""

    at: str
    says: str
    direction: Direction


Compare = Callable[[Any, Any, str], Sequence[Change]]
"""What differs between the old and the new value of a term, at a place; None where it is absent."""


@dataclass(frozen=True)
class Term:
    """One term: its JSON Schema, its reader, and what it asks of the kind that it is about.

    ``read`` takes the value and its place; ``fits`` raises ContractRefused when the kind cannot
    be shared so, and does nothing for a term that asks nothing of the kind. ``compare`` says in
    words what a new value lets through; it is called when old and new differ, and without it a
    person is told to read them.
    """

    schema: Schema
    read: Callable[[object, str], Any]
    fits: Callable[[Any, str, Kind], None]
    required: bool = True
    compare: Compare | None = None


def asks_nothing(_value: object, _at: str, _kind: Kind) -> None:
    """For terms that hold for every kind."""


def unread(old: Any, new: Any, at: str) -> tuple[Change, ...]:
    """For terms that cannot compare themselves: say that there is something to read."""
    if old is None:
        says = "is new; what it does has to be read"
    elif new is None:
        says = "is gone; what it did has to be read in the old version"
    else:
        says = "has changed; both versions have to be read"
    return (Change(at, says, Direction.NEITHER),)
