"""What a certificate of deletion says, read strictly. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from tillit.ledger.parts import SHIPMENT_ID, AgreementRef
from tillit.ledger.strict import Fields, refuse
from tillit.model import isoformat

__all__ = ["MAX_DELETED", "Deleted", "DeletionBody"]

MAX_DELETED = 1000
"""How many shipments one certificate can name: a statement has a largest size."""


@dataclass(frozen=True)
class Deleted:
    """A shipment whose rows are gone; ``statement`` is the digest by which it was made known."""

    shipment_id: str
    statement: str
    rows: int

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it."""
        fields = Fields(value, path, ("shipmentId", "statement", "rows"))
        return cls(
            fields.text("shipmentId", SHIPMENT_ID),
            fields.digest("statement"),
            fields.count("rows"),
        )

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {"shipmentId": self.shipment_id, "statement": self.statement, "rows": self.rows}


@dataclass(frozen=True)
class DeletionBody:
    """A promise that what came under an agreement is deleted, with the keys that opened it.

    ``agreement`` is the text that the shipments were made under, which may have ended long ago.
    """

    type: ClassVar[str] = "deletion"

    agreement: AgreementRef
    deleted_at: datetime
    shipments: tuple[Deleted, ...]

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it; there is at least one shipment, each once and of that agreement."""
        fields = Fields(value, path, ("agreement", "deletedAt", "shipments"))
        at = fields.at("shipments")
        found = cls(
            AgreementRef.from_json(fields.value("agreement"), fields.at("agreement")),
            fields.instant("deletedAt"),
            tuple(
                Deleted.from_json(item, f"{at}[{i}]")
                for i, item in enumerate(fields.items("shipments", most=MAX_DELETED))
            ),
        )
        if not found.shipments:
            refuse(at, "at least one shipment", "none")
        if len({shipment.statement for shipment in found.shipments}) < len(found.shipments):
            refuse(at, "each shipment once", "one twice")
        for shipment in found.shipments:
            if shipment.shipment_id.rsplit(".", 2)[0] != found.agreement.id:
                refuse(at, f"shipments under {found.agreement.id}", shipment.shipment_id)
        return found

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "agreement": self.agreement.to_json(),
            "deletedAt": isoformat(self.deleted_at),
            "shipments": [shipment.to_json() for shipment in self.shipments],
        }
