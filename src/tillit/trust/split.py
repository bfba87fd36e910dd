"""Why a score moved: the logarithmic-mean split of its change, by part and by column. Pure.

The score is 100 (I P' C' D)^(1/4). With L the logarithmic mean, L(a, b) = (a - b) / ln(a / b), each
part x adds L(T1, T0) / 4 * ln(x1 / x0); the parts add up to T1 - T0 exactly (Ang 2015, LMDI-I).
The score of a relationship is sqrt(T there * T back), and is split in the same way.

I = N / W with N = sum(w u) and W = sum(w) over columns. With means over the two weeks,
N1 - N0 = mean(I) (W1 - W0) + mean(W) (I1 - I0), so a column adds (d(w u) - mean(I) dw) / mean(W)
to I1 - I0. Columns that stay as they were add nothing; one that is new adds by how much it is
better than the rest. All of it is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["FLOOR", "PARTS", "factors", "split", "split_both", "split_columns"]

PARTS = ("information", "promises", "candour", "ideas")
FLOOR = ("", "floor")
"""Stands among columns for what the least value of I, .01, makes of their change."""

Row = Mapping[str, Any]
Factors = tuple[float, float, float, float]
Column = tuple[str, str]

_LEAST = 0.01


def factors(week: Row) -> Factors | None:
    """The four factors of a week's score, as they are multiplied; None if one is not measured.

    A row of the mart says what it multiplied, also for a part that the terms do not let be shown.
    """
    counted = [week.get(f"counted_{part}") for part in PARTS]
    if None not in counted:
        information, promises, candour, ideas = (float(value or 0.0) for value in counted)
        return information, promises, candour, ideas
    values = [week[part] for part in PARTS]
    if any(value is None for value in values):
        return None
    information, promises, candour, ideas = map(float, values)
    return (
        max(information, _LEAST),
        min(max((promises - 0.6) / 0.4, 0.02), 1.0),
        min(candour / 0.8, 1.0),
        ideas,
    )


def split(before: Row, after: Row) -> dict[str, float] | None:
    """Points by part from one week's score to another's; None if either is not measured."""
    earlier, later = factors(before), factors(after)
    if earlier is None or later is None:
        return None
    mean = _mean(_score(earlier), _score(later))
    return _parts(earlier, later, mean / 4)


def split_columns(
    before: Row, after: Row, columns_before: Iterable[Row], columns_after: Iterable[Row]
) -> dict[Column, float] | None:
    """Points by kind and column: they add up to the points of information in `split`.

    Columns are rows of ``column_week`` in the two weeks. None if either score is not measured.
    """
    earlier, later = factors(before), factors(after)
    if earlier is None or later is None:
        return None
    first, last = _counted(columns_before), _counted(columns_after)
    start, end = _information(first), _information(last)
    # From change of I to points: the same factor that turns ln(I1 / I0) into points.
    points = _mean(_score(earlier), _score(later)) / 4 / _mean(earlier[0], later[0])
    middle = (start + end) / 2
    weight = sum(w for w, _ in (*first.values(), *last.values())) / 2
    found: dict[Column, float] = {}
    for name in sorted(first.keys() | last.keys()):
        old, new = first.get(name, (0.0, 0.0)), last.get(name, (0.0, 0.0))
        change = new[0] * new[1] - old[0] * old[1] - middle * (new[0] - old[0])
        found[name] = points * change / weight
    floored = (later[0] - earlier[0]) - (end - start)
    if abs(floored) > 1e-12:
        found[FLOOR] = points * floored
    return found


def split_both(
    before: tuple[Row, Row], after: tuple[Row, Row]
) -> tuple[dict[str, float], dict[str, float]] | None:
    """Points of the relationship's score by part, of the way there and of the way back."""
    earlier, later = tuple(map(factors, before)), tuple(map(factors, after))
    if None in earlier or None in later:
        return None
    ways = [(old, new) for old, new in zip(earlier, later, strict=True) if old and new]
    start, end = (math.sqrt(math.prod(_score(way[at]) for way in ways)) for at in (0, 1))
    there, back = (_parts(old, new, _mean(start, end) / 8) for old, new in ways)
    return there, back


def _parts(earlier: Factors, later: Factors, points: float) -> dict[str, float]:
    return {
        part: points * math.log(new / old)
        for part, old, new in zip(PARTS, earlier, later, strict=True)
    }


def _counted(columns: Iterable[Row]) -> dict[Column, tuple[float, float]]:
    """Weight and u of each column that has enough evidence to count."""
    return {
        (row["kind"], row["column_name"]): (float(row["weight"]), float(row["u"]))
        for row in columns
        if row["u"] is not None
    }


def _information(columns: Mapping[Column, tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in columns.values())
    return sum(weight * u for weight, u in columns.values()) / total if total else 0.0


def _mean(start: float, end: float) -> float:
    """The logarithmic mean of two positive numbers."""
    if math.isclose(start, end, rel_tol=1e-12):
        return start
    return (end - start) / math.log(end / start)


def _score(values: Factors) -> float:
    return 100 * math.prod(values) ** 0.25
