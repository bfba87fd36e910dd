"""The buyer's side of the simulated world: demand, the plan that foresees it, orders. Pure.

Demand is AR(1) around a season. Each week's surprise is the sum of parts that the buyer's plan
learns one to eight weeks ahead, and a part that nobody foresees (the martingale model of forecast
evolution: Heath and Jackson 1994). So a forecast shared in time tells a supplier what no history
of orders could.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tillit.demo.world_cast import SITE, Character, Item
from tillit.demo.world_clock import (
    FORECAST_WEEKS,
    LEAD_WEEKS,
    instant,
    monday,
)

__all__ = ["Demand", "Line", "Row", "demand", "forecasts", "order_lines", "orders"]

Row = dict[str, Any]
Floats = NDArray[np.float64]

RHO = 0.6
SIGMA = 0.22
"""Standard deviation of demand around its season, relative to its level."""
_UNFORESEEN = 0.1
_Z90 = 1.2816
_QUIET_FORECASTS = 0.25


@dataclass(frozen=True)
class Demand:
    """One item's demand by week of order: ``level`` of the season, ``dev`` around it, relative.

    ``known[week, lead]`` is the part of that week's innovation that the plan knows ``lead`` weeks
    ahead.
    """

    item: Item
    level: Floats
    dev: Floats
    known: Floats

    def quantity(self, week: int) -> int:
        """What is ordered in a week, in whole units."""
        return max(4, round(float(self.level[week] * (1 + self.dev[week]))))

    def foreseen(self, origin: int, week: int) -> float:
        """What the plan of week ``origin`` expects of a later week: the relative deviation."""
        ahead = np.arange(origin + 1, week + 1)
        parts = RHO ** (week - ahead) * self.known[ahead, ahead - origin]
        return float(RHO ** (week - origin) * self.dev[origin] + parts.sum())


@dataclass(frozen=True)
class Line:
    """An order line, and where in the cast's items it stands."""

    week: int
    item: Item
    row: Row


def demand(item: Item, weeks: int, rng: np.random.Generator) -> Demand:
    """Draw an item's demand for ``weeks`` and the weeks that the last forecasts look ahead."""
    total = weeks + FORECAST_WEEKS + 1
    shares = 0.8 ** np.arange(1, FORECAST_WEEKS + 1)
    shares = np.concatenate(([_UNFORESEEN], (1 - _UNFORESEEN) * shares / shares.sum()))
    sd = SIGMA * np.sqrt((1 - RHO**2) * shares)
    parts = rng.standard_normal((total, FORECAST_WEEKS + 1)) * sd
    innovation = parts.sum(axis=1)
    dev = np.empty(total)
    dev[0] = rng.standard_normal() * SIGMA
    for week in range(1, total):
        dev[week] = RHO * dev[week - 1] + innovation[week]
    known = parts[:, ::-1].cumsum(axis=1)[:, ::-1]
    phase, swing = rng.uniform(0, 52), rng.uniform(0.1, 0.2)
    season = 1 + swing * np.sin(2 * np.pi * (np.arange(total) + phase) / 52)
    return Demand(item, item.base * season, np.clip(dev, -0.9, 2.0), known)


def order_lines(
    supplier: Character, demands: list[Demand], weeks: int, rng: np.random.Generator
) -> list[Line]:
    """One order a week, one line per item; wanted on the item's weekday `LEAD_WEEKS` later."""
    prefix = supplier.items[0].id.split("-", maxsplit=1)[0]
    weekdays = rng.integers(1, 5, len(demands))
    found: list[Line] = []
    for week in range(weeks):
        day = int(rng.integers(0, 2))
        recorded = instant(week, day, float(rng.uniform(7, 14)))
        for index, need in enumerate(demands):
            wanted = instant(week + LEAD_WEEKS, int(weekdays[index]), 0).date()
            price = Decimal(str(round(need.item.price * 1.01 ** (week // 13), 2)))
            row: Row = {
                "order_id": f"PO-{prefix}-{10_000 + week}",
                "line": index + 1,
                "item_id": need.item.id,
                "quantity": Decimal(need.quantity(week)),
                "unit": need.item.unit,
                "ordered_on": recorded.date(),
                "requested_date": wanted,
                "ship_to": SITE,
                "unit_price": price,
                "currency": supplier.currency,
                "status": "placed",
                "partner": supplier.id,
                "recorded_at": recorded,
            }
            found.append(Line(week, need.item, row))
    return found


def orders(lines: list[Line]) -> list[Row]:
    """The rows of order lines, as copies."""
    return [dict(line.row) for line in lines]


def forecasts(
    supplier: Character,
    demands: list[Demand],
    weeks: int,
    quiet_from: int | None,
    rng: np.random.Generator,
) -> list[Row]:
    """The buyer's plan, revised every Friday morning: `FORECAST_WEEKS` weeks of every item.

    Once it is quiet, most items are not revised, and what is passed on is rough.
    """
    found: list[Row] = []
    for origin in range(weeks):
        quiet = quiet_from is not None and origin >= quiet_from
        accuracy = supplier.in_week(origin, weeks // 2).forecast_accuracy
        if quiet:
            accuracy = min(accuracy, 0.3)
        recorded = instant(origin, 4, float(rng.uniform(8, 14)))
        for need in demands:
            revised = rng.random() < (_QUIET_FORECASTS if quiet else 1.0)
            noise = rng.standard_normal(FORECAST_WEEKS)
            if not revised:
                continue
            for ahead in range(1, FORECAST_WEEKS + 1):
                row = _forecast(need, origin, ahead, accuracy, float(noise[ahead - 1]))
                found.append({**row, "partner": supplier.id, "recorded_at": recorded})
    return found


def _forecast(need: Demand, origin: int, ahead: int, accuracy: float, noise: float) -> Row:
    week = origin + ahead
    level = float(need.level[week])
    rough = SIGMA * (1 - accuracy) * (0.5 + ahead / 2) ** 0.5
    # What the plan does not know: the unforeseen part of every week to come, and of each week the
    # parts that become known only nearer to it.
    innovation = SIGMA * (1 - RHO**2) ** 0.5
    unknown = innovation * (_UNFORESEEN + (1 - _UNFORESEEN) * ahead / FORECAST_WEEKS) ** 0.5
    spread = _Z90 * level * (unknown**2 + rough**2) ** 0.5
    expected = max(0.0, level * (1 + need.foreseen(origin, week) + rough * noise))
    return {
        "item_id": need.item.id,
        "ship_to": SITE,
        "period_start": monday(week + LEAD_WEEKS),
        "period": "week",
        "quantity": Decimal(round(expected)),
        "quantity_low": Decimal(max(0, round(expected - spread))),
        "quantity_high": Decimal(round(expected + spread)),
        "commitment": "production" if ahead <= 2 else "material" if ahead <= 5 else "planning",
        "unit": need.item.unit,
        "supplier_item_id": None,
        "note": None,
    }
