"""Statements: what is written can be read, and nothing else can."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.ledgers import AGREEMENT, NOW, deletion, make, notice, receipt, shipment

from tillit.errors import StatementRefused
from tillit.ledger.bodies import (
    AgreementBody,
    Body,
    Deleted,
    DeletionBody,
    PartyBody,
    PayloadRef,
    ReasonCount,
)
from tillit.ledger.chain import Position
from tillit.ledger.deletion import MAX_DELETED
from tillit.ledger.statement import MAX_PAYLOAD_BYTES, Statement, Subject, Witness

FIRST = Position(1, None, None)
LATER = Position(7, "d" * 64, Witness(3, "e" * 64))
ENVELOPE = {"payload": "YQ==", "payloadType": "t", "signatures": [{"keyid": "k", "sig": "Yg=="}]}


def shipped(seq: int = 1) -> Statement:
    body, subjects = shipment(seq)
    place = FIRST if seq == 1 else replace(LATER, seq=seq)
    return make("nordvik", "fjordstal", place, body, subjects)


def answered() -> Statement:
    body = receipt(shipped(), outcome="partly", accepted=11, refused=1)
    reasons = (ReasonCount("key", "another row has the same key", 1),)
    payload = PayloadRef("0000000007.age", 10, "f" * 64, 5)
    subjects = (Subject(body.shipment_id, body.statement), Subject(payload.name, payload.sha256))
    body = replace(body, reasons=reasons, payload=payload)
    return make("fjordstal", "nordvik", LATER, body, subjects)


EVERY: list[Body] = [
    notice("Ærlig talt"),
    AgreementBody("signed", AGREEMENT, ENVELOPE),
    PartyBody("updated", ENVELOPE),
    deletion(shipped()),
]


def every() -> list[Statement]:
    return [shipped(), answered(), *(make("nordvik", "fjordstal", FIRST, body) for body in EVERY)]


@pytest.mark.parametrize("statement", every(), ids=lambda s: s.type)
def test_what_is_written_can_be_read(statement: Statement) -> None:
    payload = statement.to_bytes()
    read = Statement.parse(payload)
    assert read == statement
    assert read.to_bytes() == payload
    assert read.digest == statement.digest == hashlib.sha256(payload).hexdigest()


def test_the_form_is_that_of_in_toto() -> None:
    value = json.loads(shipped().to_bytes())
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "urn:tillit:shipment:v1"
    assert value["subject"] == [{"name": "0000000001.age", "digest": {"sha256": "b" * 64}}]
    assert set(value["predicate"]) == {
        *("author", "recipient", "seq", "previous", "witnessed", "issuedAt", "body")
    }


def test_our_own_form_is_canonical() -> None:
    payload = shipped().to_bytes()
    text = json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":"))
    assert payload == text.encode()


def test_a_digest_is_of_the_bytes_that_came() -> None:
    spaced = json.dumps(json.loads(shipped().to_bytes()), indent=1).encode()
    read = Statement.parse(spaced)
    assert read == shipped()
    assert read.digest == hashlib.sha256(spaced).hexdigest() != shipped().digest
    assert replace(read, seq=1).digest == shipped().digest  # a copy is no longer what came


def test_what_it_is_about() -> None:
    assert (shipped().shipment_id, shipped().agreement_id) == (
        f"{AGREEMENT.id}.20260309T000000.1",
        AGREEMENT.id,
    )
    assert answered().agreement_id == AGREEMENT.id
    note = make("nordvik", "nordvik", FIRST)
    assert (note.shipment_id, note.agreement_id, note.type) == (None, None, "notice")


def test_our_own_free_text_is_made_harmless() -> None:
    said = make("nordvik", "fjordstal", FIRST, notice("line\nbreak\x00" + "x" * 5000))
    read = Statement.parse(said.to_bytes())
    assert read.body.reason.startswith("line\N{REPLACEMENT CHARACTER}break")
    assert len(read.body.reason) == 1000


def test_what_the_partner_would_refuse_is_refused_before_it_is_signed() -> None:
    body, subjects = shipment(2)
    with pytest.raises(StatementRefused, match=r"body\.payload\.name"):
        make("nordvik", "fjordstal", FIRST, body, subjects).to_bytes()


Change = Callable[[dict[str, Any]], object]


def put(path: str, value: Any) -> Change:
    """Set what stands at a path like ``predicate.seq``."""

    def change(statement: dict[str, Any]) -> None:
        *above, last = path.split(".")
        place: Any = statement
        for key in above:
            place = place[int(key) if key.isdigit() else key]
        if value is DROP:
            del place[last]
        else:
            place[last] = value

    return change


DROP = object()
BODY = "predicate.body"
REFUSED: dict[str, Change] = {
    "another type of document": put("_type", "https://in-toto.io/Statement/v0.1"),
    "another version of a predicate": put("predicateType", "urn:tillit:shipment:v2"),
    "an unknown predicate": put("predicateType", "urn:tillit:gossip:v1"),
    "the body of another type": put("predicateType", "urn:tillit:notice:v1"),
    "an unknown key": put("extra", 1),
    "an unknown key in the predicate": put("predicate.extra", 1),
    "an unknown key in the body": put(f"{BODY}.extra", 1),
    "a missing key": put("predicate.previous", DROP),
    "no predicate": put("predicate", None),
    "a list for a body": put(BODY, []),
    "an author with a path": put("predicate.author", "../nordvik"),
    "an author in capitals": put("predicate.author", "Nordvik"),
    "a number for an author": put("predicate.author", 7),
    "number zero": put("predicate.seq", 0),
    "a number below zero": put("predicate.seq", -1),
    "a number of eleven digits": put("predicate.seq", 10**10),
    "true for a number": put("predicate.seq", True),
    "a text for a number": put("predicate.seq", "1"),
    "a first that follows one": put("predicate.previous", "a" * 64),
    "a short digest": put("subject", [{"name": "x", "digest": {"sha256": "a" * 63}}]),
    "a digest in capitals": put(f"{BODY}.agreement.digest", "A" * 64),
    "a subject without a digest": put("subject", [{"name": "x", "digest": {}}]),
    "a subject by another digest": put("subject", [{"name": "x", "digest": {"md5": "a" * 32}}]),
    "many subjects": put("subject", [{"name": "x", "digest": {"sha256": "a" * 64}}] * 17),
    "a payload that is no subject": put("subject", []),
    "a witness of nothing": put("predicate.witnessed", {"seq": 0, "digest": "a" * 64}),
    "a local time": put("predicate.issuedAt", "2026-03-02T06:00:00+01:00"),
    "a time in another form": put("predicate.issuedAt", "2026-03-02T06:00:00.000Z"),
    "a day that is none": put("predicate.issuedAt", "2026-02-30T06:00:00Z"),
    "a payload of another number": put(f"{BODY}.payload.name", "0000000002.age"),
    "a payload with a path": put(f"{BODY}.payload.name", "../0000001.age"),
    "an empty payload": put(f"{BODY}.payload.bytes", 0),
    "rows below zero": put(f"{BODY}.rows", -1),
    "rows that no reader holds exactly": put(f"{BODY}.rows", 2**53),
    "half a row": put(f"{BODY}.rows", 1.5),
    "a shipment with a path": put(f"{BODY}.shipmentId", "../../x.20260309T000000.1"),
    "a shipment of another agreement": put(f"{BODY}.shipmentId", "other.20260309T000000.1"),
    "a shipment of another period": put(f"{BODY}.shipmentId", f"{AGREEMENT.id}.20260310T000000.1"),
    "a period that ends before it starts": put(f"{BODY}.period.end", "2026-03-01T00:00:00Z"),
    "a column with SQL in its name": put(f"{BODY}.columns.0.name", 'x"; drop table y'),
    "text that is not printable": put(f"{BODY}.columns.0.type", "VARCHAR\u202e"),
    "half a letter": put(f"{BODY}.columns.0.type", "\ud800"),
    "a long text": put(f"{BODY}.columns.0.type", "x" * 201),
    "a purpose that is no text": put(f"{BODY}.purposes", [1]),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_refused_as_malformed(change: Change) -> None:
    value = json.loads(shipped().to_bytes())
    Statement.parse(json.dumps(value).encode())  # it is the change that is refused
    change(value)
    with pytest.raises(StatementRefused) as caught:
        Statement.parse(json.dumps(value).encode())
    assert caught.value.code == "statement.malformed"


DELETED: dict[str, Change] = {
    "of nothing": put(f"{BODY}.shipments", []),
    "of one shipment twice": lambda s: s["predicate"]["body"]["shipments"].append(
        s["predicate"]["body"]["shipments"][0]
    ),
    "of another agreement's shipment": put(
        f"{BODY}.shipments.0.shipmentId", "other.20260309T000000.1"
    ),
    "of a shipment without its digest": put(f"{BODY}.shipments.0.statement", None),
    "of rows below zero": put(f"{BODY}.shipments.0.rows", -1),
    "of a shipment and more": put(f"{BODY}.shipments.0.reason", "because"),
    "without a time": put(f"{BODY}.deletedAt", None),
    "at a local time": put(f"{BODY}.deletedAt", "2026-03-02T06:00:00"),
    "without the text that asked for it": put(f"{BODY}.agreement", DROP),
    "of more than one can name": put(f"{BODY}.shipments", [{}] * (MAX_DELETED + 1)),
}


@pytest.mark.parametrize("change", DELETED.values(), ids=DELETED)
def test_a_certificate_that_is_refused(change: Change) -> None:
    value = json.loads(make("fjordstal", "nordvik", FIRST, deletion(shipped())).to_bytes())
    Statement.parse(json.dumps(value).encode())
    change(value)
    with pytest.raises(StatementRefused) as caught:
        Statement.parse(json.dumps(value).encode())
    assert caught.value.code == "statement.malformed"


def test_the_largest_certificate_is_a_statement_still() -> None:
    agreement = replace(AGREEMENT, id="x" * 120)
    gone = tuple(
        Deleted(f"{agreement.id}.20260309T000000.{n}", f"{n:064x}", 2**53 - 1)
        for n in range(1, MAX_DELETED + 1)
    )
    body = DeletionBody(agreement, NOW, gone)
    said = make("fjordstal", "nordvik", FIRST, body)
    assert Statement.parse(said.to_bytes()).body == body
    assert (said.shipment_id, said.agreement_id) == (None, agreement.id)


COLUMN = {"name": "item_id", "type": "VARCHAR", "treatment": "clear"}


def test_a_column_twice_is_refused() -> None:
    value = json.loads(shipped().to_bytes())
    value["predicate"]["body"]["columns"] = [COLUMN, COLUMN]
    with pytest.raises(StatementRefused, match="each column once"):
        Statement.parse(json.dumps(value).encode())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"_type": NaN}',
        b'{"a": 1' + b"0" * 5000 + b"}",
    ],
    ids=["empty", "list", "null", "cut", "not-utf8", "deep", "nan", "huge-number"],
)
def test_bytes_that_are_no_statement(payload: bytes) -> None:
    with pytest.raises(StatementRefused) as caught:
        Statement.parse(payload)
    assert caught.value.code == "statement.malformed"


def test_a_repeated_key_is_refused() -> None:
    twice = shipped().to_bytes().replace(b'"rows":12', b'"rows":12,"rows":13')
    with pytest.raises(StatementRefused, match="repeated"):
        Statement.parse(twice)


def test_more_bytes_than_a_statement_may_have() -> None:
    with pytest.raises(StatementRefused) as caught:
        Statement.parse(b" " * (MAX_PAYLOAD_BYTES + 1))
    assert caught.value.code == "statement.too-large"


@pytest.mark.parametrize(
    "counts",
    [
        {"outcome": "accepted", "accepted": 11, "refused": 1},
        {"outcome": "accepted", "accepted": 12, "code": "payload.digest"},
        {"outcome": "partly", "accepted": 12, "refused": 0},
        {"outcome": "partly", "accepted": 0, "refused": 12},
        {"outcome": "refused", "accepted": 0},
        {"outcome": "refused", "accepted": 1, "code": "payload.digest"},
        {"outcome": "perhaps"},
    ],
)
def test_a_receipt_must_agree_with_itself(counts: dict[str, Any]) -> None:
    with pytest.raises(StatementRefused):
        make("fjordstal", "nordvik", LATER, receipt(shipped(), **counts)).to_bytes()


def test_a_refusal_of_the_whole_has_a_code() -> None:
    body = receipt(shipped(), outcome="refused", accepted=0, code="payload.digest", reason="other")
    assert Statement.parse(make("fjordstal", "nordvik", LATER, body).to_bytes()).body == body


def test_a_local_statement_witnesses_nobody() -> None:
    with pytest.raises(StatementRefused, match="witnessed"):
        make("nordvik", "nordvik", LATER).to_bytes()


def test_messages_repeat_little_of_what_a_stranger_wrote() -> None:
    value = json.loads(shipped().to_bytes())
    value["predicate"]["author"] = {"secret": "row" * 1000}
    with pytest.raises(StatementRefused) as caught:
        Statement.parse(json.dumps(value).encode())
    assert "rowrow" not in str(caught.value)


def test_microseconds_survive() -> None:
    when = datetime(2026, 3, 2, 6, 0, 0, 1, tzinfo=UTC)
    said = make("nordvik", "fjordstal", FIRST, issued_at=when)
    assert Statement.parse(said.to_bytes()).issued_at == when != NOW
