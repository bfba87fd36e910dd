"""The agreements of a world: which columns flow when, and which are permitted. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tillit.validation.histories import joined, table
from tillit.validation.nature import DIRECTIONS
from tillit.validation.world import World

__all__ = ["AGREED", "HOURS", "Agreed", "agreements", "names_of"]


class Agreed(NamedTuple):
    """A kind that flows under an agreement: its columns, ``name*`` for a key, ``name:level``."""

    kind: str
    directions: tuple[str, ...]
    cadence: str
    cut_off_hours: float
    columns: str


_STATES = "status_no*:2 status:{level} answered_on:{level} answer:{level} text:{level}"
AGREED = (
    Agreed(
        "demand_forecast", ("b2s",), "week", 24.0,
        "item_id*:2 ship_to*:2 period_start*:2 period*:2 quantity:3 quantity_low:3 "
        "quantity_high:3 commitment:3 unit:2",
    ),
    Agreed(
        "inventory", DIRECTIONS, "week", 6.0,
        "item_id*:2 site_id*:2 as_of*:2 direction*:2 blocked*:2 quantity:3 unit:2",
    ),
    Agreed(
        "production_plan", ("s2b",), "week", 24.0,
        "item_id*:2 site_id*:2 period_start*:2 planned_quantity:3 capacity_quantity:3 unit:2",
    ),
    Agreed(
        "order", ("b2s",), "week", -192.0,
        "order_id*:2 line*:2 item_id:2 quantity:2 unit:2 ordered_on:2 requested_date:2 ship_to:2 "
        "unit_price:3 currency:2 status:2",
    ),
    Agreed(
        "delivery_commitment", ("s2b",), "week", -192.0,
        "order_id*:2 line*:2 commitment_no*:2 promised_date:2 promised_quantity:2 unit:2 status:2",
    ),
    Agreed(
        "delivery", ("s2b",), "week", -192.0,
        "delivery_id*:2 order_id*:2 line*:2 item_id:2 shipped_on:2 arrived_on:2 quantity:2 "
        "accepted_quantity:2 unit:2",
    ),
    Agreed(
        "complaint", DIRECTIONS, "event", -48.0,
        "complaint_id*:2 subject_ref:3 category:3 severity:3 raised_on:3 "
        + _STATES.format(level=3),
    ),
    Agreed(
        "design_idea", DIRECTIONS, "event", -48.0,
        "idea_id*:2 about:4 title:4 offered_on:4 " + _STATES.format(level=4),
    ),
    Agreed(
        "process_idea", DIRECTIONS, "event", -48.0,
        "idea_id*:2 about:4 title:4 offered_on:4 " + _STATES.format(level=4),
    ),
    Agreed(
        "interaction", DIRECTIONS, "event", -168.0,
        "interaction_id*:2 held_on:2 minutes:2 people:2 channel:2 purpose:2",
    ),
)  # fmt: skip
HOURS = {agreed.kind: agreed.cut_off_hours for agreed in AGREED}


def names_of(world: World) -> pa.Array:
    """The names of the relationships, in order."""
    return pa.array([f"r{number:04d}" for number in range(world.relationships)])


def agreements(world: World) -> pa.Table:
    """A row a relationship and column: the columns one after another, relationships within each."""
    listed: list[tuple[Agreed, str, str, str]] = [
        (agreed, direction, spec.split(":")[0], spec.split(":")[1])
        for agreed in AGREED
        for direction in agreed.directions
        for spec in agreed.columns.split()
    ]
    owner = np.tile(np.arange(world.relationships), len(listed))

    def each(values: Iterable[Any]) -> NDArray[Any]:
        return np.repeat(np.array(list(values)), world.relationships)

    direction = each(d for _, d, *_ in listed)
    there = direction == "b2s"
    hours = each(agreed.cut_off_hours for agreed, *_ in listed)
    return table(
        agreement_id=joined(direction, "/", each(a.kind for a, *_ in listed), "/", owner),
        relationship_id=names_of(world).take(pa.array(owner)),
        direction=direction,
        sender_id=joined(np.where(there, "buyer-", "supplier-"), owner),
        receiver_id=joined(np.where(there, "supplier-", "buyer-"), owner),
        kind=each(a.kind for a, *_ in listed),
        column_name=each(name.rstrip("*") for *_, name, _ in listed),
        is_key=each(name.endswith("*") for *_, name, _ in listed),
        permitted=np.concatenate([_permitted(world, d, a.kind, name) for a, d, name, _ in listed]),
        classification=each(int(level) for *_, level in listed),
        cadence=each(a.cadence for a, *_ in listed),
        cut_off=np.where(hours > 0, "before_period_start", "after_period_start"),
        cut_off_hours=hours,
    )


def _permitted(world: World, direction: str, kind: str, name: str) -> NDArray[np.bool_]:
    for c, permitted in world.permitted.items():
        if (c.direction, c.kind, c.name) == (direction, kind, name):
            return permitted
    return np.ones(world.relationships, dtype=np.bool_)
