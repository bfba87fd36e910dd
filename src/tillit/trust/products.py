"""Sums of the products of columns over a moving frame, all pairs at once. Pure.

Nearly all of the measure's time is spent here. What counts is how often numbers pass between the
core and memory: so few series are taken at a time that a row of products stays in the cache, a row
is summed in one go, and the memory is used again, for a page that the system has to clear first
costs more than the sums in it.
"""

from __future__ import annotations

import threading
from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = ["Products", "in_cache", "room"]

Floats = NDArray[np.float64]

_CELLS = 12_000


def in_cache(cells: int) -> int:
    """How many series of so many cells are best taken at once."""
    return max(_CELLS // max(cells, 1), 1)


class _Room(threading.local):
    """Memory that a thread uses again and again, by name."""

    def __init__(self) -> None:
        self._flat: dict[str, Floats] = {}

    def array(self, name: str, *shape: int) -> Floats:
        """An array of this shape, with whatever was in it; it is overwritten by the next call."""
        size = prod(shape)
        flat = self._flat.get(name)
        if flat is None or flat.size < size:
            flat = self._flat[name] = np.empty(size)
        return flat[:size].reshape(shape)


room = _Room()


class Products:
    """Columns (M, T, S) multiplied each with itself and those after it, summed over a frame.

    The sums of a cell are those of the frame that ended ``lag`` cells before it, or if that is not
    the same for all at ``places``. They live until the thread makes the next.
    """

    def __init__(
        self,
        columns: Floats,
        frame: int,
        *,
        lag: int | None,
        places: NDArray[np.int64],
    ) -> None:
        many, cells, series = columns.shape
        flat = room.array("sums", many * (many + 1) // 2, cells, series)
        self.rows: list[Floats] = []
        first = 0
        for i in range(many):
            row = flat[first : first + many - i]
            _summed(columns[i], columns[i:], frame, lag or 0, row)
            if lag is None:
                found = np.take_along_axis(row, np.maximum(places, 0)[np.newaxis], axis=1)
                np.multiply(found, places >= 0, out=row)
            self.rows.append(row)
            first += many - i

    def of(self, i: int, j: int) -> Floats:
        """The sum of column i times column j, i <= j."""
        found: Floats = self.rows[i][j - i]
        return found

    def free_of(self, r: int, scaled: Floats) -> None:
        """Take column r out of all after it; ``scaled`` are its sums with them, over its own."""
        row = self.rows[r][1:]
        for place, share in enumerate(scaled):
            after = row[place:]
            part = room.array("part", *after.shape)
            np.multiply(after, share, out=part)
            np.subtract(self.rows[r + 1 + place], part, out=self.rows[r + 1 + place])


def _summed(one: Floats, others: Floats, frame: int, lag: int, total: Floats) -> None:
    """Products summed over the last ``frame`` cells by doubling: no digits are lost."""
    many, cells, series = others.shape
    block = room.array("block", many, cells, series)
    spare = room.array("spare", many, cells, series)
    lag = min(lag, cells)
    block[:, :lag] = 0.0
    np.multiply(one[: cells - lag], others[:, : cells - lag], out=block[:, lag:])
    reach, power = 0, 1
    while power <= frame:
        if frame & power:
            if reach:
                later = total[:, reach:]
                np.add(later, block[:, : max(cells - reach, 0)], out=later)
            else:
                total[...] = block
            reach += power
        power *= 2
        if power <= frame:
            half = power // 2
            spare[:, :half] = block[:, :half]
            np.add(block[:, half:], block[:, : max(cells - half, 0)], out=spare[:, half:])
            block, spare = spare, block
