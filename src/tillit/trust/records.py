"""What was judged, as rows of the lake's tables ``trust.interval`` and ``trust.alarm``. Pure.

The marts are made anew in every run; these stay, each row with its run and the version of the
definition, so that a score that somebody acted on can be explained later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tillit.trust.interval import LEVEL, REPLICATES
from tillit.trust.judged import TOLD, Judged
from tillit.trust.score import Scores
from tillit.trust.ways import Way, column_of, way_of

__all__ = ["ALARM", "INTERVAL", "alarm_rows", "interval_rows"]

INTERVAL = {
    "as_of": "timestamptz",
    "definition": "varchar",
    "partner": "varchar",
    "direction": "varchar",
    "kind": "varchar",
    "column_name": "varchar",
    "figure": "varchar",
    "value": "double",
    "low": "double",
    "high": "double",
    "level": "double",
    "replicates": "integer",
    "seed": "integer",
}
"""Columns and types; ``kind`` and ``column_name`` are null for a direction's own figures."""

ALARM = {
    "as_of": "timestamptz",
    "definition": "varchar",
    "partner": "varchar",
    "direction": "varchar",
    "kind": "varchar",
    "what": "varchar",
    "since": "date",
    "week": "date",
    "ended": "date",
    "before": "double",
    "after": "double",
    "chance": "double",
    "false_discovery": "double",
    "told": "boolean",
    "says": "varchar",
}

_Figure = tuple[str | None, str | None, str]

_FIGURES = {
    "score": "score",
    "information": "information",
    "promises": "counted_promises",
    "candour": "counted_candour",
    "ideas": "counted_ideas",
}


def interval_rows(scores: Scores, judged: Judged) -> Iterator[dict[str, Any]]:
    """A row for every interval of a direction, and of each of its columns."""
    latest = {way_of(row): row for row in scores.directions}
    columns = {(*way_of(row), *column_of(row)): row for row in scores.columns}
    for way, found in judged.ways.items():
        figures: dict[_Figure, tuple[float | None, tuple[float, float] | None]] = {
            (None, None, name): (latest[way][column], found.interval.get(name))
            for name, column in _FIGURES.items()
        }
        for name, intervals in found.columns.items():
            row = columns[*way, *name]
            figures |= {(*name, figure): (row[figure], b) for figure, b in intervals.items()}
        for (kind, column, figure), (value, bounds) in figures.items():
            if value is not None and bounds is not None:
                yield _run(scores, way) | {
                    "kind": kind,
                    "column_name": column,
                    "figure": figure,
                    "value": float(value),
                    "low": bounds[0],
                    "high": bounds[1],
                    "level": LEVEL,
                    "replicates": REPLICATES,
                    "seed": judged.seed,
                }


def alarm_rows(scores: Scores, judged: Judged) -> Iterator[dict[str, Any]]:
    """A row for every alarm of every direction's history."""
    for way, found in judged.ways.items():
        for alarm, rate in found.alarms:
            yield _run(scores, way) | {
                "kind": alarm.kind,
                "what": alarm.what,
                "since": alarm.since,
                "week": alarm.week,
                "ended": alarm.ended,
                "before": alarm.before,
                "after": alarm.after,
                "chance": alarm.chance,
                "false_discovery": rate,
                "told": rate is not None and rate <= TOLD,
                "says": alarm.says,
            }


def _run(scores: Scores, way: Way) -> dict[str, Any]:
    return {
        "as_of": scores.as_of,
        "definition": scores.version,
        "partner": way[0],
        "direction": way[1],
    }
