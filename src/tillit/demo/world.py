"""The simulated trading year: a buyer, its suppliers, and what is planted to be found. Pure.

All chance comes from one seed, split per supplier and per matter, so that a supplier more or less
does not change the others, and two runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tillit.demo import world_demand, world_supply, world_voice
from tillit.demo.model import OWN, Fact, Partner, World
from tillit.demo.world_cast import BUYER, DEFAULT_CAST, Character
from tillit.demo.world_clock import instant, steps, wants
from tillit.demo.world_demand import Row
from tillit.demo.world_moves import moves, with_late_attempts
from tillit.demo.world_planted import Sources, plant
from tillit.demo.world_tables import PLANTED, SCHEMAS, pack
from tillit.errors import ConfigError

__all__ = ["DEFAULT_WEEKS", "simulate"]

DEFAULT_WEEKS = 56
_MATTERS = 8


def simulate(
    *, seed: int, weeks: int = DEFAULT_WEEKS, suppliers: Sequence[Character] = DEFAULT_CAST
) -> World:
    """A world of ``weeks`` weeks from Monday 6 January 2025; the same seed, the same world.

    Nothing in it is recorded after the last step. Raises ConfigError for fewer than 8 weeks or
    for a cast in which somebody stands twice.
    """
    if weeks < 8:
        raise ConfigError("wrong-value", "a simulated world", expected="8 weeks", found=weeks)
    ids = [supplier.id for supplier in suppliers]
    if len({*ids, BUYER.id}) != len(ids) + 1:
        raise ConfigError("wrong-value", "the cast", expected="ids of their own", found=ids)
    rows: Sources = {party: {kind: [] for kind in SCHEMAS} for party in (BUYER.id, *ids)}
    own: list[Row] = []
    own_orders: list[Row] = []
    planted: list[Row] = []
    streams = np.random.SeedSequence(seed).spawn(len(suppliers))
    for supplier, stream in zip(suppliers, streams, strict=True):
        chance = [np.random.default_rng(part) for part in stream.spawn(_MATTERS)]
        part, received = _relationship(supplier, weeks, chance)
        own += received
        own_orders += [dict(row) for row in part[BUYER.id]["order"]]
        planted += plant(supplier, part, weeks, chance[7])
        for party, kinds in part.items():
            for kind, more in kinds.items():
                rows[party][kind] += more
    tables = _tables(rows, own, own_orders, weeks)
    agreed = wants(suppliers)
    made = moves(suppliers, agreed, weeks)
    return World(
        name="simulated",
        parties=(BUYER, *(Partner(supplier.id, supplier.name) for supplier in suppliers)),
        wants=agreed,
        steps=with_late_attempts(steps(agreed, tables, weeks), made),
        contents=tables,
        planted=pack(planted, PLANTED),
        story=tuple(fact for supplier in suppliers for fact in _story(supplier, weeks)),
        moves=made,
    )


def _relationship(
    supplier: Character, weeks: int, chance: list[np.random.Generator]
) -> tuple[Sources, list[Row]]:
    """Both sides' sources, and the goods that the buyer received."""
    quiet_from = weeks // 2 if supplier.goes_quiet else None
    needs = [world_demand.demand(item, weeks, chance[0]) for item in supplier.items]
    lines = world_demand.order_lines(supplier, needs, weeks, chance[1])
    drawn = world_supply.fates(supplier, lines, weeks // 2, quiet_from, chance[3])
    said = world_voice.complaints(supplier, drawn, weeks, quiet_from, chance[5])
    thought = world_voice.ideas(supplier, weeks, quiet_from, chance[6])
    buyer: dict[str, list[Row]] = {
        "demand_forecast": world_demand.forecasts(supplier, needs, weeks, quiet_from, chance[2]),
        "order": [dict(line.row) for line in lines],
        "complaint": said.buyer,
        "design_idea": thought.buyer,
    }
    seller: dict[str, list[Row]] = {
        "delivery_commitment": world_supply.commitments(supplier, drawn, weeks // 2, chance[4]),
        "delivery": world_supply.supplier_deliveries(drawn, chance[4]),
        "complaint": said.supplier,
        "design_idea": thought.supplier,
    }
    received = world_supply.buyer_deliveries(supplier, drawn, chance[4])
    return {BUYER.id: buyer, supplier.id: seller}, received


def _tables(
    rows: Sources, received: list[Row], ordered: list[Row], weeks: int
) -> dict[str, dict[str, pa.Table]]:
    """What each party has at home: the kinds that it sends, and what it observed itself."""
    end = instant(weeks - 1, 4, 16)
    tables: dict[str, dict[str, pa.Table]] = {}
    for party, kinds in rows.items():
        known = {
            kind: [row for row in some if row["recorded_at"] < end] for kind, some in kinds.items()
        }
        tables[party] = {kind: pack(some, SCHEMAS[kind]) for kind, some in known.items() if some}
    for kind, seen in (("order", ordered), ("delivery", received)):
        known_rows = [row for row in seen if row["recorded_at"] < end]
        tables[BUYER.id][OWN + kind] = pack(known_rows, SCHEMAS[kind])
    return tables


def _story(supplier: Character, weeks: int) -> list[Fact]:
    """What the cast's character should make visible."""
    start, half = instant(0, 0, 0), instant(weeks // 2, 0, 0)
    facts: list[Fact] = []
    if supplier.goes_quiet:
        what = "goes quiet: promises are no longer revised, plans are rarely passed on, nobody "
        what += "complains while more deliveries go wrong"
        facts.append(Fact(supplier.id, what, half, "the score falls, the silence alarm rings"))
    if supplier.opens_up:
        what = "opens up: plans, promises and troubles are told, which were kept back before"
        facts.append(Fact(supplier.id, what, half, "the score rises, both directions"))
    if supplier.milks:
        what = "milks its good name: promises come as punctually as before, and say nothing"
        facts.append(Fact(supplier.id, what, half, "bits fall at the same number of cells"))
    if supplier.inflation > 1:
        what = f"promises {supplier.inflation:.2f} times what it can deliver and seldom says so"
        facts.append(Fact(supplier.id, what, start, "honesty gap H above 0, P the lowest"))
    if not facts:
        facts.append(Fact(supplier.id, "an average partner", start, "a score in the middle"))
    return facts
