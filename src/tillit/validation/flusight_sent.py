"""FluSight as the kinds have it, so that the whole measure runs over it. Pure.

Of the 23 quantiles a demand forecast carries three: the median as quantity, .1 as low and .9 as
high. Admissions stand for orders: a week's are known on its Saturday, as first reported. Forecasts
of all horizons are sent on the Wednesday; due is what was sent by the Thursday before the week.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tillit.validation.flusight import SUBMITTED, Season
from tillit.validation.histories import Arrived, History, joined, table

__all__ = ["CUT_OFF_HOURS", "sent"]

CUT_OFF_HOURS = 96.0
"""Before the Monday of the week that is forecast: it is the one after the next."""

_HOUR, _DAY, _WEEK = (np.timedelta64(hours, "h") for hours in (1, 24, 168))
# From the Saturday on which a week ends back to its Monday.
_MONDAY = 5 * _DAY
_LEVELS = {"quantity_low": 0.1, "quantity": 0.5, "quantity_high": 0.9}
_AGREED = {
    "demand_forecast": {
        "item_id": True, "ship_to": True, "period_start": True, "period": True,
        "quantity": False, "quantity_low": False, "quantity_high": False,
    },
    "order": {"order_id": True, "line": True, "item_id": False, "quantity": False},
}  # fmt: skip


def sent(season: Season) -> History:
    """What every team sent, and what was then admitted; a relationship a team."""
    arrived = Arrived()
    forecasts, orders = [], []
    for team in season.stated:
        forecasts.append(_forecasts(season, team, arrived))
        orders.append(_orders(season, team, arrived))
    return History(
        tables={"demand_forecast": pa.concat_tables(forecasts), "order": pa.concat_tables(orders)},
        arrivals=arrived.all(),
        agreements=pa.concat_tables([_agreements(team) for team in season.stated]),
    )


def _forecasts(season: Season, team: str, arrived: Arrived) -> pa.Table:
    stated = season.stated[team]
    horizon, week, place = np.nonzero(np.isfinite(stated).all(axis=-1))
    saturday = season.weeks[week].astype("datetime64[h]")
    reference = saturday - horizon * _WEEK
    at = reference - SUBMITTED * _DAY + 23 * _HOUR
    columns = {
        name: stated[horizon, week, place, int(np.abs(season.levels - level).argmin())].round(3)
        for name, level in _LEVELS.items()
    }
    rows = table(
        relationship_id=joined(_each(team, week)),
        flow="b2s",
        agreement_id=f"{team}/demand_forecast",
        shipment_id=joined("F-", reference.astype("datetime64[D]").astype(str)),
        issued_at=at,
        item_id=np.array(season.places)[place],
        ship_to="",
        period_start=(saturday - _MONDAY).astype("datetime64[D]"),
        period="week",
        **columns,
    )
    arrived.add(rows, at, np.full(len(at), np.datetime64("NaT", "h")))
    return rows


def _orders(season: Season, team: str, arrived: Arrived) -> pa.Table:
    week, place = np.nonzero(np.isfinite(season.outcome))
    saturday = season.weeks[week].astype("datetime64[D]")
    at = saturday.astype("datetime64[h]") + 12 * _HOUR
    name = np.array(season.places)[place]
    rows = table(
        relationship_id=joined(_each(team, week)),
        flow="b2s",
        agreement_id=f"{team}/order",
        shipment_id=joined("O-", saturday.astype(str)),
        issued_at=at,
        order_id=joined("O-", saturday.astype(str), "-", name),
        line=np.ones(len(week), dtype=np.int64),
        item_id=name,
        quantity=season.outcome[week, place],
        requested_date=saturday,
    )
    arrived.add(rows, at, np.full(len(at), np.datetime64("NaT", "h")))
    return rows


def _each(text: str, rows: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.full(len(rows), text)


def _agreements(team: str) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "agreement_id": f"{team}/{kind}",
                "relationship_id": team,
                "direction": "b2s",
                "sender_id": team,
                "receiver_id": "hub",
                "kind": kind,
                "column_name": name,
                "is_key": is_key,
                "permitted": True,
                "classification": 3,
                "cadence": "week",
                "cut_off": "before_period_start",
                "cut_off_hours": CUT_OFF_HOURS if kind == "demand_forecast" else -192.0,
            }
            for kind, columns in _AGREED.items()
            for name, is_key in columns.items()
        ]
    )
