"""The auditor finds what was done to a ledger, each by its own code."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.ledgers import Book, Pair, enclose, make, notice, record, seal, verify

from tillit.ledger.chain import Position, next_position
from tillit.ledger.fsck import Finding, Queued, audit, compare
from tillit.ledger.statement import Witness

TALK = [
    *("a says", "b hears", "b says", "a hears", "a says", "a says", "b hears", "b says"),
    *("a hears", "a notes", "a says", "b hears", "b hears"),
]
A_TO_B = ("nordvik", "fjordstal")


@pytest.fixture
def pair() -> Pair:
    """Nordvik said four things and heard two, all of which both have."""
    return Pair.played(TALK)


def at(book: Book, author: str, seq: int) -> int:
    """Where a book holds a statement."""
    places = [i for i, r in enumerate(book.records) if (r.author, r.seq) == (author, seq)]
    return next(i for i in places if book.records[i].recipient != author)


def codes(findings: list[Finding]) -> list[str]:
    return sorted(f.code for f in findings)


def test_a_true_ledger_has_no_findings(pair: Pair) -> None:
    assert len(pair.a.records) == 7
    assert pair.a.findings() == pair.b.findings() == []
    assert compare(pair.a.export("fjordstal"), pair.b.export("nordvik"), "nordvik") == []


def test_an_empty_ledger_has_no_findings() -> None:
    assert Book("nordvik").findings() == []


def test_changed_bytes(pair: Pair) -> None:
    where = at(pair.a, "fjordstal", 2)
    old = pair.a.records[where]
    payload = verify(old.envelope, "fjordstal").replace(b"table.empty", b"table.query")
    fields = json.loads(old.envelope) | {"payload": json.loads(enclose(payload, "x"))["payload"]}
    pair.a.records[where] = replace(old, envelope=json.dumps(fields).encode())
    # We saw the true one, and said so in number 4.
    assert codes(pair.a.findings()) == ["digest", "signature", "witness"]


def test_bytes_signed_anew_by_their_author(pair: Pair) -> None:
    where = at(pair.a, "fjordstal", 1)
    said = make("fjordstal", "nordvik", Position(1, None, Witness(1, "0" * 64)), notice("other"))
    pair.a.records[where] = replace(pair.a.records[where], envelope=seal(said))
    found = codes(pair.a.findings())
    # Recorded digest, the next one's link, what it claims to have seen, what we saw of it.
    assert found.count("digest") == 1
    assert {"link", "witness"} <= set(found)
    assert "signature" not in found


def test_another_partys_signature(pair: Pair) -> None:
    where = at(pair.a, "fjordstal", 1)
    old = pair.a.records[where]
    mallory = enclose(verify(old.envelope, "fjordstal"), "mallory")
    pair.a.records[where] = replace(old, envelope=mallory)
    assert codes(pair.a.findings()) == ["signature"]


@pytest.mark.parametrize("envelope", [b"", b"{}", b"[]", b'{"payload": 7}', b"\xff"])
def test_an_envelope_that_cannot_be_opened(pair: Pair, envelope: bytes) -> None:
    where = at(pair.a, "nordvik", 4)
    pair.a.records[where] = replace(pair.a.records[where], envelope=envelope)
    assert codes(pair.a.findings()) == ["conflict", "digest", "signature"]


@pytest.mark.parametrize(
    "payload",
    [b"7", b"{}", b'{"predicate": 7, "predicateType": 7}', b'{"predicate": {"seq": "1"}}'],
)
def test_signed_bytes_that_are_no_statement(pair: Pair, payload: bytes) -> None:
    where = at(pair.a, "nordvik", 4)
    envelope = enclose(payload, "nordvik")
    pair.a.records[where] = replace(pair.a.records[where], envelope=envelope)
    assert codes(pair.a.findings()) == ["conflict", "digest"]


def test_a_statement_that_is_gone_from_the_middle(pair: Pair) -> None:
    gone = pair.a.records.pop(at(pair.a, "nordvik", 3))
    pair.a.outbox.remove(Queued(gone.digest, "fjordstal"))
    # The first hole: nobody saw number 3, but 4 follows it.
    assert codes(pair.a.findings()) == ["sequence"]


def test_a_statement_that_is_gone_from_the_beginning(pair: Pair) -> None:
    pair.a.records.pop(at(pair.a, "fjordstal", 1))
    found = pair.a.findings()
    assert {"sequence", "missing"} == set(codes(found))


def test_an_end_that_is_cut_off_is_named_by_the_partner(pair: Pair) -> None:
    # Nordvik says nothing after what fjordstal saw last, then forgets all from there.
    pair.a.records = [r for r in pair.a.records if r.author != "nordvik" or r.seq < 2]
    pair.a.outbox = [q for q in pair.a.outbox if q.digest in {r.digest for r in pair.a.records}]
    seen = verify(pair.b.records[at(pair.b, "fjordstal", 2)].envelope, "fjordstal")
    named = json.loads(seen)["predicate"]["witnessed"]
    assert [(f.code, f.digest) for f in pair.a.findings()] == [("missing", named["digest"])]


def test_an_end_that_nobody_saw_is_missed_by_the_outbox(pair: Pair) -> None:
    pair.a.records.pop(at(pair.a, "nordvik", 4))
    assert codes(pair.a.findings()) == ["missing"]


def test_what_was_never_queued(pair: Pair) -> None:
    pair.a.outbox.pop()
    assert codes(pair.a.findings()) == ["missing"]


def test_what_was_queued_for_somebody_else(pair: Pair) -> None:
    pair.a.outbox[0] = replace(pair.a.outbox[0], recipient="havglass")
    assert codes(pair.a.findings()) == ["conflict"]


def test_two_envelopes_swapped(pair: Pair) -> None:
    one, other = at(pair.a, "nordvik", 2), at(pair.a, "nordvik", 3)
    first, second = pair.a.records[one], pair.a.records[other]
    pair.a.records[one] = replace(first, envelope=second.envelope)
    pair.a.records[other] = replace(second, envelope=first.envelope)
    found = codes(pair.a.findings())
    assert found.count("digest") == 2
    assert "signature" not in found


@pytest.mark.parametrize(
    "change",
    [
        {"type": "shipment"},
        {"witnessed_seq": 9},
        {"previous": "f" * 64},
        {"direction": "local"},
    ],
)
def test_a_row_that_says_something_else_than_was_signed(
    pair: Pair, change: dict[str, object]
) -> None:
    where = at(pair.a, "nordvik", 2)
    pair.a.records[where] = replace(pair.a.records[where], **change)  # type: ignore[arg-type]
    assert codes(pair.a.findings()) == ["conflict"]


def test_a_statement_between_others(pair: Pair) -> None:
    said = make("havglass", "skogtre", Position(1, None, None))
    pair.a.records.append(record(said, "nordvik"))
    assert codes(pair.a.findings()) == ["conflict"]


def rewritten(book: Book, first: int) -> Book:
    """The book of somebody with the keys, who tells the own story anew from a number on."""
    kept = [r for r in book.records if r.author != book.party or r.seq < first]
    again = Book(book.party, kept)
    told = [r for r in book.records if r.author == book.party != r.recipient and r.seq >= first]
    for old in told:
        seen = json.loads(verify(old.envelope, old.author))["predicate"]["witnessed"]
        place = next_position(again.head(old.author, old.recipient), None)
        witnessed = None if seen is None else Witness(seen["seq"], seen["digest"])
        said = make(
            old.author, old.recipient, replace(place, witnessed=witnessed), notice("never said")
        )
        again.records.append(record(said, book.party))
    sent = [r for r in again.records if r.author == book.party != r.recipient]
    again.outbox = [Queued(r.digest, r.recipient) for r in sent]
    return again


def test_a_history_that_was_told_anew_contradicts_what_the_partner_saw(pair: Pair) -> None:
    found = rewritten(pair.a, 2).findings()
    assert codes(found) == ["witness"]


def test_what_the_partner_has_not_seen_yet_can_be_told_anew_but_not_twice(pair: Pair) -> None:
    again = rewritten(pair.a, 4)
    assert again.findings() == []  # alone it holds together
    found = compare(again.export("fjordstal"), pair.b.export("nordvik"), "nordvik")
    assert codes(found) == ["conflict"]


def test_a_partner_who_saw_less_than_before() -> None:
    pair = Pair.played(["a says", "b hears", "b says"])
    before = pair.b.head("fjordstal", "nordvik")
    said = make("fjordstal", "nordvik", next_position(before, None))
    pair.b.keep(said)
    assert codes(pair.b.findings()) == ["witness"]


def test_exports_where_the_author_lost_the_end(pair: Pair) -> None:
    mine = pair.a.export("fjordstal")
    lost = [e for e in mine if e != pair.a.records[at(pair.a, "nordvik", 4)].envelope]
    assert codes(compare(lost, pair.b.export("nordvik"), "nordvik")) == ["missing"]


def test_exports_where_the_recipient_lost_the_middle(pair: Pair) -> None:
    theirs = pair.b.export("nordvik")
    lost = [e for e in theirs if e != pair.b.records[at(pair.b, "nordvik", 3)].envelope]
    assert codes(compare(pair.a.export("fjordstal"), lost, "nordvik")) == ["sequence"]


def test_what_is_on_its_way_is_no_finding(pair: Pair) -> None:
    pair.act("a says")
    pair.act("b says")
    assert compare(pair.a.export("fjordstal"), pair.b.export("nordvik"), "nordvik") == []


def test_the_other_sides_view_is_the_same(pair: Pair) -> None:
    again = rewritten(pair.a, 2)
    ours = compare(again.export("fjordstal"), pair.b.export("nordvik"), "nordvik")
    theirs = compare(pair.b.export("nordvik"), again.export("fjordstal"), "fjordstal")
    assert set(codes(ours)) == set(codes(theirs)) == {"conflict", "witness"}


def test_everything_is_found_not_only_the_first(pair: Pair) -> None:
    for seq in (1, 2, 3):
        where = at(pair.a, "nordvik", seq)
        pair.a.records[where] = replace(pair.a.records[where], type="party")
    assert len(list(audit(pair.a.sorted(), pair.a.outbox, "nordvik", verify))) == 3
