"""How trust shows: what a partner does, as functions of its trust. Pure.

Every number of the simulation is here with its reason, or in ``world``. They were chosen from what
is known of supply relationships and from the description of the measure, before it was run on
them; nothing here is fitted to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BEHAVIOURS",
    "COLUMNS",
    "DIRECTIONS",
    "Column",
    "accuracy",
    "candour",
    "idea_rate",
    "inflation",
    "kept",
    "late",
    "opening",
    "transactional",
    "uncommitted",
]

Floats = NDArray[np.float64]

DIRECTIONS = ("b2s", "s2b")
BEHAVIOURS = ("open", "accuracy", "timely", "promise", "complain", "ideas")


class Column(NamedTuple):
    """A shared column that speaks of an outcome: whose, of what kind, and how it opens.

    ``cut`` is the trust from which a partner shares it; ``known`` the share of the surprise in
    the outcome that it can tell of at best; ``sign`` whether more of it means more of the outcome.
    """

    direction: str
    kind: str
    name: str
    level: int
    cut: float
    known: float
    sign: int = 1
    optional: bool = True


# Forecasts are shared first and stocks last (they show how much one depends on the other). A firm
# knows some two thirds of its next week's surprises, its partner's stock tells a quarter of them.
COLUMNS = (
    Column("b2s", "demand_forecast", "quantity", 3, 0.10, 0.70, optional=False),
    Column("b2s", "demand_forecast", "quantity_low", 3, 0.40, 0.70),
    Column("b2s", "demand_forecast", "quantity_high", 3, 0.30, 0.70),
    Column("b2s", "inventory", "quantity", 3, 0.55, 0.25, sign=-1),
    Column("s2b", "production_plan", "planned_quantity", 3, 0.15, 0.65, optional=False),
    Column("s2b", "production_plan", "capacity_quantity", 3, 0.45, 0.20),
    Column("s2b", "inventory", "quantity", 3, 0.60, 0.20),
)


def accuracy(trust: Floats) -> Floats:
    """The share of what it knows that a sender passes on: from a tenth to all of it.

    Garbling (an old plan, a rounded one, a plan of the whole product group) is how information is
    withheld without refusing it.
    """
    return 0.1 + 0.9 * trust


def inflation(trust: Floats, draw: Floats) -> Floats:
    """The factor on forecasts: who fears short supply asks for more than it needs.

    ``draw`` is standard normal, one a partner: even where trust is low only some inflate.
    """
    return 1.0 + np.maximum(0.0, 0.25 * (1.0 - trust) - 0.1 + 0.08 * draw)


def late(trust: Floats) -> Floats:
    """Probability that a shipment comes after its cut-off: 1 % at best, over a third at worst."""
    return 0.01 + 0.35 * (1.0 - trust) ** 2


def kept(trust: Floats, ability: Floats) -> Floats:
    """Probability that a promise is kept: .62 to .98, as on-time-in-full figures range.

    ``ability`` is standard normal, one a supplier: some deliver better than they mean to, and
    some worse.
    """
    return np.clip(0.62 + 0.36 * trust + 0.02 * ability, 0.0, 1.0)


def uncommitted(trust: Floats) -> Floats:
    """Probability that an order line gets no promise at all."""
    return 0.08 * (1.0 - trust)


def candour(trust: Floats) -> Floats:
    """Probability that trouble is complained of: who has given up says nothing."""
    return 0.05 + 0.85 * trust


def idea_rate(trust: Floats) -> Floats:
    """Ideas a week that are good and are taken up: one in two years, to twelve a year."""
    return 0.01 + 0.22 * trust**2


def opening(trust: Floats, cut: float, whim: Floats) -> NDArray[np.bool_]:
    """Whether a column is shared: trust above its cut, give or take (sd .06) what firms differ."""
    return trust > cut + 0.06 * whim


def transactional(trust: Floats) -> Floats:
    """Share of meetings about price, contract and claims: almost half, down to a quarter."""
    return 0.48 - 0.23 * trust
