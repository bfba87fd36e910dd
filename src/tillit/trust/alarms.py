"""Alarms over the whole history of a relationship: what fell, and what is behind it. Pure.

Four kinds. ``drop``: the flow of all that a partner does, or of one column, fell within a quarter.
``erosion``: it wore away. ``stealth``: as many values come, and they tell less. ``silence``: things
go wrong and are not complained of. The first three together are raised by fewer than one in fifty
relationships in a year in which nothing changes; silence stands by itself, at its own level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tillit.trust.change import Excursion, Sign, above, excursions, falling, mann_kendall
from tillit.trust.closed import closings
from tillit.trust.flow import BEHAVIOURS, Flow, lately, standardised, together
from tillit.trust.notice import Alarm, Watched
from tillit.trust.silence import LEVEL, silence

__all__ = ["FALSE_A_YEAR", "alarms"]

Floats = NDArray[np.float64]

FALSE_A_YEAR = 0.02
# How the false alarms that are allowed are shared out, for a relationship: .0165 in all.
_ALL, _TREND, _CLOSED, _STALE, _STALE_COLUMN = 0.0070, 0.0010, 0.0030, 0.0035, 0.0020
_QUARTER, _HALF_YEAR = 13, 26


def alarms(ways: Sequence[Flow]) -> list[Alarm]:
    """Every alarm of a relationship's one or two directions, the oldest first.

    Both end with the same week.
    """
    found = _of_all(_Relationship.of(ways))
    columns = sum(len(way.names) for way in ways)
    for number, way in enumerate(ways):
        found += _closed(way, number, _CLOSED / max(columns, 1))
        found += _stale_columns(way, number, _STALE_COLUMN / max(columns, 1))
        found += _stale(way, number, _STALE / len(ways))
        found += _silent(way, number)
    return _each_once(sorted(found, key=lambda alarm: (alarm.week, alarm.kind, alarm.what)))


def _each_once(found: Sequence[Alarm]) -> list[Alarm]:
    """Without those that repeat what still stands."""
    kept: list[Alarm] = []
    for alarm in found:
        same = (alarm.kind, alarm.what, alarm.way)
        if not any(_stands(a, alarm.week) for a in kept if (a.kind, a.what, a.way) == same):
            kept.append(alarm)
    return kept


def _stands(alarm: Alarm, week: date) -> bool:
    return alarm.week <= week and (alarm.ended is None or alarm.ended >= week)


# ---- all behaviours together --------------------------------------------------------------------


@dataclass(frozen=True)
class _Relationship:
    """Directions over the same weeks: their common flow (W,), and what adds to it (N, 5, W).

    ``lately`` is the flow over the half-year before each week (W, 26).
    """

    ways: Sequence[Flow]
    weeks: tuple[date, ...]
    flow: Floats
    lately: Floats
    added: Floats

    @classmethod
    def of(cls, ways: Sequence[Flow]) -> _Relationship:
        weeks = max((way.weeks for way in ways), key=len)
        flows = np.full((len(ways), len(weeks)), np.nan)
        before = np.full((len(ways), len(weeks), _HALF_YEAR), np.nan)
        added = np.zeros((len(ways), len(BEHAVIOURS), len(weeks)))
        for number, way in enumerate(ways):
            late = len(weeks) - len(way.weeks)
            flows[number, late:], added[number, :, late:] = together(way)
            before[number, late:] = lately(way, _HALF_YEAR)
        return cls(ways, weeks, _summed(flows), _summed(before), added)

    def behind(self, fall: Excursion) -> tuple[Watched, Excursion]:
        """What took most from the flow since it began to fall, and the fall in its own weeks."""
        taken = self.added[:, :, fall.since : fall.raised + 1].sum(axis=2)
        number, place = (int(at) for at in np.unravel_index(int(taken.argmin()), taken.shape))
        way = self.ways[number]
        own = fall.moved(len(way.weeks) - len(self.weeks))
        behaviour = BEHAVIOURS[place]
        if behaviour in {"arrivals", "information"}:
            return _worst_column(way, number, behaviour, own), own
        series = way.value[place], way.count[place]
        return Watched(behaviour, behaviour, number, way.weeks, *series), own


def _summed(flows: Floats) -> Floats:
    """Flows of directions as one of the same variance; where one is known it is that one."""
    known = np.isfinite(flows)
    count = known.sum(axis=0)
    total = np.where(known, flows, 0.0).sum(axis=0) / np.sqrt(np.maximum(count, 1))
    return np.where(count > 0, total, np.nan)


def _of_all(relationship: _Relationship) -> list[Alarm]:
    """Drops and erosions of everything, named after what fell most.

    A trend is told where nothing else was seen to fall.
    """
    flow = relationship.flow
    found: list[Alarm] = []
    for fall in excursions(falling(flow), Sign.FLOW.threshold(_ALL)):
        watched, own = relationship.behind(fall)
        kind = "drop" if fall.raised - fall.since < _QUARTER else "erosion"
        found.append(watched.alarm(kind, own, _chance(Sign.FLOW, fall.peak, _ALL)))
    score, _ = mann_kendall(relationship.lately)
    downward = np.where(score < 0, np.square(score), 0.0)
    for fall in above(downward, Sign.TREND.threshold(_TREND), looked_back=_HALF_YEAR):
        watched, own = relationship.behind(fall)
        alarm = watched.alarm("erosion", own, _chance(Sign.TREND, fall.peak, _TREND))
        if not any(_stands(other, alarm.week) for other in found):
            found.append(alarm)
    return found


# ---- columns ------------------------------------------------------------------------------------


def _column(way: Flow, number: int, behaviour: str, at: int) -> Watched:
    arrivals = behaviour == "arrivals"
    value, count = (way.answered, way.asked) if arrivals else (way.bits, way.scored)
    return Watched(behaviour, ".".join(way.names[at]), number, way.weeks, value[at], count[at])


def _worst_column(way: Flow, number: int, behaviour: str, fall: Excursion) -> Watched:
    """Of arrivals or information the column that lost most."""
    columns = [_column(way, number, behaviour, at) for at in range(len(way.names))]
    return max(columns, key=lambda column: column.lost(fall))


def _closed(way: Flow, number: int, share: float) -> Iterator[Alarm]:
    """Columns and kinds that are no longer shared."""
    for watched, steps in closings(way, number):
        for fall in excursions(steps, Sign.CLOSED.threshold(share)):
            yield watched.alarm("drop", fall, _chance(Sign.CLOSED, fall.peak, share))


def _stale_columns(way: Flow, number: int, share: float) -> Iterator[Alarm]:
    """Columns that come and tell less than they did."""
    for at, own in enumerate(falling(standardised(way.bits, way.scored))):
        for fall in excursions(own, Sign.STALE.threshold(share)):
            chance = _chance(Sign.STALE, fall.peak, share)
            yield _column(way, number, "information", at).alarm("stealth", fall, chance)


def _stale(way: Flow, number: int, share: float) -> Iterator[Alarm]:
    """All columns together tell less; named after the one that lost most."""
    steps = falling(standardised(way.value[1], way.count[1]))
    for fall in excursions(steps, Sign.STALE.threshold(share)):
        worst = _worst_column(way, number, "information", fall)
        yield worst.alarm("stealth", fall, _chance(Sign.STALE, fall.peak, share))


def _chance(sign: Sign, peak: float, share: float) -> float:
    """Of anything so clear in a year: this sign has only its share of all false alarms."""
    return min(1.0, sign.chance(peak) * FALSE_A_YEAR / share)


# ---- silence ------------------------------------------------------------------------------------


def _silent(way: Flow, number: int) -> Iterator[Alarm]:
    """Times in which the partner complains of less than it used to, whatever else it does."""
    found = silence(way.troubles, way.told)
    quiet = 1 - found.tail
    for fall in above(quiet, 1 - LEVEL, over=1 - 4 * LEVEL, looked_back=_QUARTER):
        span = slice(fall.raised, fall.ended)
        at = fall.raised + int(found.tail[span].argmin())
        told, troubles, usual = int(found.told[at]), int(found.troubles[at]), float(found.usual[at])
        yield Alarm(
            kind="silence",
            what="candour",
            way=number,
            since=way.weeks[fall.since],
            week=way.weeks[fall.raised],
            ended=None if fall.ended is None else way.weeks[fall.ended],
            before=usual,
            after=told / troubles,
            chance=float(found.tail[at]),
            says=f"{told} of {troubles} troubles suffered were complained of, where "
            f"{usual * troubles:.1f} would be usual; {int(found.clock[at])} troubles "
            "since the last complaint",
        )
