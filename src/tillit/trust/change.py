"""Signs of change in a weekly series: CUSUM, Mann-Kendall, and how often chance gives them. Pure.

Chance is that of a partner that does not change: each behaviour has a slow mood and its own noise.
How far a sign goes by chance in a year was measured on 6,000 simulated directions and is held to
by tests; between one in ten years and one in a thousand it falls off as exp(-rate * sign).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALLOWANCE",
    "Excursion",
    "Sign",
    "above",
    "cusum",
    "excursions",
    "falling",
    "false_discovery",
    "mann_kendall",
]

Floats = NDArray[np.float64]

ALLOWANCE = 0.5
"""k of the CUSUM: falls of one standard deviation a week are what it is made for."""

_TREND_KNOWN = 0.75


class Sign(Enum):
    """A sign: what it reaches by chance once in a hundred years, and how fast it falls off."""

    FLOW = (8.6, 0.60)
    CLOSED = (7.0, 1.00)
    STALE = (8.6, 0.69)
    TREND = (11.2, 0.575)

    def chance(self, reached: float) -> float:
        """Probability that a year without change reaches this."""
        hundred, rate = self.value
        return min(1.0, 0.01 * math.exp(-rate * (reached - hundred)))

    def threshold(self, chance: float) -> float:
        """What a year without change reaches with this probability."""
        hundred, rate = self.value
        return float(hundred - math.log(chance / 0.01) / rate)


@dataclass(frozen=True)
class Excursion:
    """Weeks by number: the fall began with ``since`` and was sure at ``raised``.

    ``ended`` is None while it is not over; ``peak`` is the highest that the sign has been.
    """

    since: int
    raised: int
    ended: int | None
    peak: float

    def moved(self, weeks: int) -> Excursion:
        """The same in a history that began so many weeks earlier; not before its first."""
        places = (self.since + weeks, self.raised + weeks)
        ended = None if self.ended is None else max(self.ended + weeks, 0)
        return Excursion(max(places[0], 0), max(places[1], 0), ended, self.peak)


def cusum(steps: Floats) -> Floats:
    """The sum of steps that never goes below zero, along the last axis (Page 1954)."""
    sums = np.cumsum(steps, axis=-1)
    return np.asarray(sums - np.minimum(np.minimum.accumulate(sums, axis=-1), 0.0))


def falling(z: Floats, allowance: float = ALLOWANCE) -> Floats:
    """Steps of a CUSUM that looks for a fall of a standardised series; gaps add nothing."""
    return np.where(np.isfinite(z), -z - allowance, 0.0)


def excursions(steps: Floats, threshold: float) -> list[Excursion]:
    """Every time that the CUSUM of ``steps`` (W,) passes ``threshold``.

    It counts as one until the sum has fallen to half of it, and the sum stops growing at one and
    a half: what is over is not carried along for years.
    """
    if float(cusum(steps).max(initial=0.0)) <= threshold:
        return []
    found: list[Excursion] = []
    total, since, raised, grown, peak = 0.0, 0, -1, 0.0, 0.0
    for week, step in enumerate(steps.tolist()):
        if total <= 0:
            since, grown = week, 0.0
        grown += step
        total = min(max(total + step, 0.0), 1.5 * threshold)
        if raised >= 0:
            peak = max(peak, grown)
            if total < threshold / 2:
                found.append(Excursion(since, raised, week, peak))
                raised = -1
        elif total > threshold:
            raised, peak = week, grown
    if raised >= 0:
        found.append(Excursion(since, raised, None, peak))
    return found


def above(
    sign: Floats, threshold: float, *, over: float | None = None, looked_back: int
) -> list[Excursion]:
    """Every time that a sign (W,) passes ``threshold``, until it is below ``over``, or half of it.

    What is told of ``looked_back`` weeks began with the first of them.
    """
    least = threshold / 2 if over is None else over
    found: list[Excursion] = []
    raised, since, peak = -1, 0, 0.0
    for week, reached in enumerate(sign.tolist()):
        if raised < 0 and reached > threshold:
            raised, since, peak = week, max(week - looked_back + 1, 0), reached
        elif raised >= 0 and reached < least:
            found.append(Excursion(since, raised, week, peak))
            raised = -1
        peak = max(peak, reached)
    if raised >= 0:
        found.append(Excursion(since, raised, None, peak))
    return found


def mann_kendall(windows: Floats) -> tuple[Floats, Floats]:
    """Of each window (M, W) its trend: Kendall's score (M,), and the slope a week.

    The slope is Theil and Sen's, the median over all pairs of weeks. Series are freed of their
    lag-1 autocorrelation first, which is taken without the trend (Yue et al. 2002): else a slow
    mood would pass for one. NaN where more than a quarter of the weeks is unknown.
    """
    known = np.isfinite(windows).mean(axis=1) >= _TREND_KNOWN
    score, slope = np.full(len(windows), np.nan), np.full(len(windows), np.nan)
    if known.any():
        score[known], slope[known] = _trend(windows[known])
    return score, slope


def _trend(window: Floats) -> tuple[Floats, Floats]:
    """Of windows with few gaps."""
    weeks = window.shape[1]
    number = np.arange(weeks)
    first, second = np.triu_indices(weeks, 1)
    pairs = (window[:, second] - window[:, first]) / (second - first)
    slope = np.nanmedian(pairs, axis=1) if np.isnan(pairs).any() else np.median(pairs, axis=1)
    level = window - slope[:, np.newaxis] * number
    level -= np.nanmean(level, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        rho = np.nansum(level[:, 1:] * level[:, :-1], axis=1) / np.nansum(level**2, axis=1)
    # A short series shows less of its autocorrelation than it has.
    rho = np.clip(np.nan_to_num(rho) + 1 / weeks, 0.0, 0.9)[:, np.newaxis]
    white = window[:, 1:] - rho * window[:, :-1]
    first, second = np.triu_indices(weeks - 1, 1)
    agree = np.nansum(np.sign(white[:, second] - white[:, first]), axis=1)
    n = np.isfinite(white).sum(axis=1)
    deviation = np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return np.where(n > 2, (agree - np.sign(agree)) / np.maximum(deviation, 1.0), np.nan), slope


def false_discovery(chances: Sequence[float]) -> list[float]:
    """Of each, what share of false ones to expect among all that are as sure (Benjamini-Hochberg).

    ``chances`` are of all that were watched, those without a sign too: 1.
    """
    count = len(chances)
    order = sorted(range(count), key=lambda at: chances[at])
    found = [1.0] * count
    least = 1.0
    for rank, at in zip(range(count, 0, -1), reversed(order), strict=True):
        least = min(least, chances[at] * count / rank)
        found[at] = least
    return found
