"""The gain of every cell of one series, written a second time from its definition, without SQL.

One cell after the other, each with a least-squares fit of its own. Slow and plain on purpose: the
SQL sums over windows and eliminates, and must come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NU = 8.0
# As tables of Student's t have it.
T_AT = {0.1: -1.3968153097439, 0.9: 1.3968153097439}
FREEDOM = 6


@dataclass(frozen=True)
class Series:
    """One series in the order of its cut-offs; NaN is unknown; times in any unit.

    ``known_at`` is when the outcome of each cell was known, infinite while it is not. ``more`` has
    a row for each further column of the baseline. ``before`` is what the books held of the cell
    just before at each cut-off, unknown if not given. ``level`` is that of the quantile that f is,
    and ``earlier`` has a row for each column that told of the same outcome before this one.
    """

    cut_off: Floats
    known_at: Floats
    y: Floats
    f: Floats
    last: Floats
    known: Floats
    season: int = 0
    more: Floats = field(default_factory=lambda: np.empty((0, 0)))
    before: Floats | None = None
    level: float = np.nan
    earlier: Floats = field(default_factory=lambda: np.empty((0, 0)))


def baseline(s: Series) -> tuple[Floats, NDArray[np.int64]]:
    """Z without its constant, and the lag of what was known.

    Last value, season, trend, mean of 13, the season's wave, what was known already, what the books
    held of the cell before, the rhythm of outcomes, and more.
    """
    n = len(s.y)
    usable_from = np.maximum.accumulate(s.known_at)
    z = np.full((n, 8 + len(s.more)), np.nan)
    lags = np.zeros(n, dtype=np.int64)
    for t in range(n):
        known = np.flatnonzero(usable_from <= s.cut_off[t])
        newest = int(known[-1]) if len(known) else -1
        lags[t] = t - newest
        history = s.y[: newest + 1]
        mean = np.nanmean(history) if np.isfinite(history).any() else np.nan
        settled = s.y[newest] if newest >= 0 else np.nan
        last = next((v for v in (s.last[t], settled, mean) if np.isfinite(v)), np.nan)
        back = t - s.season
        seasonal = s.y[back] if s.season and back >= 0 and s.season >= lags[t] else np.nan
        season = seasonal if np.isfinite(seasonal) else mean
        recent = history[-13:]
        recent_mean = np.nanmean(recent) if np.isfinite(recent).any() else mean
        book = np.nan if s.before is None else s.before[t]
        before = book if np.isfinite(book) else last
        more = (carried(row[: t + 1]) for row in s.more)
        plain = last, season, t, recent_mean, wave(s, newest, t), s.known[t], before
        rhythm = rhythmic(s.y, lags, newest, t) if (history == 0).any() else last
        z[t] = *plain, rhythm if np.isfinite(rhythm) else mean, *more
    return z, lags


def rhythmic(y: Floats, lags: NDArray[np.int64], newest: int, t: int) -> float:
    """The last outcome that was not zero, by how often one came as long after another."""

    def gap(row: int, newest: int) -> int:
        came = [at for at in range(newest + 1) if np.isfinite(y[at]) and y[at] != 0]
        return min(row - came[-1], 16) if came else 0

    rows = [row for row in range(newest + 1) if np.isfinite(y[row])]
    same = [row for row in rows if gap(row, row - int(lags[row])) == gap(t, newest)]
    came = [y[row] for row in rows if y[row] != 0]
    if not came:
        return np.nan
    among = same or rows
    return float(np.mean([y[row] != 0 for row in among]) * came[-1])


def framed(newest: int, frame: int, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The usable cells of the frame that ends with the newest."""
    rows = np.arange(max(0, newest - frame + 1), newest + 1)
    return rows[usable[rows]]


def filled(
    row: Floats,
    y: Floats,
    z: Floats,
    tells: NDArray[np.bool_],
    newest: NDArray[np.int64],
    frame: int,
) -> tuple[Floats, NDArray[np.bool_]]:
    """A column without gaps, and the cells in which it told something.

    In a gap it says what those before it expect it to say; until that is known, the last it said.
    """
    there = np.isfinite(row)
    usable = there & np.isfinite(y) & np.isfinite(z).all(axis=1)
    whole, told = row.copy(), np.zeros(len(row), dtype=bool)
    for t in range(len(row)):
        if not there[t]:
            whole[t] = carried(row[: t + 1]) if there[:t].any() else row[there][0]
        rows = framed(int(newest[t]), frame, usable)
        if len(rows) == 0 or not np.isfinite(z[t]).all():
            continue
        columns, now = design(z[rows][:, tells[t]], z[t, tells[t]])
        left, off = free_of(columns, row[rows], now, row[t] if there[t] else 0.0)
        if len(rows) - columns.shape[1] - 1 >= FREEDOM:
            whole[t] = row[t] if there[t] else -off
            told[t] = there[t] and left @ left > 1e-6 * len(rows) * row[rows].var() > 0
    return whole, told


def wave(s: Series, newest: int, t: int) -> float:
    """One wave a season, fitted by ridge to the last 104 cells known: where it is at ``t``."""
    if not s.season or newest < 0:
        return 0.0
    rows = np.arange(max(0, newest - 103), newest + 1)
    first = s.y[np.isfinite(s.y)][0]
    past = [carried(s.y[: row + 1]) for row in rows]
    # Before the first value there is, it is the first.
    y = np.nan_to_num(np.array(past) - first)
    turn = 2 * np.pi * rows / s.season
    waves = np.column_stack([np.sin(turn), np.cos(turn)])
    middle = waves.mean(axis=0)
    inner = (waves - middle).T @ (waves - middle) + 5.0 * np.eye(2)
    slope = np.linalg.solve(inner, (waves - middle).T @ (y - y.mean()))
    now = np.array([np.sin(2 * np.pi * t / s.season), np.cos(2 * np.pi * t / s.season)])
    return float(y.mean() + slope @ (now - middle))


def carried(row: Floats) -> float:
    """The newest value that there is; before the first, the first: that changes no fit."""
    there = row[np.isfinite(row)]
    return float(there[-1]) if len(there) else np.nan


def free_of(columns: Floats, v: Floats, now: Floats, v_now: float) -> tuple[Floats, float]:
    """What least squares leaves of ``v`` over the frame, and of its value now."""
    beta, *_ = np.linalg.lstsq(columns, v, rcond=None)
    return v - columns @ beta, float(v_now - now @ beta)


def design(z: Floats, z_now: Floats) -> tuple[Floats, Floats]:
    """The constant, and the regressors that vary and that those before do not explain."""
    columns, now = np.ones((len(z), 1)), np.ones(1)
    for j in range(z.shape[1]):
        mean, spread = z[:, j].mean(), z[:, j].std()
        if spread <= 1e-9 * max(1.0, abs(mean)):
            continue
        v, v_now = (z[:, j] - mean) / spread, (z_now[j] - mean) / spread
        left, left_now = free_of(columns, v, now, v_now)
        if left @ left <= 1e-8 * (v @ v):
            continue
        columns = np.column_stack([columns, left])
        now = np.append(now, left_now)
    return columns, now


@dataclass
class Judged:
    """What a word came to, cell by cell: errors and variances without it and with it, and bits.

    ``size`` and ``news`` are the error and the word in standard deviations; NaN is none.
    """

    z0: Floats
    w0: Floats
    z1: Floats
    w1: Floats
    bits: Floats
    size: Floats
    news: Floats
    leverage: Floats


def judged(
    s: Series,
    f: Floats,
    z: Floats,
    tells: NDArray[np.bool_],
    lags: NDArray[np.int64],
    frame: int,
    instead: tuple[Floats, Floats] | None = None,
) -> Judged:
    """A word f, freed of z, beside what z expects, or beside an error and variance ``instead``."""
    n = len(s.y)
    usable = np.isfinite(s.y) & np.isfinite(f) & np.isfinite(z).all(axis=1)
    square0, square1 = np.full(n, np.nan), np.full(n, np.nan)
    found = Judged(*(np.full(n, np.nan) for _ in range(8)))
    found.bits[:] = 0.0
    for t in range(n):
        newest = t - int(lags[t])
        rows = framed(newest, frame, usable)
        if not usable[t] or len(rows) == 0:
            continue
        columns, now = design(z[rows][:, tells[t]], z[t, tells[t]])
        m, rank = len(rows), columns.shape[1]
        if m - rank - 1 < FREEDOM:
            continue
        ey, e = free_of(columns, s.y[rows], now, s.y[t])
        ex, x = free_of(columns, f[rows], now, f[t])
        leverage = float(now @ np.linalg.solve(columns.T @ columns, now))
        f_varied = m * f[rows].var()
        y_varied = m * s.y[rows].var()
        news = ex @ ex > 1e-6 * f_varied > 0 and ey @ ey > 1e-10 * y_varied > 0
        share = relied_on(ex, ey, rank) if news else 0.0
        slope = share * (ex @ ey) / (ex @ ex) if news else 0.0
        v0 = (ey @ ey) / (m - rank)
        left = ey - slope * ex
        v1 = (left @ left) / (m - rank - 1) if news else v0
        wide0 = (m - rank) / (m - rank - 2) * (1 + leverage)
        wide1 = wide0 + (share * x * x / (ex @ ex) if news else 0.0)
        z0, z1 = e, e - slope * x
        square0[t], square1[t] = z0 * z0 / wide0, z1 * z1 / wide1
        past0, past1 = square0[: newest + 1], square1[: newest + 1]
        all0 = np.nanmean(past0) if np.isfinite(past0).any() else v0
        all1 = np.nanmean(past1) if np.isfinite(past1).any() else v1
        w0 = (m * v0 + 2 * all0) / (m + 2) * wide0
        w1 = (m * v1 + 2 * all1) / (m + 2) * wide1
        if instead is not None and np.isfinite(instead[0][t]) and np.isfinite(instead[1][t]):
            z0, w0, w1 = instead[0][t], instead[1][t], instead[1][t] * w1 / w0
            z1 = z0 - slope * x
        found.z0[t], found.w0[t], found.z1[t], found.w1[t] = z0, w0, z1, w1
        found.leverage[t] = leverage
        if news:
            odds = np.log2(1 + z1 * z1 / (NU * w1)) - np.log2(1 + z0 * z0 / (NU * w0))
            found.bits[t] = -0.5 * np.log2(w1 / w0) - (NU + 1) / 2 * odds
            found.size[t] = abs(z1) / np.sqrt(w1)
            found.news[t] = x / np.sqrt(ex @ ex / (m - rank) * (1 + leverage))
    return found


def gains(s: Series, frame: int = 52) -> tuple[Floats, Floats]:
    """Bits and the error with the partner's word (NaN where not scored), cell by cell.

    Of a quantile the error is the root of what its use cost by the pinball.
    """
    n = len(s.y)
    z, lags = baseline(s)
    ends = np.arange(n) - lags
    tells = np.full(z.shape, fill_value=True)
    instead = None
    if len(s.earlier):
        own = judged(s, s.f, z, tells, lags, frame)
        instead = own.z0, own.w0
    for row in s.earlier:
        found = judged(s, row, z, tells, lags, frame, instead)
        for t in np.flatnonzero(np.isfinite(found.news)):
            known = found.bits[: ends[t] + 1]
            if min(known.sum(), known[-frame:].sum()) > np.log2(20):
                instead[0][t], instead[1][t] = found.z1[t], found.w1[t]
        whole, told = filled(row, s.y, z, tells, ends, frame)
        z, tells = np.column_stack([z, whole]), np.column_stack([tells, told])
    found = judged(s, s.f, z, tells, lags, frame, instead)
    bits, used = found.bits, found.z1.copy()
    clipped = np.clip(found.news, -4, 4)
    for t in np.flatnonzero(np.isfinite(used)):
        if np.isfinite(s.level):
            rows = framed(int(ends[t]), frame, np.isfinite(found.size))
            more, used[t] = spread(s.level, t, rows, found.size, clipped, found.z1[t], found.w1[t])
            bits[t] += more
        if found.leverage[t] > 1:
            used[t] = 0.0
    return bits, used


def relied_on(x: Floats, y: Floats, fitted: int) -> float:
    """The share of the slope of y on x that is used: by n / (n + 2), and by what chance makes."""
    b = (x @ y) / (x @ x)
    left = y - b * x
    variance = (left @ left) / (len(x) - fitted - 1) / (x @ x)
    t = abs(b) / np.sqrt(variance) if variance > 0 else np.inf
    k = 1 + (fitted - 1) / 4
    return float(len(x) / (len(x) + 2) * (1 / (1 + k**2 / t**4) if t > 0 else 0.0))


def spread(
    level: float,
    t: int,
    rows: NDArray[np.int64],
    size: Floats,
    news: Floats,
    z: float,
    w: float,
) -> tuple[float, float]:
    """Bits of the spread that cell ``t`` told, and the root of what its quantile then cost."""
    wider = -news if level < 0.5 else news
    rows = rows[np.isfinite(size[rows])]
    ratio = 1.0
    if np.isfinite(size[t]) and len(rows) >= 8 and wider[rows].std() > 0:
        told, sure = wider[rows] - wider[rows].mean(), size[rows] - size[rows].mean()
        steep = (told @ sure) / (told @ told) * relied_on(told, sure, 2) / size[rows].mean()
        steep = max(0.0, steep)
        factor = np.clip(1 + steep * (wider[t] - wider[rows].mean()), 0.5, 2)
        ratio = factor**2 / (1 + steep**2 * wider[rows].var())
    v = w * ratio
    odds = np.log2(1 + z * z / (NU * v)) - np.log2(1 + z * z / (NU * w))
    off = z - T_AT[level] * np.sqrt(v)
    cost = level * off if off >= 0 else (level - 1) * off
    return -0.5 * np.log2(ratio) - (NU + 1) / 2 * odds, np.sqrt(cost)
