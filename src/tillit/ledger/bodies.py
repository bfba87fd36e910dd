"""What a statement says, type by type, read strictly. Pure.

Each body knows its JSON form both ways. What is read comes from a partner: names match patterns,
numbers are bounded and what says the same thing twice must agree; else StatementRefused with
``statement.malformed``. Our own free text is made harmless when it is written.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from tillit.ledger.deletion import Deleted, DeletionBody
from tillit.ledger.parts import (
    CODE,
    MAX_REASON,
    SHIPMENT_ID,
    AgreementRef,
    ColumnRef,
    KindRef,
    PayloadRef,
    PeriodRef,
    ReasonCount,
    Stopped,
    payload_name,
)
from tillit.ledger.strict import DIGEST, Fields, plain, refuse
from tillit.ledger.use import UseBody

__all__ = [
    "BODIES",
    "AgreementBody",
    "AgreementRef",
    "Body",
    "ColumnRef",
    "Deleted",
    "DeletionBody",
    "KindRef",
    "NoticeBody",
    "PartyBody",
    "PayloadRef",
    "PeriodRef",
    "ReasonCount",
    "ReceiptBody",
    "ShipmentBody",
    "Stopped",
    "UseBody",
    "payload_name",
]

_COLUMNS = 1000
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]*")


@dataclass(frozen=True)
class ShipmentBody:
    """Rows of a kind, sealed for the recipient, under an agreement, for a period."""

    type: ClassVar[str] = "shipment"

    shipment_id: str
    agreement: AgreementRef
    kind: KindRef
    purposes: tuple[str, ...]
    period: PeriodRef
    columns: tuple[ColumnRef, ...]
    rows: int
    unpacked_bytes: int
    payload: PayloadRef
    stopped: Stopped = field(default_factory=Stopped)

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it; the id must be that of its own agreement and period."""
        fields = Fields(
            value,
            path,
            (
                *("shipmentId", "agreement", "kind", "purposes", "period"),
                *("columns", "rows", "unpackedBytes", "payload", "stopped"),
            ),
        )
        columns = enumerate(fields.items("columns", most=_COLUMNS))
        found = cls(
            shipment_id=fields.text("shipmentId", SHIPMENT_ID),
            agreement=AgreementRef.from_json(fields.value("agreement"), fields.at("agreement")),
            kind=KindRef.from_json(fields.value("kind"), fields.at("kind")),
            purposes=_purposes(fields),
            period=PeriodRef.from_json(fields.value("period"), fields.at("period")),
            columns=tuple(
                ColumnRef.from_json(v, f"{fields.at('columns')}[{i}]") for i, v in columns
            ),
            rows=fields.count("rows"),
            unpacked_bytes=fields.count("unpackedBytes"),
            payload=PayloadRef.from_json(fields.value("payload"), fields.at("payload")),
            stopped=Stopped.from_json(fields.value("stopped"), fields.at("stopped")),
        )
        names = [column.name for column in found.columns]
        if len(set(names)) != len(names):
            refuse(fields.at("columns"), "each column once", "a name twice")
        named = f"{found.agreement.id}.{found.period.start:%Y%m%dT%H%M%S}"
        if found.shipment_id.rpartition(".")[0] != named:
            refuse(fields.at("shipmentId"), f"{named}.<revision>", found.shipment_id)
        return found

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "shipmentId": self.shipment_id,
            "agreement": self.agreement.to_json(),
            "kind": self.kind.to_json(),
            "purposes": list(self.purposes),
            "period": self.period.to_json(),
            "columns": [column.to_json() for column in self.columns],
            "rows": self.rows,
            "unpackedBytes": self.unpacked_bytes,
            "payload": self.payload.to_json(),
            "stopped": self.stopped.to_json(),
        }


@dataclass(frozen=True)
class ReceiptBody:
    """What became of a shipment; ``statement`` is the digest of the statement it answers."""

    type: ClassVar[str] = "receipt"

    shipment_id: str
    statement: str
    outcome: str
    code: str | None = None
    reason: str | None = None
    accepted: int = 0
    refused: int = 0
    reasons: tuple[ReasonCount, ...] = ()
    payload: PayloadRef | None = None

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it; outcome and counts must agree, and a refusal has its code."""
        fields = Fields(
            value,
            path,
            (
                *("shipmentId", "statement", "outcome", "code", "reason"),
                *("accepted", "refused", "reasons", "payload"),
            ),
        )
        payload = fields.value("payload")
        found = cls(
            shipment_id=fields.text("shipmentId", SHIPMENT_ID),
            statement=fields.digest("statement"),
            outcome=fields.one_of("outcome", ("accepted", "partly", "refused")),
            code=fields.optional("code", CODE),
            reason=fields.optional("reason", longest=MAX_REASON),
            accepted=fields.count("accepted"),
            refused=fields.count("refused"),
            reasons=ReasonCount.many(fields, "reasons"),
            payload=None
            if payload is None
            else PayloadRef.from_json(payload, fields.at("payload")),
        )
        agree = {
            "accepted": found.refused == 0 and found.code is None,
            "partly": found.accepted > 0 and found.refused > 0 and found.code is None,
            "refused": found.accepted == 0 and found.code is not None,
        }
        if not agree[found.outcome]:
            counted = f"{found.accepted} accepted, {found.refused} refused, code {found.code}"
            refuse(path, f"counts and code that fit {found.outcome!r}", counted)
        return found

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "shipmentId": self.shipment_id,
            "statement": self.statement,
            "outcome": self.outcome,
            "code": self.code,
            "reason": None if self.reason is None else plain(self.reason, MAX_REASON),
            "accepted": self.accepted,
            "refused": self.refused,
            "reasons": [r.to_json() for r in self.reasons],
            "payload": None if self.payload is None else self.payload.to_json(),
        }


@dataclass(frozen=True)
class AgreementBody:
    """A step in the life of an agreement.

    Which of the optional parts there are follows from the event: ``proposed`` has the ``text``,
    ``countered`` also the digest of the text that it ``answers``, ``signed`` the ``envelope`` that
    was signed, ``declined`` and ``revoked`` a ``reason``.
    """

    type: ClassVar[str] = "agreement"

    event: str
    agreement: AgreementRef
    envelope: Mapping[str, Any] | None = field(default=None, repr=False)
    text: bytes | None = field(default=None, repr=False)
    answers: str | None = None
    reason: str | None = None

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it; whether the envelope's signatures hold is not looked at here."""
        event = value.get("event") if isinstance(value, dict) else None
        if not isinstance(event, str) or event not in _AGREEMENT_EVENTS:
            refuse(f"{path}.event", f"one of {', '.join(sorted(_AGREEMENT_EVENTS))}", event)
        parts = _AGREEMENT_EVENTS[event]
        fields = Fields(value, path, ("event", "agreement", *parts))
        ref = AgreementRef.from_json(fields.value("agreement"), fields.at("agreement"))
        answers = fields.digest("answers") if "answers" in parts else None
        if answers == ref.digest:
            refuse(fields.at("answers"), "the digest of another text", answers)
        return cls(
            event,
            ref,
            _envelope(fields) if "envelope" in parts else None,
            _text(fields, ref) if "text" in parts else None,
            answers,
            _some_reason(fields) if "reason" in parts else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        every = {
            "envelope": None if self.envelope is None else dict(self.envelope),
            "text": None if self.text is None else b64encode(self.text).decode(),
            "answers": self.answers,
            "reason": None if self.reason is None else plain(self.reason, MAX_REASON),
        }
        parts = {name: every[name] for name in _AGREEMENT_EVENTS[self.event]}
        return {"event": self.event, "agreement": self.agreement.to_json(), **parts}


_AGREEMENT_EVENTS: Mapping[str, tuple[str, ...]] = {
    "proposed": ("text",),
    "countered": ("text", "answers"),
    "declined": ("reason",),
    "signed": ("envelope",),
    "revoked": ("reason",),
}


@dataclass(frozen=True)
class PartyBody:
    """A party's new document, in the envelope that its old and new keys have signed."""

    type: ClassVar[str] = "party"

    event: str
    envelope: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it; whether the envelope's signatures hold is not looked at here."""
        fields = Fields(value, path, ("event", "envelope"))
        return cls(fields.one_of("event", ("updated",)), _envelope(fields))

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"event": self.event, "envelope": dict(self.envelope)}


@dataclass(frozen=True)
class NoticeBody:
    """Something that was refused or happened; ``about`` is the digest of what it is about."""

    type: ClassVar[str] = "notice"

    code: str
    reason: str
    about: str | None = None

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("code", "reason", "about"))
        return cls(
            fields.text("code", CODE),
            fields.text("reason", longest=MAX_REASON),
            fields.optional("about", DIGEST),
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"code": self.code, "reason": plain(self.reason, MAX_REASON), "about": self.about}


Body = ShipmentBody | ReceiptBody | AgreementBody | PartyBody | NoticeBody | DeletionBody | UseBody
BODIES: Mapping[str, type[Body]] = {
    body.type: body
    for body in (
        *(ShipmentBody, ReceiptBody, AgreementBody, PartyBody, NoticeBody),
        *(DeletionBody, UseBody),
    )
}


def _text(fields: Fields, ref: AgreementRef) -> bytes:
    """An agreement's exact bytes, which have the digest that they are said to have."""
    encoded = fields.text("text", _BASE64, longest=2**20)
    try:
        text = b64decode(encoded, validate=True)
    except ValueError:
        refuse(fields.at("text"), "Base 64", encoded[:20])
    if b64encode(text).decode() != encoded:
        refuse(fields.at("text"), "Base 64 in its canonical form", encoded[:20])
    found = hashlib.sha256(text).hexdigest()
    if found != ref.digest:
        refuse(fields.at("text"), f"bytes whose SHA-256 is {ref.digest}", found)
    return text


def _some_reason(fields: Fields) -> str:
    reason = fields.text("reason", longest=MAX_REASON)
    if not reason.strip():
        refuse(fields.at("reason"), "a reason in words", reason)
    return reason


def _purposes(fields: Fields) -> tuple[str, ...]:
    found = fields.items("purposes", most=50)
    for purpose in found:
        if not isinstance(purpose, str) or len(purpose) > 200 or not purpose.isprintable():
            refuse(fields.at("purposes"), "printable words", purpose)
    return tuple(found)


def _envelope(fields: Fields) -> Mapping[str, Any]:
    """A DSSE envelope by its form only; it is verified as bytes by whoever takes it."""
    keys = ("payload", "payloadType", "signatures")
    envelope = Fields(fields.value("envelope"), fields.at("envelope"), keys)
    envelope.text("payload", _BASE64, longest=2**20)
    envelope.text("payloadType")
    for i, value in enumerate(envelope.items("signatures", most=16)):
        signature = Fields(value, f"{envelope.at('signatures')}[{i}]", ("keyid", "sig"))
        signature.text("keyid")
        signature.text("sig", _BASE64, longest=10_000)
    found: Mapping[str, Any] = fields.value("envelope")
    return found
