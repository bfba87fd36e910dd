"""Figures as the plain values that `tillit trust show` prints and the report draws. Pure.

Whatever is not measured is None, and named in ``not_measured``: it is never shown as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from tillit.model import isoformat
from tillit.trust.explain import Around, alarms_of, bounds
from tillit.trust.judged import Found, Judged, judge
from tillit.trust.score import Row, Scores
from tillit.trust.ways import by_way, column_of

__all__ = [
    "COMPARED",
    "HISTORY",
    "NAMES",
    "compared",
    "history_table",
    "relationship_table",
    "show",
    "table",
]

NAMES = ("from", "to", "score", "I", "P", "C", "D", "bits a cell", "evidence", "not measured")
"""Headings of `table`."""

HISTORY = ("week", "score", "I", "P", "C", "D", "bits that week")
"""Headings of `history_table`."""

COMPARED = ("partner", "score", "better than", "I", "P", "C", "D", "bits a cell", "since 13 weeks")
"""Headings of `compared`."""

_QUARTER = 13

_PARTS = ("information", "promises", "candour", "ideas")
_FACTORS = ("promise_factor", "candour_factor")
_EVIDENCE = (
    *("due", "arrived", "late", "missing", "columns_measured", "columns_enough"),
    *("promises_due", "promises_never_made", "troubles_suffered", "troubles_named"),
    *("ideas_offered", "ideas_taken"),
)
_COLUMN = (
    *("level", "weight", "due", "arrived", "late", "missing", "scored"),
    *("bits_per_cell", "evidence_bits", "honesty_gap", "u"),
)


def show(
    scores: Scores,
    *,
    judged: Judged | None = None,
    relationship: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Everything known at ``scores.as_of``: per direction its parts, evidence, columns, history.

    ``judged`` is what `tillit.trust.judged.judge` makes of the scores; it is made here if it is
    not given, with directions put together by ``relationship``.
    """
    found = judged or judge(scores.directions, scores.columns, relationship=relationship)
    columns, unmeasured = by_way(scores.columns), by_way(scores.not_measured)
    around = Around.of(scores)
    return {
        "party": scores.party,
        "as_of": isoformat(scores.as_of),
        "definition": scores.version,
        "directions": [
            {
                **_direction(scores, rows, told, unmeasured.get(way, []), found.ways[way]),
                "beside": around.beside(way, rows, told),
            }
            for way, rows in by_way(scores.directions).items()
            for told in [_columns(columns.get(way, []))]
        ],
        "findings": [
            {"check": f.check, "what": f.what, "rows": f.rows, "stops": f.stops}
            for f in scores.findings
        ],
    }


def table(shown: dict[str, Any]) -> list[tuple[str, ...]]:
    """One line a direction, for a terminal; a dash is not measured."""
    return [_line(direction) for direction in shown["directions"]]


def relationship_table(shown: dict[str, Any]) -> list[tuple[str, ...]]:
    """One line a direction, each relationship's own score before the first of its two."""
    return [
        (
            relationship["relationship_id"] if first else "",
            _number(relationship["score"], "{:.0f}") if first else "",
            *_line(direction),
        )
        for relationship in shown["relationships"]
        for first, direction in zip((True, False), relationship["directions"], strict=False)
    ]


def history_table(weeks: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """One line a week."""
    return [
        (
            week["week"],
            _number(week["score"], "{:.0f}"),
            *(_number(week[part], "{:.2f}") for part in _PARTS),
            _number(week["bits"], "{:.1f}"),
        )
        for week in weeks
    ]


def compared(shown: dict[str, Any]) -> list[tuple[str, ...]]:
    """One line a partner, the highest score first; who is not measured comes last.

    "better than" is the share of its measured peers, partners in the same role, that are lower.
    """
    ranked = sorted(
        shown["directions"], key=lambda d: (d["score"] is None, -(d["score"] or 0), d["partner"])
    )
    return [
        (
            direction["partner"],
            _number(direction["score"], "{:.0f}"),
            _number(direction["beside"]["better_than"], "{:.0%}"),
            *(_number(direction[part], "{:.2f}") for part in _PARTS),
            _number(_most_bits(direction), "{:.2f}"),
            _number(_change(direction), "{:+.0f}"),
        )
        for direction in ranked
    ]


def _change(direction: dict[str, Any]) -> float | None:
    """Points since a quarter ago."""
    before = direction["history"][-1 - _QUARTER :][:1]
    now = direction["score"]
    if len(direction["history"]) <= _QUARTER or now is None or before[0]["score"] is None:
        return None
    return float(now - before[0]["score"])


def _most_bits(direction: dict[str, Any]) -> float | None:
    bits = [c["bits_per_cell"] for c in direction["columns"] if c["bits_per_cell"] is not None]
    return max(bits) if bits else None


def _direction(
    scores: Scores,
    weeks: Sequence[Row],
    columns: Sequence[Sequence[Row]],
    unmeasured: Sequence[Row],
    found: Found,
) -> dict[str, Any]:
    last = weeks[-1]
    return {
        "partner": last["partner"],
        "direction": last["direction"],
        "sender": last["partner"] if last["direction"] == "in" else scores.party,
        "receiver": scores.party if last["direction"] == "in" else last["partner"],
        "week": last["week"].isoformat(),
        "score": last["score"],
        "information_and_promises_only": last["information_and_promises_only"],
        **{name: last[name] for name in (*_PARTS, *_FACTORS)},
        "bits_this_week": last["week_bits"],
        "evidence": {name: int(last[name]) for name in _EVIDENCE},
        "not_measured": [name for name in _PARTS if last[name] is None],
        "interval": {name: bounds(interval) for name, interval in found.interval.items()},
        "band": [
            {"week": week.isoformat(), "low": low, "high": high} for week, (low, high) in found.band
        ],
        "why": found.why,
        "alarms": alarms_of(found),
        "columns": [_column(rows, found.columns.get(column_of(rows[-1]), {})) for rows in columns],
        "columns_not_measured": [
            {name: row[name] for name in ("kind", "column_name", "level", "reason")}
            for row in unmeasured
        ],
        "history": [
            {
                "week": row["week"].isoformat(),
                "score": row["score"],
                **{name: row[name] for name in _PARTS},
                "bits": row["week_bits"],
            }
            for row in weeks
        ],
    }


def _columns(rows: Sequence[Row]) -> list[list[Row]]:
    return [list(some) for _, some in groupby(rows, key=column_of)]


def _column(
    weeks: Sequence[Row], interval: Mapping[str, tuple[float, float] | None]
) -> dict[str, Any]:
    last = weeks[-1]
    enough = bool(last["is_enough"])
    return {
        "kind": last["kind"],
        "column": last["column_name"],
        **{name: _plain(last[name]) for name in _COLUMN},
        "interval": {name: bounds(interval.get(name)) for name in ("u", "bits_per_cell")},
        "enough": enough,
        "says": "measured" if enough else "not enough evidence",
        "history": [
            {
                "week": row["week"].isoformat(),
                "bits": _plain(row["week_bits"]),
                "bits_per_cell": row["bits_per_cell"],
                "u": row["u"],
            }
            for row in weeks
        ],
    }


def _line(direction: dict[str, Any]) -> tuple[str, ...]:
    evidence = direction["evidence"]
    return (
        direction["sender"] or "?",
        direction["receiver"] or "?",
        _number(direction["score"], "{:.0f}"),
        *(_number(direction[part], "{:.2f}") for part in _PARTS),
        _number(_most_bits(direction), "{:.2f}"),
        f"{evidence['arrived']} of {evidence['due']} cells in time",
        ", ".join(direction["not_measured"]) or "-",
    )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _plain(value: Any) -> Any:
    """Sums come back as whole numbers of DuckDB's widest type, or as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
