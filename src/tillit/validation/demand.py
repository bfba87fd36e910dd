"""What really happens: weekly demand of each item, smooth, intermittent or censored. Pure.

``base`` is what anybody with the whole past and the published index could expect; what is above or
below it is news. A sender that knows something knows a part of the news.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tillit.validation.world import World, autoregression, stream

__all__ = ["CENSORED", "INTERMITTENT", "PUBLIC_LAG", "SMOOTH", "Demand", "make_demand"]

Floats = NDArray[np.float64]

SMOOTH, INTERMITTENT, CENSORED = 0, 1, 2
PUBLIC_LAG = 2
"""Weeks after its period in which the public index is known to everybody."""


@dataclass(frozen=True)
class Demand:
    """Of each key and week (K, W): ``quantity``, its ``base``, and the ``spread`` of the news.

    ``shape`` is the kind of demand of a key (K,), ``public`` the index (W,).
    """

    quantity: Floats
    base: Floats
    spread: Floats
    shape: NDArray[np.int64]
    public: Floats


def make_demand(world: World) -> Demand:
    """Draw demand: 60 % of items smooth, a quarter intermittent, the rest cut at a capacity.

    Smooth: a level, a yearly season of 5 to 35 %, AR(1) news (rho .2 to .8, coefficient of
    variation about 20 %) whose size changes from week to week (a promotion is less certain than
    a plain week), and a load on a public index of the industry. Intermittent: spare parts and
    projects, in 15 to 50 % of weeks, of gamma size. Censored: what exceeds an allocation, at
    the .75 to .9 quantile, is not ordered.
    """
    items = stream(world.seed, 0, "items")
    keys = int(world.items.sum())
    shape = items.choice(3, keys, p=[0.6, 0.25, 0.15])
    level = items.lognormal(5.0, 0.8, keys)[:, None]
    rng = stream(world.seed, world.replica, "demand")
    public = autoregression(rng, (1, world.weeks + PUBLIC_LAG), 0.95, 1.0)[0]
    smooth, base, spread = _smooth(world, items, rng, public)
    rank = ((0.75 + 0.15 * items.random(keys)) * world.weeks).astype(np.int64)
    cap = np.take_along_axis(np.sort(smooth, axis=1), rank[:, None], axis=1)
    chance = items.uniform(0.15, 0.5, keys)[:, None]
    happens = rng.random(smooth.shape) < chance
    size = rng.gamma(4.0, 0.25, smooth.shape)
    rare, censored = (shape == INTERMITTENT)[:, None], (shape == CENSORED)[:, None]
    quantity = np.where(rare, happens * size, np.where(censored, np.minimum(smooth, cap), smooth))
    base = np.where(rare, chance, np.where(censored, np.minimum(base, cap), base))
    spread = np.where(rare, np.sqrt(chance * (1.25 - chance)), spread)
    return Demand(
        # Whole pieces. Nothing below zero is ordered.
        quantity=np.maximum(np.round(level * quantity), 0.0),
        base=np.maximum(level * base, 0.0),
        spread=level * spread,
        shape=shape.astype(np.int64),
        public=public[PUBLIC_LAG:],
    )


def _smooth(
    world: World, items: np.random.Generator, rng: np.random.Generator, public: Floats
) -> tuple[Floats, Floats, Floats]:
    """Demand, base and spread of the news about a level of one."""
    keys, weeks = int(world.items.sum()), world.weeks
    amplitude = items.uniform(0.05, 0.35, (keys, 1))
    phase = items.uniform(0, 2 * np.pi, (keys, 1))
    rho = items.uniform(0.2, 0.8, keys)
    cv = items.lognormal(np.log(0.2), 0.3, keys)[:, None]
    load = items.uniform(0, 0.5, (keys, 1)) * cv
    season = 1.0 + amplitude * np.sin(2 * np.pi * np.arange(weeks) / 52 + phase)
    swing = np.exp(0.35 * rng.standard_normal((keys, weeks)) - 0.06)
    spread = cv * np.sqrt(1.0 - rho[:, None] ** 2) * swing
    news = spread * rng.standard_normal((keys, weeks))
    state = np.zeros((keys, weeks + 1))
    for week in range(weeks):
        state[:, week + 1] = rho * state[:, week] + news[:, week]
    base = season + rho[:, None] * state[:, :-1] + load * public[:weeks]
    return base + news, base, spread
