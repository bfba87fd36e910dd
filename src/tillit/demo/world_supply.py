"""The suppliers' side of the simulated world: what they promise, and what comes. Pure.

A trouble is drawn per order line: late, short or partly rejected. The supplier often knows of it
beforehand; whether it says so, in its first promise or in a later one, is its honesty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from tillit.demo.world_cast import BUYER, Character
from tillit.demo.world_clock import EPOCH, LEAD_WEEKS, instant, workday
from tillit.demo.world_demand import Line, Row

__all__ = ["Fate", "buyer_deliveries", "commitments", "fates", "supplier_deliveries"]

_REASONS = {
    "late": ("tool under repair", "material late from the mill", "line down, maintenance"),
    "short": ("capacity short after illness", "yield below plan", "a machine is down"),
}
_DEFECTS = ("porosity above limit", "dimension out of tolerance", "surface damaged in transport")
_QUIET_COVERAGE = 0.65
_QUIET_HONESTY = 0.05
_QUIET_TROUBLE = 3.0
_OVERBOOKED = 0.8


@dataclass(frozen=True)
class Fate:
    """What becomes of one order line.

    ``trouble`` is late, short, rejected or none. ``known`` is how many weeks before the wanted
    week the supplier knows of it (0: only when it happens). ``told`` is whether it says so.
    """

    line: Line
    quiet: bool
    trouble: str
    known: int
    told: bool
    delivered: int
    accepted: int
    shipped_on: date
    arrived_on: date

    @property
    def delivery_id(self) -> str:
        """The delivery note's number: one note per order line."""
        return f"DN-{self.line.row['order_id'][3:]}-{self.line.row['line']}"

    def recorded(self, day: date, hour: float) -> object:
        """A moment of a working day at or after ``day``."""
        days = (workday(day) - EPOCH.date()).days
        return instant(0, days, hour)


def fates(
    character: Character,
    lines: list[Line],
    half: int,
    quiet_from: int | None,
    rng: np.random.Generator,
) -> list[Fate]:
    """Draw what becomes of every order line; from the week ``half`` on the supplier is another."""
    found: list[Fate] = []
    for line in lines:
        supplier = character.in_week(line.week, half)
        quiet = quiet_from is not None and line.week >= quiet_from
        odds = (1 - supplier.reliability) * (_QUIET_TROUBLE if quiet else 1)
        trouble = "none"
        if rng.random() < odds:
            trouble = str(rng.choice(["late", "short", "rejected"], p=[0.55, 0.3, 0.15]))
        known = int(rng.choice([0, 1, 2, 3], p=[0.2, 0.2, 0.2, 0.4]))
        honesty = _QUIET_HONESTY if quiet else supplier.promise_honesty
        told = trouble in _REASONS and known > 0 and bool(rng.random() < honesty)
        share = float(rng.uniform(0.5, 0.88)) if trouble == "short" else 1.0
        if supplier.inflation > 1 and rng.random() < _OVERBOOKED:
            # It seldom has the capacity that it promises.
            share *= float(np.clip(rng.normal(1 / supplier.inflation, 0.13), 0.4, 1))
        delay = int(rng.integers(3, 13)) if trouble == "late" else -int(rng.integers(0, 2))
        quantity = int(line.row["quantity"])
        delivered = max(1, round(quantity * share))
        bad = float(rng.uniform(0.1, 0.5)) if trouble == "rejected" else 0.0
        arrived = workday(line.row["requested_date"] + timedelta(days=delay))
        found.append(
            Fate(
                line=line,
                quiet=quiet,
                trouble=trouble,
                known=known,
                told=told,
                delivered=delivered,
                accepted=delivered - round(delivered * bad),
                shipped_on=arrived - timedelta(days=1),
                arrived_on=arrived,
            )
        )
    return found


def commitments(
    character: Character, drawn: list[Fate], half: int, rng: np.random.Generator
) -> list[Row]:
    """The promises: a first one in the week after the order, a second when trouble is told.

    Who inflates promises the whole order, every second time more, whatever the plant can do.
    """
    found: list[Row] = []
    for fate in drawn:
        supplier = character.in_week(fate.line.week, half)
        covered = rng.random() < (_QUIET_COVERAGE if fate.quiet else supplier.coverage)
        extra = max(1.0, float(rng.uniform(0.9, 1.1))) if supplier.inflation > 1 else 1.0
        told_first = fate.told and fate.known >= LEAD_WEEKS
        first = (fate.line.week + 1, int(rng.integers(0, 3)), float(rng.uniform(7, 15)))
        second = (
            fate.line.week + LEAD_WEEKS - fate.known,
            int(rng.integers(0, 4)),
            float(rng.uniform(7, 15)),
        )
        reason = str(rng.choice(_REASONS.get(fate.trouble, ("none",))))
        if not covered:
            continue
        row = _promise(fate, 1, told=told_first, reason=reason, extra=extra)
        found.append({**row, "recorded_at": instant(*first)})
        if fate.told and not told_first:
            row = _promise(fate, 2, told=True, reason=reason, extra=1.0)
            found.append({**row, "recorded_at": max(instant(*second), instant(*first))})
    return found


def _promise(fate: Fate, number: int, *, told: bool, reason: str, extra: float) -> Row:
    order = fate.line.row
    quantity = fate.delivered if told else round(int(order["quantity"]) * extra)
    day = max(order["requested_date"], fate.arrived_on) if told else order["requested_date"]
    return {
        "order_id": order["order_id"],
        "line": order["line"],
        "commitment_no": number,
        "promised_date": day,
        "promised_quantity": Decimal(quantity),
        "unit": order["unit"],
        "status": "changed" if told else "confirmed",
        "reason": reason if told else None,
        "partner": BUYER.id,
    }


def supplier_deliveries(drawn: list[Fate], rng: np.random.Generator) -> list[Row]:
    """What the supplier reports, the working day after arrival; it has not seen the inspection."""
    found: list[Row] = []
    for fate in drawn:
        row = _delivery(fate)
        row |= {"accepted_quantity": None, "rejection_reason": None, "partner": BUYER.id}
        when = fate.recorded(fate.arrived_on + timedelta(days=1), float(rng.uniform(7, 15)))
        found.append({**row, "recorded_at": when})
    return found


def buyer_deliveries(supplier: Character, drawn: list[Fate], rng: np.random.Generator) -> list[Row]:
    """What the buyer's goods receipt saw itself, inspected on the day of arrival."""
    found: list[Row] = []
    for fate in drawn:
        row = _delivery(fate)
        defect = str(rng.choice(_DEFECTS)) if fate.accepted < fate.delivered else None
        row |= {
            "accepted_quantity": Decimal(fate.accepted),
            "rejection_reason": defect,
            "partner": supplier.id,
        }
        when = fate.recorded(fate.arrived_on, float(rng.uniform(11, 15.5)))
        found.append({**row, "recorded_at": when})
    return found


def _delivery(fate: Fate) -> Row:
    order = fate.line.row
    return {
        "delivery_id": fate.delivery_id,
        "order_id": order["order_id"],
        "line": order["line"],
        "item_id": order["item_id"],
        "shipped_on": fate.shipped_on,
        "arrived_on": fate.arrived_on,
        "quantity": Decimal(fate.delivered),
        "unit": order["unit"],
    }
