"""What a term is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tillit.agreement.fields import Schema
from tillit.model import Kind

__all__ = ["Term", "asks_nothing"]


@dataclass(frozen=True)
class Term:
    """One term: its JSON Schema, its reader, and what it asks of the kind that it is about.

    ``read`` takes the value and its place; ``fits`` raises ContractRefused when the kind cannot
    be shared so, and does nothing for a term that asks nothing of the kind.
    """

    schema: Schema
    read: Callable[[object, str], Any]
    fits: Callable[[Any, str, Kind], None]
    required: bool = True


def asks_nothing(_value: object, _at: str, _kind: Kind) -> None:
    """For terms that hold for every kind."""
