"""When things go wrong and nobody complains. Pure.

The clock of silence is not the calendar: it runs with the troubles that the partner suffered. While
nothing is wrong, silence is fine and the clock stands still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVEL", "Silence", "silence"]

Floats = NDArray[np.float64]

LEVEL = 0.05

_RECENT, _LONGEST_RECENT, _ENOUGH = 13, 26, 8
_HISTORY = 104


@dataclass(frozen=True)
class Silence:
    """Of each week (W,): how the recent complaints compare with those before.

    ``tail`` is the probability of so few, given ``troubles``; 1 where there was no trouble.
    ``clock`` counts troubles since the last complaint. ``usual`` is the share of troubles that was
    told before.
    """

    tail: Floats
    troubles: Floats
    told: Floats
    usual: Floats
    clock: Floats


def silence(troubles: Floats, told: Floats) -> Silence:
    """Compare each week's recent complaints with two years before them.

    Recent are thirteen weeks, or up to 26 until eight troubles are among them. What is expected is
    beta-binomial, with the prior Beta(1, 1) of candour. Counts are whole, so no rule is right at
    every level: the tail is mid-p, half of the probability of what was seen, which is right on
    the average over partners. The whole tail would call half as many silent as it says.
    """
    weeks = np.arange(len(troubles))
    all_troubles, all_told = (np.concatenate([[0.0], np.cumsum(c)]) for c in (troubles, told))
    end = weeks + 1
    start = np.maximum(end - _RECENT, 0)
    for _ in range(_LONGEST_RECENT - _RECENT):
        few = all_troubles[end] - all_troubles[start] < _ENOUGH
        start = np.where(few, np.maximum(start - 1, 0), start)
    before = np.maximum(start - _HISTORY, 0)
    recent, said = all_troubles[end] - all_troubles[start], all_told[end] - all_told[start]
    past, past_said = (c[start] - c[before] for c in (all_troubles, all_told))
    last = np.maximum.accumulate(np.where(told > 0, end, 0))
    return Silence(
        tail=_tail(said, recent, 1 + past_said, 1 + past - past_said),
        troubles=recent,
        told=said,
        usual=(1 + past_said) / (2 + past),
        clock=all_troubles[end] - all_troubles[last],
    )


def _tail(seen: Floats, of: Floats, a: Floats, b: Floats) -> Floats:
    """Mid-p of seeing so few: beta-binomial, all numbers whole."""
    most = int(of.max(initial=0.0))
    highest = int((of + a + b).max(initial=0.0)) + 2
    # log of (n - 1)!, by n
    gamma = np.concatenate([[0.0, 0.0], np.cumsum(np.log(np.arange(1, highest)))])

    def beta(x: Any, y: Any) -> Floats:
        return np.asarray(gamma[_whole(x)] + gamma[_whole(y)] - gamma[_whole(x + y)])

    k = np.arange(most + 1)[:, np.newaxis]
    # More than there were are not asked for below.
    yes = np.minimum(k, of)
    ways = -beta(yes + 1, of - yes + 1) - np.log(of + 1)
    chance = np.exp(ways + beta(yes + a, of - yes + b) - beta(a, b))
    below = (chance * (k < seen)).sum(axis=0) + 0.5 * (chance * (k == seen)).sum(axis=0)
    return np.where(of > 0, np.minimum(below, 1.0), 1.0)


def _whole(values: Any) -> NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)
