"""Two parties and their records in memory, with signatures that only tests believe."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tillit.errors import StatementRefused
from tillit.ledger.bodies import (
    AgreementRef,
    Body,
    ColumnRef,
    Deleted,
    DeletionBody,
    KindRef,
    NoticeBody,
    PayloadRef,
    PeriodRef,
    ReasonCount,
    ReceiptBody,
    ShipmentBody,
    Stopped,
)
from tillit.ledger.chain import Head, Position, next_position
from tillit.ledger.fsck import Finding, Queued, Record, audit
from tillit.ledger.statement import IN_TOTO, Statement, Subject

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
PERIOD = PeriodRef(
    datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC), NOW + timedelta(days=5)
)
AGREEMENT = AgreementRef("nordvik--fjordstal.orders", "1.0.0", "a" * 64)


def seal(statement: Statement, author: str | None = None) -> bytes:
    """An envelope with one signature, by a key that follows from the author's name."""
    return enclose(statement.to_bytes(), author or statement.author)


def enclose(payload: bytes, author: str) -> bytes:
    signature = hmac.new(author.encode(), payload, "sha256").digest()
    fields = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": IN_TOTO,
        "signatures": [{"keyid": author, "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(fields).encode()


def verify(envelope: bytes, author: str) -> bytes:
    """What `tillit.crypto.dsse` does, for those signatures."""
    try:
        fields = json.loads(envelope)
        payload = base64.b64decode(fields["payload"], validate=True)
        found = base64.b64decode(fields["signatures"][0]["sig"])
    except (ValueError, LookupError, TypeError) as error:
        raise StatementRefused("malformed", "not an envelope") from error
    if not hmac.compare_digest(found, hmac.new(author.encode(), payload, "sha256").digest()):
        raise StatementRefused("signature", f"{author}'s signature")
    return payload


def notice(text: str = "nothing") -> NoticeBody:
    return NoticeBody("table.empty", text)


def shipment(seq: int, revision: int = 1, **changes: Any) -> tuple[ShipmentBody, tuple[Subject]]:
    payload = PayloadRef(f"{seq:010d}.age", 2048, "b" * 64, 1900)
    body = ShipmentBody(
        shipment_id=f"{AGREEMENT.id}.20260309T000000.{revision}",
        agreement=AGREEMENT,
        kind=KindRef("order", "1.0.0", "c" * 64),
        purposes=("plan-production",),
        period=PERIOD,
        columns=(ColumnRef("item_id", "VARCHAR", "clear"),),
        rows=12,
        unpacked_bytes=4096,
        payload=payload,
        stopped=Stopped(1, (ReasonCount("key", "another row has the same key", 1),)),
    )
    return replace(body, **changes), (Subject(payload.name, payload.sha256),)


def receipt(about: Statement, **changes: Any) -> ReceiptBody:
    assert isinstance(about.body, ShipmentBody)
    body = ReceiptBody(about.body.shipment_id, about.digest, "accepted", accepted=12)
    return replace(body, **changes)


def deletion(*about: Statement, **changes: Any) -> DeletionBody:
    """A certificate that the rows of these shipments are gone."""
    shipments = []
    for statement in about:
        assert isinstance(statement.body, ShipmentBody)
        shipments.append(Deleted(statement.body.shipment_id, statement.digest, statement.body.rows))
    return replace(DeletionBody(AGREEMENT, NOW, tuple(shipments)), **changes)


def make(
    author: str,
    recipient: str,
    position: Position,
    body: Body | None = None,
    subjects: tuple[Subject, ...] = (),
    issued_at: datetime = NOW,
) -> Statement:
    return Statement(
        author,
        recipient,
        position.seq,
        position.previous,
        position.witnessed,
        issued_at,
        subjects,
        body or notice(),
    )


@dataclass
class Book:
    """One party's ledger, in memory."""

    party: str
    records: list[Record] = field(default_factory=list)
    outbox: list[Queued] = field(default_factory=list)

    def head(self, author: str, recipient: str) -> Head | None:
        chain = [r for r in self.records if (r.author, r.recipient) == (author, recipient)]
        last = max(chain, key=lambda r: r.seq, default=None)
        return None if last is None else Head(last.seq, last.digest, last.witnessed_seq)

    def say(self, recipient: str, text: str = "nothing") -> Statement:
        theirs = None if recipient == self.party else self.head(recipient, self.party)
        place = next_position(self.head(self.party, recipient), theirs)
        said = make(self.party, recipient, place, notice(text))
        self.keep(said)
        return said

    def keep(self, statement: Statement) -> None:
        self.records.append(record(statement, self.party))
        if statement.author == self.party != statement.recipient:
            self.outbox.append(Queued(statement.digest, statement.recipient))

    def sorted(self) -> list[Record]:
        return sorted(self.records, key=lambda r: (r.author, r.recipient, r.seq))

    def findings(self) -> list[Finding]:
        return list(audit(self.sorted(), self.outbox, self.party, verify))

    def codes(self) -> set[str]:
        return {finding.code for finding in self.findings()}

    def export(self, partner: str) -> list[bytes]:
        pair = {self.party, partner}
        return [r.envelope for r in self.records if {r.author, r.recipient} == pair]


def record(statement: Statement, party: str) -> Record:
    """The row that a statement becomes in a party's ledger."""
    if statement.author == statement.recipient:
        direction = "local"
    else:
        direction = "sent" if statement.author == party else "received"
    return Record(
        statement.author,
        statement.recipient,
        statement.seq,
        statement.digest,
        statement.previous,
        0 if statement.witnessed is None else statement.witnessed.seq,
        statement.type,
        direction,
        seal(statement),
    )


@dataclass
class Pair:
    """Two parties who talk; what is said stays on its way until it is heard."""

    a: Book = field(default_factory=lambda: Book("nordvik"))
    b: Book = field(default_factory=lambda: Book("fjordstal"))
    on_its_way: dict[str, list[Statement]] = field(default_factory=dict)

    def act(self, word: str, text: str = "nothing") -> None:
        """One of ``a says``, ``b says``, ``a hears``, ``b hears``, ``a notes``, ``b notes``."""
        who, verb = word.split()
        me, other = (self.a, self.b) if who == "a" else (self.b, self.a)
        if verb == "says":
            self.on_its_way.setdefault(other.party, []).append(me.say(other.party, text))
        elif verb == "notes":
            me.say(me.party, text)
        elif self.on_its_way.get(me.party):
            me.keep(self.on_its_way[me.party].pop(0))

    @classmethod
    def played(cls, words: list[str]) -> Pair:
        pair = cls()
        for number, word in enumerate(words):
            pair.act(word, f"{number}")
        return pair


def digest_of(envelope: bytes) -> str:
    return hashlib.sha256(base64.b64decode(json.loads(envelope)["payload"])).hexdigest()
