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
    Mark,
    Mover,
    Refused,
    Relationship,
    Sure,
    Week,
)
from tillit.trust.words import beside_lines, in_short, neglect_lines

__all__ = ["compose", "direction_of"]

_LEAST_POINTS = 0.05


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
    moved, since = _moved(shown["why"])
    bounds, beside = shown["interval"]["score"], shown["beside"]
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
        interval=None if bounds is None else (bounds[0], bounds[1]),
        band=tuple(
            Sure(date.fromisoformat(row["week"]), row["low"], row["high"]) for row in shown["band"]
        ),
        alarms=tuple(_mark(alarm) for alarm in shown["alarms"]),
        short=in_short(shown),
        worth=beside["worth"]["says"],
        waits=tuple(neglect_lines(beside["neglected"], us=shown["receiver"], them=shown["sender"])),
        beside=tuple(beside_lines(beside)),
    )


def _mark(shown: Mapping[str, Any]) -> Mark:
    return Mark(
        week=date.fromisoformat(shown["week"]),
        stands=shown["ended"] is None,
        told=shown["told"],
        says=shown["says"],
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
        late=shown["late"],
        missing=shown["missing"],
        history=tuple(
            (date.fromisoformat(week["week"]), week["bits_per_cell"]) for week in shown["history"]
        ),
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


def _moved(why: Mapping[str, Any] | None) -> tuple[tuple[Mover, ...], date | None]:
    """What moved the score; nothing when it was not measured then."""
    if why is None:
        return (), None
    columns = sorted(
        (
            Mover("least score" if name == "floor" else name, points)
            for name, points in why["columns"].items()
            if abs(points) >= _LEAST_POINTS
        ),
        key=lambda mover: -abs(mover.points),
    )
    movers = tuple(
        Mover(part, points, tuple(columns) if part == "information" else ())
        for part, points in why["parts"].items()
    )
    return movers, date.fromisoformat(why["since"])


def _nothing(sender: str, receiver: str) -> Direction:
    return Direction(sender, receiver, None, None, None, None, None, 0, 0, 0, 0)
