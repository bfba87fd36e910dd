"""Nothing leaves and nothing lands without an agreement in force, and neither side takes the
other's word for it: an honest provider refuses, and a provider that does not is refused."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.scenarios.crook import FORECAST, all_goes_on, receipt_of, ship, take_one, under
from tests.scenarios.pair import BUYER, SUPPLIER, Company, Pair

from tillit.agreement.language import read
from tillit.agreement.new import draft
from tillit.crypto.age.file import decrypt
from tillit.errors import AgreementRefused, ContractRefused
from tillit.exchange.agreements import held, sign
from tillit.exchange.deliver import deliver
from tillit.exchange.publish import publish
from tillit.home import Home
from tillit.ledger.bodies import AgreementRef
from tillit.model import Cadence, Every

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2090, 1, 1, tzinfo=UTC)


def text(pair: Pair, name: str, *, start: datetime = LONG_AGO, end: datetime = FAR_OFF) -> bytes:
    """An agreement like the one about forecasts, with another id and other dates."""
    home = pair.buyer.home
    return draft(
        BUYER,
        SUPPLIER,
        home.kinds[FORECAST],
        start,
        end,
        Cadence(Every.WEEK, 552.0),
        ["capacity-planning"],
        agreement_id=f"{BUYER}--{SUPPLIER}.{name}",
    ).encode()


def sign_and_send(company: Company, pair: Pair, wording: bytes) -> AgreementRef:
    signed = sign(company.home, wording, now=pair.later())
    deliver(company.home, now=pair.now)
    for other in pair.both:
        other.receive(now=pair.now)
    agreement = signed.agreement
    return AgreementRef(agreement.id, agreement.version, agreement.digest)


def agreed(pair: Pair, wording: bytes, *signers: str) -> AgreementRef:
    """What those who sign have agreed."""
    companies = {company.home.party_id: company for company in pair.both}
    return [sign_and_send(companies[signer], pair, wording) for signer in signers][-1]


# ---- states of an agreement ---------------------------------------------------------------------


STATES = {
    "expired": ("agreement.expired", {"end": datetime(2024, 1, 1, tzinfo=UTC)}, (BUYER, SUPPLIER)),
    "early": (
        "agreement.not-yet-in-force",
        {"start": datetime(2080, 1, 1, tzinfo=UTC)},
        (BUYER, SUPPLIER),
    ),
    "provider_only": ("agreement.one-signature", {}, (BUYER,)),
    "consumer_only": ("agreement.one-signature", {}, (SUPPLIER,)),
}


@pytest.mark.parametrize("name", STATES)
def test_both_sides_refuse_what_no_agreement_in_force_allows(partners: Pair, name: str) -> None:
    code, dates, signers = STATES[name]
    ref = agreed(partners, text(partners, name, **dates), *signers)
    landed = partners.supplier.landed()
    notices = len(partners.buyer.statements(type="notice"))

    # The provider refuses itself, and records that it did.
    with pytest.raises(AgreementRefused) as refused:
        publish(partners.buyer.home, ref.id, now=partners.later())
    assert refused.value.code == code
    assert len(partners.buyer.statements(type="notice")) == notices + 1

    # One that ships all the same is refused, is told why, and nothing has landed.
    shipment_id = ship(partners, lie=lambda body: under(body, ref))
    outcome = take_one(partners.supplier, partners)
    assert (outcome.result, outcome.code) == ("refused", code)
    assert partners.supplier.landed() == landed
    partners.buyer.receive(now=partners.later())
    assert receipt_of(partners.buyer, shipment_id) == code
    all_goes_on(partners)


def test_an_agreement_that_there_is_not(partners: Pair) -> None:
    with pytest.raises(AgreementRefused) as refused:
        publish(partners.buyer.home, f"{BUYER}--{SUPPLIER}.nothing", now=partners.later())
    assert refused.value.code == "agreement.missing"
    assert f"{SUPPLIER}--{BUYER}.complaint" in str(refused.value)  # what there is


def test_a_consumer_publishes_nothing_under_it(partners: Pair) -> None:
    with pytest.raises(AgreementRefused) as refused:
        publish(partners.supplier.home, f"{BUYER}--{SUPPLIER}.{FORECAST}", now=partners.later())
    assert refused.value.code == "agreement.wrong-parties"


def test_a_file_that_was_changed_after_it_was_signed_is_another_agreement(partners: Pair) -> None:
    wording = text(partners, "changed")
    agreed(partners, wording, BUYER, SUPPLIER)
    for company in partners.both:
        with pytest.raises(AgreementRefused) as refused:
            sign(company.home, wording + b"# one comment more\n", now=partners.later())
        assert refused.value.code == "agreement.conflict"
    (kept,) = [s for s in held(partners.supplier.home) if s.agreement.id.endswith(".changed")]
    assert kept.agreement.text == wording


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("  surprise: 7\n", "contract.unknown-term"),
        ("  purposes: [x]\n", "contract.duplicate-key"),
    ],
)
def test_a_term_that_is_not_known_is_refused_never_ignored(
    partners: Pair, change: str, code: str
) -> None:
    wording = text(partners, "odd").replace(b"terms:\n", f"terms:\n{change}".encode())
    for company in partners.both:
        with pytest.raises(ContractRefused) as refused:
            sign(company.home, wording, now=partners.later())
        assert refused.value.code == code
    assert not [s for s in held(partners.buyer.home) if s.agreement.id.endswith(".odd")]


# ---- what it lets through -----------------------------------------------------------------------


def test_a_new_version_takes_a_column_back_and_its_values_never_leave(pair: Pair) -> None:
    pair.buyer.publish(FORECAST, now=pair.later())
    pair.supplier.receive(now=pair.later())
    before = pair.supplier.rows("select count(*) from landed.demand_forecast where note is null")
    secret = "TELL-NOBODY-31337"
    pair.buyer.change_source(FORECAST, f"select * replace ('{secret}' as note) from source")
    home = pair.buyer.home
    (old,) = [
        s.agreement for s in held(home) if s.agreement.id == f"{BUYER}--{SUPPLIER}.{FORECAST}"
    ]
    new = draft(
        *(BUYER, SUPPLIER, home.kinds[FORECAST], old.start, old.end, old.cadence, old.purposes),
        withheld=["note"],
        version="2.0.0",
    ).encode()
    assert read(new).id == old.id
    agreed(pair, new, BUYER, SUPPLIER)

    made = publish(home, old.id, now=pair.later(timedelta(days=7)))
    (payload,) = pair.supplier.waiting(".age")
    opened = io.BytesIO()
    with payload.open("rb") as sealed:
        decrypt(sealed, opened, pair.supplier.home.keys.identities)
    assert secret.encode() not in opened.getvalue()
    assert "note" not in pq.read_schema(io.BytesIO(opened.getvalue())).names
    assert (
        secret.encode()
        not in payload.with_name(payload.name.replace(".age", ".dsse.json")).read_bytes()
    )

    pair.supplier.receive(now=pair.later())
    landed = pair.supplier.rows(
        "select count(*), count(note) from landed.demand_forecast where shipment_id = ?",
        [made.shipment_id],
    )
    assert landed == [(made.rows, 0)]
    (sent,) = pair.buyer.statements(type="shipment", shipment=made.shipment_id)
    assert sent.statement.body.agreement.version == "2.0.0"
    assert before == pair.supplier.rows(
        "select count(*) from landed.demand_forecast where note is null and shipment_id <> ?",
        [made.shipment_id],
    )


def test_a_kind_whose_contract_has_changed_needs_a_new_agreement(pair: Pair) -> None:
    """Pinned by digest: one side's newer contract is no contract that the other has signed."""
    contract = Path(pair.supplier.home.folder, "contracts", "kinds", f"{FORECAST}.odcs.yaml")
    pair.buyer.publish(FORECAST, now=pair.later())
    contract.write_bytes(contract.read_bytes() + b"# a newer thought\n")
    with Home.open(pair.supplier.home.folder) as reopened:
        supplier = Company(reopened)
        (outcome,) = supplier.receive(now=pair.later()).outcomes
        assert (outcome.result, outcome.code) == ("refused", "agreement.kind-changed")
        assert supplier.landed() == 0
    pair.buyer.receive(now=pair.later())
    assert receipt_of(pair.buyer, str(outcome.shipment_id)) == "agreement.kind-changed"
