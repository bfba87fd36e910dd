"""Whether something is no longer shared at all: a column, or a whole kind. Pure.

Lateness is not withholding. A shipment that is late takes all of its columns with it, so a column
is judged in weeks in which others of its kind came; only where none did the kind itself is judged.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tillit.trust.flow import Flow, past
from tillit.trust.notice import Watched

__all__ = ["closings", "steps"]

Floats = NDArray[np.float64]

_FEWEST_WEEKS = 13
# What is looked for: a tenth still comes. What comes so seldom that it cannot be missed is left.
_CLOSED, _SELDOM = 0.1, 0.3
# Who was late may be late again; a column that was left out once is seldom left out again.
_AGAIN_LATE, _AGAIN_EMPTY = 0.3, 0.15


def closings(way: Flow, number: int) -> Iterator[tuple[Watched, Floats]]:
    """Of each kind and of each column with others beside it: what is watched, and its steps."""
    kinds = [kind for kind, _ in way.names]
    asked = way.asked > 0
    came = np.where(asked, np.nan_to_num(way.answered), 0.0)
    for kind in dict.fromkeys(kinds):
        mine = [at for at, other in enumerate(kinds) if other == kind]
        there = asked[mine].any(axis=0)
        some = (came[mine].max(axis=0) > 0).astype(np.float64)
        any_came = np.where(there, some, np.nan)
        whole = Watched("arrivals", kind, number, way.weeks, any_came, np.where(there, 1.0, 0.0))
        yield whole, steps(any_came, _AGAIN_LATE)
        for at in mine:
            beside = came[[other for other in mine if other != at]]
            if not len(beside):
                continue
            judged = np.where(asked[at] & (beside.max(axis=0) > 0), way.answered[at], np.nan)
            what = ".".join(way.names[at])
            watched = Watched("arrivals", what, number, way.weeks, way.answered[at], way.asked[at])
            yield watched, steps(judged, _AGAIN_EMPTY)


def steps(came: Floats, again: float) -> Floats:
    """Log likelihood ratios, week by week (W,), of a share that comes being next to nothing.

    A plan that is told twice is missing only where two shipments in a row are late, so a missing
    week is likelier after a missing week. How much likelier is learned, as all that is usual, from
    weeks that ended a quarter ago; ``again`` is what is expected before anything is known.
    """
    known = np.isfinite(came)
    missing = np.where(known, 1 - came, 0.0)
    before = np.concatenate([[0.0], missing[:-1]])
    weeks = past(known.astype(np.float64))
    after, repeated = past(before * known), past(before * missing)
    with np.errstate(all="ignore"):
        twice = (repeated + 2 * again) / (after + 2)
        first = (past(missing) - repeated + 0.5) / (weeks - after + 1)
    usual = first + np.maximum(twice - first, 0.0) * before
    judged = known & (weeks >= _FEWEST_WEEKS) & (past(missing) < (1 - _SELDOM) * weeks)
    usual = np.clip(np.where(judged, usual, 0.5), 1e-6, 1 - 1e-6)
    ratio = missing * np.log((1 - _CLOSED) / usual)
    ratio += (1 - missing) * np.log(_CLOSED / (1 - usual))
    return np.where(judged, ratio, 0.0)
