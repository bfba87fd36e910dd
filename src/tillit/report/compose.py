"""From measured figures to what the page shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from tillit.model import parse_instant
from tillit.report.content import (
    ColumnBits,
    Content,
    Direction,
    Mover,
    Refused,
    Relationship,
    Week,
)
from tillit.trust.split import split

__all__ = ["compose", "direction_of"]

_MOVED_WEEKS = 13


def compose(
    *,
    title: str,
    measures: Mapping[str, Mapping[str, Any]],
    pairs: Sequence[tuple[str, str]],
    names: Mapping[str, str],
    stories: Mapping[str, str],
    refused: Sequence[Mapping[str, Any]],
    facts: Sequence[tuple[str, str]],
) -> Content:
    """A page about pairs of buyer and supplier, each as both sides measure it.

    ``measures`` are what `tillit trust show --json` prints, by party; ``stories`` by supplier.
    """
    ways = {
        (d["sender"], d["receiver"]): direction_of(d)
        for measure in measures.values()
        for d in measure["directions"]
    }
    relationships = [
        Relationship(
            buyer=buyer,
            supplier=supplier,
            name=f"{names[buyer]} and {names[supplier]}",
            there=ways.get((buyer, supplier), _nothing(buyer, supplier)),
            back=ways.get((supplier, buyer), _nothing(supplier, buyer)),
            story=stories.get(supplier, ""),
        )
        for buyer, supplier in pairs
    ]
    return Content(
        title=title,
        as_of=max(parse_instant(m["as_of"]) for m in measures.values()),
        relationships=tuple(sorted(relationships, key=_best_first)),
        refused=tuple(Refused(**row) for row in refused),
        facts=tuple(facts),
    )


def _best_first(relationship: Relationship) -> tuple[bool, float, str]:
    score = relationship.score
    return score is None, -(score or 0.0), relationship.supplier


def direction_of(shown: Mapping[str, Any]) -> Direction:
    """One direction of `tillit trust show --json`."""
    evidence = shown["evidence"]
    measured = [_column(column) for column in shown["columns"]]
    others = [_unmeasured(column) for column in shown["columns_not_measured"]]
    moved, since = _moved(shown["history"])
    return Direction(
        sender=shown["sender"],
        receiver=shown["receiver"],
        score=shown["score"],
        information=shown["information"],
        promises=shown["promises"],
        candour=shown["candour"],
        ideas=shown["ideas"],
        due=evidence["due"],
        arrived=evidence["arrived"],
        late=evidence["late"],
        missing=evidence["missing"],
        columns=(*measured, *(c for c in others if c is not None)),
        history=tuple(_week(week) for week in shown["history"]),
        moved=moved,
        moved_since=since,
    )


def _column(shown: Mapping[str, Any]) -> ColumnBits:
    return ColumnBits(
        kind=shown["kind"],
        column=shown["column"],
        level=shown["level"],
        bits=shown["bits_per_cell"],
        honesty_gap=shown["honesty_gap"],
        share=shown["u"],
        due=shown["due"],
        arrived=shown["arrived"],
        enough=shown["enough"],
    )


def _unmeasured(shown: Mapping[str, Any]) -> ColumnBits | None:
    """Permitted columns with a witness that nothing measures yet; the rest only fills the page."""
    if shown["reason"] != "not measured yet":
        return None
    return ColumnBits(
        shown["kind"], shown["column_name"], shown["level"], None, None, None, 0, 0, enough=False
    )


def _week(shown: Mapping[str, Any]) -> Week:
    return Week(
        week=date.fromisoformat(shown["week"]),
        score=shown["score"],
        information=shown["information"],
        promises=shown["promises"],
        candour=shown["candour"],
        ideas=shown["ideas"],
    )


def _moved(history: Sequence[Mapping[str, Any]]) -> tuple[tuple[Mover, ...], date | None]:
    """What moved the score over the last quarter; nothing when it was not measured then."""
    if len(history) <= _MOVED_WEEKS:
        return (), None
    before, after = history[-1 - _MOVED_WEEKS], history[-1]
    parts = split(before, after)
    if parts is None:
        return (), None
    movers = tuple(Mover(part, points) for part, points in parts.items())
    return movers, date.fromisoformat(before["week"])


def _nothing(sender: str, receiver: str) -> Direction:
    return Direction(sender, receiver, None, None, None, None, None, 0, 0, 0, 0)
