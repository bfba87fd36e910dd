"""Every term of an agreement, as the two sides carry it out: the provider does what was agreed, and
the consumer refuses a provider that does not."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from tests.scenarios.crook import FORECAST, all_goes_on, receipt_of, ship, take_one
from tests.scenarios.pair import BUYER, SUPPLIER, Company, Pair, agreement_id

from tillit.agreement.language import read
from tillit.agreement.new import draft
from tillit.cli import cli
from tillit.errors import AgreementRefused, ContractRefused, TableRefused
from tillit.exchange.agreements import propose, sign
from tillit.exchange.deliver import deliver
from tillit.exchange.open import open_sealed
from tillit.exchange.publish import Published, publish
from tillit.exchange.reciprocity import returned
from tillit.ledger.bodies import ShipmentBody
from tillit.model import Agreement, Cadence, Every, isoformat

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2090, 1, 1, tzinfo=UTC)


def wording(pair: Pair, name: str, columns: dict[str, Any] | None = None, **terms: Any) -> bytes:
    """The buyer shares its forecasts under these terms; columns that are not named are clear."""
    text = draft(
        BUYER,
        SUPPLIER,
        pair.buyer.home.kinds[FORECAST],
        LONG_AGO,
        FAR_OFF,
        Cadence(Every.WEEK, 552.0),
        ["capacity-planning"],
        agreement_id=f"{BUYER}--{SUPPLIER}.{name}",
    )
    for column, treatment in (columns or {}).items():
        said = yaml.safe_dump(treatment, default_flow_style=True).replace("...", "").strip()
        text, changed = re.subn(rf"(?m)^(    {column}:) \w+", rf"\1 {said}", text)
        assert changed == 1, column
    for term, value in terms.items():
        said = yaml.safe_dump(value, default_flow_style=True, width=9999).replace("\n...", "")
        text += f"  {term}: {said}"
    return text.encode()


def agreed(pair: Pair, text: bytes) -> Agreement:
    """Both sign, and both know."""
    for company, other in (pair.both, pair.both[::-1]):
        sign(company.home, text, now=pair.later())
        deliver(company.home, now=pair.later(timedelta(minutes=1)))
        other.receive(now=pair.now)
    return read(text)


def exchanged(
    pair: Pair, found: Agreement, *, revision: int = 1
) -> tuple[Published, list[dict[str, Any]]]:
    """The buyer publishes, the supplier takes it; what landed of it."""
    made = publish(pair.buyer.home, found.id, now=pair.later(), revision=revision)
    outcome = take_one(pair.supplier, pair)
    assert outcome.result == "accepted", outcome.reason
    pair.buyer.receive(now=pair.later())
    return made, landed(pair.supplier, made)


def landed(company: Company, made: Published) -> list[dict[str, Any]]:
    relation = company.home.lake.connection.sql(
        "select * from landed.demand_forecast where shipment_id = ?", params=[made.shipment_id]
    )
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def own(company: Company) -> list[dict[str, Any]]:
    table = pq.read_table(company.source(FORECAST))
    return [row for row in table.to_pylist() if row["partner"] == SUPPLIER]


def opened(pair: Pair, found: Agreement) -> bytes:
    """The bytes of a shipment of the buyer's as the supplier finds them when it opens it."""
    made = publish(pair.buyer.home, found.id, now=pair.later())
    (entry,) = pair.buyer.statements(type="shipment", shipment=made.shipment_id)
    body = entry.statement.body
    assert isinstance(body, ShipmentBody)
    with open_sealed(pair.supplier.home, BUYER, body.payload) as parquet:
        plain = pq.read_table(parquet)
        with tempfile.TemporaryDirectory() as folder:
            # Without compression and dictionaries every text stands in the file as it is.
            path = Path(folder, "plain.parquet")
            pq.write_table(plain, path, compression="none", use_dictionary=False)
            content = path.read_bytes() + parquet.read_bytes()
    take_one(pair.supplier, pair)
    return content


def refused(code: str, act: Callable[[], object]) -> str:
    with pytest.raises(AgreementRefused) as raised:
        act()
    assert raised.value.code == f"agreement.{code}"
    return str(raised.value)


def turned_down(pair: Pair, shipment_id: str, code: str) -> None:
    """The supplier refuses the shipment, nothing of it lands, and the buyer is told why."""
    outcome = take_one(pair.supplier, pair)
    assert (outcome.result, outcome.code) == ("refused", code)
    assert not pair.supplier.rows(
        "select 1 from landed.demand_forecast where shipment_id = ?", [shipment_id]
    )
    pair.buyer.receive(now=pair.later())
    assert receipt_of(pair.buyer, shipment_id) == code


def reasons(pair: Pair, shipment_id: str) -> dict[str, int]:
    """Why the supplier refused rows of a shipment, as it told the buyer."""
    (receipt,) = pair.buyer.statements(type="receipt", shipment=shipment_id)
    return {r.rule: r.rows for r in receipt.statement.body.reasons}


# ---- columns ------------------------------------------------------------------------------------


TREATED = {
    "item_id": "pseudonym",
    "quantity": {"rounded": 100},
    "quantity_low": {"banded": [0, 500, 1000]},
    "quantity_high": "withheld",
    "note": "text-redacted",
}


def test_each_column_is_treated_before_anything_leaves(partners: Pair) -> None:
    partners.buyer.change_source(
        FORECAST,
        "select * replace ('call Kari at 22 33 44 55, kari@nordvik.no, www.nordvik.no' as note)"
        " from source",
    )
    found = agreed(partners, wording(partners, "treated", TREATED))
    made, rows = exchanged(partners, found)
    assert made.rows == len(rows) > 20

    before = own(partners.buyer)
    assert {r["quantity"] % 100 for r in rows} == {0}
    assert {r["quantity"] for r in rows} & {round(r["quantity"], -2) for r in before}
    assert {r["quantity_low"] for r in rows} <= {None, 0, 500, 1000}
    assert {r["quantity_high"] for r in rows} == {None}
    assert {r["note"] for r in rows} == {
        "call Kari at [redacted] [redacted] [redacted] [redacted] [redacted] [redacted]"
    }
    # As many pseudonyms as items, and none that can be found by hashing what one could guess.
    assert all(re.fullmatch("p-[a-z2-7]{26}", r["item_id"]) for r in rows)
    assert 1 < len({r["item_id"] for r in rows}) <= len({r["item_id"] for r in before})

    # What was done to each column stands in the statement, on both sides.
    for company in partners.both:
        (entry,) = company.statements(type="shipment", shipment=made.shipment_id)
        told = {c.name: c.treatment for c in entry.statement.body.columns}
        assert told["item_id"] == "pseudonym"
        assert told["quantity"] == "rounded"
        assert told["note"] == "text-redacted"
        assert "quantity_high" not in told


def test_nothing_of_what_was_withheld_or_replaced_is_in_the_opened_bytes(partners: Pair) -> None:
    secret = "Kari-3a91b2"
    partners.buyer.change_source(
        FORECAST,
        f"select * replace ('{secret}' as note, 'S-{secret}' as supplier_item_id) from source",
    )
    for treatment in ("withheld", "text-redacted"):
        columns = {"note": treatment, "supplier_item_id": "pseudonym", "item_id": "pseudonym"}
        content = opened(
            partners, agreed(partners, wording(partners, f"bytes.{treatment}", columns))
        )
        assert secret.encode() not in content
        for item in {r["item_id"] for r in own(partners.buyer)}:
            assert item.encode() not in content
    clear = agreed(partners, wording(partners, "bytes.clear", {"note": "clear"}))
    assert secret.encode() in opened(partners, clear)  # the test would see it


def written_at_home(company: Company) -> set[str]:
    """Columns of the rows as the last publication wrote them before it sealed them."""
    (spill,) = company.rows("select current_setting('temp_directory')")[0]
    return set(pq.read_schema(Path(spill).with_name("outbound.parquet")).names)


def test_what_is_withheld_is_not_even_written(partners: Pair) -> None:
    found = agreed(partners, wording(partners, "unwritten", TREATED))
    exchanged(partners, found)
    written = written_at_home(partners.buyer)
    assert {"item_id", "quantity"} <= written
    assert "quantity_high" not in written


# One row's key again; what a rule forbids, in a column that is withheld, and in one that is banded;
# and the name of an item, which leaves as a pseudonym.
ONE = """partner = 'fjordstal' and period_start = date '2025-02-24' and (item_id, ship_to) = (
    select min((item_id, ship_to)) from source where partner = 'fjordstal'
)"""
STAYS = {
    "twice": (f"select * from source union all by name select * from source where {ONE}", "key", 2),
    "withheld": (
        f"select * replace (if({ONE}, -1, quantity_high) as quantity_high) from source",
        "range:quantity_high",
        1,
    ),
    "banded": (
        f"select * replace (if({ONE}, -1, quantity_low) as quantity_low) from source",
        "range:quantity_low",
        1,
    ),
    "pseudonym": (
        f"select * replace (if({ONE}, '', item_id) as item_id) from source",
        "length:item_id",
        1,
    ),
}


@pytest.mark.parametrize("name", STAYS)
def test_a_row_that_breaks_a_rule_stays_though_it_would_have_left_changed(
    partners: Pair, name: str
) -> None:
    select, rule, rows = STAYS[name]
    found = agreed(partners, wording(partners, f"stays.{name}", TREATED))
    source = partners.buyer.source(FORECAST)
    before = source.read_bytes()
    _, everything = exchanged(partners, found)
    assert "quantity_high" not in written_at_home(partners.buyer)
    try:
        partners.buyer.change_source(FORECAST, select)
        made, landed = exchanged(partners, found, revision=2)
    finally:
        source.write_bytes(before)
    assert made.stopped == rows
    assert rule in {reason.rule for reason in made.reasons}
    # It is kept here as it was, and what left is treated as ever.
    kept = partners.buyer.rows(
        "select row from quarantine.stopped where shipment_id = ?", [made.shipment_id]
    )
    assert {json.loads(row)["item_id"] for (row,) in kept} <= {
        *(row["item_id"] for row in own(partners.buyer)),
        "",
    }
    assert len(landed) == len(everything) - 1
    assert {row["item_id"] for row in landed} <= {row["item_id"] for row in everything}
    # After a bad row rows are written first and treated then; when all are good again, at once.
    for revision, withheld in ((3, True), (4, False)):
        again, landed = exchanged(partners, found, revision=revision)
        assert (again.stopped, len(landed)) == (0, len(everything))
        assert ("quantity_high" in written_at_home(partners.buyer)) is withheld


def test_a_pseudonym_stays_and_is_like_no_other_partners(partners: Pair) -> None:
    found = agreed(partners, wording(partners, "again", {"item_id": "pseudonym"}))
    _, first = exchanged(partners, found)
    partners.later(timedelta(days=7))
    _, second = exchanged(partners, found)
    items = {r["item_id"] for r in first}
    assert items == {r["item_id"] for r in second}
    keys = partners.buyer.home.keys
    item = next(iter(own(partners.buyer)))["item_id"]
    assert keys.pseudonyms(SUPPLIER).of("item_id", item) in items
    assert keys.pseudonyms("havglass").of("item_id", item) not in items
    assert partners.supplier.home.keys.pseudonyms(SUPPLIER).of("item_id", item) not in items


def test_a_row_that_was_not_treated_is_refused_and_goes_back(partners: Pair) -> None:
    columns = {"quantity": {"rounded": 100}, "item_id": "pseudonym"}
    found = agreed(partners, wording(partners, "untreated", columns))
    shipment_id = ship(partners, agreed=found.id)
    turned_down(partners, shipment_id, "table.all-rows-refused")
    why = reasons(partners, shipment_id)
    assert why["treated:item_id"] == max(why.values())
    assert why["treated:quantity"] > 0
    all_goes_on(partners)


def test_saying_that_it_was_treated_otherwise_is_refused_as_a_whole(partners: Pair) -> None:
    found = agreed(partners, wording(partners, "told", {"quantity": {"rounded": 100}}))

    def lie(body: ShipmentBody) -> ShipmentBody:
        columns = tuple(replace(c, treatment="clear") for c in body.columns)
        return replace(body, columns=columns)

    turned_down(partners, ship(partners, agreed=found.id, lie=lie), "agreement.treatment")


def test_what_lies_above_the_ceiling_is_withheld_whatever_columns_say(partners: Pair) -> None:
    text = wording(partners, "ceiling", classificationCeiling="internal")
    found = agreed(partners, text)
    made, rows = exchanged(partners, found)
    (entry,) = partners.supplier.statements(type="shipment", shipment=made.shipment_id)
    kind = partners.buyer.home.kinds[FORECAST]
    named = {c.name for c in entry.statement.body.columns}
    assert named == {c.name for c in kind.columns if c.level <= 2}
    assert {r["quantity"] for r in rows} == {None}

    # A provider that sends them all the same is refused.
    def lie(body: ShipmentBody) -> ShipmentBody:
        more = replace(body.columns[0], name="quantity", type="DECIMAL(18,3)")
        return replace(body, columns=(*body.columns, more))

    code = "agreement.column-not-permitted"
    turned_down(partners, ship(partners, agreed=found.id, lie=lie), code)


# ---- rows ---------------------------------------------------------------------------------------


def test_only_rows_that_were_agreed_leave(partners: Pair) -> None:
    found = agreed(
        partners, wording(partners, "filter", rows="quantity >= 500 and unit is not null")
    )
    _, rows = exchanged(partners, found)
    assert rows
    assert min(r["quantity"] for r in rows) >= 500
    assert min(r["quantity"] for r in own(partners.buyer)) < 500

    shipment_id = ship(partners, agreed=found.id)
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.accepted) == ("partly", len(rows))
    partners.buyer.receive(now=partners.later())
    assert reasons(partners, shipment_id) == {"agreed:rows": outcome.refused}
    assert not partners.supplier.rows(
        "select 1 from landed.demand_forecast where agreement_id = ? and quantity < 500", [found.id]
    )


def test_when_no_row_is_inside_nothing_leaves(partners: Pair) -> None:
    found = agreed(partners, wording(partners, "nothing", rows="quantity < 0"))
    with pytest.raises(TableRefused) as raised:
        publish(partners.buyer.home, found.id, now=partners.later())
    assert raised.value.code == "table.empty"


@pytest.mark.parametrize(
    "rows",
    [
        "quantity > (select 0)",
        "read_text('/etc/passwd') is not null",
        "getenv('HOME') = 'x'",
        "quantity > 0; drop table x",
        "note = (select max(note) from landed.demand_forecast)",
        "now() > period_start",
        "random() < 0.5",
        "no_such_column = 1",
        "exists (select 1)",
        "1 = 1",
    ],
)
def test_a_filter_that_does_more_than_compare_is_no_agreement(partners: Pair, rows: str) -> None:
    text = wording(partners, "hostile", rows=rows)
    with pytest.raises(ContractRefused):
        propose(partners.buyer.home, text, now=partners.later())


# ---- groups -------------------------------------------------------------------------------------


def test_small_groups_do_not_leave_nor_what_gives_them_away(partners: Pair) -> None:
    weeks = {r["period_start"] for r in own(partners.buyer)}
    _, everything = exchanged(partners, agreed(partners, wording(partners, "groups.all")))
    smallest = min(r["quantity"] for r in everything)
    term = {"size": int(smallest) + 1, "count": "quantity", "within": ["period_start"]}
    found = agreed(partners, wording(partners, "groups", minimumGroup=term))
    _, rows = exchanged(partners, found)
    assert min(r["quantity"] for r in rows) > smallest
    for week in weeks:
        there = [r for r in everything if r["period_start"] == week]
        left = [r for r in rows if r["period_start"] == week]
        gone = len(there) - len(left)
        # Never exactly one of a week's rows: it would be the total less the others.
        assert gone != 1 or len(there) == 1
        hidden = sum(r["quantity"] for r in there) - sum(r["quantity"] for r in left)
        assert gone == 0 or not left or hidden >= term["size"]

    shipment_id = ship(partners, agreed=found.id)
    outcome = take_one(partners.supplier, partners)
    assert outcome.result == "partly"
    partners.buyer.receive(now=partners.later())
    small = [r for r in everything if r["quantity"] < term["size"]]
    assert reasons(partners, shipment_id) == {"agreed:minimumGroup": len(small)}


# ---- time and amount ----------------------------------------------------------------------------


def test_nothing_leaves_before_the_embargo_and_nothing_is_taken(partners: Pair) -> None:
    found = agreed(partners, wording(partners, "embargo", embargo={"hoursBeforeCutOff": 2}))
    period = found.cadence.next_due(partners.later())
    said = refused("embargo", lambda: publish(partners.buyer.home, found.id, now=partners.now))
    earliest = period.cut_off - timedelta(hours=2)
    assert isoformat(earliest) in said
    turned_down(partners, ship(partners, agreed=found.id), "agreement.embargo")
    partners.now = earliest
    made, _ = exchanged(partners, found)
    assert made.rows


def test_a_period_that_is_none_of_the_cadence_is_refused(partners: Pair) -> None:
    """Else a provider could say when it was due, and never be late."""

    def lie(body: ShipmentBody) -> ShipmentBody:
        later = replace(body.period, cut_off=body.period.cut_off + timedelta(days=300))
        return replace(body, period=later)

    turned_down(partners, ship(partners, lie=lie), "statement.agreement-mismatch")
    all_goes_on(partners)


@pytest.mark.parametrize("limit", ["rowsPerShipment", "bytesPerShipment"])
def test_no_more_leaves_than_agreed_and_no_more_is_taken(partners: Pair, limit: str) -> None:
    found = agreed(partners, wording(partners, limit.lower(), volume={limit: 20}))
    left = len(list(partners.buyer.home.place("outbox").glob("*.age")))
    said = refused("volume", lambda: publish(partners.buyer.home, found.id, now=partners.later()))
    assert f"{limit}; expected at most 20" in said
    assert len(list(partners.buyer.home.place("outbox").glob("*.age"))) == left
    turned_down(partners, ship(partners, agreed=found.id), "agreement.volume")


def test_no_more_shipments_of_a_period_than_agreed(partners: Pair) -> None:
    found = agreed(partners, wording(partners, "often", volume={"shipmentsPerPeriod": 2}))
    buyer = partners.buyer.home
    due_at = partners.later()  # of one period, however late in a week it has become
    for revision in (1, 2):
        publish(buyer, found.id, now=partners.later(), revision=revision, due_at=due_at)
        assert take_one(partners.supplier, partners).result == "accepted"

    def again(revision: int) -> Published:
        now = partners.later()
        return publish(buyer, found.id, now=now, revision=revision, due_at=due_at)

    # The same again is no other shipment.
    assert again(2).repeated
    refused("volume", lambda: again(3))
    turned_down(partners, ship(partners, agreed=found.id), "agreement.volume")


# ---- in return ----------------------------------------------------------------------------------


def test_publishing_pauses_while_nothing_comes_in_return(pair: Pair) -> None:
    commitment = agreement_id(SUPPLIER, "delivery_commitment")
    term = {"inReturnFor": commitment, "overdueCadences": 1}
    found = agreed(pair, wording(pair, "return", reciprocity=term))
    pair.later(timedelta(days=21))
    pair.supplier.publish("delivery_commitment", now=pair.later())
    pair.buyer.receive(now=pair.later())
    assert publish(pair.buyer.home, found.id, now=pair.later()).rows
    pair.supplier.receive(now=pair.later())

    # The supplier falls silent for three weeks: more than one cadence is overdue.
    pair.later(timedelta(days=21))
    said = refused("reciprocity", lambda: publish(pair.buyer.home, found.id, now=pair.later()))
    assert commitment in said
    held = returned(pair.buyer.home, found, pair.now)
    assert held is not None
    assert held.overdue >= 2
    assert not held.kept
    shown = CliRunner().invoke(
        cli,
        [
            *("--home", str(pair.buyer.home.folder), "agreement", "show", found.id),
            *("--now", isoformat(pair.now), "--json"),
        ],
    )
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)["in_return"]
    assert (told["agreement"], told["kept"]) == (commitment, False)
    assert told["says"] == f"{held.overdue} of at most 1 cadences overdue; publishing pauses"
    # Both are told.
    deliver(pair.buyer.home, now=pair.later())
    pair.supplier.receive(now=pair.later())
    for company in pair.both:
        notices = [e.statement.body for e in company.statements(type="notice")]
        assert [n.code for n in notices].count("agreement.reciprocity") >= 1

    # It speaks again, and so does the buyer.
    pair.supplier.publish("delivery_commitment", now=pair.later())
    pair.buyer.receive(now=pair.later())
    assert publish(pair.buyer.home, found.id, now=pair.later()).rows


def test_nothing_is_shared_in_return_for_what_was_never_agreed(partners: Pair) -> None:
    term = {"inReturnFor": f"{SUPPLIER}--{BUYER}.nothing", "overdueCadences": 1}
    found = agreed(partners, wording(partners, "return.nothing", reciprocity=term))
    refused("reciprocity", lambda: publish(partners.buyer.home, found.id, now=partners.later()))
    partners.supplier.receive(now=partners.later())
