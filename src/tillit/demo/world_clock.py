"""The simulated world's calendar: what is wanted how often, and when anything happens. Pure.

Weeks are numbered from 0. An order of week w wants its goods in week w + `LEAD_WEEKS`; a forecast
is of the week in which goods are wanted. So that a forecast is known before the order that it
foresees, it is due on the Saturday (00:00) before the week in which that order is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from tillit.demo.model import Step, Want
from tillit.demo.world_cast import BUYER, Character
from tillit.model import Every

__all__ = [
    "EPOCH",
    "FORECAST_WEEKS",
    "LEAD_WEEKS",
    "instant",
    "monday",
    "steps",
    "wants",
    "workday",
]

EPOCH = datetime(2025, 1, 6, tzinfo=UTC)
LEAD_WEEKS = 3
FORECAST_WEEKS = 8
_DAY_HOURS = 24.0
# A month's shipment leaves on its last Friday, 22 to 31 days after the month began; with 31 days
# every month has its own and the month before is already overdue.
_MONTHLY = -31 * _DAY_HOURS
_WEEKLY = -5 * _DAY_HOURS
_FORECAST = (7 * LEAD_WEEKS + 2) * _DAY_HOURS


def monday(week: int) -> date:
    """The Monday of a week."""
    return EPOCH.date() + timedelta(weeks=week)


def instant(week: int, day: int, hour: float) -> datetime:
    """A moment of a week: day 0 is Monday, hours are UTC and may be broken."""
    return EPOCH + timedelta(weeks=week, days=day, seconds=round(hour * 3600))


def workday(day: date) -> date:
    """That day, or the Monday after if it falls on a weekend."""
    return day + timedelta(days=(7 - day.weekday()) if day.weekday() > 4 else 0)


def wants(cast: Iterable[Character]) -> tuple[Want, ...]:
    """The agreements of the buyer with every supplier of the cast."""
    found: list[Want] = []
    for supplier in cast:
        there, back = (BUYER.id, supplier.id), (supplier.id, BUYER.id)
        found += [
            Want(*there, "demand_forecast", Every.WEEK, _FORECAST, "capacity-planning"),
            Want(*there, "order", Every.WEEK, _WEEKLY, "order-fulfilment"),
            Want(
                *(*back, "delivery_commitment", Every.WEEK, _WEEKLY, "production-planning"),
                withheld=("reason",) if supplier.opens_up else (),
            ),
            Want(*back, "delivery", Every.MONTH, _MONTHLY, "goods-receipt"),
        ]
        for kind, purpose in (
            ("complaint", "quality-improvement"),
            ("design_idea", "product-improvement"),
        ):
            found += [Want(*way, kind, Every.MONTH, _MONTHLY, purpose) for way in (there, back)]
    return tuple(found)


def steps(
    agreed: Sequence[Want], tables: Mapping[str, Mapping[str, pa.Table]], weeks: int
) -> tuple[Step, ...]:
    """One step every Friday afternoon; a want is in it when its sender has anything new to say."""
    heard: dict[Want, datetime] = dict.fromkeys(agreed, datetime.min.replace(tzinfo=UTC))
    news = {want: _news(tables, want) for want in agreed}
    found: list[Step] = []
    for week in range(weeks):
        now = instant(week, 4, 16)
        monthly = week == weeks - 1 or (now + timedelta(days=7)).month != now.month
        due: list[Want] = []
        for want in agreed:
            if want.every is Every.MONTH and not monthly:
                continue
            if any(heard[want] <= when < now for when in news[want]):
                due.append(want)
            heard[want] = now
        found.append(Step(now, now + timedelta(hours=1), tuple(due)))
    return tuple(found)


def _news(tables: Mapping[str, Mapping[str, pa.Table]], want: Want) -> list[datetime]:
    """When the rows that a want is about became known, each instant once."""
    table = tables[want.provider].get(want.kind)
    if table is None:
        return []
    return sorted(
        {
            when
            for partner, when in zip(
                table["partner"].to_pylist(), table["recorded_at"].to_pylist(), strict=True
            )
            if partner == want.consumer
        }
    )
