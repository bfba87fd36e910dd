"""A statement: what one party says to another, at a place in their chain. Pure.

It is an in-toto Statement v1. What was signed are bytes, and a statement that was read keeps the
bytes that it was read from: they have the digest, whatever form its author gave them. JSON is
written in one form only when we make a statement.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from tillit.ledger.bodies import (
    BODIES,
    AgreementBody,
    Body,
    DeletionBody,
    NoticeBody,
    PartyBody,
    ReceiptBody,
    ShipmentBody,
    payload_name,
)
from tillit.ledger.strict import DIGEST, Fields, canonical, read_object, refuse
from tillit.ledger.use import UseBody
from tillit.model import PARTY_ID, isoformat

__all__ = [
    "IN_TOTO",
    "MAX_PAYLOAD_BYTES",
    "MAX_SEQ",
    "AgreementBody",
    "Body",
    "DeletionBody",
    "NoticeBody",
    "PartyBody",
    "ReceiptBody",
    "ShipmentBody",
    "Statement",
    "Subject",
    "Witness",
]

IN_TOTO = "application/vnd.in-toto+json"
MAX_SEQ = 9_999_999_999  # ten digits, as in the names of objects in a mailbox
MAX_PAYLOAD_BYTES = 512 * 1024

_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATES = {f"urn:tillit:{name}:v1": body for name, body in BODIES.items()}


@dataclass(frozen=True)
class Subject:
    """Something that the statement is about, by name and SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Witness:
    """The newest statement of the other side's chain that the author held."""

    seq: int
    digest: str


@dataclass(frozen=True)
class Statement:
    """What is signed; ``previous`` is the digest before it in the same chain."""

    author: str
    recipient: str
    seq: int
    previous: str | None
    witnessed: Witness | None
    issued_at: datetime
    subjects: tuple[Subject, ...]
    body: Body
    # Not an argument: a changed copy must not keep the bytes of what it was copied from.
    _received: bytes | None = field(init=False, default=None, repr=False, compare=False)

    @property
    def type(self) -> str:
        """One of the types that `BODIES` names."""
        return self.body.type

    @property
    def digest(self) -> str:
        """SHA-256 of the signed bytes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def shipment_id(self) -> str | None:
        """The shipment that it is or answers."""
        if isinstance(self.body, ShipmentBody | ReceiptBody):
            return self.body.shipment_id
        return None

    @property
    def agreement_id(self) -> str | None:
        """The agreement that it is about."""
        if isinstance(self.body, ShipmentBody | AgreementBody | DeletionBody):
            return self.body.agreement.id
        if isinstance(self.body, ReceiptBody):
            return self.body.shipment_id.rsplit(".", 2)[0]
        return None

    def to_bytes(self) -> bytes:
        """The bytes that are signed: as received, or in canonical form when it is ours.

        Ours are read back first: what the recipient would refuse is refused before it is signed.
        Raises StatementRefused.
        """
        if self._received is not None:
            return self._received
        made = canonical(self._json())
        Statement.parse(made)
        return made

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Read the signed bytes of a statement; StatementRefused (malformed, too-large)."""
        fields = read_object(
            payload,
            "statement",
            ("_type", "subject", "predicateType", "predicate"),
            longest=MAX_PAYLOAD_BYTES,
        )
        fields.one_of("_type", (_TYPE,))
        body_type = _PREDICATES[fields.one_of("predicateType", _PREDICATES)]
        predicate = Fields(
            fields.value("predicate"),
            "predicate",
            ("author", "recipient", "seq", "previous", "witnessed", "issuedAt", "body"),
        )
        found = cls(
            author=predicate.text("author", PARTY_ID),
            recipient=predicate.text("recipient", PARTY_ID),
            seq=predicate.count("seq", least=1, most=MAX_SEQ),
            previous=predicate.optional("previous", DIGEST),
            witnessed=_witness(predicate),
            issued_at=predicate.instant("issuedAt"),
            subjects=_subjects(fields),
            body=body_type.from_json(predicate.value("body"), "body"),
        )
        _consistent(found)
        object.__setattr__(found, "_received", payload)
        return found

    def _json(self) -> dict[str, Any]:
        witnessed = self.witnessed
        return {
            "_type": _TYPE,
            "subject": [{"name": s.name, "digest": {"sha256": s.sha256}} for s in self.subjects],
            "predicateType": f"urn:tillit:{self.type}:v1",
            "predicate": {
                "author": self.author,
                "recipient": self.recipient,
                "seq": self.seq,
                "previous": self.previous,
                "witnessed": None
                if witnessed is None
                else {"seq": witnessed.seq, "digest": witnessed.digest},
                "issuedAt": isoformat(self.issued_at),
                "body": self.body.to_json(),
            },
        }


def _witness(predicate: Fields) -> Witness | None:
    value = predicate.value("witnessed")
    if value is None:
        return None
    fields = Fields(value, predicate.at("witnessed"), ("seq", "digest"))
    return Witness(fields.count("seq", least=1, most=MAX_SEQ), fields.digest("digest"))


def _subjects(fields: Fields) -> tuple[Subject, ...]:
    found = []
    for i, value in enumerate(fields.items("subject", most=16)):
        subject = Fields(value, f"subject[{i}]", ("name", "digest"))
        digest = Fields(subject.value("digest"), subject.at("digest"), ("sha256",))
        found.append(Subject(subject.text("name", longest=300), digest.digest("sha256")))
    return tuple(found)


def _consistent(statement: Statement) -> None:
    """Refuse what contradicts itself: a first statement that follows one, a payload not its own."""
    if (statement.previous is None) != (statement.seq == 1):
        refuse("predicate.previous", "a digest, except in the first", statement.previous)
    if statement.witnessed is not None and statement.author == statement.recipient:
        refuse("predicate.witnessed", "null where there is no other side", statement.witnessed.seq)
    if isinstance(statement.body, UseBody) and statement.author != statement.recipient:
        refuse("predicate.recipient", f"{statement.author}, of a use of its own", "another")
    payload = getattr(statement.body, "payload", None)
    if payload is None:
        return
    if payload.name != payload_name(statement.seq):
        refuse("body.payload.name", payload_name(statement.seq), payload.name)
    if Subject(payload.name, payload.sha256) not in statement.subjects:
        refuse("subject", "the payload among the subjects", "not there")
