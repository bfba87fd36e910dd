"""What was shared for a time only: the consumer deletes it when it has to and says so, signed; the
provider sees who has, who has not, and takes nobody's word for what cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from tests.scenarios.crook import FORECAST, all_goes_on, ship, take_one, under, with_a_bad_row
from tests.scenarios.pair import BUYER, SUPPLIER, Pair

from tillit.agreement.language import read
from tillit.agreement.new import draft
from tillit.cli import cli
from tillit.errors import AgreementRefused, DatabaseUnavailable
from tillit.exchange import custody
from tillit.exchange.agreements import revoke, sign
from tillit.exchange.custody import keep_custody
from tillit.exchange.deliver import Delivered, deliver
from tillit.exchange.duties import duties, expected
from tillit.exchange.publish import publish
from tillit.exchange.record import send
from tillit.ledger.bodies import AgreementRef, Deleted, DeletionBody
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.model import Agreement, Cadence, Every

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2090, 1, 1, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def agreed(
    pair: Pair,
    name: str,
    *,
    days: int | None = 1,
    end: datetime = FAR_OFF,
    version: str = "1.0.0",
) -> Agreement:
    """The buyer shares its forecasts, and what arrives may be kept for so many days."""
    text = draft(
        *(BUYER, SUPPLIER, pair.buyer.home.kinds[FORECAST], LONG_AGO, end),
        *(Cadence(Every.WEEK, 552.0), ["capacity-planning"]),
        agreement_id=f"{BUYER}--{SUPPLIER}.{name}",
        version=version,
    )
    if days is not None:
        text += f"  retention: {{days: {days}}}\n"
    for company in pair.both:
        sign(company.home, text.encode(), now=pair.later())
        tell_each_other(pair)
    return read(text.encode())


def tell_each_other(pair: Pair) -> None:
    for company in pair.both:
        deliver(company.home, now=pair.now)
    for company in (*pair.both, *pair.both):
        company.receive(now=pair.later(MINUTE))


def shipped(pair: Pair, agreement: Agreement) -> str:
    """The buyer's forecast lands at the supplier, but for a row that it refuses; its id."""
    ref = ref_of(agreement)
    shipment_id = ship(pair, spoil=with_a_bad_row, lie=lambda body: under(body, ref))
    outcome = take_one(pair.supplier, pair)
    assert (outcome.result, outcome.refused) == ("partly", 1), outcome.reason
    pair.buyer.receive(now=pair.later())
    assert kept_of(pair, shipment_id) == rows_of(pair, shipment_id)
    return shipment_id


def ref_of(agreement: Agreement) -> AgreementRef:
    return AgreementRef(agreement.id, agreement.version, agreement.digest)


def rows_of(pair: Pair, shipment_id: str) -> int:
    (sent,) = pair.buyer.statements(type="shipment", shipment=shipment_id)
    return int(sent.rows)


def kept_of(pair: Pair, shipment_id: str) -> int:
    """Rows of a shipment that lie anywhere in the supplier's lake, good or refused."""
    asked = " + ".join(
        f"(select count(*) from {table} where shipment_id = $1)"
        for table in ("landed.demand_forecast", "quarantine.refused")
    )
    return int(pair.supplier.rows(f"select {asked}", [shipment_id])[0][0])


def due_at(pair: Pair, shipment_id: str) -> datetime:
    (duty,) = [d for d in duties(pair.supplier.home) if d.holding.shipment_id == shipment_id]
    return duty.delete_by


def seen_by_provider(pair: Pair, shipment_id: str) -> Any:
    (one,) = [e for e in expected(pair.buyer.home) if e.shipment_id == shipment_id]
    return one


def certificates(pair: Pair, shipment_id: str) -> list[Any]:
    """Statements by which the supplier certified this shipment, in the supplier's own ledger."""
    return [
        entry
        for entry in pair.supplier.statements(type="deletion")
        if shipment_id in {gone.shipment_id for gone in entry.statement.body.shipments}
    ]


def keep(pair: Pair, at: datetime) -> custody.Custody:
    """The supplier keeps custody at a time, which has come."""
    pair.now = max(pair.now, at)
    return keep_custody(pair.supplier.home, now=at)


# ---- on time ------------------------------------------------------------------------------------


def test_what_arrived_is_deleted_when_its_time_has_come_and_the_provider_is_told(
    partners: Pair,
) -> None:
    agreement = agreed(partners, "kept-a-day")
    shipment_id = shipped(partners, agreement)
    (other,) = (partners.buyer.publish(FORECAST, now=partners.later()).shipment_id,)
    take_one(partners.supplier, partners)
    due = due_at(partners, shipment_id)
    arrived = seen_by_provider(partners, shipment_id).arrived_at
    assert due == arrived + DAY

    # Not a minute early.
    assert keep(partners, due - MINUTE).certificates == ()
    assert kept_of(partners, shipment_id) == rows_of(partners, shipment_id)
    assert seen_by_provider(partners, shipment_id).state(due - MINUTE) == "held"

    (given,) = keep(partners, due).certificates
    assert (given.provider, given.shipments) == (BUYER, (shipment_id,))
    assert given.rows == rows_of(partners, shipment_id)
    assert kept_of(partners, shipment_id) == 0
    assert partners.supplier.rows(
        "select count(*) from as_of.demand_forecast($1) where shipment_id = $2",
        [due - MINUTE, shipment_id],
    ) == [(0,)]
    # What is not under that clause stays, and that there was something stays on record.
    assert kept_of(partners, str(other)) == rows_of(partners, str(other))
    assert partners.supplier.rows(
        "select count(*) from exchange.shipments where shipment_id = $1", [shipment_id]
    ) == [(1,)]

    told = partners.buyer.receive(now=partners.later()).outcomes
    assert [outcome.result for outcome in told] == ["recorded", "recorded"]  # a receipt came too
    seen = seen_by_provider(partners, shipment_id)
    assert (seen.state(partners.now), seen.deleted_at) == ("deleted", due)
    assert seen.rows_deleted == seen.rows == rows_of(partners, shipment_id)
    for company in partners.both:
        (entry,) = [e for e in company.statements(type="deletion") if e.digest == seen.certificate]
        assert (entry.author, entry.recipient) == (SUPPLIER, BUYER)

    # And it is over.
    assert keep(partners, partners.later(DAY)).certificates == ()
    assert len(certificates(partners, shipment_id)) == 1
    all_goes_on(partners)


# ---- it goes on when the agreement has ended ----------------------------------------------------


def revoked(pair: Pair, agreement: Agreement) -> None:
    revoke(pair.buyer.home, agreement.id, "Our board has decided so.", now=pair.later())
    tell_each_other(pair)


def amended(pair: Pair, agreement: Agreement) -> None:
    """A newer version lets the consumer keep what arrives from now on; nothing that came before."""
    name = agreement.id.rpartition(".")[2]
    agreed(pair, name, days=None, version="2.0.0")


@pytest.mark.parametrize("end", [revoked, amended])
def test_the_clause_goes_on_when_the_agreement_does_not(partners: Pair, end: Any) -> None:
    agreement = agreed(partners, f"then-{end.__name__}")
    shipment_id = shipped(partners, agreement)
    due = due_at(partners, shipment_id)
    end(partners, agreement)
    assert due_at(partners, shipment_id) == due
    (given,) = keep(partners, due).certificates
    assert given.shipments == (shipment_id,)
    assert kept_of(partners, shipment_id) == 0
    take_one(partners.buyer, partners)
    assert seen_by_provider(partners, shipment_id).state(partners.now) == "deleted"
    all_goes_on(partners)


def test_the_clause_goes_on_when_the_agreement_has_expired(partners: Pair) -> None:
    end = partners.now + DAY
    agreement = agreed(partners, "short", end=end)
    shipment_id = shipped(partners, agreement)
    due = due_at(partners, shipment_id)
    partners.now = due
    assert due > end
    with pytest.raises(AgreementRefused):
        publish(partners.buyer.home, agreement.id, now=due)
    (given,) = keep(partners, due).certificates
    assert given.shipments == (shipment_id,)
    tell_each_other(partners)
    assert seen_by_provider(partners, shipment_id).state(partners.now) == "deleted"
    all_goes_on(partners)


def test_after_an_amendment_each_shipment_is_kept_as_long_as_its_own_text_says(
    partners: Pair,
) -> None:
    agreement = agreed(partners, "longer")
    first = shipped(partners, agreement)
    longer = agreed(partners, "longer", days=3, version="2.0.0")
    second = shipped(partners, longer)
    assert due_at(partners, second) - due_at(partners, first) > DAY
    (given,) = keep(partners, due_at(partners, first)).certificates
    assert given.shipments == (first,)
    assert kept_of(partners, second) == rows_of(partners, second)
    keep(partners, due_at(partners, second))
    for shipment_id, version in ((first, "1.0.0"), (second, "2.0.0")):
        (entry,) = certificates(partners, shipment_id)
        assert entry.statement.body.agreement.version == version
    tell_each_other(partners)
    all_goes_on(partners)


# ---- interruptions ------------------------------------------------------------------------------


def test_nothing_is_certified_before_it_is_destroyed_and_nothing_twice(
    partners: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipment_id = shipped(partners, agreed(partners, "interrupted"))
    due = due_at(partners, shipment_id)
    lake = partners.supplier.home.lake

    def busy() -> None:
        raise DatabaseUnavailable("lock-timeout", "others write too")

    with monkeypatch.context() as patch:
        patch.setattr(lake, "destroy_deleted", busy)
        with pytest.raises(DatabaseUnavailable):
            keep(partners, due)
    # Nobody can ask for it any more, but it is not gone, and nothing says that it is.
    assert kept_of(partners, shipment_id) == 0
    assert certificates(partners, shipment_id) == []
    (duty,) = duties(partners.supplier.home)
    assert duty.state(due) == "deleted"

    with monkeypatch.context() as patch:
        patch.setattr(custody, "deliver", lambda *_, **__: Delivered(0))
        keep(partners, due + MINUTE)
    (entry,) = certificates(partners, shipment_id)
    assert entry.statement.body.deleted_at == due + MINUTE  # when it was gone, not when it began
    assert entry.statement.body.shipments[0].rows == rows_of(partners, shipment_id)
    assert partners.buyer.waiting() == []

    keep(partners, due + 2 * MINUTE)
    assert len(certificates(partners, shipment_id)) == 1
    assert take_one(partners.buyer, partners).type == "deletion"
    assert seen_by_provider(partners, shipment_id).state(partners.now) == "deleted"
    all_goes_on(partners)


# ---- what the provider sees ---------------------------------------------------------------------


def test_the_provider_sees_what_is_overdue_and_what_came_late(partners: Pair) -> None:
    agreement = agreed(partners, "forgotten")
    ref = ref_of(agreement)
    shipment_id = ship(partners, lie=lambda body: under(body, ref))
    # Who has not answered may not hold it.
    assert seen_by_provider(partners, shipment_id).state(partners.now) == "unanswered"
    take_one(partners.supplier, partners)
    partners.buyer.receive(now=partners.later())
    due = due_at(partners, shipment_id)
    seen = seen_by_provider(partners, shipment_id)
    assert [seen.state(at) for at in (due - MINUTE, due, due + DAY, due + DAY + MINUTE)] == [
        *("held", "due", "due", "overdue")
    ]
    keep(partners, due + 2 * DAY)
    take_one(partners.buyer, partners)
    seen = seen_by_provider(partners, shipment_id)
    assert (seen.state(partners.now), seen.deleted_at) == ("deleted late", due + 2 * DAY)
    all_goes_on(partners)


def test_a_shipment_that_was_refused_is_not_expected_back(partners: Pair) -> None:
    agreement = agreed(partners, "refused")
    ref = ref_of(agreement)
    shipment_id = ship(partners, lie=lambda body: replace(under(body, ref), rows=body.rows + 1))
    assert take_one(partners.supplier, partners).result == "refused"
    partners.buyer.receive(now=partners.later())
    assert shipment_id not in {one.shipment_id for one in expected(partners.buyer.home)}
    all_goes_on(partners)


# ---- lies ---------------------------------------------------------------------------------------


def certify(pair: Pair, body: DeletionBody) -> None:
    """The supplier certifies whatever it likes."""

    def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
        return (Subject(body.agreement.id, body.agreement.digest),), body

    home = pair.supplier.home
    send(home, home.ledger, BUYER, describe, now=pair.later())
    assert deliver(home, now=pair.now).complete


def test_a_certificate_that_cannot_be_true_is_refused_and_changes_nothing(partners: Pair) -> None:
    agreement = agreed(partners, "lied-about")
    shipment_id = shipped(partners, agreement)
    other = agreed(partners, "beside-it")
    (sent,) = partners.buyer.statements(type="shipment", shipment=shipment_id)
    (receipt,) = partners.buyer.statements(type="receipt", shipment=shipment_id)
    honest = Deleted(shipment_id, sent.digest, sent.rows)
    true = DeletionBody(ref_of(agreement), partners.now, (honest,))
    never = f"{shipment_id.rpartition('.')[0]}.999"
    lies = {
        "another digest": replace(true, shipments=(replace(honest, statement="a" * 64),)),
        "another statement": replace(true, shipments=(replace(honest, statement=receipt.digest),)),
        "another shipment": replace(true, shipments=(replace(honest, shipment_id=never),)),
        "more rows": replace(true, shipments=(replace(honest, rows=sent.rows + 1),)),
        "to come": replace(true, deleted_at=partners.now + DAY),
        "before it was made": replace(true, deleted_at=sent.issued_at - MINUTE),
        "another text": replace(true, agreement=replace(ref_of(agreement), digest=other.digest)),
        "one of two": replace(true, shipments=(honest, Deleted(never, "b" * 64, 1))),
    }
    due = due_at(partners, shipment_id)
    for what, lie in lies.items():
        notices = len(partners.supplier.statements(type="notice"))
        certify(partners, lie)
        outcome = take_one(partners.buyer, partners)
        assert (outcome.result, outcome.code) == ("refused", "statement.malformed"), what
        assert seen_by_provider(partners, shipment_id).state(due + 2 * DAY) == "overdue", what
        partners.supplier.receive(now=partners.later(MINUTE))
        assert len(partners.supplier.statements(type="notice")) == notices + 1, what
    all_goes_on(partners)


# ---- on the command line ------------------------------------------------------------------------


def test_custody_on_the_command_line(partners: Pair) -> None:
    def told(who: Any, *arguments: str, at: datetime) -> Any:
        given = ["--home", str(who.home.folder), "custody", *arguments]
        ran = CliRunner().invoke(cli, [*given, "--json", "--now", f"{at:%Y-%m-%dT%H:%M:%SZ}"])
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    shipment_id = shipped(partners, agreed(partners, "by-hand"))
    due = due_at(partners, shipment_id)
    mine = {"shipment_id": shipment_id, "provider": BUYER, "rows": rows_of(partners, shipment_id)}
    before = told(partners.supplier, "list", at=due - MINUTE)
    assert [{**fact, **mine} for fact in before if fact["shipment_id"] == shipment_id] == before[
        -1:
    ]
    assert before[-1]["state"] == "kept"
    assert told(partners.supplier, "run", "--dry-run", at=due - MINUTE) == []
    assert [f["state"] for f in told(partners.supplier, "run", "--dry-run", at=due)] == ["due"]
    assert kept_of(partners, shipment_id) > 0

    ran = told(partners.supplier, "run", at=due)
    (certificate,) = ran["certificates"]
    assert certificate["shipments"] == [shipment_id]
    assert (ran["rows"], ran["unreachable"]) == (mine["rows"], [])
    assert told(partners.supplier, "run", at=due)["certificates"] == []
    assert told(partners.supplier, "list", at=due) == []
    every = told(partners.supplier, "list", "--all", at=due)
    assert [f["state"] for f in every if f["shipment_id"] == shipment_id] == ["certified"]

    late = due + 2 * DAY
    overdue = told(partners.buyer, "certificates", "--overdue", at=late)
    assert shipment_id in {fact["shipment_id"] for fact in overdue}
    partners.now = max(partners.now, due)
    partners.buyer.receive(now=partners.later())
    after = told(partners.buyer, "certificates", "--partner", SUPPLIER, at=late)
    (fact,) = [fact for fact in after if fact["shipment_id"] == shipment_id]
    assert (fact["state"], fact["certificate"]) == ("deleted", certificate["certificate"])
    people = CliRunner().invoke(
        cli, ["--home", str(partners.buyer.home.folder), "custody", "certificates"]
    )
    assert shipment_id in people.output
    all_goes_on(partners)
