"""A proposal waits for a person: what the person is shown, and what becomes of each answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.scenarios.crook import FORECAST
from tests.scenarios.pair import BUYER, SUPPLIER, Pair

from tillit.agreement.language import read
from tillit.agreement.life import State, state
from tillit.agreement.new import draft
from tillit.errors import AgreementRefused, UsageError
from tillit.exchange.agreements import find, propose, sign
from tillit.exchange.deliver import deliver
from tillit.exchange.proposals import Proposal, decide, waiting
from tillit.exchange.record import send
from tillit.ledger.bodies import AgreementBody, AgreementRef
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.model import Cadence, Every

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2090, 1, 1, tzinfo=UTC)


def wording(pair: Pair, name: str, version: str = "1.0.0", withheld: tuple[str, ...] = ()) -> bytes:
    return draft(
        BUYER,
        SUPPLIER,
        pair.buyer.home.kinds[FORECAST],
        LONG_AGO,
        FAR_OFF,
        Cadence(Every.WEEK, 552.0),
        ["capacity-planning"],
        withheld=withheld,
        agreement_id=f"{BUYER}--{SUPPLIER}.{name}",
        version=version,
    ).encode()


def arrive(pair: Pair) -> None:
    for company in pair.both:
        deliver(company.home, now=pair.later())
    for company in pair.both:
        company.receive(now=pair.later())


def proposed(pair: Pair, text: bytes) -> Proposal:
    """The buyer proposes; what then waits for the supplier."""
    made = propose(pair.buyer.home, text, now=pair.later())
    arrive(pair)
    (found,) = [
        p for p in waiting(pair.supplier.home, now=pair.now) if p.agreement.digest == made.digest
    ]
    return found


def states(pair: Pair, agreement_id: str) -> list[State]:
    """What the newest version is, on both sides."""
    found = []
    for company in pair.both:
        _, life = find(company.home, agreement_id)
        found.append(state(life, life.newest_first[0], pair.now))
    return found


def test_a_person_is_shown_what_it_is_and_its_exact_text(partners: Pair) -> None:
    text = wording(partners, "shown", withheld=("note",))
    found = proposed(partners, text)
    assert (found.partner, found.before, found.problem) == (BUYER, None, None)
    shown = found.as_markdown()
    assert f"{BUYER} lets {SUPPLIER} have {FORECAST}" in shown
    assert "is not given: nobody is asked to look again" in shown
    for line in text.decode().splitlines():
        assert f"    {line}" in shown
    # Whoever proposed it is not asked.
    assert not [
        p for p in waiting(partners.buyer.home, now=partners.now) if p.agreement.text == text
    ]


def test_approved_it_is_signed_and_the_partner_knows(partners: Pair) -> None:
    found = proposed(partners, wording(partners, "approved"))
    home, agreement = partners.supplier.home, found.agreement
    done = decide(home, agreement.id, agreement.digest, "approve", now=partners.later())
    assert done == f"signed {agreement.id} 1.0.0 of {BUYER}"
    arrive(partners)
    assert states(partners, agreement.id) == [State.SIGNED, State.SIGNED]
    # The buyer, whose word it now waits for, is asked in its turn.
    (asked,) = [
        p for p in waiting(partners.buyer.home, now=partners.now) if p.agreement.id == agreement.id
    ]
    done = decide(
        partners.buyer.home, agreement.id, asked.agreement.digest, "approve", now=partners.later()
    )
    assert done.endswith("it is complete")
    arrive(partners)
    assert states(partners, agreement.id) == [State.IN_FORCE, State.IN_FORCE]


def test_declined_with_a_reason(partners: Pair) -> None:
    found = proposed(partners, wording(partners, "declined"))
    home, agreement = partners.supplier.home, found.agreement
    with pytest.raises(AgreementRefused) as refused:
        decide(home, agreement.id, agreement.digest, "decline", now=partners.later())
    assert refused.value.code == "agreement.reason"
    decide(
        home, agreement.id, agreement.digest, "decline", reason="Too much.", now=partners.later()
    )
    arrive(partners)
    assert states(partners, agreement.id) == [State.DECLINED, State.DECLINED]
    # It was answered: the same question cannot be answered again.
    with pytest.raises(AgreementRefused) as refused:
        decide(home, agreement.id, agreement.digest, "approve", now=partners.later())
    assert refused.value.code == "agreement.no-proposal"


def test_countered_with_another_text(partners: Pair) -> None:
    found = proposed(partners, wording(partners, "countered"))
    home, agreement = partners.supplier.home, found.agreement
    less = wording(partners, "countered", "1.1.0", withheld=("note",))
    for text in ("", "  \n"):
        with pytest.raises(UsageError):
            decide(home, agreement.id, agreement.digest, "counter", text=text, now=partners.later())
    decide(
        home, agreement.id, agreement.digest, "counter", text=less.decode(), now=partners.later()
    )
    arrive(partners)
    (asked,) = [
        p for p in waiting(partners.buyer.home, now=partners.now) if p.agreement.id == agreement.id
    ]
    assert asked.agreement.text == less


def test_against_a_version_that_holds_the_differences_are_told(partners: Pair) -> None:
    old = wording(partners, "amended", withheld=("note",))
    for company in partners.both:
        sign(company.home, old, now=partners.later())
        arrive(partners)
    found = proposed(partners, wording(partners, "amended", "2.0.0"))
    assert found.before is not None
    assert found.before.version == "1.0.0"
    shown = found.as_markdown()
    assert "Against version 1.0.0, which is signed by both:" in shown
    assert "- widening: terms.columns.note was withheld, and is clear" in shown


def test_what_cannot_be_signed_says_so(partners: Pair) -> None:
    """The buyer's contract of the kind is another one than the supplier has."""
    text = wording(partners, "unfit")
    digest = partners.buyer.home.kinds[FORECAST].digest
    other = text.replace(digest.encode(), b"0" * 64)
    made = read(other)
    ref = AgreementRef(made.id, made.version, made.digest)

    def say(_: Position) -> tuple[tuple[Subject, ...], Body]:
        return (Subject(name=made.id, sha256=made.digest),), AgreementBody(
            "proposed", ref, text=other
        )

    buyer = partners.buyer.home
    send(buyer, buyer.ledger, SUPPLIER, say, now=partners.later())
    arrive(partners)
    (found,) = [
        p for p in waiting(partners.supplier.home, now=partners.now) if p.agreement.text == other
    ]
    assert found.problem is not None
    assert "It cannot be signed as it is" in found.as_markdown()


def test_a_word_that_is_none(partners: Pair) -> None:
    found = proposed(partners, wording(partners, "word"))
    with pytest.raises(UsageError, match="approve, decline, counter"):
        decide(
            partners.supplier.home,
            found.agreement.id,
            found.agreement.digest,
            "perhaps",
            now=partners.later(),
        )
