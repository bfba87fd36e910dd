"""Rows that go wrong in the simulated world, as they do in every real one. Pure.

A typing error in a source, a line written twice, a unit that nobody agreed on: each is spoilt in
place, listed, and put right some time later by a new row, as a person would who reads the
receipt. A spoilt forecast is put right by the next week's revision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from tillit.demo.world_cast import BUYER, Character
from tillit.demo.world_clock import instant
from tillit.demo.world_demand import Row

__all__ = ["KEYS", "Sources", "plant"]

Sources = dict[str, dict[str, list[Row]]]
"""Rows by writer and kind."""

KEYS: dict[str, tuple[str, ...]] = {
    "demand_forecast": ("item_id", "ship_to", "period_start", "period"),
    "order": ("order_id", "line"),
    "delivery_commitment": ("order_id", "line", "commitment_no"),
    "delivery": ("delivery_id", "order_id", "line"),
    "complaint": ("complaint_id", "status_no"),
    "design_idea": ("idea_id", "status_no"),
}


@dataclass(frozen=True)
class _Slip:
    """One way to go wrong: ``spoil`` gives the columns that change, ``rule`` is what refuses it.

    ``twice`` leaves the good row beside the spoilt one, so that two rows claim one key; both are
    refused then. ``mended`` is after how many days the good row is sent again; None is never.
    """

    kind: str
    column: str
    what: str
    rule: str
    spoil: Callable[[Row], Row]
    mended: int | None
    twice: bool = False


def _negative(column: str) -> Callable[[Row], Row]:
    return lambda row: {column: -row[column]}


def _set(column: str, value: object) -> Callable[[Row], Row]:
    return lambda _: {column: value}


def _later(column: str, days: int) -> Callable[[Row], Row]:
    def spoil(row: Row) -> Row:
        day: date = row[column]
        return {column: day + timedelta(days=days)}

    return spoil


_BUYERS = (
    _Slip(
        "demand_forecast",
        "quantity",
        "a negative quantity",
        "range:quantity",
        _negative("quantity"),
        None,
    ),
    _Slip(
        "demand_forecast",
        "unit",
        "a unit nobody agreed on",
        "known_unit",
        _set("unit", "BOX"),
        None,
    ),
    _Slip(
        "demand_forecast",
        "period_start",
        "a week that begins on a Wednesday",
        "week_starts_on_monday",
        _later("period_start", 2),
        None,
    ),
    _Slip(
        "order",
        "quantity",
        "a line of zero",
        "zero_only_when_cancelled",
        _set("quantity", Decimal(0)),
        7,
    ),
    _Slip(
        "order",
        "quantity",
        "a line written twice",
        "key",
        lambda row: {"quantity": row["quantity"] + 100},
        7,
        twice=True,
    ),
    _Slip(
        "complaint",
        "category",
        "an unknown category",
        "known_category",
        _set("category", "quality"),
        35,
    ),
)
_SUPPLIERS = (
    _Slip(
        "delivery_commitment",
        "promised_date",
        "no date",
        "promise_is_whole",
        _set("promised_date", None),
        7,
    ),
    _Slip(
        "delivery_commitment",
        "promised_quantity",
        "a negative quantity",
        "range:promised_quantity",
        _negative("promised_quantity"),
        7,
    ),
    _Slip(
        "delivery",
        "arrived_on",
        "arrived before shipped",
        "arrived_not_before_shipped",
        _later("arrived_on", -30),
        35,
    ),
    _Slip("delivery", "unit", "a unit nobody agreed on", "known_unit", _set("unit", "STK"), 35),
    _Slip(
        "design_idea",
        "text",
        "an idea without a word",
        "offered_with_words",
        _set("text", None),
        35,
    ),
)


def plant(supplier: Character, sources: Sources, weeks: int, rng: np.random.Generator) -> list[Row]:
    """Spoil some rows of the first half of the time, in place; the list of what was spoilt."""
    planted: list[Row] = []
    for writer, partner, slips in (
        (BUYER.id, supplier.id, _BUYERS),
        (supplier.id, BUYER.id, _SUPPLIERS),
    ):
        for slip in slips:
            rows = sources[writer][slip.kind]
            chosen = _choose(slip.kind, rows, weeks, rng)
            if chosen is not None:
                planted += _apply(slip, rows, chosen, writer, partner)
    return planted


def _choose(kind: str, rows: list[Row], weeks: int, rng: np.random.Generator) -> int | None:
    """A row that is not spoilt yet, of whom nothing else depends; None if there is none."""
    early = instant(weeks // 8, 0, 0)
    # All is mended before the year is half over, when one supplier falls silent.
    late = instant(weeks // 2 - min(6, weeks // 4), 0, 0)

    def fits(row: Row) -> bool:
        if row.get("_touched") or not early <= row["recorded_at"] < late:
            return False
        if kind == "demand_forecast":
            # The nearest week: it leaves the shipment with the next revision.
            return bool((row["period_start"] - row["recorded_at"].date()).days < 28)
        return bool(row.get("status_no", row.get("commitment_no", 1)) == 1)

    places = [place for place, row in enumerate(rows) if fits(row)]
    return places[int(rng.integers(len(places)))] if places else None


def _apply(slip: _Slip, rows: list[Row], place: int, writer: str, partner: str) -> list[Row]:
    good = {**rows[place], "_touched": True}
    bad = {**good, **slip.spoil(good)}
    refused = [bad]
    if slip.twice:
        rows[place] = good
        rows.append(bad)
        refused.append(good)
    else:
        rows[place] = bad
    if slip.mended is not None:
        rows.append({**good, "recorded_at": good["recorded_at"] + timedelta(days=slip.mended)})
    return [
        {
            "party": writer,
            "partner": partner,
            "kind": slip.kind,
            "key": "|".join(str(row[name]) for name in KEYS[slip.kind]),
            "column": slip.column,
            "what": slip.what,
            "rule": slip.rule,
            "recorded_at": row["recorded_at"],
        }
        for row in refused
    ]
