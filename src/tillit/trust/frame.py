"""Least squares over a moving frame, for many series at once. Pure.

Every array has a column for each series and a row for each cell, in the order of their cut-offs:
one step back in time is one row, so all series are summed in one stride. What a frame holds is
summed by doubling (2, 4, 8, ... cells), never by taking one running total from another: a wild
value leaves nothing behind in the frames that it is not in. The fit is built up one regressor at a
time, each freed of those before it, so that any number of them takes the same few lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tillit.trust.products import Products, in_cache, room

__all__ = ["Fit", "Floats", "Newest", "Places", "at", "fit", "moving_sum", "relied_on"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

# A regressor that varies less than this share of its size, or of which less is left when those
# before it are taken out, has nothing to say; rounding would.
_VARIES = 1e-10
_LEFT = 1e-8


@dataclass(frozen=True)
class Fit:
    """What regressors leave of y and f in the frame of each cell, and of their values now.

    ``n`` cells are in the frame and ``rank`` figures were fitted. ``yy``, ``yf`` and ``ff`` are
    sums of squares and products of what is left in the frame, ``y_varied`` and ``f_varied`` what
    they were about the mean, ``y_square`` and ``f_square`` about zero. ``e`` and ``x`` are what is
    left of this cell's own y and f, ``usual`` is the f that the regressors expect, known or not;
    ``leverage`` is how far its regressors lie from the frame's.
    """

    n: Floats
    rank: Floats
    yy: Floats
    yf: Floats
    ff: Floats
    y_varied: Floats
    f_varied: Floats
    y_square: Floats
    f_square: Floats
    e: Floats
    x: Floats
    usual: Floats
    leverage: Floats


def moving_sum(values: Floats, frame: int) -> Floats:
    """The sum of the last ``frame`` cells up to and with each, by doubling: no digits are lost."""
    total, reach = np.zeros_like(values), 0
    power, block = 1, values
    while power <= frame:
        if frame & power:
            total = _plus(total, block, reach) if reach else block
            reach += power
        power *= 2
        if power <= frame:
            block = _plus(block, block, power // 2)
    return total


def _plus(first: Floats, second: Floats, back: int) -> Floats:
    """The first, and the second as it was so many cells before."""
    total = np.empty_like(first)
    total[:back] = first[:back]
    np.add(first[back:], second[: max(len(second) - back, 0)], out=total[back:])
    return total


@dataclass(frozen=True)
class Newest:
    """Where each cell's knowledge ends: the place of a cell before it, -1 where there is none.

    ``lag`` is set when that is equally many cells back everywhere, which is quicker to look up.
    """

    places: Places
    lag: int | None

    @classmethod
    def of(cls, places: Places) -> Self:
        """Find out whether the lag is one for all."""
        cells = len(places)
        lag = int(cells - 1 - places[-1, 0]) if places.size else 0
        expected = np.maximum(np.arange(cells) - lag, -1)[:, np.newaxis]
        return cls(places, lag if 0 <= lag <= cells and (places == expected).all() else None)

    def look_up(self, values: Floats, missing: float = 0.0) -> Floats:
        """Values as they stood there; ``missing`` where there is no such cell."""
        if self.lag is None:
            return at(values, self.places, missing)
        found = np.empty_like(values)
        found[: self.lag] = missing
        found[self.lag :] = values[: len(values) - self.lag]
        return found


def at(values: Floats, places: Places, missing: float = 0.0) -> Floats:
    """Values at the places given for each cell; ``missing`` where the place is before the first."""
    found = np.take_along_axis(values, np.maximum(places, 0), axis=0)
    found[places < 0] = missing
    return found


def fit(regressors: Sequence[Floats], y: Floats, f: Floats, newest: Newest, frame: int) -> Fit:
    """Fit y and f on the regressors (and a constant), in the frame that ends with ``newest``.

    A cell enters the frame when y, f and all regressors are known (not NaN). The order of the
    regressors matters for ties alone: of two that say the same the first is kept. Numbers should be
    of moderate size about zero, as deviations from a series' first value are.
    """
    columns = [*regressors, y, f]
    cells, series = y.shape
    found = Fit(*(np.empty(y.shape) for _ in fields(Fit)))
    width = in_cache(cells)
    for first in range(0, series, width):
        some = slice(first, first + width)
        _fit_some([column[:, some] for column in columns], newest, some, frame, found)
    return found


def relied_on(found: Fit, fitted: int | Floats) -> Floats:
    """The share of a slope b of y on f to rely on, where ``fitted`` other figures were fitted.

        n / (n + 2) * t^4 / (k^2 + t^4),   t = b / sd(b),   k = 1 + (fitted - 1) / 4

    A slope that chance could have made is hardly used, one that it could not is left as it is
    (t = 1, 2, 3, 4 of nine figures: .10, .64, .90, .97 of it). Of more figures more is asked: they
    take along what hangs together in the errors, so sd(b) is thought smaller than it is. 0 where f
    or y has nothing left.
    """
    there = found.ff > 0
    square = np.where(there, found.yf * found.yf / np.where(there, found.ff, 1.0), 0.0)
    chance = np.maximum(found.yy - square, 0.0) / (found.n - fitted - 1)
    # Of what is small and what is large alike, without a fourth power of either.
    ratio = np.where(square > 0, chance / np.where(square > 0, square, 1.0), np.inf)
    doubt = (1 + (fitted - 1) / 4) * ratio
    return np.asarray(found.n / (found.n + 2) / (1 + doubt * doubt))


def _fit_some(
    columns: Sequence[Floats], newest: Newest, some: slice, frame: int, found: Fit
) -> None:
    """One regressor after the other is taken out of all that follow it (Gauss, no pivoting)."""
    many = len(columns)
    shape = columns[0].shape
    now = room.array("now", many, *shape)
    for place, column in enumerate(columns):
        now[place] = column
    known = np.isfinite(now)
    usable = known.all(axis=0)
    # The constant is a regressor like all others; its sums are n and the totals.
    entering = room.array("entering", many + 1, *shape)
    entering[0] = usable
    entering[1:] = now
    np.copyto(entering[1:], 0.0, where=~usable)
    sums = Products(entering, frame, lag=newest.lag, places=newest.places[:, some])
    n = sums.of(0, 0)
    share = 1 / np.where(n > 0, n, np.nan)
    means = np.multiply(sums.rows[0][1:], share, out=room.array("means", many, *shape))
    least = [_VARIES * sums.of(i, i) for i in range(1, many - 1)]
    y, f = many - 1, many
    found.y_square[:, some] = sums.of(y, y)
    found.f_square[:, some] = sums.of(f, f)
    sums.free_of(0, means)
    found.y_varied[:, some] = sums.of(y, y)
    found.f_varied[:, some] = sums.of(f, f)
    for r, limit in enumerate(least, 1):
        np.maximum(limit, _LEFT * sums.of(r, r), out=limit)
    told = known[many - 1]
    now[many - 1][~told] = 0.0
    distance = np.subtract(now, means, out=means)
    leverage, rank = share, np.ones_like(n)
    for r in range(1, many - 1):
        own = sums.of(r, r)
        keeps = own > least[r - 1]
        inverse = keeps / np.where(keeps, own, 1.0)
        row = sums.rows[r][1:]
        scaled = np.multiply(row, inverse, out=room.array("scaled", *row.shape))
        sums.free_of(r, scaled)
        mine = distance[r - 1]
        leverage += mine * mine * inverse
        rank += keeps
        np.multiply(scaled, mine, out=scaled)
        np.subtract(distance[r:], scaled, out=distance[r:])
    found.n[:, some] = n
    found.rank[:, some] = rank
    found.yy[:, some] = sums.of(y, y)
    found.yf[:, some] = sums.of(y, f)
    found.ff[:, some] = sums.of(f, f)
    found.e[:, some] = distance[y - 1]
    found.x[:, some] = np.where(told, distance[f - 1], np.nan)
    found.usual[:, some] = now[f - 1] - distance[f - 1]
    found.leverage[:, some] = leverage
