"""A column freed of what the columns before it told of the same outcome. Pure.

The chain rule: columns that speak of one outcome stand in an order, and each is worth what it adds
to those before it. What was told is told cell by cell. Where an earlier column said nothing, or
nothing that we could not have known, a cell is judged without that column, over the same frame: so
a column that falls silent, or repeats our own figures, changes nothing for those after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from tillit.trust.frame import Fit, Floats, Newest, Places, fit

__all__ = ["FREEDOM", "VARIES", "Stripped", "carried", "from_first", "has_word"]

FREEDOM = 6
"""So many degrees of freedom are left in the frame before a cell is judged."""
VARIES = 1e-10
"""What varies by less than this share of its size is constant, but for rounding."""
# What is left of a word that our baseline does not explain; below it is rounding.
_NEWS = 1e-6


def has_word(found: Fit) -> NDArray[np.bool_]:
    """Whether anything is left of f that the regressors do not explain."""
    left: NDArray[np.bool_] = found.ff > _NEWS * found.f_varied
    return left & (found.f_varied > VARIES * found.f_square)


@dataclass(frozen=True)
class Stripped:
    """Columns without gaps, and by cell which of them told something: a bit each."""

    z: Sequence[Floats]
    columns: Sequence[Floats]
    told: Places
    newest: Newest
    frame: int

    @classmethod
    def of(
        cls, z: Sequence[Floats], shape: tuple[int, ...], newest: Newest, frame: int
    ) -> Stripped:
        """Of the baseline alone."""
        return cls(z, [], np.zeros(shape, dtype=np.int64), newest, frame)

    def fit(self, y: Floats, f: Floats) -> Fit:
        """Fit all cells on all columns, and again where some of them told nothing."""
        found = fit([*self.z, *self.columns], y, f, self.newest, self.frame)
        for which in np.unique(self.told) if self.columns else ():
            told = [r for place, r in enumerate(self.columns) if which >> place & 1]
            if len(told) < len(self.columns):
                self._refit(found, [*self.z, *told], y, f, self.told == which)
        return found

    def _refit(
        self, found: Fit, kept: Sequence[Floats], y: Floats, f: Floats, cells: NDArray[np.bool_]
    ) -> None:
        """Judge these cells by other regressors, in the series that have such cells."""
        those = cells.any(axis=0)
        newest = Newest.of(np.ascontiguousarray(self.newest.places[:, those]))
        some = [column[:, those] for column in kept]
        part = fit(some, y[:, those], f[:, those], newest, self.frame)
        for field in fields(Fit):
            values = getattr(found, field.name)
            values[cells] = getattr(part, field.name)[cells[:, those]]

    def after(self, values: Floats, found: Fit) -> Stripped:
        """With one more column, of which ``found`` is the fit; the same where it never told.

        In a gap the column says what those before it let expect; till that is known, what it said
        last. That is for the frame alone: no cell is judged by what was not told of it.
        """
        known = found.n - found.rank - 1 >= FREEDOM
        there = np.isfinite(values)
        news = there & known & has_word(found)
        if not news.any():
            return self
        filled = np.where(there, values, np.where(known, found.usual, carried(values)))
        told = self.told | news.astype(np.int64) << len(self.columns)
        return replace(self, columns=[*self.columns, filled], told=told)


def from_first(values: Floats) -> tuple[Floats, Floats]:
    """Deviations from each series' first value: keeps digits, and changes no fitted error."""
    first = np.take_along_axis(values, np.isfinite(values).argmax(axis=0)[np.newaxis], axis=0)
    first = np.where(np.isfinite(first), first, 0.0)
    return values - first, first


def carried(values: Floats) -> Floats:
    """Where a column says nothing, what it said last; nothing yet is zero."""
    there = np.isfinite(values)
    count = np.arange(len(values))[:, np.newaxis]
    place = np.maximum.accumulate(np.where(there, count, -1), axis=0)
    return np.where(place >= 0, np.take_along_axis(values, np.maximum(place, 0), axis=0), 0.0)
