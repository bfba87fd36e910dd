"""An alarm in figures and in words: what fell, since when, from what to what. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tillit.trust.change import Excursion

__all__ = ["Alarm", "Watched"]

Floats = NDArray[np.float64]

_USUAL_WEEKS = 52
_WORDS = {
    "arrivals": "values of {what} that come in time",
    "information": "bits a value of {what}",
    "stealth": "bits a value of {what}, of which as many come as before",
    "promises": "promises kept, by value",
    "candour": "troubles that are complained of",
    "ideas": "accepted ideas a week",
}


@dataclass(frozen=True)
class Alarm:
    """One alarm. ``week`` is the first in which it was raised, ``ended`` None while it stands.

    ``what`` is a behaviour or ``kind.column``; ``before`` and ``after`` are what that was, in
    shares, bits or ideas a week. ``chance`` is the probability that in a year without change
    anything so clear is seen; ``way`` the number of the direction.
    """

    kind: str
    what: str
    way: int
    since: date
    week: date
    ended: date | None
    before: float
    after: float
    chance: float
    says: str

    @property
    def size(self) -> float:
        """What is lost, in the unit of what fell."""
        return self.before - self.after


@dataclass(frozen=True)
class Watched:
    """A series of weeks that is watched: its values, on how much each rests, and what it is."""

    behaviour: str
    what: str
    way: int
    weeks: tuple[date, ...]
    value: Floats
    count: Floats

    def lost(self, fall: Excursion) -> float:
        """By how much it is less since the fall began than in the year before."""
        before, after = self._around(fall)
        return before - after

    def alarm(self, kind: str, fall: Excursion, chance: float) -> Alarm:
        """The alarm of a fall of this series."""
        before, after = self._around(fall)
        since = self.weeks[fall.since]
        words = _WORDS["stealth" if kind == "stealth" else self.behaviour]
        return Alarm(
            kind=kind,
            what=self.what,
            way=self.way,
            since=since,
            week=self.weeks[fall.raised],
            ended=None if fall.ended is None else self.weeks[fall.ended],
            before=before,
            after=after,
            chance=chance,
            says=f"{words.format(what=self.what)}: {before:.2f} before, "
            f"{after:.2f} since the week of {since}",
        )

    def _around(self, fall: Excursion) -> tuple[float, float]:
        before = slice(max(fall.since - _USUAL_WEEKS, 0), fall.since)
        return self._mean(before), self._mean(slice(fall.since, fall.raised + 1))

    def _mean(self, weeks: slice) -> float:
        value, count = self.value[weeks], self.count[weeks]
        known = np.isfinite(value) & (count > 0)
        total = float(count[known].sum())
        return float((value[known] * count[known]).sum()) / total if total else 0.0
