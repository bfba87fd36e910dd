"""What the bodies of statements are made of. Pure.

Each part reads itself from JSON strictly, or raises StatementRefused, and writes itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from tillit.ledger.strict import Fields, plain, refuse
from tillit.model import AGREEMENT_ID, NAME, isoformat

__all__ = [
    "CODE",
    "MAX_REASON",
    "SHIPMENT_ID",
    "AgreementRef",
    "ColumnRef",
    "KindRef",
    "PayloadRef",
    "PeriodRef",
    "ReasonCount",
    "Stopped",
    "payload_name",
]

CODE = re.compile(r"[a-z]{1,20}\.[a-z0-9-]{1,40}")
MAX_REASON = 1000
SHIPMENT_ID = re.compile(rf"{AGREEMENT_ID.pattern}\.[0-9]{{8}}T[0-9]{{6}}\.[1-9][0-9]{{0,5}}")

_VERSION = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){2}")
_PAYLOAD_NAME = re.compile(r"[0-9]{10}\.age")
_WORD = re.compile(r"[a-z][a-z0-9_:.-]{0,99}")
_REASONS = 1000


def payload_name(seq: int) -> str:
    """The name of the payload that belongs to the statement of that number."""
    return f"{seq:010d}.age"


@dataclass(frozen=True)
class AgreementRef:
    """An agreement by id, version and the digest of its exact bytes."""

    id: str
    version: str
    digest: str

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("id", "version", "digest"))
        return cls(
            fields.text("id", AGREEMENT_ID),
            fields.text("version", _VERSION),
            fields.digest("digest"),
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"id": self.id, "version": self.version, "digest": self.digest}


@dataclass(frozen=True)
class KindRef:
    """A kind by name, version and the digest of its contract's bytes."""

    name: str
    version: str
    digest: str

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("name", "version", "digest"))
        return cls(
            fields.text("name", NAME), fields.text("version", _VERSION), fields.digest("digest")
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"name": self.name, "version": self.version, "digest": self.digest}


@dataclass(frozen=True)
class PeriodRef:
    """The period that a shipment serves and when it was due."""

    start: datetime
    end: datetime
    cut_off: datetime

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("start", "end", "cutOff"))
        found = cls(fields.instant("start"), fields.instant("end"), fields.instant("cutOff"))
        if found.end < found.start:
            refuse(path, "a period that ends after its start", fields.value("end"))
        return found

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "start": isoformat(self.start),
            "end": isoformat(self.end),
            "cutOff": isoformat(self.cut_off),
        }


@dataclass(frozen=True)
class ColumnRef:
    """A column of the payload: its name, its DuckDB type, what the terms did to it."""

    name: str
    type: str
    treatment: str

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("name", "type", "treatment"))
        return cls(fields.text("name", NAME), fields.text("type"), fields.text("treatment", _WORD))

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"name": self.name, "type": self.type, "treatment": self.treatment}


@dataclass(frozen=True)
class PayloadRef:
    """A sealed object: its name, its size and digest, and the size of what is in it."""

    name: str
    bytes: int
    sha256: str
    plaintext_bytes: int

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("name", "bytes", "sha256", "plaintextBytes"))
        return cls(
            fields.text("name", _PAYLOAD_NAME),
            fields.count("bytes", least=1),
            fields.digest("sha256"),
            fields.count("plaintextBytes"),
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "name": self.name,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "plaintextBytes": self.plaintext_bytes,
        }


@dataclass(frozen=True)
class ReasonCount:
    """How many rows broke a rule; a row may break several."""

    rule: str
    reason: str
    rows: int

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("rule", "reason", "rows"))
        return cls(
            fields.text("rule"), fields.text("reason", longest=MAX_REASON), fields.count("rows")
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"rule": self.rule, "reason": plain(self.reason, MAX_REASON), "rows": self.rows}

    @classmethod
    def many(cls, fields: Fields, key: str) -> tuple[Self, ...]:
        """All of a list."""
        values = enumerate(fields.items(key, most=_REASONS))
        return tuple(cls.from_json(value, f"{fields.at(key)}[{i}]") for i, value in values)


@dataclass(frozen=True)
class Stopped:
    """Rows that the provider's own rules kept back, and why."""

    rows: int = 0
    reasons: tuple[ReasonCount, ...] = ()

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("rows", "reasons"))
        return cls(fields.count("rows"), ReasonCount.many(fields, "reasons"))

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"rows": self.rows, "reasons": [r.to_json() for r in self.reasons]}
