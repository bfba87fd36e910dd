"""Whatever is permitted and however it is asked: no other row is seen, and no permitted one is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lakes import MONDAY, PLAN, incoming, landing, open_lake, server

from tillit.errors import TableRefused
from tillit.lake import Lake, Permission, Question

PARTNERS = ("havglass", "nordvik")
# Each in a way of its own; all give the partner and shipment of every row that is seen.
QUESTIONS = (
    "select partner, shipment_id from landed.plan",
    "select partner, shipment_id from plan",
    "select partner, shipment_id from as_of.plan('2090-01-01')",
    "select partner, shipment_id from current.plan",
    "with p as materialized (from landed.plan) select partner, shipment_id from p",
    "select a.partner, a.shipment_id from plan as a join landed.plan as b using (shipment_id)",
    "select unnest(list(partner)), unnest(list(shipment_id)) from landed.plan",
    (
        "with recursive p as (select partner, shipment_id from landed.plan "
        "union select * from p) from p"
    ),
    "from landed.plan select partner, shipment_id where true or exists (from landed.plan)",
    (
        "select partner, shipment_id from landed.plan full join (select 1) on false "
        "where partner is not null"
    ),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake with two shipments of each of two partners, of a week of their own."""
    with server() as running, open_lake(running.libpq(), tmp_path_factory.mktemp("home")) as opened:
        opened.prepare([PLAN])
        number = 0
        for partner in PARTNERS:
            for hours in range(2):
                number += 1
                made = landing(number, partner=partner, issued_at=MONDAY + timedelta(hours=hours))
                secret = f"secret of {made.shipment_id}"
                incoming(opened.connection, [(f"item-{number}", date(2026, 1, 12), 1, secret)])
                opened.land(made)
        yield opened


def everything(lake: Lake) -> set[tuple[str, str, str]]:
    rows = lake.connection.execute(
        "select partner, agreement_id, shipment_id from lake.landed.plan"
    ).fetchall()
    assert len(rows) == 4
    return set(rows)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), sql=st.sampled_from(QUESTIONS))
def test_what_is_seen_is_what_is_permitted(lake: Lake, data: st.DataObject, sql: str) -> None:
    there = sorted(everything(lake))
    # Pairs that fit together, and pairs of one's partner with the other's agreement or shipment.
    partners = st.sampled_from(PARTNERS)
    agreements = data.draw(
        st.frozensets(st.tuples(partners, st.sampled_from(sorted({a for _, a, _ in there}))))
    )
    shipments = data.draw(
        st.frozensets(st.tuples(partners, st.sampled_from(sorted({s for _, _, s in there}))))
    )
    question = Question.read(lake, sql)
    assert question.touched.kinds == {"plan"}
    _, rows, _ = question.run(lake, Permission(agreements, shipments))
    assert set(rows) == {
        (partner, shipment)
        for partner, agreement, shipment in there
        if (partner, agreement) in agreements or (partner, shipment) in shipments
    }


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.data(),
    table=st.sampled_from(("landed.plan", "plan", "current.plan", "as_of.plan('2090-01-01')")),
    sql=st.sampled_from(
        (
            "select count(*) from {} where note::integer > 0",
            "select count(*) from {} where error(note) is null",
            "select error(note) from {}",
            "select max(note) from {} where strptime(note, '%x') is null or true",
            "select count(*) from {} as a join {} as b on a.note::date = b.note::date",
            "select count(*) from {} where quantity < 2 and json_valid(json(note))",
            "from {} order by note::integer",
            "select count(*) filter (note::integer = 0) from {} having error(max(note)) is null",
            "select min(note), max(note) from {}",
            "summarize {}",
            "select approx_top_k(note, 3) from {}",
            "select stats(note) from {}",
        )
    ),
)
def test_no_value_of_another_row_is_told_in_an_answer_or_an_error(
    lake: Lake, data: st.DataObject, table: str, sql: str
) -> None:
    """DuckDB may look at rows in any order that it likes; what it says of them is another thing."""
    there = sorted(everything(lake))
    open_ = data.draw(st.frozensets(st.sampled_from(sorted((p, s) for p, _, s in there))))
    try:
        question = Question.read(lake, sql.format(table, table))
        told = str(question.run(lake, Permission(shipments=open_))[1])
    except TableRefused as refusal:
        told = str(refusal)
    for partner, _, shipment in there:
        if (partner, shipment) not in open_:
            assert f"secret of {shipment}" not in told


@settings(max_examples=60, deadline=None)
@given(
    catalog=st.sampled_from(("", "lake.", "LAKE.", "permitted.", "memory.", "system.", "temp.")),
    schema=st.sampled_from(("", "landed.", '"LANDED".', "current.", "main.", "rules.", "public.")),
    name=st.sampled_from(("plan", '"PLAN"', "refused", "cell", "cell_gain", "nothing")),
    wrap=st.sampled_from(
        (
            "from {}",
            "select count(*) from {}",
            "with x as (from {}) from x",
            "select (select count(*) from {})",
            "select 1 where exists (from {})",
            "summarize {}",
            "select 1 union all select count(*) from {}",
        )
    ),
)
def test_without_permission_nothing_is_seen(
    lake: Lake, catalog: str, schema: str, name: str, wrap: str
) -> None:
    """By whatever name: a question is refused, or there are no rows in what it asks about."""
    sql = wrap.format(catalog + schema + name)
    try:
        _, rows, _ = Question.read(lake, sql).run(lake, Permission())
    except TableRefused:
        return
    assert not catalog
    if sql.startswith("summarize"):
        assert {row[10] for row in rows} == {0}
    else:
        assert not any(value for row in rows for value in row if value != 1)
