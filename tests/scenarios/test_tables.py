"""Whatever a source holds: what cannot be a shipment is refused by name, what can goes on, and of a
bad row nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.scenarios.crook import (
    FORECAST,
    REVISIONS,
    all_goes_on,
    ship,
    take_one,
    with_a_bad_row,
)
from tests.scenarios.pair import Pair

from tillit.errors import TableRefused
from tillit.exchange.publish import Published

# One row of every shipment of these weeks: an item's forecast for a week well ahead.
FIRST = (
    "partner = 'fjordstal' and period_start = date '2025-02-24' "
    "and item_id = (select min(item_id) from one where partner = 'fjordstal')"
)


@contextmanager
def source(pair: Pair, select: str) -> Iterator[None]:
    """The buyer's forecast replaced by a query over it, and put back afterwards."""
    path = pair.buyer.source(FORECAST)
    kept = path.read_bytes()
    pair.buyer.change_source(FORECAST, f"with one as (from source) {select}")
    try:
        yield
    finally:
        path.write_bytes(kept)


@contextmanager
def own_sql(pair: Pair, sql: str) -> Iterator[None]:
    """The buyer prepares its forecast by SQL of its own."""
    path = Path(pair.buyer.home.folder, "transforms", "outbound", f"{FORECAST}.sql")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sql, encoding="utf-8")
    try:
        yield
    finally:
        path.unlink()


def publish(pair: Pair) -> Published:
    return pair.buyer.publish(FORECAST, now=pair.later(), revision=next(REVISIONS))


def replaced(column: str, value: str, *, where: str = "true") -> str:
    return (
        f"select * replace (case when {where} then {value} else {column} end as {column}) from one"
    )


# ---- what cannot be a shipment ------------------------------------------------------------------

NO_SHIPMENT = {
    "a required column is missing": (
        "select * exclude (quantity) from one",
        "table.missing-column",
    ),
    "the key is missing": ("select * exclude (item_id) from one", "table.missing-column"),
    "nobody says whom rows are for": (
        "select * exclude (partner) from one",
        "table.missing-column",
    ),
    "another table": ("select 1 as a, 'x' as b", "table.missing-column"),
    "no row": ("select * from one where false", "table.empty"),
    "no row for this partner": (replaced("partner", "'somebody'"), "table.empty"),
    "words for numbers": (
        "select * replace ('many' as quantity) from one",
        "table.all-rows-refused",
    ),
    "every row is wrong": (replaced("quantity", "-1"), "table.all-rows-refused"),
    "every row twice": ("from one union all from one", "table.all-rows-refused"),
}


def refused_here(pair: Pair, code: str) -> None:
    """Refused by the provider itself: recorded there, and nothing left."""
    notices = len(pair.buyer.statements(type="notice"))
    with pytest.raises(TableRefused) as refused:
        publish(pair)
    assert refused.value.code == code
    assert refused.value.expected or refused.value.found
    assert len(pair.buyer.statements(type="notice")) == notices + 1
    assert pair.supplier.waiting() == []


@pytest.mark.parametrize("name", NO_SHIPMENT)
def test_a_source_that_cannot_be_a_shipment(partners: Pair, name: str) -> None:
    select, code = NO_SHIPMENT[name]
    with source(partners, select):
        refused_here(partners, code)
    all_goes_on(partners)


SQL = {
    "a column that the kind does not have": (
        "select *, 1 as margin from (from source_demand_forecast, run)",
        "table.",
    ),
    "no SQL": ("selec * fro source_demand_forecast", "table.query"),
    "a file outside": ("select * from read_csv('/etc/passwd')", "table.query"),
    "a source that there is not": ("select * from source_nothing", "table.source-unreadable"),
}


@pytest.mark.parametrize("name", SQL)
def test_sql_of_its_own_that_cannot_be_run(partners: Pair, name: str) -> None:
    sql, code = SQL[name]
    reads = "source_nothing" if "nothing" in sql else "source_demand_forecast, run"
    with own_sql(
        partners, f"-- Rows.\n-- grain: item_id\n-- reads: {reads}\n-- range: all\n{sql}\n"
    ):
        with pytest.raises(TableRefused) as refused:
            publish(partners)
        assert refused.value.code.startswith(code)
        assert partners.supplier.waiting() == []
    all_goes_on(partners)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"item_id;quantity", bytes(4096)])
def test_a_file_that_is_no_parquet(partners: Pair, content: bytes) -> None:
    path = partners.buyer.source(FORECAST)
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        refused_here(partners, "table.source-unreadable")
    finally:
        path.write_bytes(kept)
    all_goes_on(partners)


# ---- a bad row among good ones ------------------------------------------------------------------

ONE_ROW = {
    "below nothing": (replaced("quantity", "-5", where=FIRST), "range:quantity"),
    "no number": (
        "select * replace (case when " + FIRST + " then 'NaN'::double "
        "else quantity::double end as quantity) from one",
        "type:quantity",
    ),
    "without end": (
        "select * replace (case when " + FIRST + " then 'infinity'::double "
        "else quantity::double end as quantity) from one",
        "type:quantity",
    ),
    "nothing where something has to be": (
        replaced("quantity", "null", where=FIRST),
        "required:quantity",
    ),
    "a unit that nobody agreed": (replaced("unit", "'FURLONG'", where=FIRST), "known_unit"),
    "a line break in a name": (replaced("item_id", "'a\nb'", where=FIRST), None),
    "writing that runs backwards": (
        replaced("item_id", "'a' || chr(8238) || 'b'", where=FIRST),
        None,
    ),
}


@pytest.mark.parametrize("name", ONE_ROW)
def test_one_bad_row_stays_with_its_reason_and_the_others_land(partners: Pair, name: str) -> None:
    select, rule = ONE_ROW[name]
    with source(partners, select):
        made = publish(partners)
    assert made.stopped == 1
    (row,) = partners.buyer.rows(
        "select rules, reasons, row from quarantine.stopped where shipment_id = ?",
        [made.shipment_id],
    )
    rules, reasons, whole = row
    assert len(rules) == len(reasons) >= 1
    if rule is not None:
        assert rule in rules
    assert {"item_id", "quantity", "unit"} <= set(json.loads(whole))
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.accepted, outcome.refused) == ("accepted", made.rows, 0)
    (sent,) = partners.buyer.statements(type="shipment", shipment=made.shipment_id)
    assert sent.statement.body.stopped.rows == 1
    partners.buyer.receive(now=partners.later())
    all_goes_on(partners)


def test_a_row_that_only_the_receiver_refuses_comes_back_whole(partners: Pair) -> None:
    """A provider that does not judge: the receiver does, row by row."""
    landed = partners.supplier.landed()
    shipment_id = ship(partners, spoil=with_a_bad_row)
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.refused) == ("partly", 1)
    assert partners.supplier.landed() == landed + outcome.accepted
    kept = "select rules, reasons, row from quarantine.{} where shipment_id = ?"
    (there,) = partners.supplier.rows(kept.format("refused"), [shipment_id])
    assert "range:quantity" in there[0]
    # The provider gets the row itself, sealed, with the reason.
    (waiting,) = partners.buyer.waiting(".age")
    assert json.loads(there[2])["item_id"].encode() not in waiting.read_bytes()
    partners.buyer.receive(now=partners.later())
    (back,) = partners.buyer.rows(kept.format("returned"), [shipment_id])
    assert back[0] == there[0]
    ours, theirs = json.loads(back[2]), json.loads(there[2])
    assert {k: ours[k] for k in ("item_id", "ship_to")} == {
        k: theirs[k] for k in ("item_id", "ship_to")
    }
    all_goes_on(partners)


# ---- text that would rather be something else ---------------------------------------------------

HOSTILE = [
    "'; drop table landed.demand_forecast; --",
    '"; select 1; --',
    "../../../etc/passwd",
    "$(touch /tmp/x)",
    "{{ 7 * 7 }}",
    "<script>alert(1)</script>",
    "%s%n%x",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_text_and_lands_as_it_is(partners: Pair, text: str) -> None:
    quoted = text.replace("'", "''")
    with source(partners, replaced("item_id", f"'{quoted}'", where=FIRST)):
        made = publish(partners)
    assert made.stopped == 0
    take_one(partners.supplier, partners)
    found = partners.supplier.rows(
        "select count(*) from landed.demand_forecast where item_id = ? and shipment_id = ?",
        [text, made.shipment_id],
    )
    assert found == [(1,)]
    partners.buyer.receive(now=partners.later())
    all_goes_on(partners)
