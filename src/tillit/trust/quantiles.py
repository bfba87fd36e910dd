"""What a forecast that is given as quantiles says of an outcome, in bits. Pure.

A whole quantile forecast (5, 23 levels) is a density. Between two neighbouring quantiles it is the
piece of a Student-t, of the degrees of freedom that the measure has everywhere, that takes both at
their levels; beyond the outermost it goes on as the piece next to it, so its tails are as heavy
as those of our own expectation. It is exact for a Student-t told at any two levels and for one
that is wider on one side, and with many levels close to whatever was meant. Quantiles that
coincide are held apart by the unit in which the outcome is counted: no density is infinite.

Bits are those of the log score (Good 1952; Gneiting and Raftery 2007): log2 of the density with
the forecast over our own. Who was told keeps a twentieth of its belief in what it expected itself,
so no cell costs more than log2(20) bits.
"""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, sin, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DEGREES_OF_FREEDOM",
    "KEPT",
    "density_bits",
    "pinball",
    "quantile_bits",
    "student_density_bits",
    "student_quantile",
]

Floats = NDArray[np.float64]

DEGREES_OF_FREEDOM: Final = 8.0
KEPT: Final = 1 / 20
"""The share of its belief that a receiver keeps in its own expectation, whatever it is told."""

# Gamma(9/2) / Gamma(4) / sqrt(8 pi): the height of a Student-t of 8 degrees of freedom.
_HEIGHT = 35 / (64 * sqrt(2))


@lru_cache(maxsize=1024)
def student_quantile(level: float) -> float:
    """The quantile of a Student-t of 8 degrees of freedom, by bisection of its closed form.

    For an even number of degrees the distribution is a polynomial of an angle (Abramowitz and
    Stegun 26.7.4). Raises ValueError for a level that is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"no quantile has the level {level}")
    if level < 0.5:
        return -student_quantile(1.0 - level)
    low, high = 0.0, 1.0
    while _below(high) < level:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle) < level else (low, middle)
    return (low + high) / 2


def _below(t: float) -> float:
    """The probability below t."""
    angle = atan(t / sqrt(DEGREES_OF_FREEDOM))
    square = cos(angle) ** 2
    series = 1 + square * (1 / 2 + square * (3 / 8 + square * 5 / 16))
    return 0.5 + 0.5 * sin(angle) * series


def student_density_bits(z: Floats) -> Floats:
    """log2 of the density of a Student-t of 8 degrees of freedom and scale 1."""
    power = (DEGREES_OF_FREEDOM + 1) / 2
    return np.asarray(np.log2(_HEIGHT) - power * np.log2(1 + z * z / DEGREES_OF_FREEDOM))


def pinball(level: float | Floats, error: Floats) -> Floats:
    """What a quantile that was off by y - f costs (Koenker and Bassett 1978): least if honest."""
    return np.asarray(np.where(error >= 0, level * error, (level - 1) * error))


def density_bits(levels: Floats, values: Floats, y: Floats, unit: float) -> Floats:
    """log2 of the stated density at y (N,), of values (N, L) at levels (L,), rising.

    ``unit`` is what the outcome is counted in: the scale of no piece is less than half of it.
    Quantiles that cross are put in order. Raises ValueError for fewer than two levels, or levels
    that do not rise.
    """
    if len(levels) < 2 or (np.diff(levels) <= 0).any():
        raise ValueError("a density takes two levels or more, in rising order")
    at = np.array([student_quantile(float(level)) for level in levels])
    apart = np.diff(at)
    values = np.sort(values, axis=1)
    gaps = np.maximum(np.diff(values, axis=1), unit / 2 * apart)
    # What is held apart is held apart about the level next to the median, which stays.
    middle = int(np.abs(levels - 0.5).argmin())
    steps = np.concatenate([np.zeros((len(values), 1)), gaps.cumsum(axis=1)], axis=1)
    edges = values[:, middle, np.newaxis] + steps - steps[:, middle, np.newaxis]
    piece = np.clip((y[:, np.newaxis] >= edges).sum(axis=1) - 1, 0, len(apart) - 1)
    row = np.arange(len(y))
    scale = gaps[row, piece] / apart[piece]
    z = at[piece] + (y - edges[row, piece]) / scale
    return np.asarray(student_density_bits(z) - np.log2(scale))


def quantile_bits(stated: Floats, own: Floats) -> Floats:
    """Bits of each cell from log2 of both densities at the outcome: never below log2(KEPT).

    g = log2((1 - KEPT) 2^(stated - own) + KEPT). In expectation an honest sender is within
    -log2(1 - KEPT) = .074 bits of the most that anybody could earn: the mixture is a density, and
    none beats the true one.
    """
    return np.asarray(np.logaddexp2(np.log2(1 - KEPT) + stated - own, np.log2(KEPT)))
