"""Bits that each due cell told us beyond what we could have known without it. Pure.

The formulas are those of the definition of the measure: our own error e and the part x of the
partner's word that our baseline Z does not explain, both fitted on cells before; then the log-score
of a Student-t with and without x. Everything is estimated on cells whose outcome was known at the
cut-off of the cell that is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tillit.trust.frame import Fit, Floats, Newest, Places, at, moving_sum, relied_on
from tillit.trust.quantiles import DEGREES_OF_FREEDOM, pinball, student_quantile
from tillit.trust.spread import told_spread
from tillit.trust.strip import FREEDOM, VARIES, Stripped, carried, from_first, has_word

__all__ = ["DEGREES_OF_FREEDOM", "FRAME", "Cells", "Gains", "gains", "known_places"]

FRAME = 52
_RECENT = 4
# Cells whose mean is in the baseline, and cells from which the season's wave is learnt, with so
# many cells' worth of doubt that there is one.
_MEAN_OF = 13
_WAVE_OF = 104
_WAVE_DOUBT = 5.0
# What lies farther back than this from the last outcome that was not zero is all alike.
_LONGEST_GAP = 16
# Farther from the frame than this our own fit is a guess: its error says nothing of the sender's.
_FAR = 1.0
_NEVER = np.iinfo(np.int64).max
_PAID = float(np.log2(20))


@dataclass(frozen=True)
class Cells:
    """Due cells, a column a series, in the order of their cut-offs; NaN is unknown.

    ``cut_off`` and ``known_at`` are whole numbers of any unit, ``known_at`` of an outcome that is
    not known the largest there is. ``f`` is NaN unless it came in time. ``season`` is how many
    cells back the same season lies, one number a series, 0 for none. ``last`` is the newest outcome
    that our books held at the cut-off, with what they still expected of it; ``before`` what had
    come of the cell just before, which of a week without an order is nothing. ``more`` are
    further columns of the baseline, public series; ``earlier`` what other columns already told of
    the same outcome, each after those before it, NaN where it told nothing in time. ``level`` is
    that of the quantile that f is, one number a series, NaN where f is none.
    """

    cut_off: Places
    known_at: Places
    y: Floats
    f: Floats
    last: Floats
    before: Floats
    already: Floats
    season: Places
    more: Sequence[Floats] = ()
    earlier: Sequence[Floats] = ()
    level: Floats | None = None


@dataclass(frozen=True)
class Expected:
    """The error of an expectation, and the variance that it was thought to have; NaN is none."""

    error: Floats
    variance: Floats


@dataclass(frozen=True)
class Gains:
    """What each cell came to; NaN where it could not be judged, bits 0 where there was no news.

    ``own`` is the outcome that our baseline expected and ``own_variance`` what to expect of its
    error; ``told_error`` is y - f, ``used_error`` the error of one who used f as it deserved, and
    of a quantile the root of what either costs; both 0 where the fit reaches too far to compare
    them. ``used_variance`` is what to expect of the error
    with f, and ``news`` what f told in standard deviations, NaN where it told nothing new.
    """

    bits: Floats
    told_error: Floats
    used_error: Floats
    n: Floats
    own: Floats
    own_variance: Floats
    used_variance: Floats
    news: Floats


def known_places(cut_off: Places, known_at: Places) -> Places:
    """The newest cell before each whose outcome, and all before it, was known at its cut-off.

    -1 where there is none. An outcome still open keeps all after it from being used.
    """
    cells, series = cut_off.shape
    reached = np.maximum.accumulate(known_at, axis=0)
    finite = reached[reached < _NEVER]
    if not finite.size:
        return np.full(cut_off.shape, -1)
    start = min(int(cut_off.min()), int(finite.min()))
    end = max(int(cut_off.max()), int(finite.max())) - start + 2
    # One ordered line of numbers for all series: each is searched within its own stretch of it.
    stretch = np.arange(series) * (end + 1)
    line = (stretch + np.where(reached < _NEVER, reached - start, end)).T.ravel()
    found = np.searchsorted(line, (stretch + cut_off - start).T.ravel(), side="right")
    places = found.reshape(series, cells).T - 1 - np.arange(series) * cells
    latest = np.arange(cells)[:, np.newaxis] - 1
    return np.ascontiguousarray(np.minimum(places, latest), dtype=np.int64)


def gains(cells: Cells, *, frame: int = FRAME, z: Sequence[Floats] | None = None) -> Gains:
    """Bits of every cell, from cells before it; ``z`` in place of the measure's own baseline."""
    newest = Newest.of(known_places(cells.cut_off, cells.known_at))
    with np.errstate(all="ignore"):
        y, y_first = from_first(cells.y)
        f, _ = from_first(cells.f)
        known = _baseline(cells, y, y_first, newest) if z is None else z
        found, judged = _chained(cells, known, y, f, newest, frame)
        quantiles = np.zeros(y.shape[1], bool) if cells.level is None else np.isfinite(cells.level)
        if quantiles.any():
            judged = _spread(cells, judged, newest, quantiles, frame)
    # A NaN, which is a cell that could not be judged, stays one.
    near = np.where(found.leverage > _FAR, 0.0, 1.0)
    return replace(judged, told_error=judged.told_error * near, used_error=judged.used_error * near)


def _chained(
    cells: Cells, z: Sequence[Floats], y: Floats, f: Floats, newest: Newest, frame: int
) -> tuple[Fit, Gains]:
    """The chain rule: f is judged by what it adds to columns that told of the same outcome before.

    It is freed of all that they told, so what is said twice earns nothing. But it is held against
    the expectation of somebody who uses only those of them that have paid by then: a column that
    tells nothing would make our expectation worse, and whatever puts that right would earn it.
    """
    stripped = Stripped.of(z, y.shape, newest, frame)
    found = stripped.fit(y, f)
    judged = _judged(cells, found, newest)
    if not cells.earlier:
        return found, judged
    expected = Expected(cells.y - judged.own, judged.own_variance)
    for column in cells.earlier:
        values, _ = from_first(column)
        found = stripped.fit(y, values)
        told = _judged(cells, found, newest, expected)
        paid = np.isfinite(told.news) & _has_paid(told.bits, newest, frame)
        expected = Expected(
            np.where(paid, told.used_error, expected.error),
            np.where(paid, told.used_variance, expected.variance),
        )
        stripped = stripped.after(values, found)
    found = stripped.fit(y, f)
    return found, _judged(cells, found, newest, expected)


def _has_paid(bits: Floats, newest: Newest, frame: int) -> NDArray[np.bool_]:
    """Whether a column was known to have told us something, by all cells and by the frame's.

    What tells nothing adds up to log2 20 bits in less than one case of twenty (Ville's inequality).
    """
    least = np.minimum(bits.cumsum(axis=0), moving_sum(bits, frame))
    return np.asarray(newest.look_up(least) > _PAID)


def _baseline(cells: Cells, y: Floats, y_first: Floats, newest: Newest) -> list[Floats]:
    """Z: what we knew anyway. Deviations from each series' first values, as y is."""
    count = np.arange(len(y))[:, np.newaxis]
    there = np.isfinite(y)
    total = np.where(there, y, 0.0).cumsum(axis=0)
    known = there.cumsum(axis=0)
    mean = newest.look_up(total / np.where(known > 0, known, np.nan), np.nan)
    last = _first_known(cells.last - y_first, newest.look_up(y, np.nan), mean)
    before = _first_known(cells.before - y_first, last)
    back = count - cells.season
    # The season's value only where it lies a season back and was known at the cut-off.
    seasonal = (cells.season > 0) & (back <= newest.places)
    season = _first_known(at(y, np.where(seasonal, back, -1), np.nan), mean)
    already, _ = from_first(cells.already)
    trend = np.broadcast_to(count / FRAME, y.shape)
    many = moving_sum(there.astype(float), _MEAN_OF)
    recent = moving_sum(np.where(there, y, 0.0), _MEAN_OF) / np.where(many > 0, many, np.nan)
    recent = _first_known(newest.look_up(recent, np.nan), mean)
    wave = _wave(carried(y), cells.season, newest)
    z = [last, season, trend, recent, wave, np.where(np.isfinite(already), already, 0.0)]
    # Where something is ordered every week, both are the same.
    z += [] if np.array_equal(before, last, equal_nan=True) else [before]
    nothing = cells.y == 0
    if nothing.any():
        rhythm = _first_known(_rhythm(cells.y, newest) - y_first, mean)
        z.append(np.where(newest.look_up(nothing.cumsum(axis=0)) > 0, rhythm, last))
    z += [carried(from_first(column)[0]) for column in cells.more]
    # What never varies is in the constant, and costs as many sums as any other.
    return [column for column in z if (column != column[:1]).any()]


def _wave(y: Floats, season: Places, newest: Newest) -> Floats:
    """What one wave a season, learnt from the cells known, says of each cell.

    A calendar is nobody's secret: without it a sender is paid for a sine curve. The value of the
    same week a year ago does not do, for it has that week's chance in it.
    """
    count = np.arange(len(y))[:, np.newaxis]
    # One calendar for all is drawn once.
    drawn = season[:1] if season.size and (season == season[0]).all() else season
    turn = 2 * np.pi * count / np.where(drawn > 0, drawn, np.inf)
    sine, cosine = np.sin(turn), np.cos(turn)
    n = np.minimum(count + 1.0, _WAVE_OF)
    of_y, of_sine, of_cosine = (moving_sum(v, _WAVE_OF) / n for v in (y, sine, cosine))

    def together(first: Floats, second: Floats, means: Floats) -> Floats:
        return np.asarray(moving_sum(first * second, _WAVE_OF) - n * means)

    y_sine = together(y, sine, of_y * of_sine)
    y_cosine = together(y, cosine, of_y * of_cosine)
    across = together(sine, cosine, of_sine * of_cosine)
    sines = together(sine, sine, of_sine * of_sine) + _WAVE_DOUBT
    cosines = together(cosine, cosine, of_cosine * of_cosine) + _WAVE_DOUBT
    area = sines * cosines - across * across
    a = (y_sine * cosines - y_cosine * across) / area
    b = (y_cosine * sines - y_sine * across) / area
    level = newest.look_up(of_y - a * of_sine - b * of_cosine)
    wave = level + newest.look_up(a) * sine + newest.look_up(b) * cosine
    return np.asarray(np.where(season > 0, wave, 0.0))


def _rhythm(y: Floats, newest: Newest) -> Floats:
    """The last outcome that was not zero, by how often one came as long after another.

    Who is ordered from every third week needs nobody to say so. Until there was a week without
    anything this would be the last value, and it is not asked.
    """
    count = np.arange(len(y))[:, np.newaxis]
    there = np.isfinite(y)
    came = there & (y != 0)
    place = np.maximum.accumulate(np.where(came, count, -1), axis=0)
    last = np.asarray(newest.look_up(place, -1), dtype=np.int64)
    gap = np.where(last < 0, 0, np.minimum(count - last, _LONGEST_GAP))

    def share(those: NDArray[np.bool_]) -> Floats:
        seen = newest.look_up((those & there).cumsum(axis=0))
        found: Floats = newest.look_up((those & came).cumsum(axis=0)) / np.maximum(seen, 1)
        return np.where(seen > 0, found, np.nan)

    often = share(np.ones_like(there))
    for length in range(1, _LONGEST_GAP + 1):
        those = gap == length
        if those.any():
            often = np.where(those, _first_known(share(those), often), often)
    return often * at(y, last, np.nan)


def _first_known(*choices: Floats) -> Floats:
    found = choices[0]
    for choice in choices[1:]:
        found = np.where(np.isfinite(found), found, choice)
    return found


def _judged(cells: Cells, found: Fit, newest: Newest, instead: Expected | None = None) -> Gains:
    """What f is worth beside its fit's own expectation of y, or beside another ``instead``."""
    free = found.n - found.rank
    scored = np.isfinite(found.e) & np.isfinite(found.x) & (free - 1 >= FREEDOM)
    news = scored & _has_news(found)
    ff = np.where(news, found.ff, 1.0)
    share = relied_on(found, found.rank)
    slope = np.where(news, found.yf / ff * share, 0.0)
    z0 = found.e
    z1 = found.e - slope * found.x
    v0 = found.yy / free
    left = found.yy - 2 * slope * found.yf + slope * slope * found.ff
    v1 = np.where(news, np.maximum(left, 0.0) / (free - 1), v0)
    # A variance taken from few cells may well be larger than it seems.
    wide0 = free / (free - 2) * (1 + found.leverage)
    # A slope that is hardly used makes the expectation hardly less sure. Otherwise a receiver whose
    # own is too sure, as of lumpy demand, would pay a noise for widening it.
    wide1 = wide0 + np.where(news, share * found.x * found.x / ff, 0.0)
    w0 = _expected(z0, v0, wide0, scored, found.n, newest)
    w1 = _expected(z1, v1, wide1, scored, found.n, newest)
    if instead is not None:
        other = np.isfinite(instead.error) & np.isfinite(instead.variance)
        z0 = np.where(other, instead.error, z0)
        z1 = np.where(other, instead.error - slope * found.x, z1)
        w1 = np.where(other, instead.variance * (w1 / w0), w1)
        w0 = np.where(other, instead.variance, w0)
    surprise = (1 + z0 * z0 / (DEGREES_OF_FREEDOM * w0)) / (1 + z1 * z1 / (DEGREES_OF_FREEDOM * w1))
    bits = (DEGREES_OF_FREEDOM + 1) / 2 * np.log2(surprise) - 0.5 * np.log2(w1 / w0)
    counts = news & (w0 > 0) & (w1 > 0)
    nothing = np.full_like(z0, np.nan)
    return Gains(
        bits=np.where(counts, bits, 0.0),
        told_error=np.where(scored, cells.y - cells.f, nothing),
        used_error=np.where(scored, z1, nothing),
        n=np.nan_to_num(found.n),
        own=np.where(scored, cells.y - z0, nothing),
        own_variance=np.where(scored, w0, nothing),
        used_variance=np.where(scored, w1, nothing),
        news=np.where(counts, found.x / np.sqrt(ff / free * (1 + found.leverage)), nothing),
    )


def _spread(
    cells: Cells, judged: Gains, newest: Newest, those: NDArray[np.bool_], frame: int
) -> Gains:
    """The same, where series that are quantiles have also told how sure one may be."""
    level = np.asarray(cells.level)[those]
    error, variance, news, told = (
        values[:, those]
        for values in (judged.used_error, judged.used_variance, judged.news, judged.told_error)
    )
    newest = Newest.of(np.ascontiguousarray(newest.places[:, those]))
    spread = told_spread(error, variance, news, level, newest, frame=frame)
    off = np.array([student_quantile(each) for each in level]) * np.sqrt(spread.variance)
    return replace(
        judged,
        bits=_put(judged.bits, those, judged.bits[:, those] + spread.bits),
        told_error=_put(judged.told_error, those, np.sqrt(pinball(level, told))),
        used_error=_put(judged.used_error, those, np.sqrt(pinball(level, error - off))),
        used_variance=_put(judged.used_variance, those, spread.variance),
    )


def _put(values: Floats, those: NDArray[np.bool_], changed: Floats) -> Floats:
    found = values.copy()
    found[:, those] = changed
    return found


def _has_news(found: Fit) -> NDArray[np.bool_]:
    """Whether something is left of the word and of our error; a figure is due to nothing else."""
    error = (found.yy > VARIES * found.y_varied) & (found.y_varied > VARIES * found.y_square)
    return has_word(found) & error


def _expected(
    error: Floats,
    variance: Floats,
    wide: Floats,
    scored: NDArray[np.bool_],
    n: Floats,
    newest: Newest,
) -> Floats:
    """The variance to expect: shrunk to that of all known errors, widened by the fit's own."""
    square = np.where(scored, error * error / wide, 0.0).cumsum(axis=0)
    count = scored.cumsum(axis=0)
    so_far = newest.look_up(square / np.where(count > 0, count, np.nan), np.nan)
    so_far = np.where(np.isfinite(so_far), so_far, variance)
    return (n * variance + 2 * so_far) / (n + 2) * wide
