"""Rows of the marts told apart: by partner and direction, and by column. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

__all__ = ["Column", "Row", "Way", "by_way", "column_of", "way_of"]

Row = Mapping[str, Any]
R = TypeVar("R", bound=Row)
Way = tuple[str, str]
"""A partner and a direction."""
Column = tuple[str, str]
"""A kind and a column of it."""


def way_of(row: Row) -> Way:
    """Whose direction a row is about."""
    return row["partner"], row["direction"]


def column_of(row: Row) -> Column:
    """Which column a row is about."""
    return row["kind"], row["column_name"]


def by_way(rows: Iterable[R]) -> dict[Way, list[R]]:
    """Rows by direction, each in the order in which they come."""
    found: dict[Way, list[R]] = {}
    for row in rows:
        found.setdefault(way_of(row), []).append(row)
    return found
