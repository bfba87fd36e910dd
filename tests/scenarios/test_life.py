"""The life of an agreement between two companies: each step and each refusal, in both ledgers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from tests.scenarios.crook import FORECAST, all_goes_on, receipt_of, ship, take_one, under
from tests.scenarios.pair import BUYER, SUPPLIER, Company, Pair

from tillit.agreement.life import UNDER_WAY, State, state, told, waits_for
from tillit.agreement.new import draft
from tillit.errors import AgreementRefused, ContractRefused
from tillit.exchange.agreements import counter, decline, find, propose, revoke, sign
from tillit.exchange.audit import verify_ledger
from tillit.exchange.deliver import deliver
from tillit.exchange.publish import publish
from tillit.exchange.record import send
from tillit.ledger.bodies import AgreementBody, AgreementRef
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.model import Cadence, Every

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2090, 1, 1, tzinfo=UTC)


def wording(
    pair: Pair,
    name: str,
    version: str = "1.0.0",
    *,
    end: datetime = FAR_OFF,
    withheld: tuple[str, ...] = (),
    purposes: tuple[str, ...] = ("capacity-planning",),
) -> bytes:
    """An agreement by which the buyer shares its forecasts."""
    return draft(
        BUYER,
        SUPPLIER,
        pair.buyer.home.kinds[FORECAST],
        LONG_AGO,
        end,
        Cadence(Every.WEEK, 552.0),
        purposes,
        withheld=withheld,
        agreement_id=name,
        version=version,
    ).encode()


def arrive(pair: Pair) -> list[str]:
    """Deliver and take whatever was said; what was refused of it."""
    codes = []
    for _ in range(2):
        for company in pair.both:
            deliver(company.home, now=pair.later(timedelta(minutes=1)))
        for company in pair.both:
            codes += [o.code for o in company.receive(now=pair.now).outcomes if o.code]
    return codes


def says(pair: Pair, name: str, version: str = "1.0.0") -> State:
    """What a version is; both sides must say the same."""
    found = set()
    for company in pair.both:
        _, life = find(company.home, name)
        (only,) = [v for v in life.newest_first if v.agreement.version == version]
        found.add(state(life, only, pair.now))
    (one,) = found
    return one


def steps(company: Company, name: str) -> list[str]:
    """What stands in a company's ledger about an agreement."""
    return [
        f"{e.author} {e.statement.body.event} {e.statement.body.agreement.version}"
        for e in company.statements(type="agreement", agreement=name)
    ]


def whole(pair: Pair, name: str, expected: list[str]) -> None:
    """The same steps stand in both ledgers, as they came there, and both ledgers hold."""
    for company in pair.both:
        assert sorted(steps(company, name)) == sorted(expected)
        assert verify_ledger(company.home).findings == ()


def agreed(pair: Pair, text: bytes) -> AgreementRef:
    """Both sign, and both know."""
    for company in pair.both:
        signed = sign(company.home, text, now=pair.later()).agreement
        assert arrive(pair) == []
    return AgreementRef(signed.id, signed.version, signed.digest)


def refused(code: str, act: Callable[[], object]) -> AgreementRefused:
    with pytest.raises(AgreementRefused) as raised:
        act()
    assert raised.value.code == f"agreement.{code}"
    return raised.value


# ---- the steps ----------------------------------------------------------------------------------


def test_proposed_by_the_provider_signed_by_both_and_in_force(partners: Pair) -> None:
    text = wording(partners, "life.plain")
    propose(partners.buyer.home, text, now=partners.later())
    assert arrive(partners) == []
    assert says(partners, "life.plain") is State.PROPOSED
    _, life = find(partners.supplier.home, "life.plain")
    (version,) = life.newest_first
    assert waits_for(life, version, partners.now) == (SUPPLIER,)
    assert version.agreement.text == text  # to the byte what the buyer wrote

    # A proposal binds nobody: nothing leaves under it.
    refused("missing", lambda: publish(partners.buyer.home, "life.plain", now=partners.later()))
    sign(partners.supplier.home, version.agreement.text, now=partners.later())
    assert arrive(partners) == []
    assert says(partners, "life.plain") is State.SIGNED
    refused(
        "one-signature", lambda: publish(partners.buyer.home, "life.plain", now=partners.later())
    )

    sign(partners.buyer.home, text, now=partners.later())
    assert arrive(partners) == []
    assert says(partners, "life.plain") is State.IN_FORCE
    landed = partners.supplier.landed()
    made = publish(partners.buyer.home, "life.plain", now=partners.later())
    assert take_one(partners.supplier, partners).result == "accepted"
    assert partners.supplier.landed() == landed + made.rows
    partners.buyer.receive(now=partners.later())
    whole(
        partners,
        "life.plain",
        [f"{BUYER} proposed 1.0.0", f"{SUPPLIER} signed 1.0.0", f"{BUYER} signed 1.0.0"],
    )


def test_proposed_by_the_consumer_and_countered_until_both_like_it(partners: Pair) -> None:
    name = "life.countered"
    everything = wording(partners, name, purposes=("capacity-planning", "resale"))
    less = wording(partners, name, "1.1.0", withheld=("note",))
    more = wording(partners, name, "1.2.0", purposes=("capacity-planning", "order-fulfilment"))
    propose(partners.supplier.home, everything, now=partners.later())
    assert arrive(partners) == []
    counter(partners.buyer.home, less, now=partners.later())
    assert arrive(partners) == []
    counter(partners.supplier.home, more, now=partners.later())
    assert arrive(partners) == []
    assert [says(partners, name, v) for v in ("1.0.0", "1.1.0", "1.2.0")] == [
        State.COUNTERED,
        State.COUNTERED,
        State.PROPOSED,
    ]
    agreed(partners, more)
    assert says(partners, name, "1.2.0") is State.IN_FORCE
    assert says(partners, name) is State.SUPERSEDED
    whole(
        partners,
        name,
        [
            f"{SUPPLIER} proposed 1.0.0",
            f"{BUYER} countered 1.1.0",
            f"{SUPPLIER} countered 1.2.0",
            f"{BUYER} signed 1.2.0",
            f"{SUPPLIER} signed 1.2.0",
        ],
    )


def test_no_is_an_answer_with_a_reason(partners: Pair) -> None:
    name = "life.declined"
    text = wording(partners, name)
    propose(partners.buyer.home, text, now=partners.later())
    assert arrive(partners) == []
    home = partners.supplier.home
    refused("reason", lambda: decline(home, name, " \n ", now=partners.later()))
    decline(home, name, "We have no one to read it.", now=partners.later())
    assert arrive(partners) == []
    assert says(partners, name) is State.DECLINED
    for company in partners.both:
        _, life = find(company.home, name)
        words = told(life, life.newest_first[0], partners.now, company.home.party_id)
        assert words == f"declined by {SUPPLIER}: We have no one to read it."
    # And no stays no; only another version can be signed.
    for company in partners.both:
        refused("declined", lambda c=company: sign(c.home, text, now=partners.later()))
    agreed(partners, wording(partners, name, "1.0.1"))
    assert says(partners, name, "1.0.1") is State.IN_FORCE
    whole(
        partners,
        name,
        [
            f"{BUYER} proposed 1.0.0",
            f"{SUPPLIER} declined 1.0.0",
            f"{BUYER} signed 1.0.1",
            f"{SUPPLIER} signed 1.0.1",
        ],
    )


def test_an_amendment_takes_the_place_of_the_old_version_for_what_is_made_after_it(
    partners: Pair,
) -> None:
    name = "life.amended"
    old = agreed(partners, wording(partners, name))
    new = wording(partners, name, "2.0.0", withheld=("note",))
    sign(partners.buyer.home, new, now=partners.later())
    assert arrive(partners) == []
    # The buyer ships under the version that it knows to be in force, and that crosses the
    # supplier's signature under the new one.
    shipped_before = ship(partners, lie=lambda body: under(body, old))
    sign(partners.supplier.home, new, now=partners.later())
    assert take_one(partners.supplier, partners).result == "accepted"
    assert arrive(partners) == []
    assert (says(partners, name), says(partners, name, "2.0.0")) == (
        State.SUPERSEDED,
        State.IN_FORCE,
    )
    assert receipt_of(partners.buyer, shipped_before) is None

    # What is made under the old version now is refused, and what is published is the new one.
    late = ship(partners, lie=lambda body: under(body, old))
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.code) == ("refused", "agreement.superseded")
    partners.buyer.receive(now=partners.later())
    assert receipt_of(partners.buyer, late) == "agreement.superseded"
    made = publish(partners.buyer.home, name, now=partners.later(timedelta(days=7)))
    (sent,) = partners.buyer.statements(type="shipment", shipment=made.shipment_id)
    assert sent.statement.body.agreement.version == "2.0.0"
    assert arrive(partners) == []
    whole(
        partners,
        name,
        [
            f"{BUYER} signed 1.0.0",
            f"{SUPPLIER} signed 1.0.0",
            f"{BUYER} signed 2.0.0",
            f"{SUPPLIER} signed 2.0.0",
        ],
    )


def test_over_when_its_time_is_over(partners: Pair) -> None:
    name = "life.expired"
    end = partners.now + timedelta(days=3)
    ref = agreed(partners, wording(partners, name, end=end.replace(microsecond=0)))
    assert says(partners, name) is State.IN_FORCE
    partners.now = end
    assert says(partners, name) is State.EXPIRED
    refused("expired", lambda: publish(partners.buyer.home, name, now=partners.later()))
    ship(partners, lie=lambda body: under(body, ref))
    assert take_one(partners.supplier, partners).code == "agreement.expired"
    all_goes_on(partners)


# ---- taken back ---------------------------------------------------------------------------------


def test_the_provider_takes_it_back_and_stops_at_once(partners: Pair) -> None:
    name, buyer = "life.stopped", partners.buyer.home
    ref = agreed(partners, wording(partners, name))
    publish(buyer, name, now=partners.later())
    revoke(buyer, name, "Our board has decided so.", now=partners.later())
    refused("revoked", lambda: publish(buyer, name, now=partners.later(), revision=2))
    refused("revoked", lambda: revoke(buyer, name, "Really.", now=partners.later()))
    deliver(buyer, now=partners.later())

    # The supplier has heard nothing yet. What was shipped before lands; then it hears.
    first, second = partners.supplier.receive(now=partners.later()).outcomes
    assert (first.type, first.result) == ("shipment", "accepted")
    assert (second.type, second.result) == ("agreement", "recorded")
    assert says(partners, name) is State.REVOKED
    landed = partners.supplier.landed()

    # A provider that ships all the same is refused, and told why.
    late = ship(partners, lie=lambda body: under(body, ref))
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.code) == ("refused", "agreement.revoked")
    assert partners.supplier.landed() == landed
    partners.buyer.receive(now=partners.later())
    assert receipt_of(partners.buyer, late) == "agreement.revoked"
    whole(
        partners,
        name,
        [f"{BUYER} signed 1.0.0", f"{SUPPLIER} signed 1.0.0", f"{BUYER} revoked 1.0.0"],
    )
    all_goes_on(partners)  # under the other agreements


def test_the_consumer_takes_it_back_and_that_holds_from_its_arrival(partners: Pair) -> None:
    name, buyer, supplier = "life.refused", partners.buyer.home, partners.supplier.home
    ref = agreed(partners, wording(partners, name))
    publish(buyer, name, now=partners.later())
    revoke(supplier, name, "Nobody reads it.", now=partners.later())

    # What the buyer made before it could know of it is lawful, and lands.
    assert take_one(partners.supplier, partners).result == "accepted"
    publish(buyer, name, now=partners.later(), revision=2)
    assert take_one(partners.supplier, partners).result == "accepted"
    landed = partners.supplier.landed()

    # Then it arrives: the buyer publishes no more, and what it ships is refused.
    deliver(supplier, now=partners.later())
    partners.buyer.receive(now=partners.later())
    refused("revoked", lambda: publish(buyer, name, now=partners.later(), revision=3))
    ship(partners, lie=lambda body: under(body, ref))
    assert take_one(partners.supplier, partners).code == "agreement.revoked"
    assert partners.supplier.landed() == landed
    assert arrive(partners) == []
    assert says(partners, name) is State.REVOKED
    whole(
        partners,
        name,
        [f"{BUYER} signed 1.0.0", f"{SUPPLIER} signed 1.0.0", f"{SUPPLIER} revoked 1.0.0"],
    )


def test_who_does_not_look_into_its_mailbox_cannot_go_on_for_ever(partners: Pair) -> None:
    name = "life.deaf"
    ref = agreed(partners, wording(partners, name))
    revoke(partners.supplier.home, name, "Nobody reads it.", now=partners.later())
    deliver(partners.supplier.home, now=partners.now)
    partners.later(UNDER_WAY)
    ship(partners, lie=lambda body: under(body, ref))
    assert take_one(partners.supplier, partners).code == "agreement.revoked"
    assert arrive(partners) == []
    assert says(partners, name) is State.REVOKED


def test_an_offer_is_taken_back_while_the_other_signs_it(partners: Pair) -> None:
    """The two cross. On either side it was revoked, and on neither was it ever in force after."""
    name = "life.crossed"
    text = wording(partners, name)
    sign(partners.buyer.home, text, now=partners.later())
    assert arrive(partners) == []
    revoke(partners.buyer.home, name, "A slip of the pen.", now=partners.later())
    sign(partners.supplier.home, text, now=partners.later())
    assert arrive(partners) == ["agreement.revoked"]  # the signature came too late
    assert says(partners, name) is State.REVOKED
    for company in partners.both:
        refused("revoked", lambda c=company: sign(c.home, text, now=partners.later()))
    agreed(partners, wording(partners, name, "1.0.1"))
    assert says(partners, name, "1.0.1") is State.IN_FORCE
    for company in partners.both:
        assert verify_ledger(company.home).findings == ()


# ---- what may not be said -----------------------------------------------------------------------


def test_what_we_may_not_say_is_refused_recorded_and_never_sent(partners: Pair) -> None:
    name, home = "life.own", partners.buyer.home
    propose(home, wording(partners, name, "2.0.0"), now=partners.later())
    assert arrive(partners) == []
    notices = len(partners.buyer.statements(type="notice"))
    acts: dict[str, tuple[str, Callable[[], object]]] = {
        "goes back": (
            "version",
            lambda: propose(home, wording(partners, name, "1.9.9"), now=partners.later()),
        ),
        "the same version": (
            "conflict",
            lambda: propose(
                home, wording(partners, name, "2.0.0", withheld=("note",)), now=partners.later()
            ),
        ),
        "counter to nothing": (
            "no-proposal",
            lambda: counter(home, wording(partners, "life.none"), now=partners.later()),
        ),
        "no to oneself": (
            "own-proposal",
            lambda: decline(home, name, "No.", version="2.0.0", now=partners.later()),
        ),
        "no to nothing": ("missing", lambda: decline(home, "x.y", "No.", now=partners.later())),
        "revoke nothing": ("missing", lambda: revoke(home, "x.y", "No.", now=partners.later())),
        "revoke another's": (
            "not-signed",
            lambda: revoke(partners.supplier.home, name, "No.", now=partners.later()),
        ),
    }
    for code, act in acts.values():
        refused(code, act)
    with pytest.raises(ContractRefused):
        propose(home, b"a: &x [*x]", now=partners.later())
    noted = len(partners.buyer.statements(type="notice")) - notices
    assert noted == len(acts)  # one was the supplier's, and one was no agreement at all
    assert home.ledger.pending_outbox() == []
    assert says(partners, name, "2.0.0") is State.PROPOSED
    whole(partners, name, [f"{BUYER} proposed 2.0.0"])


Lie = Callable[[Pair, AgreementRef], AgreementBody]


def _body(event: str, text: bytes, name: str, version: str, **parts: str) -> AgreementBody:
    ref = AgreementRef(name, version, sha256(text).hexdigest())
    return AgreementBody(event, ref, text=text, **parts)


LIES: dict[str, tuple[str, Lie]] = {
    "a counter to what was never proposed": (
        "agreement.no-proposal",
        lambda pair, ref: _body(
            "countered", wording(pair, ref.id, "9.0.0"), ref.id, "9.0.0", answers="ab" * 32
        ),
    ),
    "a version that goes back": (
        "agreement.version",
        lambda pair, ref: _body("proposed", wording(pair, ref.id, "0.9.0"), ref.id, "0.9.0"),
    ),
    "another text of the same version": (
        "agreement.conflict",
        lambda pair, ref: _body(
            "proposed", wording(pair, ref.id, withheld=("note",)), ref.id, "1.0.0"
        ),
    ),
    "no to what both have signed": (
        "agreement.signed",
        lambda _, ref: AgreementBody("declined", ref, reason="No."),
    ),
    "no to nothing": (
        "agreement.no-proposal",
        lambda _, ref: AgreementBody(
            "declined", AgreementRef("x.y", "1.0.0", "ab" * 32), reason="No."
        ),
    ),
    "taking back what it never signed": (
        "agreement.not-signed",
        lambda _, ref: AgreementBody(
            "revoked", AgreementRef("x.y", "1.0.0", "ab" * 32), reason="No."
        ),
    ),
    "a text that says another version than the statement": (
        "agreement.other-bytes",
        lambda pair, ref: _body("proposed", wording(pair, ref.id, "7.0.0"), ref.id, "8.0.0"),
    ),
    "a text under another agreement's name": (
        "agreement.other-bytes",
        lambda pair, ref: _body("proposed", wording(pair, "x.y", "7.0.0"), ref.id, "7.0.0"),
    ),
    "a text between others": (
        "agreement.wrong-parties",
        lambda pair, ref: _body(
            "proposed",
            wording(pair, ref.id, "7.0.0").replace(b"provider: nordvik", b"provider: havglass"),
            ref.id,
            "7.0.0",
        ),
    ),
    "a text that means two things": (
        "contract.duplicate-key",
        lambda pair, ref: _body(
            "proposed", wording(pair, ref.id, "7.0.0") + b"version: 7.0.0\n", ref.id, "7.0.0"
        ),
    ),
    "a text that grows when it is read": (
        "contract.alias",
        lambda pair, ref: _body("proposed", b"a: &x [1]\nb: *x\n", ref.id, "7.0.0"),
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_what_a_partner_may_not_say_is_recorded_answered_and_changes_nothing(
    partners: Pair, name: str
) -> None:
    code, lie = LIES[name]
    agreement = "life.lies"
    text = wording(partners, agreement)
    if not partners.buyer.statements(type="agreement", agreement=agreement):
        agreed(partners, text)
    _, before = find(partners.buyer.home, agreement)
    (only,) = before.newest_first
    ref = AgreementRef(agreement, "1.0.0", only.agreement.digest)
    said = lie(partners, ref)

    def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
        return (Subject(said.agreement.id, said.agreement.digest),), said

    crook = partners.supplier.home
    sent = send(crook, crook.ledger, BUYER, describe, now=partners.later())
    deliver(crook, now=partners.now)
    outcome = take_one(partners.buyer, partners)
    assert (outcome.result, outcome.code) == ("refused", code)

    # It stands in the record as what it is, its author is told, and nothing else is different.
    assert partners.buyer.home.ledger.get(sent.digest) is not None
    told_ = partners.buyer.statements(type="notice", partner=SUPPLIER)[-1].statement
    assert (told_.recipient, told_.body.code, told_.body.about) == (SUPPLIER, code, sent.digest)
    assert find(partners.buyer.home, agreement)[1] == before
    assert says(partners, agreement) is State.IN_FORCE
    assert arrive(partners) == []
    all_goes_on(partners)
