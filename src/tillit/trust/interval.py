"""How sure a score is: 90 % intervals by a Poisson block bootstrap of weekly sums. Pure.

Blocks of four weeks get Poisson weights and the score is recomputed two hundred times. The plain
percentile interval covers .75 to .85 where .90 is meant, for three reasons that are each answered:

- Weeks lose weight with age, so that thirteen blocks count as eight. The Poisson mean is drawn
  from a gamma distribution, which makes the weights as wide as Student's t is with the degrees of
  freedom that are left (Hesterberg 2015 widens the percentiles for the same reason).
- Accepted ideas are single events. They have weights of their own, and an event that might as well
  have been seen is added in every second replicate (the mid-p interval of a Poisson count).
- A root of clipped factors lies lower, the more they vary: replicates of a score lie lower than it
  by about as much as it lies below what it estimates. They are moved up by that much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tillit.trust.weekly import WINDOW, Figures, Weekly, figures, idea_share, recency

__all__ = ["BLOCK_WEEKS", "LEVEL", "PARTS", "REPLICATES", "Resampled", "resample"]

Floats = NDArray[np.float64]
Bounds = tuple[float, float]

BLOCK_WEEKS = 4
REPLICATES = 200
LEVEL = 0.9
PARTS = ("information", "promises", "candour", "ideas")
# With fewer blocks than this an interval would say more of its own luck than of the partner.
_FEWEST_BLOCKS = 4.0


@dataclass(frozen=True)
class Resampled:
    """A direction's figures, its replicates, and the replicates' scores without unseen ideas."""

    of: Weekly
    measured: Figures
    drawn: Figures
    plain: Floats

    def parts(self) -> dict[str, Bounds | None]:
        """The interval of each factor of the score, and of the score."""
        measured = np.stack([getattr(self.measured, name) for name in PARTS], axis=1)
        drawn = np.stack([getattr(self.drawn, name) for name in PARTS], axis=1)
        found = _bounds(measured, drawn)
        score = _score_bounds(self.measured.score, self.drawn.score, self.plain)
        return {"score": score, **dict(zip(PARTS, found, strict=True))}

    def columns(self) -> Mapping[tuple[str, str], dict[str, Bounds | None]]:
        """The interval of each column's ``u`` and bits a due cell, by kind and column."""
        u = _bounds(self.measured.u, self.drawn.u)
        bits = _bounds(self.measured.bits_per_cell, self.drawn.bits_per_cell)
        return {
            name: {"u": u[place], "bits_per_cell": bits[place]}
            for place, name in enumerate(self.of.names)
        }

    def with_other(self, other: Resampled) -> Bounds | None:
        """The interval of the relationship's score; both ways share the weights of their weeks."""
        return _score_bounds(
            np.sqrt(self.measured.score * other.measured.score),
            np.sqrt(self.drawn.score * other.drawn.score),
            np.sqrt(self.plain * other.plain),
        )


def resample(
    of: Weekly, *, seed: int, way: int = 0, replicates: int = REPLICATES
) -> Resampled | None:
    """Draw replicates of a direction's figures; None where too few weeks are known.

    ``way`` tells the two directions of a relationship apart: what happens in a week may touch
    both, and an idea is one side's alone.
    """
    drawing = _draw(of.weeks, seed, way, replicates)
    if drawing is None:
        return None
    blocks, ideas, unseen = drawing
    drawn = figures(of, blocks, ideas=ideas, unseen=unseen)
    return Resampled(
        of=of,
        measured=figures(of, np.ones((1, of.weeks))),
        drawn=drawn,
        plain=drawn.score * (idea_share(of, ideas) / drawn.ideas) ** 0.25,
    )


def _bounds(measured: Floats, drawn: Floats) -> list[Bounds | None]:
    """By column of ``drawn`` (R, M): what holds ``LEVEL`` of the replicates, and the figure.

    None where there is no figure, or none in most of the replicates.
    """
    values = measured[0]
    # What is no number comes last.
    ordered = np.sort(drawn, axis=0)
    known = np.isfinite(ordered).sum(axis=0)
    edges = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])[:, np.newaxis]
    place = edges * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.ceil(place).astype(np.int64)
    column = np.arange(len(values))
    found = ordered[below, column] * (1 - place + below) + ordered[above, column] * (place - below)
    return [
        (min(float(low), float(value)), max(float(high), float(value)))
        if math.isfinite(value) and 2 * count >= len(drawn)
        else None
        for value, low, high, count in zip(values, *found, known, strict=True)
    ]


def _score_bounds(measured: Floats, drawn: Floats, plain: Floats) -> Bounds | None:
    """The bounds of a score in points, moved up by as much as replicates lie below it."""
    known = np.isfinite(plain)
    value = float(measured[0])
    if not math.isfinite(value) or not known.any():
        return None
    up = value / math.exp(float(np.log(plain[known]).mean()))
    (found,) = _bounds(measured[:, np.newaxis], up * drawn[:, np.newaxis])
    return None if found is None else (found[0], min(found[1], 100.0))


@lru_cache(maxsize=64)
def _draw(weeks: int, seed: int, way: int, replicates: int) -> tuple[Floats, Floats, Floats] | None:
    """Weights of weeks for all sums (R, W), others for ideas (R, W), and unseen ideas (R,)."""
    recent = recency(weeks)
    age = np.arange(weeks)[::-1]
    block = age // BLOCK_WEEKS
    share = np.bincount(block, recent)
    effective = float(share.sum() ** 2 / np.square(share).sum())
    if effective < _FEWEST_BLOCKS:
        return None
    # One degree of freedom for the count of cells, one for what they came to.
    wide = _t_quantile((1 + LEVEL) / 2, effective - 2) / NormalDist().inv_cdf((1 + LEVEL) / 2)
    variance = effective / (effective - 1) * wide * wide
    shape = 1 / (variance - 1)
    # Always for a whole window, so that the newest weeks of all histories share their weights.
    size = (replicates, -(-WINDOW // BLOCK_WEEKS))
    random = np.random.default_rng(seed)
    uneven = random.standard_gamma(shape, size) / shape
    blocks = random.poisson(uneven).astype(np.float64)[:, block]
    random = np.random.default_rng([seed, way])
    ideas = random.poisson(1.0, size).astype(np.float64)[:, block]
    unseen = random.standard_exponential(replicates) * (random.random(replicates) < 0.5)
    return blocks, ideas, unseen * recent.mean()


def _t_quantile(level: float, freedom: float) -> float:
    """Student's t by its expansion about the normal; within .02 from two degrees of freedom on."""
    z = NormalDist().inv_cdf(level)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
