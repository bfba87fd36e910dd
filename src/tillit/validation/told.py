"""What partners tell each other, column by column, and when it is there. Pure.

An honest and open sender tells what it expects, given all it knows. One that trusts less passes on
a part of it, late more often, and keeps whole columns back; one that fears for its supply inflates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tillit.validation.demand import INTERMITTENT, Demand
from tillit.validation.nature import COLUMNS, Column, accuracy, inflation, late, opening
from tillit.validation.trade import Trade
from tillit.validation.world import World, stream

__all__ = ["VINTAGES", "Told", "column", "make_told"]

Floats = NDArray[np.float64]

VINTAGES = 2
"""A plan is told the week before its period, and once a week earlier, less exactly."""
_Z90 = 1.2816
_PLANS = ("demand_forecast", "production_plan")


@dataclass(frozen=True)
class Told:
    """``values`` by column (V, K, W), NaN where nothing is said; the newest vintage first.

    ``kept_back`` is what would have been said if every column were open. ``delay`` is by direction
    and kind the hours from cut-off to arrival (R, W): negative in time.
    """

    values: Mapping[Column, Floats]
    kept_back: Mapping[Column, Floats]
    delay: Mapping[tuple[str, str], Floats]

    def saying(self, changed: Column, values: Floats) -> Told:
        """The same, but for one column."""
        return replace(self, values={**self.values, changed: values})


def column(kind: str, name: str, direction: str | None = None) -> Column:
    """A column by its names; the direction where both sides share it."""
    found = [
        c for c in COLUMNS if (c.kind, c.name) == (kind, name) and direction in {None, c.direction}
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} columns are {kind}.{name}, direction {direction}")
    return found[0]


def make_told(world: World, demand: Demand, trade: Trade) -> Told:
    """Say of every key and week what each side chooses to say."""
    rng = stream(world.seed, world.replica, "told")
    values: dict[Column, Floats] = {}
    whole: dict[Column, Floats] = {}
    for direction, outcome in (("b2s", demand.quantity), ("s2b", trade.delivered)):
        draw = stream(world.seed, 2 if direction == "b2s" else 3, "items")
        factor = _factor(world, direction, draw.standard_normal(world.relationships))
        guesses: dict[str, tuple[Floats, Floats]] = {}
        for c in (c for c in COLUMNS if c.direction == direction):
            # Low and high are about the same guess as the quantity between them.
            source = c.kind if c.name.startswith("quantity") else f"{c.kind}.{c.name}"
            if source not in guesses:
                guesses[source] = _guess(world, demand, outcome, c, rng)
            whole[c] = _said(c, *guesses[source], outcome, factor)
            values[c] = np.where(_open(world, c), whole[c], np.nan)
    pairs = dict.fromkeys((c.direction, c.kind) for c in COLUMNS)
    delay = {(direction, kind): _delay(world, direction, rng) for direction, kind in pairs}
    return Told(values=values, kept_back=whole, delay=delay)


def _guess(
    world: World, demand: Demand, outcome: Floats, c: Column, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The best guess of the outcome, given the part that is told, and its standard error.

    News that is known to a share s is news plus noise, shrunk by s: so the error of the guess is
    sqrt(1 - s) of the news, and taking it at face value costs nothing. Of rare orders one knows
    that they come, with probability s, or one does not.
    """
    trust = world.felt[c.direction, "accuracy"][world.owner]
    vintages = VINTAGES if c.kind in _PLANS else 1
    news = outcome - demand.base
    typical = np.sqrt(np.mean(news**2, axis=1, keepdims=True))
    spread = demand.spread if c.direction == "b2s" else np.broadcast_to(typical, news.shape)
    rare = (demand.shape == INTERMITTENT)[:, None]
    told = np.empty((vintages, *news.shape))
    error = np.empty_like(told)
    for vintage in range(vintages):
        share = np.clip(c.known * accuracy(trust) * 0.6**vintage, 0.01, 0.99)
        noise = spread * np.sqrt((1.0 - share) / share) * rng.standard_normal(news.shape)
        knows = rng.random(news.shape) < share
        guess = demand.base + share * (news + noise)
        told[vintage] = np.where(rare, np.where(knows, outcome, demand.base), guess)
        error[vintage] = np.where(rare & knows, 0.0, spread * np.sqrt(1.0 - share))
    return told, error


def _said(c: Column, guess: Floats, error: Floats, outcome: Floats, factor: Floats) -> Floats:
    """The column's value that stands for a guess of the outcome."""
    level = outcome.mean(axis=1, keepdims=True)
    if c.name == "quantity_low":
        said = factor * guess - _Z90 * error
    elif c.name == "quantity_high":
        said = factor * guess + _Z90 * error
    elif c.sign < 0:
        # Stock is high when less is going to be ordered.
        said = 2.5 * level - guess
    elif c.kind == "inventory":
        said = 0.5 * level + guess
    elif c.name == "capacity_quantity":
        said = 0.4 * level + guess
    else:
        said = factor * guess
    rounded: Floats = np.maximum(np.round(said, 1), 0.0)
    return rounded


def _factor(world: World, direction: str, draw: Floats) -> Floats:
    trust = world.felt[direction, "accuracy"]
    return inflation(trust, draw[:, None])[world.owner]


def _open(world: World, c: Column) -> NDArray[np.bool_]:
    """Where the column is shared: permitted, and trust is above its cut (K, W)."""
    opened = opening(world.felt[c.direction, "open"], c.cut, world.whim[c][:, None])
    shared: NDArray[np.bool_] = (opened & world.permitted[c][:, None])[world.owner]
    return shared


def _delay(world: World, direction: str, rng: np.random.Generator) -> Floats:
    """Half a day to some days early, earlier where trust is high; or a day or two late."""
    trust = world.felt[direction, "timely"]
    shape = trust.shape
    early = -rng.lognormal(np.log(6.0), 0.6, shape) * (1.0 + 3.0 * trust)
    is_late = rng.random(shape) < late(trust)
    return np.where(is_late, 1.0 + rng.exponential(30.0, shape), early)
