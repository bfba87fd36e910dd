"""Any conversation leaves two ledgers that hold; any single change to one is found."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.ledgers import NOW, Pair, enclose, make, notice, record, verify

from tillit.errors import StatementRefused
from tillit.ledger.chain import Head, Position, check_next
from tillit.ledger.fsck import Queued, compare
from tillit.ledger.statement import Statement, Witness

WORDS = ["a says", "b says", "a hears", "b hears", "a notes", "b notes"]
TALKS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=25)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
# A talk in which each side has said something and heard all of it, and then whatever comes.
OPENING = ["a says", "b hears", "b says", "a hears", "a says", "b hears"]


def exports(pair: Pair) -> tuple[list[bytes], list[bytes], str]:
    return pair.a.export("fjordstal"), pair.b.export("nordvik"), "nordvik"


@settings(deadline=None, max_examples=60)
@given(TALKS)
def test_any_conversation_leaves_ledgers_that_hold(words: list[str]) -> None:
    pair = Pair.played(words)
    assert pair.a.findings() == []
    assert pair.b.findings() == []
    assert compare(*exports(pair)) == []


@settings(deadline=None, max_examples=60)
@given(TALKS)
def test_any_conversation_is_taken_statement_by_statement(words: list[str]) -> None:
    """What one side says in its turn, the rules of the other side let in."""
    pair = Pair()
    for number, word in enumerate(words):
        who, verb = word.split()
        me = pair.a if who == "a" else pair.b
        if verb == "hears" and pair.on_its_way.get(me.party):
            said = pair.on_its_way[me.party][0]
            ours = {r.seq: r.digest for r in me.records if r.author == me.party != r.recipient}
            check_next(
                said,
                head=me.head(said.author, me.party),
                held=lambda _: None,
                ours=ours.get,
                now=NOW,
            )
        pair.act(word, f"{number}")


@settings(deadline=None, max_examples=60)
@given(TALKS, st.data())
def test_a_changed_byte_is_found(words: list[str], data: st.DataObject) -> None:
    pair = Pair.played([*OPENING, *words])
    where = data.draw(st.integers(0, len(pair.a.records) - 1))
    old = pair.a.records[where]
    payload = bytearray(verify(old.envelope, old.author))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    fields = json.loads(old.envelope)
    fields["payload"] = json.loads(enclose(bytes(payload), "x"))["payload"]
    pair.a.records[where] = replace(old, envelope=json.dumps(fields).encode())
    assert {"digest", "signature"} <= pair.a.codes()


@settings(deadline=None, max_examples=60)
@given(TALKS, st.data())
def test_a_dropped_statement_is_found(words: list[str], data: st.DataObject) -> None:
    """In the middle by the number after it, at the end by whoever saw it or by the outbox."""
    pair = Pair.played([*OPENING, *words])
    where = data.draw(st.integers(0, len(pair.a.records) - 1))
    gone = pair.a.records[where]
    head = pair.a.head(gone.author, gone.recipient)
    assert head is not None
    del pair.a.records[where]
    codes = pair.a.codes()
    if gone.seq < head.seq:
        assert "sequence" in codes
    elif gone.direction == "sent":
        assert "missing" in codes  # in the outbox still
    elif gone.direction == "received":
        said_since = [r for r in pair.a.records if r.direction == "sent"]
        seen = max((r.witnessed_seq for r in said_since), default=0)
        assert ("missing" in codes) == (seen >= gone.seq)


@settings(deadline=None, max_examples=60)
@given(TALKS, st.data())
def test_two_swapped_envelopes_are_found(words: list[str], data: st.DataObject) -> None:
    pair = Pair.played([*OPENING, *words])
    places = st.integers(0, len(pair.a.records) - 1)
    one, other = data.draw(places), data.draw(places)
    assume(one != other)
    records = pair.a.records
    first, second = records[one], records[other]
    records[one] = replace(first, envelope=second.envelope)
    records[other] = replace(second, envelope=first.envelope)
    assert "digest" in pair.a.codes()


@settings(deadline=None, max_examples=60)
@given(TALKS, st.data())
def test_a_cut_end_that_the_partner_saw_is_found(words: list[str], data: st.DataObject) -> None:
    """Also when the outbox was cut to fit: the partner's own words name what is gone."""
    pair = Pair.played([*OPENING, *words])
    heard = [r for r in pair.a.records if r.direction == "received"]
    seen = max(r.witnessed_seq for r in heard)
    assume(seen >= 1)
    left = data.draw(st.integers(0, seen - 1))
    pair.a.records = [r for r in pair.a.records if r.direction != "sent" or r.seq <= left]
    kept = {r.digest for r in pair.a.records}
    pair.a.outbox = [q for q in pair.a.outbox if q.digest in kept]
    assert pair.a.codes() == {"missing"}


@settings(deadline=None, max_examples=60)
@given(TALKS, st.data())
def test_a_fork_is_found(words: list[str], data: st.DataObject) -> None:
    """A history told anew, signed and fitting in itself, is found by whoever saw the first."""
    pair = Pair.played([*OPENING, *words])
    sent = [r for r in pair.a.records if r.direction == "sent"]
    first = data.draw(st.integers(1, len(sent)))
    told: list[Statement] = []
    for old in sorted(sent, key=lambda r: r.seq):
        said = Statement.parse(verify(old.envelope, old.author))
        if old.seq >= first:
            previous = told[-1].digest if told else None
            said = make(
                old.author,
                old.recipient,
                Position(old.seq, previous, said.witnessed),
                notice("never said"),
            )
        told.append(said)
    heard = [r for r in pair.a.records if r.direction != "sent"]
    pair.a.records = [*heard, *(record(said, "nordvik") for said in told)]
    pair.a.outbox = [Queued(said.digest, said.recipient) for said in told]
    seen = max((r.witnessed_seq for r in heard if r.direction == "received"), default=0)
    assert ("witness" in pair.a.codes()) == (seen >= first)
    delivered = max((r.seq for r in pair.b.records if r.direction == "received"), default=0)
    codes = {finding.code for finding in compare(*exports(pair))}
    assert ("conflict" in codes) == (delivered >= first)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=400))
def test_bytes_from_anywhere_are_refused_and_break_nothing(payload: bytes) -> None:
    try:
        Statement.parse(payload)
    except StatementRefused:
        return
    raise AssertionError("random bytes were taken for a statement")


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_changed_byte_of_a_statement_is_refused_or_says_something_else(
    data: st.DataObject,
) -> None:
    said = make("nordvik", "fjordstal", Position(2, "a" * 64, Witness(1, "b" * 64)))
    payload = bytearray(said.to_bytes())
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = Statement.parse(bytes(payload))
    except StatementRefused:
        return
    assert read != said
    assert read.digest != said.digest


@settings(deadline=None, max_examples=100)
@given(
    seq=st.integers(1, 12),
    previous=st.none() | DIGESTS,
    witnessed=st.none() | st.builds(Witness, st.integers(1, 12), DIGESTS),
    head=st.none() | st.builds(Head, st.integers(1, 12), DIGESTS, st.integers(0, 12)),
)
def test_only_the_true_continuation_is_taken(
    seq: int, previous: str | None, witnessed: Witness | None, head: Head | None
) -> None:
    said = make("fjordstal", "nordvik", Position(seq, previous, witnessed))
    place = Position(1, None, None) if head is None else Position(head.seq + 1, head.digest, None)
    fits = (
        (seq, previous) == (place.seq, place.previous)
        and witnessed is None
        and (head is None or head.witnessed == 0)
    )
    try:
        check_next(said, head=head, held=lambda _: None, ours=lambda _: None, now=NOW)
    except StatementRefused:
        assert not fits
    else:
        assert fits
