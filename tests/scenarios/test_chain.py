"""The chain between two companies: late, missing, twice, from tomorrow, and told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.scenarios.crook import all_goes_on, forecast, receipt_of, take_one
from tests.scenarios.pair import BUYER, SUPPLIER, Pair

from tillit.crypto import dsse
from tillit.exchange.record import send
from tillit.ledger.bodies import ReceiptBody
from tillit.ledger.chain import Position
from tillit.ledger.statement import IN_TOTO, Statement, Witness

DAY = timedelta(days=1)


def hold_back(pair: Pair, aside: Path) -> Callable[[], None]:
    """Take everything out of the supplier's mailbox; what is given puts it back."""
    taken = [(path, aside / path.name) for path in pair.supplier.waiting()]
    for path, kept in taken:
        path.rename(kept)

    def put_back() -> None:
        for path, kept in taken:
            kept.rename(path)

    return put_back


def told(pair: Pair) -> list[str]:
    """The codes of the notices that the supplier has given the buyer."""
    notices = pair.buyer.statements(type="notice", partner=SUPPLIER)
    return [notice.statement.body.code for notice in notices if notice.author == SUPPLIER]


def test_the_second_comes_before_the_first(partners: Pair, tmp_path: Path) -> None:
    first = forecast(partners)
    put_back = hold_back(partners, tmp_path)
    second = forecast(partners)
    before = partners.supplier.landed()
    for _ in range(2):  # it waits as long as it has to, and is recorded once
        outcome = take_one(partners.supplier, partners)
        assert (outcome.result, outcome.code) == ("held", "statement.gap")
    assert partners.supplier.landed() == before
    content = partners.supplier.waiting(".dsse.json")[0].read_bytes()
    found = partners.supplier.home.ledger.refused_objects(sender=BUYER)
    assert [o.code for o in found if o.content == content] == ["statement.gap"]

    put_back()
    outcomes = partners.supplier.receive(now=partners.later()).outcomes
    assert [(o.shipment_id, o.result) for o in outcomes] == [
        (first, "accepted"),
        (second, "accepted"),
    ]
    # The buyer is told of the gap, although it has closed by now; what it puts there again is
    # known, and nothing lands twice.
    partners.buyer.receive(now=partners.later())
    assert told(partners)[-1] == "statement.gap"
    before = partners.supplier.landed()
    again = partners.supplier.receive(now=partners.later()).outcomes
    assert [o.code for o in again] == ["statement.replayed", "statement.replayed"]
    assert partners.supplier.landed() == before
    all_goes_on(partners)


@pytest.mark.parametrize("suffix", ["", ".dsse.json"], ids=["all of it", "the statement only"])
def test_what_was_deleted_is_delivered_again(partners: Pair, suffix: str) -> None:
    """The next shipment tells that one is missing; the buyer has kept it sealed until then."""
    first = forecast(partners)
    for path in partners.supplier.waiting(suffix):
        path.unlink()
    assert partners.supplier.receive(now=partners.later()).outcomes == ()
    second = forecast(partners)
    assert take_one(partners.supplier, partners).code == "statement.gap"
    partners.buyer.receive(now=partners.later())
    assert told(partners)[-1] == "statement.gap"
    outcomes = partners.supplier.receive(now=partners.later()).outcomes
    assert [o.shipment_id for o in outcomes] == [first, second]
    assert {o.result for o in outcomes} == {"accepted"}
    partners.buyer.receive(now=partners.later())
    assert receipt_of(partners.buyer, first) is None
    # Acknowledged, the sealed files are kept no longer.
    assert list(partners.buyer.home.place("outbox").iterdir()) == []
    all_goes_on(partners)


def test_answers_that_were_deleted_are_delivered_again(partners: Pair) -> None:
    """The same in the other direction, where nothing but receipts goes."""
    first = forecast(partners)
    partners.supplier.receive(now=partners.later())
    for path in partners.buyer.waiting():
        path.unlink()
    second = forecast(partners)
    partners.supplier.receive(now=partners.later())
    assert take_one(partners.buyer, partners).code == "statement.gap"
    partners.supplier.receive(now=partners.later())
    outcomes = partners.buyer.receive(now=partners.later()).outcomes
    assert [o.type for o in outcomes] == ["receipt", "receipt"]
    assert receipt_of(partners.buyer, first) is None
    assert receipt_of(partners.buyer, second) is None
    all_goes_on(partners)


def test_a_clock_far_ahead(partners: Pair) -> None:
    """The buyer's clock is a day ahead: what it says waits until that day has come."""
    early = partners.buyer.publish("demand_forecast", now=partners.now + DAY, revision=900)
    before = partners.supplier.landed()
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.code) == ("held", "statement.future")
    assert partners.supplier.landed() == before
    assert len(partners.supplier.waiting(".age")) == 1
    partners.buyer.receive(now=partners.later())
    assert told(partners)[-1] == "statement.future"

    partners.later(DAY)
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.shipment_id) == ("accepted", early.shipment_id)
    all_goes_on(partners)


# ---- two stories, both signed --------------------------------------------------------------------


def put_statement(pair: Pair, statement: Statement) -> Path:
    """The buyer signs it with its own keys and puts it in its place, past its ledger."""
    content = dsse.sign(statement.to_bytes(), IN_TOTO, [pair.buyer.home.keys.signing])
    path = pair.supplier.mailbox / BUYER / f"{statement.seq:010d}.dsse.json"
    path.write_bytes(content)
    return path


def another(pair: Pair, **changes: object) -> Statement:
    """A receipt that the buyer could send next, changed."""
    ledger = pair.buyer.home.ledger
    mine, theirs = ledger.head(BUYER, SUPPLIER), ledger.head(SUPPLIER, BUYER)
    assert mine is not None
    assert theirs is not None
    (*_, shipment) = pair.buyer.statements(type="shipment")
    honest = Statement(
        author=BUYER,
        recipient=SUPPLIER,
        seq=mine.seq + 1,
        previous=mine.digest,
        witnessed=Witness(theirs.seq, theirs.digest),
        issued_at=pair.now,
        subjects=(),
        body=ReceiptBody(shipment.shipment_id, shipment.digest, "accepted", accepted=1),
    )
    return replace(honest, **changes)  # type: ignore[arg-type]


def forked(pair: Pair) -> Statement:
    head = pair.buyer.home.ledger.head(BUYER, SUPPLIER)
    assert head is not None
    entry = pair.buyer.home.ledger.get(head.digest)
    assert entry is not None
    return another(pair, seq=entry.seq, previous=entry.statement.previous)


FORKS: dict[str, tuple[Callable[[Pair], Statement], str]] = {
    "another at a number that is taken": (forked, "statement.forked"),
    "one that follows another": (
        lambda pair: another(pair, previous="0" * 64),
        "statement.chain",
    ),
    "one that saw what was never said": (
        lambda pair: another(pair, witnessed=Witness(1, "0" * 64)),
        "statement.witness",
    ),
    "one that saw more than there is": (
        lambda pair: another(pair, witnessed=Witness(10_000, "0" * 64)),
        "statement.witness",
    ),
    "one that has forgotten": (
        lambda pair: another(pair, witnessed=None),
        "statement.witness",
    ),
    "one for somebody else": (
        lambda pair: another(pair, recipient="havglass"),
        "statement.wrong-recipient",
    ),
    "one by somebody else": (
        lambda pair: another(pair, author="havglass"),
        "statement.wrong-place",
    ),
}


@pytest.mark.parametrize("name", FORKS)
def test_a_partner_signs(partners: Pair, name: str) -> None:
    make, code = FORKS[name]
    all_goes_on(partners)
    path = put_statement(partners, make(partners))
    content = path.read_bytes()
    before = partners.supplier.landed()
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.code) == ("turned-away", code)
    assert partners.supplier.landed() == before
    (*_, evidence) = partners.supplier.home.ledger.refused_objects(sender=BUYER)
    assert (evidence.code, evidence.content) == (code, content)
    # Who signed it is certain where it was meant for us, and is told.
    partners.buyer.receive(now=partners.later())
    answered = code not in {"statement.wrong-recipient", "statement.wrong-place"}
    assert (told(partners)[-1:] == [code]) is answered
    all_goes_on(partners)


def test_a_receipt_for_what_was_never_sent(partners: Pair) -> None:
    """It stays in its author's chain, and is refused; what follows is taken."""
    forecast(partners)
    partners.supplier.receive(now=partners.later())
    partners.buyer.receive(now=partners.later())
    (*_, shipment) = partners.buyer.statements(type="shipment")
    body = ReceiptBody(shipment.shipment_id, "0" * 64, "accepted", accepted=1)

    def describe(_: Position) -> tuple[tuple[()], ReceiptBody]:
        return (), body

    send(
        partners.buyer.home,
        partners.buyer.home.ledger,
        SUPPLIER,
        describe,
        now=partners.later(),
    )
    forecast(partners)
    receipt, after = partners.supplier.receive(now=partners.later()).outcomes
    assert (receipt.type, receipt.result, receipt.code) == (
        "receipt",
        "refused",
        "statement.malformed",
    )
    assert after.result == "accepted"
    partners.buyer.receive(now=partners.later())
    assert told(partners)[-1] == "statement.malformed"
    all_goes_on(partners)
