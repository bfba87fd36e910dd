"""What a partner does week by week, each behaviour against its own past. Pure.

The score is a mean over a year and moves slowly; who watches for change looks at the weeks. A week
is compared with up to two years that ended a quarter before it: what has just begun to change is
then not yet part of what it is compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BEHAVIOURS",
    "Flow",
    "Reference",
    "flow",
    "past",
    "reference",
    "standardised",
    "together",
]

Floats = NDArray[np.float64]
Row = Mapping[str, Any]

BEHAVIOURS = ("arrivals", "information", "promises", "candour", "ideas")
"""In the order of `Flow.value`; ideas are rare and count half."""

_WEIGHTS = np.array([1.0, 1.0, 1.0, 1.0, 0.5])
_GAP, _LONGEST, _SHORTEST = 13, 104, 26
# One week is never worth more than this, in standard deviations.
_MOST = 3.5
# Nor a value that came: one that is off by a million would hide two years of all others.
_MOST_BITS = 20.0


@dataclass(frozen=True)
class Flow:
    """One direction by week, the oldest first: W weeks, K columns.

    ``value`` (5, W) is what each behaviour came to, NaN where nothing happened that it could show
    in, and ``count`` (5, W) on how much that rests. By column (K, W) there are ``answered``, the
    share of the cells ``asked`` for that came in time, and ``bits`` a cell that was ``scored``.
    ``troubles`` and ``told`` (W,) are as they were counted.
    """

    weeks: tuple[date, ...]
    names: tuple[tuple[str, str], ...]
    value: Floats
    count: Floats
    answered: Floats
    asked: Floats
    bits: Floats
    scored: Floats
    troubles: Floats
    told: Floats


@dataclass(frozen=True)
class Reference:
    """What was usual before each week: mean, variance of a usual week, its count, and weeks."""

    mean: Floats
    variance: Floats
    count: Floats
    weeks: Floats


def flow(direction: Sequence[Row], columns: Sequence[Sequence[Row]]) -> Flow:
    """Take the whole history from a direction's rows and those of each of its columns."""

    def of_column(name: str) -> Floats:
        listed = [[float(row[name]) for row in rows] for rows in columns]
        return np.array(listed).reshape(len(columns), len(direction))

    def of_part(name: str, has: str | None = None) -> Floats:
        usable = has is None or direction[-1][has]
        return np.array([float(row[name]) if usable else 0.0 for row in direction])

    asked, answered = of_column("week_asked"), of_column("week_answered")
    scored, bits = of_column("week_scored"), of_column("week_bits")
    weight = np.array([float(rows[-1]["weight"]) for rows in columns])[:, np.newaxis]
    share = _over(answered, asked)
    open_weight = (weight * (asked > 0)).sum(axis=0)
    promised = of_part("week_promised_value", "has_promises")
    troubles = of_part("week_troubles", "has_candour")
    told = of_part("week_troubles_told", "has_candour")
    every = np.ones(len(direction)) * bool(direction[-1]["has_ideas"])
    value = np.stack(
        [
            _over((weight * np.nan_to_num(share)).sum(axis=0), open_weight),
            _bounded(_over(bits.sum(axis=0), scored.sum(axis=0))),
            _over(of_part("week_kept_value"), promised),
            _over(told, troubles),
            of_part("week_ideas_accepted"),
        ]
    )
    count = np.stack(
        [
            (open_weight > 0).astype(np.float64),
            scored.sum(axis=0),
            of_part("week_promises", "has_promises"),
            troubles,
            every,
        ]
    )
    return Flow(
        weeks=tuple(row["week"] for row in direction),
        names=tuple((rows[-1]["kind"], rows[-1]["column_name"]) for rows in columns),
        value=value,
        count=count,
        answered=share,
        asked=asked,
        bits=_bounded(_over(bits, scored)),
        scored=scored,
        troubles=troubles,
        told=told,
    )


def reference(value: Floats, count: Floats) -> Reference:
    """What was usual before each week, along the last axis; NaN where nothing is known."""
    known = np.isfinite(value) & (count > 0)
    x, n = np.where(known, value, 0.0), np.where(known, count, 0.0)
    with np.errstate(all="ignore"):
        total, weeks = past(n), past(known.astype(np.float64))
        mean = past(n * x) / total
        spread = np.maximum(past(n * x * x) / total - mean * mean, 0.0)
        return Reference(
            mean=mean,
            variance=spread * weeks / np.maximum(weeks - 1, 1),
            count=total / weeks,
            weeks=weeks,
        )


def standardised(value: Floats, count: Floats, least: Floats | float = 0.0) -> Floats:
    """Each week in standard deviations of a week of its size; NaN before 26 weeks are known.

    ``least`` bounds the variance from below: who never failed may fail once.
    """
    return _in_deviations(value, count, *_scale(reference(value, count), least))


def together(of: Flow) -> tuple[Floats, Floats]:
    """All behaviours as one standardised flow (W,), and what each adds to it (5, W)."""
    usual = reference(of.value, of.count)
    return _joined(_in_deviations(of.value, of.count, *_scale(usual, _least(usual))))


def lately(of: Flow, weeks: int) -> Floats:
    """Before each week the same flow over so many weeks, all by what was usual then (W, weeks).

    What is usual changes while a measure learns; within these weeks it does not, so that a trend
    is one of what the partner does.
    """
    usual = reference(of.value, of.count)
    mean, deviation = _scale(usual, _least(usual))
    place = np.arange(len(of.weeks))[:, np.newaxis] - np.arange(weeks)[::-1]
    there = np.maximum(place, 0)
    value = np.where(place >= 0, of.value[:, there], np.nan)
    scaled = mean[:, :, np.newaxis], deviation[:, :, np.newaxis]
    return _joined(_in_deviations(value, of.count[:, there], *scaled))[0]


def _least(usual: Reference) -> Floats:
    """The variance of each behaviour if half an event more had been seen than was."""
    seen = (np.nan_to_num(usual.mean) * usual.weeks + 0.5) / (usual.weeks + 1)
    binomial = np.maximum(seen * (1 - seen), 0.0)
    count = np.maximum(np.nan_to_num(usual.count), 1.0)
    return np.stack(
        [binomial[0] / 32, np.zeros_like(seen[1]), *(binomial / count / 2)[2:4], seen[4]]
    )


def _scale(usual: Reference, least: Floats | float) -> tuple[Floats, Floats]:
    """Mean and deviation of a week that rests on a count of one; NaN before 26 weeks."""
    with np.errstate(all="ignore"):
        variance = np.maximum(usual.variance, least) * (1 + 1 / usual.weeks) * usual.count
    known = (usual.weeks >= _SHORTEST) & (variance > 0)
    return usual.mean, np.where(known, np.sqrt(np.where(known, variance, 1.0)), np.nan)


def _in_deviations(value: Floats, count: Floats, mean: Floats, deviation: Floats) -> Floats:
    there = np.where(count > 0, count, np.nan)
    return np.clip((value - mean) * np.sqrt(there) / deviation, -_MOST, _MOST)


def _joined(z: Floats) -> tuple[Floats, Floats]:
    """Behaviours (5, ...) as one flow of variance one, and what each adds."""
    known = np.isfinite(z)
    weight = _WEIGHTS.reshape(-1, *[1] * (z.ndim - 1)) * known
    norm = np.sqrt((weight**2).sum(axis=0))
    added = np.where(known, z, 0.0) * weight / np.where(norm > 0, norm, 1.0)
    return np.where(norm > 0, added.sum(axis=0), np.nan), added


def past(values: Floats) -> Floats:
    """Sums over the weeks that each week is compared with, along the last axis."""
    zero = np.zeros((*values.shape[:-1], 1))
    sums = np.concatenate([zero, np.cumsum(values, axis=-1)], axis=-1)
    end = np.maximum(np.arange(values.shape[-1]) - _GAP + 1, 0)
    return np.asarray(sums[..., end] - sums[..., np.maximum(end - _LONGEST, 0)])


def _over(above: Floats, below: Floats) -> Floats:
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), np.nan)


def _bounded(bits: Floats) -> Floats:
    return np.clip(np.where(np.isfinite(bits), bits, np.nan), -_MOST_BITS, _MOST_BITS)
