"""Relationships with known latent trust, and what has nothing to do with it. Pure.

Trust is uniform between .05 and .95. What a partner does follows its own side's trust (sd .04 about
the relationship's), differently in each thing that it does (sd .05) and from week to week (an
autoregression, sd .03): two that trust alike do not act alike. Size, volume of messages,
chattiness, volatility and rate of trouble are drawn apart from trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tillit.validation.nature import BEHAVIOURS, COLUMNS, DIRECTIONS, Column

__all__ = [
    "START",
    "WEEKS",
    "World",
    "autoregression",
    "drop",
    "erosion",
    "make_world",
    "stream",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

START = np.datetime64("2023-01-02", "D")
"""A Monday."""
WEEKS = 120
_STREAMS = ("character", "items", "mood", "demand", "told", "trade", "voice", "cheat")


@dataclass(frozen=True)
class World:
    """All relationships, R of them over W weeks; shapes are given.

    ``trust`` is latent (R, W); ``felt`` by direction and behaviour what it comes to (R, W). The
    rest is drawn apart from trust: ``items`` and ``lines`` a week (R,), ``batching`` whether orders
    and deliveries are told by week (0), item (1) or line (2), ``chatter`` in meetings a week (R,),
    ``trouble`` the share of rejected lines (R,), ``ability`` by direction (R,) and
    ``whim`` by column (R,), both standard normal, and ``permitted`` by column (R,).
    """

    seed: int
    replica: int
    trust: Floats
    felt: Mapping[tuple[str, str], Floats]
    items: Ints
    lines: Ints
    batching: Ints
    chatter: Floats
    trouble: Floats
    ability: Mapping[str, Floats]
    whim: Mapping[Column, Floats]
    permitted: Mapping[Column, NDArray[np.bool_]]

    @property
    def relationships(self) -> int:
        """How many."""
        return int(self.trust.shape[0])

    @property
    def weeks(self) -> int:
        """How many."""
        return int(self.trust.shape[1])

    @property
    def owner(self) -> Ints:
        """The relationship of each key (K,): a key is an item of a relationship."""
        return np.repeat(np.arange(self.relationships), self.items)

    @property
    def mondays(self) -> NDArray[np.datetime64]:
        """The first day of each week (W,)."""
        return START + 7 * np.arange(self.weeks)


def stream(world_seed: int, replica: int, name: str) -> np.random.Generator:
    """Random numbers of one purpose: what one part draws does not shift what another does."""
    return np.random.default_rng([world_seed, replica, _STREAMS.index(name)])


def make_world(
    seed: int,
    relationships: int = 300,
    weeks: int = WEEKS,
    *,
    replica: int = 0,
    course: Floats | float = 0.0,
    trust: Floats | None = None,
    lean: bool = False,
) -> World:
    """Draw a world. The same seed gives the same partners; another replica, another fate of them.

    ``course`` is added to trust, week by week (see ``drop``); ``trust`` may be given (R,). Lean
    relationships have three items at most and send few messages: where it is not messages and size
    that are tried, they cost less.
    """
    rng = stream(seed, 0, "character")
    count = relationships
    drawn = rng.uniform(0.05, 0.95, count)
    base = drawn if trust is None else trust
    path = np.clip(base[:, None] + course + np.zeros((count, weeks)), 0.01, 0.99)
    side = {d: rng.normal(0, 0.04, count) for d in DIRECTIONS}
    own = {(d, b): rng.normal(0, 0.05, count) for d in DIRECTIONS for b in BEHAVIOURS}
    mood = stream(seed, replica, "mood")
    felt = {
        (d, b): np.clip(
            path
            + (side[d] + own[d, b])[:, None]
            # Columns are opened and closed by decision, not by mood.
            + autoregression(mood, (count, weeks), 0.9, 0.0 if b == "open" else 0.03),
            0.01,
            0.99,
        )
        for d in DIRECTIONS
        for b in BEHAVIOURS
    }
    return World(
        seed=seed,
        replica=replica,
        trust=path,
        felt=felt,
        # Few items and many: a few relationships are ten times as large as most.
        items=np.clip(np.round(rng.lognormal(1.0, 0.6, count)), 1, 3 if lean else 12).astype(
            np.int64
        ),
        lines=rng.integers(1, 4, count),
        batching=rng.integers(0, 3, count) * (not lean),
        chatter=np.minimum(rng.lognormal(1.4, 1.2, count), 0.2 if lean else 40.0),
        trouble=rng.beta(2, 30, count),
        ability={d: rng.standard_normal(count) for d in DIRECTIONS},
        whim={column: rng.standard_normal(count) for column in COLUMNS},
        permitted={
            column: rng.random(count) < (0.85 if column.optional else 1.0) for column in COLUMNS
        },
    )


def autoregression(
    rng: np.random.Generator, shape: tuple[int, int], rho: Floats | float, sd: Floats | float
) -> Floats:
    """AR(1) along the second axis with the stationary sd, begun in its stationary state."""
    shocks = rng.standard_normal(shape)
    path = np.empty(shape)
    path[:, 0] = shocks[:, 0]
    scale = np.sqrt(1.0 - np.square(rho))
    for week in range(1, shape[1]):
        path[:, week] = rho * path[:, week - 1] + scale * shocks[:, week]
    scaled: Floats = path * np.reshape(sd, (-1, 1))
    return scaled


def drop(weeks: int, at: int, by: float) -> Floats:
    """A course of trust: less from one week on."""
    return np.where(np.arange(weeks) >= at, -by, 0.0)


def erosion(weeks: int, start: int, over: int, by: float) -> Floats:
    """A course of trust: less and less over so many weeks, then it stays there."""
    return -by * np.clip((np.arange(weeks) - start) / over, 0.0, 1.0)
