"""The language of agreements: what it means, and everything that it refuses."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.agreements import DIGEST, END, KIND, START, document, text, written

from tillit.agreement.language import check, read, require_kind
from tillit.agreement.terms import (
    TERMS,
    cut_offs,
    due,
    is_late,
    require_columns,
    require_purposes,
    shared_columns,
)
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import Cadence, Every, Treatment, isoformat


def test_what_is_read_is_what_is_written() -> None:
    content = text(nextReassessmentTimestamp="2026-07-01T00:00:00Z")
    agreement = read(content)
    assert agreement.id == "nordvik--fjordstal.order"
    assert (agreement.provider, agreement.consumer) == ("nordvik", "fjordstal")
    assert (agreement.kind, agreement.kind_version) == ("order", "1.0.0")
    assert agreement.kind_digest == DIGEST
    assert (agreement.start, agreement.end) == (START, END)
    assert agreement.reassess == datetime(2026, 7, 1, tzinfo=UTC)
    assert agreement.purposes == ("order-fulfilment",)
    assert agreement.columns["unit_price"] is Treatment.WITHHELD
    assert agreement.cadence == Cadence(Every.WEEK, -192)
    assert agreement.digest == hashlib.sha256(content).hexdigest()
    assert agreement.text == content


def test_a_comment_makes_another_agreement() -> None:
    assert read(text()).digest != read(text() + b"# well\n").digest


NESTED: tuple[tuple[str, ...], ...] = (
    (),
    ("description",),
    ("terms", "cadence"),
)


@pytest.mark.parametrize("path", NESTED, ids=".".join)
def test_unknown_keys_are_refused_where_they_stand(path: tuple[str, ...]) -> None:
    whole = document()
    place: Any = whole
    for step in path:
        place = place[step]
    place["extra"] = "x"
    with pytest.raises(ContractRefused) as refused:
        read(written(whole))
    assert refused.value.code == "contract.unknown-key"
    assert ".".join((*path, "extra")) in str(refused.value)


def test_an_unknown_term_is_refused_by_name() -> None:
    with pytest.raises(ContractRefused, match=r"terms\.exclusivity") as refused:
        read(text(terms__exclusivity={"hours": 24}))
    assert refused.value.code == "contract.unknown-term"
    assert "columns, purposes, cadence" in str(refused.value)


REQUIRED = [
    *(key for key in document() if key not in ("description", "terms")),
    "description",
    "description__purpose",
    "terms",
    *(f"terms__{name}" for name, term in TERMS.items() if term.required),
    "terms__cadence__every",
    "terms__cadence__cutOffHours",
]


@pytest.mark.parametrize("path", REQUIRED)
def test_what_is_missing_is_named(path: str) -> None:
    with pytest.raises(ContractRefused) as refused:
        read(text(**{path: None}))
    assert refused.value.code == "contract.missing-key"
    assert path.replace("__", ".") in str(refused.value)


CYRILLIC_A = "\N{CYRILLIC SMALL LETTER A}"
WRONG: list[tuple[str, Any]] = [
    ("apiVersion", "v2"),
    ("apiVersion", 1),
    ("kind", "DataContract"),
    ("id", "Nordvik"),
    ("id", "a/b"),
    ("id", f"nordvik--fjordst{CYRILLIC_A}l"),
    ("id", "x" * 200),
    ("version", "1.0"),
    ("version", "1.0.0-beta"),
    ("version", "01.0.0"),
    ("version", 1.0),
    ("provider", "../etc"),
    ("provider", f"nordvik{CYRILLIC_A}"),
    ("provider", "nordvik\n"),
    ("provider", "fjordstal"),
    ("consumer", "\N{FULLWIDTH LATIN SMALL LETTER F}jordstal"),
    ("consumer", "nordvik"),
    ("dataContractId", "order"),
    ("dataContractId", "urn:tillit:kind:Order"),
    ("dataContractId", "urn:tillit:kind:order; drop table x"),
    ("dataContractVersion", "latest"),
    ("dataContractDigest", DIGEST),
    ("dataContractDigest", f"sha256:{DIGEST.upper()}"),
    ("dataContractDigest", f"sha256:{DIGEST[:-1]}"),
    ("description", "words"),
    ("description__purpose", ""),
    ("description__purpose", "  \n "),
    ("description__purpose", 5),
    ("description__purpose", "clear \N{RIGHT-TO-LEFT OVERRIDE}dlehhtiw"),
    ("description__usage", "with a \N{ZERO WIDTH SPACE}gap"),
    ("description__limitations", "bell \x07"),
    ("description__purpose", "long " * 1000),
    ("startTimestamp", "2026-01-01"),
    ("startTimestamp", "2026-01-01T00:00:00"),
    ("startTimestamp", "2026-01-01T00:00:00+01:00"),
    ("startTimestamp", "2026-02-30T00:00:00Z"),
    ("startTimestamp", "2026-01-01T24:00:00Z"),
    ("startTimestamp", "\N{ARABIC-INDIC DIGIT TWO}026-01-01T00:00:00Z"),
    ("startTimestamp", "2027-01-01T00:00:00Z"),
    ("startTimestamp", "2028-01-01T00:00:00Z"),
    ("endTimestamp", "2025-01-01T00:00:00Z"),
    ("endTimestamp", "9999-12-31T23:59:59Z"),
    ("nextReassessmentTimestamp", "2026-01-01T00:00:00Z"),
    ("nextReassessmentTimestamp", "2027-01-01T00:00:01Z"),
    ("terms", []),
    ("terms__columns", {}),
    ("terms__columns", ["order_id"]),
    ("terms__columns", {"Order": "clear"}),
    ("terms__columns", {f"qu{CYRILLIC_A}ntity": "clear"}),
    ("terms__columns", {'x" from secrets --': "clear"}),
    ("terms__columns__quantity", "Clear"),
    ("terms__columns__quantity", True),
    ("terms__columns__quantity", ["clear"]),
    ("terms__columns", {f"c{i}": "clear" for i in range(1001)}),
    ("terms__purposes", []),
    ("terms__purposes", "order-fulfilment"),
    ("terms__purposes", [1]),
    ("terms__purposes", ["Any"]),
    ("terms__purposes", ["plan", "plan"]),
    ("terms__purposes", [f"p{i}" for i in range(21)]),
    ("terms__cadence", "weekly"),
    ("terms__cadence__every", "year"),
    ("terms__cadence__cutOffHours", "48"),
    ("terms__cadence__cutOffHours", True),
    ("terms__cadence__cutOffHours", 10_000),
    ("terms__cadence__cutOffHours", 10**30),
    ("terms__cadence", {"every": "event", "cutOffHours": 1}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_wrong_values_say_where_and_what_was_expected(path: str, value: Any) -> None:
    with pytest.raises(ContractRefused) as refused:
        read(text(**{path: value}))
    assert refused.value.code == "contract.wrong-value"
    assert refused.value.expected
    said = str(refused.value)
    key = path.rpartition("__")[2]
    assert key in said or "consumer" in said or "endTimestamp" in said
    assert said.isprintable() or "\n" in said


def test_the_place_of_a_wrong_value_is_its_path() -> None:
    with pytest.raises(ContractRefused) as refused:
        read(text(terms__columns__quantity="some"))
    assert str(refused.value) == (
        "terms.columns.quantity cannot be used; "
        "expected clear, withheld, pseudonym, text-redacted, {rounded: ...} or {banded: [...]}; "
        "found 'some'"
    )


BYTES = {
    b"": "contract.wrong-value",
    b"- a\n": "contract.wrong-value",
    b"id: a\nid: b\n": "contract.duplicate-key",
    b"a: &x 1\nb: *x\n": "contract.alias",
    b"a: [\n": "contract.not-yaml",
    b"\xff\xfe": "contract.not-utf8",
    b"a: " + b"[" * 100: "contract.too-deep",
    b"#" * 300_000: "contract.too-large",
    b"a: !!python/object:os.system x\n": "contract.unsupported",
}


@pytest.mark.parametrize("content", BYTES, ids=BYTES.values())
def test_what_is_not_even_a_document_is_refused(content: bytes) -> None:
    with pytest.raises(ContractRefused) as refused:
        read(content)
    assert refused.value.code == BYTES[content]


# ---- the kind -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataContractId": "urn:tillit:kind:delivery"}, "agreement.wrong-kind"),
        ({"dataContractVersion": "1.0.1"}, "agreement.kind-changed"),
        ({"dataContractDigest": "sha256:" + "f" * 64}, "agreement.kind-changed"),
        ({"terms__columns__nothing": "clear"}, "contract.wrong-value"),
        ({"terms__columns__line": "withheld"}, "contract.wrong-value"),
        ({"terms__columns__line": None}, "contract.wrong-value"),
    ],
)
def test_an_agreement_must_fit_its_kind(changes: dict[str, Any], code: str) -> None:
    with pytest.raises((AgreementRefused, ContractRefused)) as refused:
        require_kind(read(text(**changes)), KIND)
    assert refused.value.code == code


def test_findings_are_what_a_person_should_see_before_signing() -> None:
    content = text(terms__columns__secret_cost="clear", terms__columns__quantity="withheld")
    said = {finding.at: finding.says for finding in check(content, KIND)}
    assert "restricted" in said["terms.columns.secret_cost"]
    assert "requires" in said["terms.columns.quantity"]
    assert "nextReassessmentTimestamp" in said
    assert "terms.columns.unit_price" not in said


def test_nothing_to_say_of_a_full_agreement() -> None:
    content = text(
        nextReassessmentTimestamp="2026-07-01T00:00:00Z", terms__columns__secret_cost="withheld"
    )
    assert check(content, KIND) == []


def test_sharing_only_the_key_is_worth_a_word() -> None:
    content = text(terms__columns={"order_id": "clear", "line": "clear"})
    assert "nothing but the key is shared" in [f.says for f in check(content, KIND)]


# ---- terms ----------------------------------------------------------------------------------


def test_what_is_not_listed_is_withheld() -> None:
    agreement = read(text())
    assert shared_columns(agreement, KIND) == ("order_id", "line", "quantity")
    require_columns(agreement, KIND, {"line": "clear", "quantity": "clear"})
    for hidden in ("unit_price", "secret_cost", "no_such_column"):
        with pytest.raises(AgreementRefused, match=hidden) as refused:
            require_columns(agreement, KIND, {"line": "clear", hidden: "clear"})
        assert refused.value.code == "agreement.column-not-permitted"


@pytest.mark.parametrize("purposes", [[], ["resale"], ["order-fulfilment", "resale"]])
def test_only_agreed_purposes(purposes: list[str]) -> None:
    agreement = read(text())
    require_purposes(agreement, ["order-fulfilment"])
    with pytest.raises(AgreementRefused) as refused:
        require_purposes(agreement, purposes)
    assert refused.value.code == "agreement.purpose"


def test_what_is_due_and_when_it_is_late() -> None:
    agreement = read(text(terms__cadence={"every": "week", "cutOffHours": 48}))
    wednesday = datetime(2026, 3, 4, 12, tzinfo=UTC)
    period = due(agreement, wednesday)
    assert isoformat(period.start) == "2026-03-09T00:00:00Z"
    assert isoformat(period.cut_off) == "2026-03-07T00:00:00Z"
    assert not is_late(period, period.cut_off)
    assert is_late(period, period.cut_off + timedelta(microseconds=1))


def test_cut_offs_stay_inside_the_agreement() -> None:
    agreement = read(text(terms__cadence={"every": "month", "cutOffHours": -24}))
    months = list(cut_offs(agreement, datetime(2025, 6, 1, tzinfo=UTC)))
    assert len(months) == 12
    assert months[0].start == START
    assert months[-1].end == END
    event = read(text(terms__cadence={"every": "event", "cutOffHours": 0}))
    assert list(cut_offs(event, START)) == []
