"""What a single quantile tells of how sure one may be, once its place has been used. Pure.

The low and the high of a forecast speak of its spread. A column that is a quantile is first used
as any number is: the part x of it that our baseline and the columns before it do not explain moves
the expectation. The same x then widens or narrows it. A low that is lower than all else explains,
or a high that is higher, says: less sure than usual.

    s = x / sd(x), against the sign for a low
    b = max(0, cov(|z1| / sqrt(w1), s) / (mean(|z1| / sqrt(w1)) var(s))), as far as relied on
    r = 1 + b (s - mean(s)), from 1/2 to 2
    w = w1 r^2 / (1 + b^2 var(s))

z1 and w1 are the error of each cell and what was to be expected of it, as they were when the cell
was judged; all sums are over the frame of cells whose outcome is known. Absolute errors serve
because a few wild ones do not govern them (Davidian and Carroll 1987, section 3). The divisor
leaves the mean square of the frame as it was, so nothing is paid for widening or narrowing all
cells alike; what a sender could have said without knowing anything (a constant, our own figures, a
fixed distance from its quantity) leaves no x and is worth exactly nothing. A quantile that means
the opposite of what it says is not used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tillit.trust.frame import Floats, Newest, fit, relied_on
from tillit.trust.quantiles import DEGREES_OF_FREEDOM

__all__ = ["Spread", "told_spread"]

# So many degrees of freedom are left in the frame before spread is used.
_FREEDOM = 6
_CONSTANTS = 2
# No cell is taken for more certain, or less, than by this factor, and no news of more than so many
# deviations counts for more.
_MOST = 2.0
_FARTHEST = 4.0


@dataclass(frozen=True)
class Spread:
    """By cell: bits that the spread told beyond the place, and the variance that it left."""

    bits: Floats
    variance: Floats


def told_spread(
    error: Floats,
    variance: Floats,
    news: Floats,
    level: Floats,
    newest: Newest,
    *,
    frame: int,
) -> Spread:
    """The spread of cells (T, S) told by quantiles of ``level`` (S,).

    ``error`` is z1, ``variance`` w1 and ``news`` x in standard deviations; NaN where there is none.
    """
    wider = np.where(level < 0.5, -1.0, 1.0) * np.clip(news, -_FARTHEST, _FARTHEST)
    size = np.where(np.isfinite(wider), np.abs(error) / np.sqrt(variance), np.nan)
    found = fit([], size, np.where(np.isfinite(size), wider, np.nan), newest, frame)
    mean = np.sqrt(np.maximum(found.y_square - found.y_varied, 0.0) / found.n)
    usable = (found.n - _CONSTANTS >= _FREEDOM) & (found.ff > 0) & (mean > 0)
    usable &= np.isfinite(found.x) & np.isfinite(size)
    steep = found.yf / np.where(usable, found.ff * mean, 1.0) * relied_on(found, _CONSTANTS)
    steep = np.where(usable, np.maximum(steep, 0.0), 0.0)
    factor = np.clip(1 + steep * np.where(usable, found.x, 0.0), 1 / _MOST, _MOST)
    usual = 1 + np.where(usable, steep * steep * found.ff / found.n, 0.0)
    ratio = factor * factor / usual
    return Spread(np.where(usable, _bits(error, variance, ratio), 0.0), variance * ratio)


def _bits(error: Floats, variance: Floats, ratio: Floats) -> NDArray[np.float64]:
    """The log score of a variance that is multiplied."""
    nu = DEGREES_OF_FREEDOM
    square = error * error / (nu * variance)
    odds = np.log2(1 + square / ratio) - np.log2(1 + square)
    return np.asarray(-0.5 * np.log2(ratio) - (nu + 1) / 2 * odds)
