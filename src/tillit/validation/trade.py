"""Orders, promises and deliveries, line by line. Pure.

Orders of a week are placed on its Monday and wanted on its Thursday. Whether a promise is kept
follows the supplier's trust; whether goods are rejected follows the relationship's rate of
trouble, which has nothing to do with trust.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tillit.validation.demand import Demand
from tillit.validation.nature import kept, uncommitted
from tillit.validation.world import World, stream

__all__ = ["Trade", "make_trade"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Trade:
    """Order lines (L,), and what came of each; days count from the first Monday.

    ``broken`` is a promise that was not kept, by day or by quantity; ``delivered`` what was
    received of each key in each week (K, W), by the day on which it came.
    """

    key: Ints
    week: Ints
    line: Ints
    ordered: Floats
    price: Floats
    committed: Flags
    promised_day: Ints
    arrived_day: Ints
    shipped: Floats
    accepted: Floats
    broken: Flags
    delivered: Floats

    @property
    def trouble(self) -> Flags:
        """Lines that the buyer has reason to complain of."""
        return self.broken | (self.accepted < self.shipped)


def make_trade(world: World, demand: Demand) -> Trade:
    """Split demand into order lines, promise each, and deliver."""
    key, week, line, ordered = _lines(world, demand)
    rng = stream(world.seed, world.replica, "trade")
    count = key.size
    owner = world.owner[key]
    trust = world.felt["s2b", "promise"][owner, week]
    ability = world.ability["s2b"][owner]
    wanted = 7 * week + 3
    promised = wanted + (rng.random(count) < 0.1)
    broken = rng.random(count) >= kept(trust, ability)
    # Of broken promises seven in ten are of the day, the rest of the quantity.
    late = broken & (rng.random(count) < 0.7)
    delay = 1 + rng.geometric(0.2, count)
    arrived = _working(promised + np.where(late, delay, -rng.integers(0, 2, count)))
    share = np.where(broken & ~late, rng.uniform(0.4, 0.9, count), 1.0)
    shipped = np.maximum(np.round(ordered * share), 1.0)
    rejected = rng.random(count) < world.trouble[owner]
    good = np.where(rejected, rng.uniform(0.2, 0.9, count), 1.0)
    items = stream(world.seed, 1, "items")
    price = np.round(items.lognormal(2.0, 1.0, world.owner.size), 2)
    delivered = np.zeros_like(demand.quantity)
    came = arrived < 7 * world.weeks
    np.add.at(delivered, (key[came], arrived[came] // 7), shipped[came])
    return Trade(
        key=key,
        week=week,
        line=line,
        ordered=ordered,
        price=price[key],
        committed=rng.random(count) >= uncommitted(trust),
        promised_day=promised,
        arrived_day=arrived,
        shipped=shipped,
        accepted=np.floor(shipped * good),
        broken=late | (shipped < ordered),
        delivered=delivered,
    )


def _working(day: Ints) -> Ints:
    """Goods are received from Monday to Friday: what would come on a weekend comes after it."""
    weekday = day % 7
    return day + np.where(weekday > 4, 7 - weekday, 0)


def _lines(world: World, demand: Demand) -> tuple[Ints, Ints, Ints, Floats]:
    """Lines of about equal quantity, as many an item and week as the relationship is used to."""
    key, week = np.nonzero(demand.quantity > 0)
    quantity = demand.quantity[key, week]
    many = np.minimum(world.lines[world.owner[key]], quantity).astype(np.int64)
    at = np.repeat(np.arange(key.size), many)
    line = np.arange(at.size) - np.repeat(np.cumsum(many) - many, many) + 1
    each = np.floor(quantity / many)
    rest = quantity - each * many
    ordered = each[at] + np.where(line == 1, rest[at], 0.0)
    return key[at].astype(np.int64), week[at].astype(np.int64), line, ordered
