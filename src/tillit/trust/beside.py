"""What is shown beside a score and never enters it: peers, balance, neglect, manners, worth. Pure.

Each would break the rule that honestly sharing more never lowers a score: who answers a complaint
late has not shared less. They are for the people who talk with the partner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

__all__ = [
    "CONDITIONS",
    "OLD_WEEKS",
    "balance",
    "better_than",
    "directness",
    "neglected",
    "role",
    "safety_stock",
    "transactional",
    "worth",
]

Row = Mapping[str, Any]

OLD_WEEKS = 4
"""What waits for longer than this is neglected."""

CONDITIONS = (
    "the forecast is of orders that we deliver from stock",
    "stock is ordered up to a level in every period, and unmet orders wait",
    "lead times and the share of orders met from stock stay as they are",
    "orders follow no pattern that our own history of them shows already",
    "errors of forecasts are about normal",
)
"""Of Lee, So and Tang (2000); the measure sees to the last but one: what we knew is not counted."""

_CUSTOMER = frozenset({"demand_forecast", "order"})
_SUPPLIER = frozenset({"delivery_commitment", "production_plan", "delivery", "service_cost"})
_YEAR = timedelta(weeks=52)
_QUARTER = 13


def role(kinds: Iterable[str]) -> str:
    """What a partner is to us, by what it may share: peers are those of the same kind."""
    shared = set(kinds)
    sides = shared & _CUSTOMER, shared & _SUPPLIER
    if all(sides) or not any(sides):
        return "partner"
    return "customer" if sides[0] else "supplier"


def better_than(score: float | None, others: Iterable[float | None]) -> float | None:
    """The share of measured peers whose score is lower, half of those with the same; None alone."""
    measured = [other for other in others if other is not None]
    if score is None or not measured:
        return None
    lower = sum(other < score for other in measured)
    return (lower + sum(other == score for other in measured) / 2) / len(measured)


def balance(there: float | None, back: float | None) -> float | None:
    """The smaller of both sides' information by the larger: 1 is even, 0 is all from one side."""
    if there is None or back is None:
        return None
    most = max(there, back)
    return min(there, back) / most if most > 0 else 1.0


def neglected(
    columns: Iterable[Sequence[Row]],
    unanswered: Iterable[Row],
    reassessments: Iterable[Row],
    *,
    as_of: datetime,
    weeks: int = OLD_WEEKS,
) -> dict[str, list[dict[str, Any]]]:
    """What waits: cells of the last weeks, words without an answer, agreements not looked at again.

    ``columns`` are rows of ``column_week`` by column; ``unanswered`` says for whom it waits; of
    ``reassessments`` those are told whose day has passed.
    """
    overdue = [
        (rows[-1], sum(int(row["week_asked"] - row["week_answered"]) for row in rows[-weeks:]))
        for rows in columns
    ]
    old = as_of - timedelta(weeks=weeks)
    return {
        "overdue": [
            {"column": f"{last['kind']}.{last['column_name']}", "cells": cells}
            for last, cells in sorted(overdue, key=lambda pair: -pair[1])
            if cells > 0
        ],
        "unanswered": [
            {
                "kind": row["kind"],
                "id": row["subject_id"],
                "waits_for": row["waits_for"],
                "days": (as_of - row["raised_at"]).days,
            }
            for row in sorted(unanswered, key=lambda row: row["raised_at"])
            if row["raised_at"] <= old
        ],
        "reassess": [
            {"agreement": row["agreement_id"], "days": (as_of - row["reassess"]).days}
            for row in sorted(reassessments, key=lambda row: row["reassess"])
            if row["reassess"] < as_of
        ],
    }


def directness(lags: Iterable[Row]) -> dict[str, Any] | None:
    """Median hours from cut-off to arrival, early ones negative; None without a shipment."""
    by_kind = {row["kind"]: row for row in lags}
    every = by_kind.pop("", None)
    if every is None:
        return None
    return {
        "median_hours": float(every["median_hours"]),
        "late_share": int(every["late"]) / int(every["shipments"]),
        "by_kind": {kind: float(row["median_hours"]) for kind, row in sorted(by_kind.items())},
    }


def transactional(meetings: Iterable[Row], *, until: date) -> dict[str, float] | None:
    """The share of a year's meeting time on price, contract and claims; None without a meeting.

    It is almost half where trust is low, and a quarter where it is highest.
    """
    recent = [row for row in meetings if until - _YEAR < row["week"] <= until]
    minutes = float(sum(row["minutes"] for row in recent))
    if not minutes:
        return None
    about = float(sum(row["minutes"] for row in recent if row["is_transactional"]))
    return {"share": about / minutes, "hours": minutes / 60}


def safety_stock(columns: Iterable[Row]) -> dict[str, Any] | None:
    """The share of safety stock that a customer's forecasts saved: 1 - 2^(-bits).

    Bits a due cell of all columns that speak of its orders add up: each is counted beyond those
    before it. None without evidence, or where nothing was told.
    """
    bits = sum(
        float(row["bits_per_cell"])
        for row in columns
        if row["kind"] == "demand_forecast" and row["bits_per_cell"] is not None
    )
    if bits <= 0:
        return None
    return {"share": 1 - 2.0**-bits, "bits": bits, "where": list(CONDITIONS)}


def worth(weeks: Sequence[Row]) -> dict[str, Any]:
    """What was told in time, in bits a week over the last quarter, and in words."""
    recent = weeks[-_QUARTER:]
    bits = float(sum(row["week_bits"] for row in recent)) / len(recent)
    if bits > 0:
        says = f"what they told us in time was worth {bits:.1f} bits a week"
    else:
        says = "what they told us in time was worth nothing to us"
    return {"bits_a_week": bits, "says": says}
