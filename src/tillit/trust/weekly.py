"""A direction's weekly sums, and its figures made of them under any weights of weeks. Pure.

The formulas are those of column_week.sql and direction_week.sql; with all weights one the figures
are the mart's. What resamples weeks needs them for two hundred weightings at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HALF_LIFE",
    "WINDOW",
    "Figures",
    "Weekly",
    "figures",
    "idea_share",
    "recency",
    "weekly",
]

Floats = NDArray[np.float64]
Row = Mapping[str, Any]

WINDOW = 52
HALF_LIFE = 13.0

_COLUMN_SUMS = ("week_due", "week_bits", "week_told_square", "week_used_square")
_PART_SUMS = (
    *("week_promises", "week_promised_value", "week_kept_value"),
    *("week_troubles", "week_told_beyond", "week_ideas_accepted"),
)


@dataclass(frozen=True)
class Weekly:
    """Sums of the last weeks of one direction, the oldest first: W weeks, K columns.

    ``columns`` is (4, K, W): due cells, bits, squares of the word's error and of ours with it.
    ``parts`` is (6, W): promises, their value, the value kept, troubles, those told beyond what
    complaints of every line would tell, accepted ideas. ``enough`` says which columns have the
    cells to be judged, ``has`` whether the terms let promises, candour and ideas be shown at all.
    """

    names: tuple[tuple[str, str], ...]
    weight: Floats
    enough: NDArray[np.bool_]
    columns: Floats
    parts: Floats
    has: tuple[bool, bool, bool]

    @property
    def weeks(self) -> int:
        """How many."""
        return int(self.parts.shape[1])


@dataclass(frozen=True)
class Figures:
    """Of each weighting (R,): the four factors as the score multiplies them, and the score.

    ``u`` and ``bits_per_cell`` are (R, K); NaN where a column has not enough evidence, and for
    information and score where no column has.
    """

    information: Floats
    promises: Floats
    candour: Floats
    ideas: Floats
    score: Floats
    u: Floats
    bits_per_cell: Floats


def weekly(direction: Sequence[Row], columns: Sequence[Sequence[Row]]) -> Weekly:
    """Take the last 52 weeks from a direction's rows and those of each of its columns.

    All are in the order of weeks and end with the same one.
    """
    last = direction[-1]
    kept = [rows[-WINDOW:] for rows in columns]
    weeks = min(len(direction), WINDOW)
    sums = np.array(
        [[[float(row[name]) for row in rows] for rows in kept] for name in _COLUMN_SUMS]
    ).reshape(len(_COLUMN_SUMS), len(kept), weeks)
    return Weekly(
        names=tuple((rows[-1]["kind"], rows[-1]["column_name"]) for rows in kept),
        weight=np.array([float(rows[-1]["weight"]) for rows in kept]),
        enough=np.array([bool(rows[-1]["is_enough"]) for rows in kept], dtype=bool),
        columns=sums,
        parts=np.array([[float(row[name]) for row in direction[-WINDOW:]] for name in _PART_SUMS]),
        has=(bool(last["has_promises"]), bool(last["has_candour"]), bool(last["has_ideas"])),
    )


def recency(weeks: int) -> Floats:
    """The weight of each week, the oldest first: half for every thirteen weeks of age."""
    return np.asarray(2.0 ** (-np.arange(weeks)[::-1] / HALF_LIFE))


def figures(
    of: Weekly, weights: Floats, *, ideas: Floats | None = None, unseen: Floats | float = 0.0
) -> Figures:
    """The figures under each row of ``weights`` (R, W).

    ``ideas`` are other weights for accepted ideas, and ``unseen`` (R,) is added to their count.
    """
    weighed = weights * recency(of.weeks)
    with np.errstate(all="ignore"):
        u, bits_per_cell = _columns(of, weights, weighed)
        known = of.weight * of.enough
        information = np.where(of.enough, u, 0.0) @ known / known.sum()
        promises, value, kept, troubles, told = (weighed @ of.parts[:5].T).T
        share = np.where(value > 0, kept / value, 0.0)
        has_promises, has_candour, _ = of.has
        promised = promises * has_promises
        promise = (7.5 + promised * share) / (10 + promised)
        spoken = (1 + np.maximum(told, 0.0) * has_candour) / (2 + troubles * has_candour)
        p = np.clip((promise - 0.6) / 0.4, 0.02, 1.0)
        c = np.minimum(spoken / 0.8, 1.0)
        d = idea_share(of, weights if ideas is None else ideas, unseen)
        score = 100 * (np.maximum(information, 0.01) * p * c * d) ** 0.25
    return Figures(information, p, c, d, score, u, bits_per_cell)


def idea_share(of: Weekly, weights: Floats, unseen: Floats | float = 0.0) -> Floats:
    """D under each row of ``weights``."""
    recent = recency(of.weeks)
    accepted = (weights @ (recent * of.parts[5]) + unseen) * of.has[2]
    return np.asarray(1 - np.exp(-13 * (accepted + 0.25) / (recent.sum() + 13)))


def _columns(of: Weekly, weights: Floats, weighed: Floats) -> tuple[Floats, Floats]:
    """Each column's share of trust and its bits a due cell."""
    kinds, columns, weeks = of.columns.shape
    sums = weighed @ of.columns.reshape(kinds * columns, weeks).T
    due, bits, told, used = np.split(sums, kinds, axis=1)
    evidence = weights @ of.columns[1].T
    bits_per_cell = bits / due
    both = (told > 0) & (used > 0)
    gap = np.maximum(0.0, 0.5 * np.log2(np.where(both, told / used, 1.0)))
    u = (
        (1 - 2.0 ** (-2 * np.maximum(bits_per_cell, 0.0)))
        * (0.5 + 0.5 * 2.0**-gap)
        * (1 - 2.0 ** -np.maximum(evidence - np.log2(20), 0.0))
    )
    return np.where(of.enough, u, np.nan), np.where(of.enough, bits_per_cell, np.nan)
