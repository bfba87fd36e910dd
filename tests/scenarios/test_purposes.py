"""What arrived is used for what was agreed, goes on only to whom was agreed, and each use of it is on
record; whatever the question is written like."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.scenarios.crook import FORECAST, ship, take_one, under, with_a_bad_row
from tests.scenarios.pair import BUYER, SUPPLIER, Pair
from tests.scenarios.test_terms import agreed, exchanged, wording

from tillit.errors import (
    AgreementRefused,
    DatabaseUnavailable,
    Refusal,
    TableRefused,
    UsageError,
)
from tillit.exchange.audit import VIEWS
from tillit.exchange.custody import keep_custody
from tillit.exchange.duties import duties
from tillit.exchange.publish import Published
from tillit.exchange.use import Answer, ask, export
from tillit.home import Home
from tillit.lake import Question
from tillit.ledger.bodies import AgreementRef, UseBody
from tillit.model import Agreement

PLANNING, BILLING = "capacity-planning", "billing"


def for_purposes(pair: Pair, name: str, *purposes: str, **terms: Any) -> bytes:
    """Forecasts that may be used for these purposes."""
    text = wording(pair, name, **terms)
    said = "".join(f"    - {purpose}\n" for purpose in purposes).encode()
    agreed_purpose = b"    - capacity-planning\n"
    assert text.count(agreed_purpose) == 1
    return text.replace(agreed_purpose, said)


def planned(pair: Pair, name: str, *purposes: str, **terms: Any) -> tuple[Agreement, Published]:
    """An agreement with these purposes and a shipment under it that has landed."""
    found = agreed(pair, for_purposes(pair, name, *purposes, **terms))
    made, _ = exchanged(pair, found)
    return found, made


def asked(pair: Pair, sql: str, purpose: str | None = PLANNING, **how: Any) -> Answer:
    return ask(pair.supplier.home, sql, purpose=purpose, now=pair.later(), **how)


def uses(pair: Pair) -> list[UseBody]:
    """What the supplier's own chain says of its uses, oldest first."""
    entries = pair.supplier.statements(type="use")
    assert {(e.author, e.recipient) for e in entries} <= {(SUPPLIER, SUPPLIER)}
    return [entry.statement.body for entry in entries]


def refused(act: Callable[[], object], code: str = "agreement.purpose") -> str:
    with pytest.raises(Refusal) as raised:
        act()
    assert raised.value.code == code
    return str(raised.value)


# ---- for a purpose ------------------------------------------------------------------------------


def test_rows_are_seen_for_the_purposes_of_their_agreement(partners: Pair) -> None:
    planning, a = planned(partners, "planning", PLANNING)
    both, b = planned(partners, "both", PLANNING, BILLING)
    count = "select agreement_id, count(*) from landed.demand_forecast group by 1"
    mine = f"{count} having agreement_id in ('{planning.id}', '{both.id}') order by 1"

    everything = asked(partners, mine)
    assert everything.rows == [(both.id, b.rows), (planning.id, a.rows)]
    assert not {planning.id, both.id} & set(everything.left_out)

    billed = asked(partners, mine, BILLING)
    assert billed.rows == [(both.id, b.rows)]
    assert planning.id in billed.left_out
    assert both.id in billed.agreements
    # However the table is named.
    for sql in (
        "select distinct agreement_id from landed.demand_forecast",
        "select distinct agreement_id from demand_forecast",
        'select distinct agreement_id from "LANDED"."Demand_Forecast"',
        "select distinct agreement_id from current.demand_forecast",
        "select distinct agreement_id from as_of.demand_forecast('2090-01-01')",
        "with x as (from landed.demand_forecast) select distinct agreement_id from x",
        "select agreement_id from (from landed.demand_forecast) group by all",
        "select distinct (select max(agreement_id) from landed.demand_forecast)",
        (
            "select distinct f.agreement_id from landed.demand_forecast f "
            "semi join landed.demand_forecast g using (item_id)"
        ),
        "select distinct agreement_id from range(1), lateral (from landed.demand_forecast)",
        (
            "from (select agreement_id from landed.demand_forecast union "
            "select agreement_id from landed.demand_forecast)"
        ),
    ):
        assert {row[0] for row in asked(partners, sql, BILLING).rows} <= {both.id}, sql
        assert planning.id in asked(partners, sql, BILLING).left_out


def test_a_purpose_that_nobody_agreed_to_is_refused_and_that_is_on_record(partners: Pair) -> None:
    planned(partners, "refusing", PLANNING)
    sql = "select sum(quantity) from landed.demand_forecast"
    before = len(uses(partners))
    told = refused(lambda: asked(partners, sql, "finding other suppliers"))
    assert "finding other suppliers" in told
    assert PLANNING in refused(lambda: asked(partners, sql, None))
    allowed = asked(partners, sql)
    assert allowed.rows[0][0] > 0
    first, second, third = uses(partners)[before:]
    digest = hashlib.sha256(sql.encode()).hexdigest()
    assert {use.question for use in (first, second, third)} == {digest}
    assert (first.outcome, first.code) == ("refused", "agreement.purpose")
    assert (first.purpose, second.purpose) == ("finding other suppliers", None)
    assert (third.outcome, third.code, third.rows) == ("allowed", None, 1)
    assert third.tables == (FORECAST,)
    assert third.agreements == allowed.agreements
    # The words of the question are the asker's business.
    assert "sum(quantity)" not in str(third)


def test_what_a_later_version_allows_does_not_hold_for_what_came_before(partners: Pair) -> None:
    first, before = planned(partners, "widened", PLANNING)
    text = for_purposes(partners, "widened", PLANNING, BILLING).replace(b"1.0.0", b"2.0.0", 1)
    second = agreed(partners, text)
    assert (second.id, second.version) == (first.id, "2.0.0")
    partners.later(timedelta(days=7))
    after, _ = exchanged(partners, second)
    sql = (
        "select shipment_id, count(*) from landed.demand_forecast "
        f"where agreement_id = '{first.id}' group by 1 order by 1"
    )
    seen = dict(asked(partners, sql).rows)
    assert seen == {before.shipment_id: before.rows, after.shipment_id: after.rows}
    assert dict(asked(partners, sql, BILLING).rows) == {after.shipment_id: after.rows}


def test_rows_that_were_refused_are_the_partners_too(partners: Pair) -> None:
    found = agreed(partners, for_purposes(partners, "quarantined", PLANNING))
    ref = AgreementRef(found.id, found.version, found.digest)
    shipment_id = ship(partners, spoil=with_a_bad_row, lie=lambda body: under(body, ref))
    assert take_one(partners.supplier, partners).refused == 1
    partners.buyer.receive(now=partners.later())
    for name in ("quarantine.refused", "refused"):
        sql = f"select count(*) from {name} where shipment_id = '{shipment_id}'"
        assert asked(partners, sql).rows == [(1,)]
        refused(lambda sql=sql: asked(partners, sql, "gossip"))  # type: ignore[misc]


def test_our_own_and_what_is_known_of_exchanges_needs_no_purpose(partners: Pair) -> None:
    before = len(uses(partners))
    for sql in (
        "select 1",
        "select count(*) from own.delivery",
        "select count(*) from exchange.shipments",
    ):
        assert len(asked(partners, sql, None).rows) == 1
    assert len(uses(partners)) == before


@pytest.mark.parametrize(
    "sql",
    [
        "from lake.landed.demand_forecast",
        "from permitted.landed.demand_forecast",
        "from permitted.rules.agreement",
        "from lake.as_of.demand_forecast('2090-01-01')",
        "from lake.quarantine.refused",
        "with demand_forecast as (select 1 as a) from demand_forecast",
        "from trust.cell",
        "from cell",
        "from trust.a_mart_of_tomorrow",
        "select count(*) from lake.trust.cell_gain",
        "select stats(quantity) from landed.demand_forecast",
        "select quantity.stats() from (from landed.demand_forecast)",
        "from landed.demand_forecast at (version => 1)",
        'from landed."demand forecast"',
        "from audit.incoming",
        "from temp.main.shipment",
        "from query('from lake.landed.demand_forecast')",
        "select write_log('x')",
        "from __ducklake_metadata_lake.main.ducklake_table",
        "from postgres_db.public.statements",
        "from rules.agreement",
        "delete from landed.demand_forecast",
        "summarize lake.landed.demand_forecast",
        "describe lake.landed.demand_forecast",
        "from query_table('lake.landed.demand_forecast')",
        "from parquet_scan('*')",
        "from duckdb_settings()",
        "from '/etc/passwd'",
        "from read_text('/etc/passwd')",
    ],
)
def test_there_is_no_way_round(partners: Pair, sql: str) -> None:
    before = len(uses(partners))
    with pytest.raises(TableRefused) as raised:
        asked(partners, sql)
    # Who looks for one stands in the record; who only mistyped does not.
    after = uses(partners)[before:]
    assert [use.code for use in after] == [raised.value.code] * len(after)
    assert len(after) == (raised.value.code == "table.closed" or "at (version" in sql)


def test_a_question_that_fails_while_it_looks_is_on_record_too(partners: Pair) -> None:
    planned(partners, "failing", PLANNING)
    with pytest.raises(TableRefused):
        asked(partners, "select item_id::integer from landed.demand_forecast")
    last = uses(partners)[-1]
    assert (last.outcome, last.code, last.tables) == ("refused", "table.query", (FORECAST,))


def test_fewer_agreements_can_be_named_and_none_that_gave_nothing(partners: Pair) -> None:
    one, a = planned(partners, "one", PLANNING)
    two, b = planned(partners, "two", PLANNING)
    sql = "select agreement_id, count(*) from landed.demand_forecast group by 1 order by 1"
    answer = asked(partners, sql, only=[one.id])
    assert answer.rows == [(one.id, a.rows)]
    assert (answer.agreements, answer.left_out) == ((one.id,), ())
    answer = asked(partners, sql, only=[two.id, one.id])
    assert answer.rows == [(one.id, a.rows), (two.id, b.rows)]
    with pytest.raises(UsageError, match="nothing that is asked for came under"):
        asked(partners, sql, only=[one.id, "nordvik--fjordstal.nothing"])
    # It narrows and never widens.
    refused(lambda: asked(partners, sql, "gossip", only=[one.id]))


def test_what_prepares_rows_for_a_partner_reads_nothing_of_another_partner(partners: Pair) -> None:
    home = partners.supplier.home
    own = home.folder / "transforms" / "outbound"
    shipped = (home.transforms / "outbound" / "delivery_commitment.sql").read_text()
    own.mkdir(parents=True)
    at = partners.later()
    for reads in (
        "landed.demand_forecast",
        "demand_forecast",
        "lake.landed.demand_forecast",
        "as_of.demand_forecast('2090-01-01')",
        "query('from lake.landed.demand_forecast')",
        "quarantine.refused",
        "derived.total",
        "trust.cell",
    ):
        text = shipped.replace("select * from run", f"select run.* from run, {reads}")
        assert text != shipped
        (own / "delivery_commitment.sql").write_text(text)
        told = refused(
            lambda: partners.supplier.publish("delivery_commitment", now=at),
            "agreement.onward-sharing",
        )
        assert "source_" in told
    (own / "delivery_commitment.sql").write_text(shipped)
    assert partners.supplier.publish("delivery_commitment", now=partners.later()).rows
    partners.buyer.receive(now=partners.later())
    partners.supplier.receive(now=partners.later())


# ---- what is made of it -------------------------------------------------------------------------


def test_what_is_made_of_it_stays_under_what_it_was_made_of(partners: Pair) -> None:
    found, _ = planned(partners, "derived", PLANNING, BILLING)
    total = f"select sum(quantity) as q from landed.demand_forecast where agreement_id='{found.id}'"
    sole = "select 3 as q"
    asked(partners, total, BILLING, into="total")
    asked(partners, "from derived.total union all " + sole, BILLING, into="more")
    asked(partners, sole, None, into="sole")
    assert len(asked(partners, "from derived.more", BILLING).rows) == 2
    # What is made of our own alone is our own.
    assert asked(partners, "from derived.sole", None).rows == [(3,)]
    for table in ("total", "more"):
        refused(lambda t=table: asked(partners, f"from derived.{t}", "gossip"))  # type: ignore[misc]
        refused(lambda t=table: asked(partners, f"from derived.{t}", None))  # type: ignore[misc]
    with pytest.raises(UsageError, match="there is a table"):
        asked(partners, total, BILLING, into="total")
    with pytest.raises(UsageError, match="name"):
        asked(partners, total, BILLING, into="x; drop table landed.order")


def test_what_was_made_for_a_purpose_serves_it_though_another_version_does_not(
    partners: Pair,
) -> None:
    first, _ = planned(partners, "renewed", PLANNING)
    text = for_purposes(partners, "renewed", PLANNING, "renewal").replace(b"1.0.0", b"2.0.0", 1)
    second = agreed(partners, text)
    partners.later(timedelta(days=7))
    after, _ = exchanged(partners, second)
    asked(partners, "from landed.demand_forecast", "renewal", into="renewal", only=[first.id])
    assert len(asked(partners, "from derived.renewal", "renewal").rows) == after.rows
    assert len(asked(partners, "from derived.renewal", PLANNING).rows) == after.rows
    refused(lambda: asked(partners, "from derived.renewal", "gossip"))


def test_nothing_is_derived_while_somebody_deletes(
    partners: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else rows that a certificate says are gone could come back as a derived table."""
    planned(partners, "held", PLANNING)
    home, run = partners.supplier.home, Question.run

    def looking(*arguments: Any) -> Any:
        with (
            pytest.raises(DatabaseUnavailable, match="custody"),
            home.database.lock("custody", timeout_s=0.05),
        ):
            raise AssertionError("deleting meanwhile")
        return run(*arguments)

    monkeypatch.setattr(Question, "run", looking)
    asked(partners, "from landed.demand_forecast", into="meanwhile")
    # Two may derive at once.
    with home.database.lock("custody", timeout_s=1, shared=True):
        asked(partners, "from landed.demand_forecast", into="meanwhile", replace=True)


def test_it_goes_on_only_to_whom_was_agreed(partners: Pair, tmp_path: Path) -> None:
    home = partners.supplier.home
    _, free = planned(partners, "onward", "costing", onwardSharing=["brattplast"])
    asked(partners, "from landed.demand_forecast", "costing", into="onward")
    file = tmp_path / "onward.parquet"
    written = export(home, "onward", "brattplast", file, now=partners.later())
    assert written.rows == pq.read_metadata(file).num_rows == free.rows
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="already"):
        export(home, "onward", "brattplast", file, now=partners.later())

    # Back to whom it came from it may go; on to anybody else it may not, and no file is made.
    export(home, "onward", BUYER, tmp_path / "back.parquet", now=partners.later())
    elsewhere = tmp_path / "elsewhere.parquet"
    told = refused(
        lambda: export(home, "derived.onward", "havglass", elsewhere, now=partners.later()),
        "agreement.onward-sharing",
    )
    assert "brattplast" in told
    assert not elsewhere.exists()
    last, first = uses(partners)[-1], uses(partners)[-3]
    assert (last.outcome, last.code, last.to) == ("refused", "agreement.onward-sharing", "havglass")
    assert (first.outcome, first.to, first.rows) == ("allowed", "brattplast", free.rows)

    # One agreement of several that does not let it is enough.
    planned(partners, "no-onward", "costing")
    asked(partners, "from landed.demand_forecast", "costing", into="mixed")
    with pytest.raises(AgreementRefused, match="no-onward"):
        export(home, "mixed", "brattplast", elsewhere, now=partners.later())
    assert not elsewhere.exists()
    with pytest.raises(UsageError, match="only a derived table"):
        export(home, "landed.demand_forecast", "brattplast", elsewhere, now=partners.later())
    with pytest.raises(UsageError, match="cannot be written"):
        export(home, "onward", "brattplast", tmp_path / "no" / "x", now=partners.later())
    with pytest.raises(UsageError, match="party"):
        export(home, "onward", "Brattplast AS", elsewhere, now=partners.later())

    # What came under a text that nobody holds goes nowhere.
    home.lake.connection.execute(
        "update lake.exchange.derivations set agreement_digest = repeat('0', 64) where name = 'onward'"
    )
    refused(
        lambda: export(home, "onward", "brattplast", elsewhere, now=partners.later()),
        "agreement.missing",
    )
    refused(lambda: asked(partners, "from derived.onward", "costing"), "agreement.missing")
    assert not elsewhere.exists()


def test_what_was_made_of_it_goes_when_it_goes(partners: Pair) -> None:
    home = partners.supplier.home
    found, made = planned(partners, "short", "short-look", retention={"days": 1})
    secret = "'KEPT-' || upper('a-value')"
    sql = f"select *, {secret} as secret from landed.demand_forecast"
    asked(partners, sql, "short-look", into="look")
    asked(partners, f"select {secret} as older", "short-look", into="again")
    asked(partners, sql, "short-look", into="again", replace=True)
    asked(partners, "select 3 as q", None, into="again", replace=True)
    asked(partners, "select 3 as q", None, into="stays")
    assert "KEPT-A-VALUE" in catalog(home)  # the test would see it
    (due,) = [d for d in duties(home) if d.holding.agreement_id == found.id]
    partners.now = max(partners.now, due.delete_by)
    kept = keep_custody(home, now=partners.now)
    assert "look" in kept.derived
    assert not {"stays", "again"} & set(kept.derived)
    with pytest.raises(TableRefused):
        asked(partners, "from derived.look", "short-look")
    assert asked(partners, "from derived.stays", None).rows == [(3,)]
    assert made.shipment_id in {name for c in kept.certificates for name in c.shipments}
    # Neither file nor key of it, nor what the catalog knew of its values, is left.
    assert "KEPT-A-VALUE" not in catalog(home)
    folder = home.folder / "lake"
    left = {path.name for path in folder.rglob("*.parquet") if "derived" in path.parts}
    assert left == {
        path.rsplit("/", 1)[-1]
        for (path,) in home.lake.connection.execute(
            "select f.path from __ducklake_metadata_lake.ducklake_data_file as f "
            "join __ducklake_metadata_lake.ducklake_table as t using (table_id) "
            "join __ducklake_metadata_lake.ducklake_schema as s using (schema_id) "
            "where s.schema_name = 'derived' and t.end_snapshot is null"
        ).fetchall()
    }
    partners.buyer.receive(now=partners.later())


def catalog(home: Home) -> str:
    """All that the lake's catalog says, as text."""
    with home.lake._claims.catalog() as postgres, postgres.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relname like 'ducklake%' and relkind = 'r'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        said = []
        for table in tables:
            cursor.execute(f"select {table}::text from {table}")
            said += [text for (text,) in cursor.fetchall()]
    assert len(tables) > 10
    return "\n".join(said)


# ---- what an auditor sees -----------------------------------------------------------------------


def test_an_auditor_asks_what_was_shared_and_used_and_sees_no_row_without_a_purpose(
    partners: Pair,
) -> None:
    found, made = planned(partners, "audited", "auditing")
    text = for_purposes(partners, "audited", "auditing").replace(b"1.0.0", b"2.0.0", 1)
    agreed(partners, text)
    asked(partners, "select count(*) from landed.demand_forecast", "auditing")
    refused(lambda: asked(partners, "from landed.demand_forecast", "gossip"))
    before = len(uses(partners))
    for view in VIEWS:
        asked(partners, f"from audit.{view}", None)
    shipped = f"from audit.shipment where agreement_id = '{found.id}'"
    assert asked(partners, f"select shipment_id, rows_shared, outcome {shipped}", None).rows == [
        (made.shipment_id, made.rows, "accepted")
    ]
    used = "select outcome, purpose, tables_read, rows_used from audit.use order by used_at"
    assert asked(partners, used, None).rows[-2:] == [
        ("allowed", "auditing", [FORECAST], 1),
        ("refused", "gossip", [FORECAST], 0),
    ]
    # The newer version has taken the older one's place, so what is due is due once.
    due = (
        "select count(*), count(distinct period_start) from audit.punctuality "
        f"where agreement_id = '{found.id}' and state = 'missing'"
    )
    ((missing, periods),) = asked(partners, due, None).rows
    assert missing == periods > 0
    assert len(uses(partners)) == before
    # Beside an auditor's view a partner's rows are what they are elsewhere.
    both = "select 1 from audit.shipment join landed.demand_forecast using (shipment_id)"
    refused(lambda: asked(partners, both, None))
    assert len(asked(partners, both + " limit 1", "auditing").rows) == 1
