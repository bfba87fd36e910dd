"""What the further kinds are worth, each as a story: what we could not know pays, an echo does not.

We buy four items from a supplier every week: ordered three weeks ahead, promised as ordered, and
some weeks short, which it knows and does not promise. We are also its supplier of four others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.trusts import DAY, MONDAY, PROMISED, WEEK, insert, measure, memory_lake, term

from tillit.trust.score import Scores
from tillit.trust.terms import TermColumn

WEEKS = 80
ITEMS = tuple(f"item-{n}" for n in range(4))
END = MONDAY + WEEKS * WEEK
Row = dict[str, Any]
Table = dict[str, list[float]]

PLAN = term("production_plan", "planned_quantity", "delivery.quantity", cut_off_hours=48.0)
CAPACITY = replace(PLAN, column_name="capacity_quantity")
STOCK = term("inventory", "quantity", "delivery.quantity", cut_off_hours=-168.0)
COVER = replace(STOCK, column_name="days_of_supply")
SERVICE = term("service_cost", "planned_cost", "service_cost.actual_cost", cut_off_hours=24.0)
NOTICE = term("disruption", "effect", "delivery.quantity", cadence="event", cut_off_hours=0.0)


@pytest.fixture
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with memory_lake() as connection:
        yield connection


@pytest.fixture(scope="module")
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def ordered(rng: np.random.Generator) -> Table:
    return {item: [float(q) for q in rng.integers(300, 700, WEEKS)] for item in ITEMS}


def short_of(orders: Table, rng: np.random.Generator) -> Table:
    """What is delivered: a fifth of all lines are short."""
    return {
        item: [
            round(q * (rng.uniform(0.4, 0.8) if rng.random() < 0.2 else 1.0)) for q in quantities
        ]
        for item, quantities in orders.items()
    }


def trade(lake: duckdb.DuckDBPyConnection, orders: Table, came: Table) -> None:
    """Our orders, its promises of all that is ordered, and what our goods receipt saw."""
    lines: list[Row] = []
    promises: list[Row] = []
    receipts: list[Row] = []
    for week, n, item in every_week():
        wanted = (MONDAY + week * WEEK + 2 * DAY).date()
        key = {"partner": "p", "order_id": f"PO-{week}", "line": n + 1}
        placed = MONDAY + (week - 3) * WEEK
        lines.append(
            {
                **key,
                "item_id": item,
                "quantity": orders[item][week],
                "requested_date": wanted,
                "shipment_id": f"o{week}",
                "issued_at": placed,
                "arrived_at": placed,
            }
        )
        promise = {"promised_date": wanted, "promised_quantity": orders[item][week]}
        sent = {"agreement_id": "p.delivery_commitment", "shipment_id": f"c{week}"}
        promises.append({**key, "commitment_no": 1, **promise, **sent, "arrived_at": placed + DAY})
        receipts.append(
            {
                **key,
                "delivery_id": f"D-{week}",
                "arrived_on": wanted,
                "quantity": came[item][week],
                "shipment_id": f"d{week}",
                "arrived_at": MONDAY + week * WEEK + 3 * DAY,
            }
        )
    insert(lake, 'own."order"', lines)
    insert(lake, "landed.delivery_commitment", promises)
    insert(lake, "own.delivery", receipts)


def every_week() -> Iterable[tuple[int, int, str]]:
    return ((week, n, item) for week in range(WEEKS) for n, item in enumerate(ITEMS))


def said(kind: str, when: datetime, row: Row) -> Row:
    sent = {"partner": "p", "agreement_id": f"p.{kind}", "shipment_id": f"{kind}-{when:%y%m%d}"}
    return {**row, **sent, "issued_at": when, "arrived_at": when}


def plans(planned: Table, **more: Table) -> list[Row]:
    """A plan of each week, on the Thursday before it; it is due on the Saturday."""
    rows = []
    for week, _, item in every_week():
        start = MONDAY + week * WEEK
        row = {"item_id": item, "site_id": "s", "period_start": start.date()}
        row |= {"planned_quantity": planned[item][week]}
        row |= {name: values[item][week] for name, values in more.items()}
        rows.append(said("production_plan", start - 4 * DAY, row))
    return rows


def bits(scores: Scores, column: str) -> float:
    last = [row for row in scores.columns if row["column_name"] == column][-1]
    assert last["is_enough"], last
    return float(last["bits_per_cell"])


def last_row(scores: Scores, column: str) -> Row:
    return dict([row for row in scores.columns if row["column_name"] == column][-1])


def planned(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator, terms: list[TermColumn], **told: Any
) -> Scores:
    insert(lake, "landed.production_plan", plans(**told))
    return measure(lake, [*PROMISED, *terms], END)


def test_a_plan_that_knows_what_will_be_short_informs(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    orders = ordered(rng)
    came = short_of(orders, rng)
    trade(lake, orders, came)
    scores = planned(lake, rng, [PLAN], planned=came)
    assert bits(scores, "planned_quantity") > 1
    last = last_row(scores, "planned_quantity")
    # Deliveries are settled two weeks after their week.
    assert last["due"] == last["arrived"] == 4 * 52


def test_a_plan_that_repeats_our_own_orders_is_worth_nothing(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    orders = ordered(rng)
    trade(lake, orders, short_of(orders, rng))
    scores = planned(lake, rng, [PLAN], planned=orders)
    assert last_row(scores, "planned_quantity")["evidence_bits"] == 0


def test_a_plan_of_weeks_not_yet_ordered_that_repeats_our_own_forecast_is_worth_nothing(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    """It is due five weeks ahead, two before we order; what we will need we said ourselves."""
    orders = ordered(rng)
    trade(lake, orders, orders)
    ours, repeated = [], []
    for row in plans(orders):
        quantity = round(row["planned_quantity"] * rng.uniform(0.95, 1.05))
        told = row["arrived_at"] - 7 * WEEK
        ours.append(
            {
                **{name: row[name] for name in ("partner", "item_id", "period_start")},
                "ship_to": "x",
                "period": "week",
                "quantity": quantity,
                "shipment_id": row["shipment_id"],
                "arrived_at": told,
            }
        )
        repeated.append({**row, "planned_quantity": quantity, "arrived_at": told + WEEK})
    insert(lake, "landed.production_plan", repeated)
    ahead = replace(PLAN, cut_off_hours=5 * 7 * 24.0)
    assert bits(measure(lake, [ahead], END), "planned_quantity") > 1  # had we said nothing
    insert(lake, "own.demand_forecast", ours)
    last = last_row(measure(lake, [ahead], END), "planned_quantity")
    assert last["arrived"] == last["due"] > 0
    assert last["evidence_bits"] == 0


def test_a_plan_is_not_paid_again_for_what_was_promised(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    """Promises that tell the truth leave nothing to a plan that says the same."""
    orders = ordered(rng)
    came = short_of(orders, rng)
    trade(lake, orders, came)
    told = [
        {
            "partner": "p",
            "order_id": f"PO-{week}",
            "line": n + 1,
            "commitment_no": 2,
            "promised_date": (MONDAY + week * WEEK + 2 * DAY).date(),
            "promised_quantity": came[item][week],
            "agreement_id": "p.delivery_commitment",
            "shipment_id": f"cc{week}",
            "arrived_at": MONDAY + (week - 2) * WEEK,
        }
        for week, n, item in every_week()
    ]
    insert(lake, "landed.delivery_commitment", told)
    scores = planned(lake, rng, [PLAN], planned=came)
    assert last_row(scores, "planned_quantity")["evidence_bits"] == 0


def test_the_capacity_that_the_plan_explains_earns_nothing_more(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    orders = ordered(rng)
    came = short_of(orders, rng)
    trade(lake, orders, came)
    double = {item: [2 * q for q in quantities] for item, quantities in came.items()}
    scores = planned(lake, rng, [PLAN, CAPACITY], planned=came, capacity_quantity=double)
    assert bits(scores, "planned_quantity") > 1
    assert abs(bits(scores, "capacity_quantity")) < 0.05


def test_items_that_are_delivered_and_not_planned_are_missed(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    orders = ordered(rng)
    came = short_of(orders, rng)
    trade(lake, orders, came)
    some = [row for row in plans(came) if row["item_id"] in ITEMS[:2]]
    insert(lake, "landed.production_plan", some)
    last = last_row(measure(lake, [*PROMISED, PLAN], END), "planned_quantity")
    assert (last["due"], last["missing"]) == (4 * 52, 2 * 52)


def test_a_plan_after_its_cut_off_is_worth_exactly_nothing(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    orders = ordered(rng)
    came = short_of(orders, rng)
    trade(lake, orders, came)
    late = [{**row, "arrived_at": row["arrived_at"] + 3 * DAY} for row in plans(came)]
    insert(lake, "landed.production_plan", late)
    last = last_row(measure(lake, [PLAN], END), "planned_quantity")
    assert last["late"] == last["due"] == 4 * 52
    assert last["bits_per_cell"] == 0


def test_stock_of_a_customer_says_what_it_will_order(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    """It fills up to a level, and tells on Friday what it has; we see the order a week later."""
    stock = {item: [float(q) for q in rng.integers(50, 650, WEEKS + 1)] for item in ITEMS}
    orders, stated, shipments = [], [], []
    for week, n, item in every_week():
        friday = MONDAY + (week - 1) * WEEK + 4 * DAY
        row = {"item_id": item, "site_id": "x", "as_of": friday.date(), "direction": "inbound"}
        free = {"blocked": False, "quantity": stock[item][week]}
        stated.append(said("inventory", friday, {**row, **free}))
        stated.append(said("inventory", friday, {**row, "blocked": True, "quantity": 77.0}))
        placed = MONDAY + week * WEEK + DAY
        line = {"order_id": f"PO-{week}", "line": n + 1, "item_id": item}
        line |= {"quantity": 1000 - stock[item][week], "requested_date": placed.date()}
        orders.append(said("order", placed + 2 * DAY, line))
    for week in range(WEEKS):
        start = MONDAY + week * WEEK
        shipments.append(
            {
                "partner": "p",
                "shipment_id": f"order-{start + 3 * DAY:%y%m%d}",
                "kind": "order",
                "period_start": start,
                "period_end": start + WEEK,
                "arrived_at": start + 3 * DAY,
            }
        )
    insert(lake, "landed.inventory", stated)
    insert(lake, 'landed."order"', orders)
    insert(lake, "exchange.shipments", shipments)
    scores = measure(lake, [STOCK, COVER], END)
    assert bits(scores, "quantity") > 1
    assert last_row(scores, "quantity")["missing"] == 0
    cover = last_row(scores, "days_of_supply")
    assert cover["missing"] == cover["due"] > 0
    assert cover["bits_per_cell"] == 0


def service(rng: np.random.Generator) -> tuple[list[Row], list[Row]]:
    """Plans of a week, the Friday before, and what we were invoiced two weeks later."""
    plan, invoices = [], []
    for week, _, item in every_week():
        start = MONDAY + week * WEEK
        cost = float(rng.integers(100, 900))
        key = {"item_id": item, "service": "repair", "period_start": start.date()}
        said_ahead = {**key, "planned_cost": cost + float(rng.integers(-20, 20))}
        plan.append(said("service_cost", start - 3 * DAY, said_ahead))
        invoices.append(
            said("service_cost", start + 2 * WEEK, {**key, "actual_cost": cost})
            | {"agreement_id": "own"}
        )
    return plan, invoices


def test_a_planned_cost_is_worth_what_it_says_of_our_invoices(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    plan, invoices = service(rng)
    insert(lake, "landed.service_cost", plan)
    insert(lake, "own.service_cost", invoices)
    assert bits(measure(lake, [SERVICE], END), "planned_cost") > 1


def test_who_states_cost_and_plan_at_once_when_it_is_over_tells_nothing(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    """Terms that let a plan come after its week do not turn an account into a forecast."""
    _, invoices = service(rng)
    both = [
        {**row, "agreement_id": "p.service_cost", "planned_cost": row["actual_cost"]}
        for row in invoices
    ]
    insert(lake, "landed.service_cost", both)
    patient = replace(SERVICE, cut_off_hours=-24.0 * 21)
    scores = measure(lake, [patient], END)
    last = last_row(scores, "planned_cost")
    assert last["arrived"] == last["due"] > 0
    assert last["evidence_bits"] == 0


def test_notices_of_what_falls_short_stand_in_its_cells(
    lake: duckdb.DuckDBPyConnection, rng: np.random.Generator
) -> None:
    orders = ordered(rng)
    came = {item: list(quantities) for item, quantities in orders.items()}
    told = []
    for n, week in enumerate(range(5, WEEKS, 10)):
        came["item-0"][week] = 0.0
        start = MONDAY + week * WEEK
        row = {"notice_id": f"n{n}", "status_no": 1, "effect": "capacity_reduction"}
        row |= {"items": "item-0", "start": start.date(), "status": "open"}
        row |= {"expected_end": (start + 6 * DAY).date()}
        told.append(said("disruption", start - DAY, row))
    trade(lake, orders, came)
    insert(lake, "landed.disruption", told)
    measure(lake, [NOTICE, *PROMISED], END)
    found = lake.execute(
        "select f_class, y_class, count(*) from class_cell "
        "where y_class is not null group by all order by all"
    ).fetchall()
    assert [row[:2] for row in found] == [
        ("capacity_reduction", "short"),
        ("none", "as expected"),
    ]
    assert found[0][2] == 8


def test_meeting_time_is_counted_once_though_both_record_it(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    rows = [
        ("own", "v1", 60, "price"),
        ("landed", "t1", 50, "contract"),
        ("landed", "t2", 120, "design"),
    ]
    for whose, name, minutes, purpose in rows:
        held = {"interaction_id": name, "held_on": MONDAY.date(), "minutes": minutes}
        row = said("interaction", MONDAY + DAY, {**held, "purpose": purpose})
        insert(lake, f"{whose}.interaction", [row])
    measure(lake, [term("interaction", "minutes", "interaction.minutes")], END)
    assert lake.execute(
        "select purpose, is_transactional, minutes, agreed_minutes from int_interaction "
        "where minutes > 0 order by purpose"
    ).fetchall() == [("design", False, 120, 0), ("price", True, 60, 60)]
