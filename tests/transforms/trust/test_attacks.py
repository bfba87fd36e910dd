"""What a sender may try, each as a story: honesty pays, and copying, padding and lateness do not.

A buyer sends weekly forecasts of what it will order; we are its supplier, and our witness is what
it then orders. The forecast of a week is due 24 hours before that week begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.trusts import DAY, FORECAST, MONDAY, WEEK, insert, measure, memory_lake, term

from tillit.trust.score import Scores

WEEKS = 80
END = MONDAY + WEEKS * WEEK
Row = dict[str, Any]


@dataclass
class History:
    """What was ordered, by item and week, and what was forecast; quantities in pieces."""

    orders: dict[str, list[float]]
    forecasts: dict[str, list[float | None]]
    arrived: Callable[[int], datetime] = lambda week: MONDAY + week * WEEK - 2 * DAY
    copies: int = 1
    more: list[Row] = field(default_factory=list)


@pytest.fixture
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with memory_lake() as connection:
        yield connection


def demand(rng: np.random.Generator, level: float = 500.0) -> list[float]:
    """AR(1) about a level, whole pieces."""
    value, found = 0.0, []
    for noise in rng.standard_normal(WEEKS) * level * 0.15:
        value = 0.6 * value + noise
        found.append(float(round(level + value)))
    return found


def honest(items: int = 4, *, seed: int = 1, noise: float = 20.0) -> History:
    """A buyer that tells what its plan knows: the coming week within ``noise`` pieces."""
    rng = np.random.default_rng(seed)
    orders = {f"item-{n}": demand(rng) for n in range(items)}
    told: dict[str, list[float | None]] = {
        item: [float(round(q + rng.normal(0, noise))) for q in quantities]
        for item, quantities in orders.items()
    }
    return History(orders, told)


def run(lake: duckdb.DuckDBPyConnection, history: History, now: datetime = END) -> Scores:
    """Land a history and measure it."""
    for table in ('landed."order"', "landed.demand_forecast", "exchange.shipments"):
        lake.execute(f"delete from {table}")
    insert(lake, 'landed."order"', _orders(history))
    insert(lake, "exchange.shipments", _order_shipments())
    insert(lake, "landed.demand_forecast", [*_forecasts(history), *history.more])
    return measure(lake, [FORECAST], now)


def _orders(history: History) -> Iterable[Row]:
    for item, quantities in history.orders.items():
        for week, quantity in enumerate(quantities):
            start = MONDAY + week * WEEK
            yield {
                "order_id": f"PO-{week}",
                "line": int(item.split("-")[1]) + 1,
                "item_id": item,
                "ship_to": "here",
                "quantity": quantity,
                "requested_date": (start + 2 * DAY).date(),
                "partner": "p",
                "agreement_id": "p.order",
                "shipment_id": f"p.order.{week}",
                "issued_at": start + 4 * DAY,
                "arrived_at": start + 4 * DAY,
            }


def _order_shipments() -> Iterable[Row]:
    for week in range(WEEKS):
        start = MONDAY + week * WEEK
        yield {
            "shipment_id": f"p.order.{week}",
            "agreement_id": "p.order",
            "kind": "order",
            "partner": "p",
            "period_start": start,
            "period_end": start + WEEK,
            "arrived_at": start + 4 * DAY,
        }


def forecast(item: str, week: int, quantity: float | None, arrived: datetime, shipment: str) -> Row:
    """One landed row."""
    return {
        "item_id": item,
        "ship_to": "here",
        "period_start": (MONDAY + week * WEEK).date(),
        "period": "week",
        "quantity": quantity,
        "commitment": "planning",
        "partner": "p",
        "agreement_id": "p.demand_forecast",
        "shipment_id": shipment,
        # What the sender writes is never looked at: it always claims to have been early.
        "issued_at": MONDAY + (week - 8) * WEEK,
        "arrived_at": arrived,
    }


def _forecasts(history: History) -> Iterable[Row]:
    for item, quantities in history.forecasts.items():
        for week, quantity in enumerate(quantities):
            if quantity is None:
                continue
            for copy in range(history.copies):
                arrived = history.arrived(week) + copy * timedelta(minutes=1)
                yield forecast(item, week, quantity, arrived, f"s-{week:03}-{copy:02}-{item}")


def information(scores: Scores) -> float:
    """I of the last week."""
    value = scores.directions[-1]["information"]
    assert value is not None
    return float(value)


def column(scores: Scores) -> Row:
    """The forecast's quantity in the last week."""
    return dict(scores.columns[-1])


def test_an_honest_forecast_informs(lake: duckdb.DuckDBPyConnection) -> None:
    scores = run(lake, honest())
    last = column(scores)
    assert last["due"] == 4 * 52
    assert last["arrived"] == last["due"]
    assert last["bits_per_cell"] > 1
    assert last["evidence_bits"] > 100
    assert last["honesty_gap"] < 0.1
    assert information(scores) > 0.6


def test_a_better_plan_is_worth_more_than_a_worse_one(lake: duckdb.DuckDBPyConnection) -> None:
    bits = [information(run(lake, honest(noise=noise))) for noise in (10, 40, 80, 1000)]
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] == 0


@pytest.mark.parametrize("weeks_ago", [1, 2, 4])
def test_an_echo_of_our_own_orders_is_worth_nothing(
    lake: duckdb.DuckDBPyConnection, weeks_ago: int
) -> None:
    history = honest()
    echo: dict[str, list[float | None]] = {
        item: [None] * weeks_ago + [7 * q + 3 for q in quantities[:-weeks_ago]]
        for item, quantities in history.orders.items()
    }
    scores = run(lake, replace(history, forecasts=echo))
    assert information(scores) == 0
    if weeks_ago == 1:  # what we knew last at the cut-off: exactly nothing, cell by cell
        assert column(scores)["evidence_bits"] == 0


@pytest.mark.parametrize("quantity", [0.0, 500.0])
def test_a_constant_is_worth_exactly_nothing(
    lake: duckdb.DuckDBPyConnection, quantity: float
) -> None:
    history = honest()
    constant: dict[str, list[float | None]] = {i: [quantity] * WEEKS for i in history.orders}
    scores = run(lake, replace(history, forecasts=constant))
    assert column(scores)["bits_per_cell"] == 0
    assert information(scores) == 0


def test_what_arrives_after_the_cut_off_is_worth_exactly_nothing(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    history = honest(noise=0)
    late = replace(history, arrived=lambda week: MONDAY + week * WEEK - DAY + timedelta(seconds=1))
    scores = run(lake, late)
    last = column(scores)
    assert last["late"] == last["due"] == 4 * 52
    assert last["bits_per_cell"] == 0
    assert information(scores) == 0


def test_at_the_cut_off_is_in_time(lake: duckdb.DuckDBPyConnection) -> None:
    on_time = replace(honest(), arrived=lambda week: MONDAY + week * WEEK - DAY)
    assert column(run(lake, on_time))["arrived"] == 4 * 52


def test_sending_ten_times_is_worth_what_sending_once_is(lake: duckdb.DuckDBPyConnection) -> None:
    once = run(lake, honest())
    often = run(lake, replace(honest(), copies=10))
    assert often.directions == once.directions
    assert often.columns == once.columns


def test_the_last_word_before_the_cut_off_counts(lake: duckdb.DuckDBPyConnection) -> None:
    history = honest()
    draft = [
        forecast(item, week, 1.0, MONDAY + (week - 4) * WEEK, f"draft-{week}-{item}")
        for item in history.orders
        for week in range(WEEKS)
    ]
    corrected = [
        forecast(item, week, 99999.0, MONDAY + week * WEEK, f"after-{week}-{item}")
        for item in history.orders
        for week in range(WEEKS)
    ]
    plain = run(lake, history)
    revised = run(lake, replace(history, more=[*draft, *corrected]))
    assert revised.columns == plain.columns


def test_leaving_out_the_hard_items_does_not_pay(lake: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(2)
    history = honest()
    for item in ("item-2", "item-3"):
        history.forecasts[item] = [
            None if q is None else float(round(q + rng.normal(0, 60)))
            for q in history.forecasts[item]
        ]
    everything = run(lake, history)
    for item in ("item-2", "item-3"):
        history.forecasts[item] = [None] * WEEKS
    easy = run(lake, history)
    assert column(easy)["due"] == column(everything)["due"]
    assert column(easy)["missing"] == 2 * 52
    assert information(easy) <= information(everything)


def test_items_that_are_never_ordered_do_not_pay(lake: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(2)
    plain = run(lake, honest())
    padded = honest()
    for n in range(90, 99):
        padded.forecasts[f"item-{n}"] = [float(q) for q in rng.integers(1, 900, WEEKS)]
    assert information(run(lake, padded)) < information(plain)


def test_half_of_the_weeks_are_worth_about_half_of_the_bits(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    history = honest()
    every_other: dict[str, list[float | None]] = {
        item: [q if week % 2 else None for week, q in enumerate(quantities)]
        for item, quantities in history.forecasts.items()
    }
    whole = column(run(lake, history))["bits_per_cell"]
    half = column(run(lake, replace(history, forecasts=every_other)))
    assert half["missing"] == 2 * 52
    assert 0.35 * whole < half["bits_per_cell"] < 0.55 * whole


def test_inflated_forecasts_never_gain_and_show(lake: duckdb.DuckDBPyConnection) -> None:
    plain = honest()
    inflated: dict[str, list[float | None]] = {
        item: [None if q is None else float(round(1.3 * q)) for q in quantities]
        for item, quantities in plain.forecasts.items()
    }
    truth = run(lake, plain)
    lie = run(lake, replace(plain, forecasts=inflated))
    assert column(lie)["honesty_gap"] > 1
    assert information(lie) < information(truth)


def test_noise_is_worth_nothing(lake: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(3)
    history = honest()
    noise: dict[str, list[float | None]] = {
        item: [float(q) for q in rng.integers(100, 900, WEEKS)] for item in history.orders
    }
    scores = run(lake, replace(history, forecasts=noise))
    assert column(scores)["bits_per_cell"] < 0
    assert information(scores) == 0


def test_later_revisions_of_orders_change_no_score_of_the_past(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    history = honest()
    half = MONDAY + 50 * WEEK
    then = run(lake, history, now=half)
    revised = [
        {
            **row,
            "quantity": float(row["quantity"]) + 333,
            "shipment_id": "revised",
            "arrived_at": half + DAY,
        }
        for row in _orders(history)
        if row["arrived_at"] < half - 2 * WEEK
    ]
    insert(lake, 'landed."order"', revised)
    now = measure(lake, [FORECAST], END)
    assert [c for c in now.columns if c["week"] < half.date()] == list(then.columns)[:-1]


def test_history_does_not_change_when_time_goes_on(lake: duckdb.DuckDBPyConnection) -> None:
    history = honest()
    then = run(lake, history, now=MONDAY + 50 * WEEK)
    now = run(lake, history, now=END)
    # The last week of the earlier run had only begun.
    assert list(now.columns)[: len(then.columns) - 1] == list(then.columns)[:-1]


def test_going_quiet_lowers_the_score_week_by_week(lake: duckdb.DuckDBPyConnection) -> None:
    history = honest()
    for item in history.forecasts:
        history.forecasts[item][60:] = [None] * (WEEKS - 60)
    weeks = [d["information"] for d in run(lake, history).directions][-20:]
    assert weeks[-1] < 0.65 * weeks[0]
    assert all(later < earlier for earlier, later in pairwise(weeks[3:]))


def test_a_withheld_column_earns_nothing_and_still_counts(lake: duckdb.DuckDBPyConnection) -> None:
    history = honest()
    withheld = [
        forecast(item, week, None, history.arrived(week), f"n-{week}-{item}")
        for item in history.orders
        for week in range(WEEKS)
    ]
    scores = run(lake, replace(history, forecasts={}, more=withheld))
    last = column(scores)
    assert last["missing"] == last["due"] == 4 * 52
    assert information(scores) == 0


def test_few_cells_are_not_enough_evidence(lake: duckdb.DuckDBPyConnection) -> None:
    history = honest(items=1)
    short = {item: q[:25] for item, q in history.orders.items()}
    told = {item: q[:25] for item, q in history.forecasts.items()}
    # A key stays due for thirteen weeks after it was last seen; look before that.
    scores = run(lake, History(short, told), now=MONDAY + 25 * WEEK)
    last = column(scores)
    assert last["due"] == 25
    assert last["is_enough"] is False
    assert last["u"] is None
    assert scores.directions[-1]["information"] is None
    assert scores.directions[-1]["score"] is None


def test_a_column_outside_the_terms_earns_nothing(lake: duckdb.DuckDBPyConnection) -> None:
    run(lake, honest())
    note = term("demand_forecast", "note", None)
    withheld = replace(FORECAST, permitted=False)
    scores = measure(lake, [withheld, note], END)
    assert scores.columns == ()
    assert scores.directions[-1]["information"] is None
    assert [row["column_name"] for row in scores.not_measured] == ["note"]


def test_confidential_columns_weigh_more(lake: duckdb.DuckDBPyConnection) -> None:
    run(lake, honest())
    weights = [
        measure(lake, [replace(FORECAST, classification=level)], END).columns[-1]["weight"]
        for level in (1, 2, 3, 4)
    ]
    assert weights == [1, 2, 4, 8]


def test_hostile_values_break_nothing(lake: duckdb.DuckDBPyConnection) -> None:
    history = honest()
    history.forecasts["item-0"][40] = 999_999_999_999.0
    history.forecasts["item-1"][:] = [999_999_999_999.0, 0.0] * (WEEKS // 2)
    scores = run(lake, history)
    for row in scores.columns:
        assert row["bits_per_cell"] is None or np.isfinite(row["bits_per_cell"])
    assert 0 <= information(scores) < information(run(lake, honest()))


def test_nothing_at_all_is_not_measured(lake: duckdb.DuckDBPyConnection) -> None:
    scores = measure(lake, [FORECAST], END)
    assert scores.directions[-1]["information"] is None
    assert measure(lake, [], END).directions == ()
