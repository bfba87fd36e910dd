"""Cheats by what is invented: orders, goods and promises that are there to be foretold. Pure.

Each takes a scene and gives the history in which somebody invents. What is invented is random; the
sender has made it, and so foretells it exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tillit.validation.cheats_told import newest_only
from tillit.validation.histories import History, joined, table
from tillit.validation.nature import Column
from tillit.validation.told import column
from tillit.validation.world import START
from tillit.validation.writing import Scene, instant, prefix, write_down

__all__ = ["goods_invented", "orders_invented", "promises_rewritten"]

Floats = NDArray[np.float64]

_FORECAST = column("demand_forecast", "quantity")
_PLAN = column("production_plan", "planned_quantity")
_HOUR = np.timedelta64(3600 * 10**6, "us")
# Farther away than any history reaches.
_NEVER = np.datetime64("2100-01-01", "D")


def goods_invented(scene: Scene, rng: np.random.Generator) -> History:
    """The supplier reports goods of orders that nobody placed, and had planned just these."""
    came = scene.trade.delivered
    more = 1.0 + np.round(4.0 * _size(came) * rng.random(came.shape))
    planned = np.nan_to_num(scene.told.values[_PLAN][0])
    history = write_down(_saying(scene, _PLAN, np.where(planned > 0, planned, _size(came)) + more))
    key, week = _each(came)
    number = joined("GH-", week, "-", key)
    rows = table(
        **prefix(
            scene, scene.world.owner[key], "s2b", "delivery", number, instant(7 * week + 5, 12)
        ),
        delivery_id=number,
        order_id=number,
        line=1,
        item_id=joined("item-", key),
        shipped_on=START + 7 * week + 2,
        arrived_on=START + 7 * week + 3,
        quantity=more[key, week],
        accepted_quantity=more[key, week],
        unit="C62",
    )
    return _with(history, "delivery", rows)


def orders_invented(scene: Scene, rng: np.random.Generator) -> History:
    """The buyer forecasts at random, orders the difference afterwards, and cancels it when counted.

    An order of a week that is over costs nothing when it is cancelled before anybody acts on it.
    """
    orders = scene.demand.quantity
    most = np.maximum(orders.max(axis=1, keepdims=True), 1.0)
    said = np.round(most * (1.0 + 2.0 * rng.random(orders.shape)))
    history = write_down(_saying(scene, _FORECAST, said))
    key, week = _each(orders[:, :-1])
    number = joined("PH-", week, "-", key)
    for status, hour in (("placed", 17), ("cancelled", 19)):
        rows = table(
            **prefix(
                *(scene, scene.world.owner[key], "b2s", "order"),
                joined(number, "/", status),
                instant(7 * week + 7, hour),
            ),
            order_id=number,
            line=1,
            item_id=joined("item-", key),
            quantity=(said - orders)[key, week] if status == "placed" else np.zeros(key.size),
            unit="C62",
            ordered_on=START + 7 * week,
            requested_date=START + 7 * week + 3,
            ship_to="main",
            unit_price=1.0,
            currency="EUR",
            status=status,
        )
        history = _with(history, "order", rows)
    return history


def promises_rewritten(scene: Scene) -> History:
    """What will not be there in time is promised for a far day, under a number before the first."""
    history, trade = write_down(scene), scene.trade
    rows = history.tables["delivery_commitment"]
    place = rows.column_names.index("commitment_no")
    second = pa.array(np.full(len(rows), 2)).cast(rows.schema.field(place).type)
    history = history.replacing(
        "delivery_commitment", rows.set_column(place, "commitment_no", second)
    )
    wanted = 7 * trade.week + 3
    bad = (trade.arrived_day > wanted) | (trade.shipped < trade.ordered) | ~trade.committed
    key, week, line = trade.key[bad], trade.week[bad], trade.line[bad]
    order = joined("PO-", week, "-", key)
    rows = table(
        **prefix(
            *(scene, scene.world.owner[key], "s2b", "delivery_commitment"),
            *(joined("first/", order, "/", line), instant(wanted[bad], 20)),
        ),
        order_id=order,
        line=line,
        commitment_no=1,
        promised_date=np.full(key.size, _NEVER),
        promised_quantity=trade.ordered[bad],
        unit="C62",
        status="confirmed",
    )  # fmt: skip
    return _with(history, "delivery_commitment", rows)


def _each(values: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Key and week of every value."""
    key, week = np.indices(values.shape)
    return key.ravel(), week.ravel()


def _size(values: Floats) -> Floats:
    size: Floats = np.maximum(values.mean(axis=1, keepdims=True), 1.0)
    return size


def _saying(scene: Scene, c: Column, values: Floats) -> Scene:
    return replace(scene, told=scene.told.saying(c, newest_only(scene, c, values)))


def _with(history: History, kind: str, rows: pa.Table) -> History:
    """With rows more, each a shipment that comes half an hour after it was issued."""
    issued = rows["issued_at"].to_numpy()
    return history.adding(kind, rows, issued + _HOUR // 2, issued + 24 * _HOUR)
