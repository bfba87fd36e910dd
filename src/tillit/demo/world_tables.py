"""The tables of a world's parties: Arrow schemas of the six kinds, and rows into them. Pure.

The schemas repeat the ODCS contracts, because a source is a party's own and must not follow a
contract by itself; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

__all__ = ["BOOKKEEPING", "PLANTED", "SCHEMAS", "pack"]

_TEXT, _WHOLE, _DAY = pa.string(), pa.int32(), pa.date32()
_QUANTITY, _MONEY = pa.decimal128(18, 3), pa.decimal128(18, 4)

BOOKKEEPING: tuple[tuple[str, pa.DataType], ...] = (
    ("partner", _TEXT),
    ("recorded_at", pa.timestamp("us", tz="UTC")),
)
"""What stands in every source beside the kind's own columns."""


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([*columns.items(), *BOOKKEEPING])


SCHEMAS: Mapping[str, pa.Schema] = {
    "demand_forecast": _schema(
        item_id=_TEXT,
        ship_to=_TEXT,
        period_start=_DAY,
        period=_TEXT,
        quantity=_QUANTITY,
        quantity_low=_QUANTITY,
        quantity_high=_QUANTITY,
        commitment=_TEXT,
        unit=_TEXT,
        supplier_item_id=_TEXT,
        note=_TEXT,
    ),
    "order": _schema(
        order_id=_TEXT,
        line=_WHOLE,
        item_id=_TEXT,
        quantity=_QUANTITY,
        unit=_TEXT,
        ordered_on=_DAY,
        requested_date=_DAY,
        ship_to=_TEXT,
        unit_price=_MONEY,
        currency=_TEXT,
        status=_TEXT,
    ),
    "delivery_commitment": _schema(
        order_id=_TEXT,
        line=_WHOLE,
        commitment_no=_WHOLE,
        promised_date=_DAY,
        promised_quantity=_QUANTITY,
        unit=_TEXT,
        status=_TEXT,
        reason=_TEXT,
    ),
    "delivery": _schema(
        delivery_id=_TEXT,
        order_id=_TEXT,
        line=_WHOLE,
        item_id=_TEXT,
        shipped_on=_DAY,
        arrived_on=_DAY,
        quantity=_QUANTITY,
        accepted_quantity=_QUANTITY,
        unit=_TEXT,
        rejection_reason=_TEXT,
    ),
    "complaint": _schema(
        complaint_id=_TEXT,
        status_no=_WHOLE,
        subject_ref=_TEXT,
        item_id=_TEXT,
        category=_TEXT,
        severity=_TEXT,
        text=_TEXT,
        status=_TEXT,
        raised_on=_DAY,
        answered_on=_DAY,
        answer=_TEXT,
    ),
    "design_idea": _schema(
        idea_id=_TEXT,
        status_no=_WHOLE,
        about=_TEXT,
        item_id=_TEXT,
        title=_TEXT,
        text=_TEXT,
        expected_saving=_MONEY,
        currency=_TEXT,
        attachment_refs=_TEXT,
        status=_TEXT,
        offered_on=_DAY,
        answered_on=_DAY,
        answer=_TEXT,
    ),
}
"""Column names and types of each kind's source, in the contract's order."""

PLANTED = pa.schema(
    [
        ("party", _TEXT),
        ("partner", _TEXT),
        ("kind", _TEXT),
        ("key", _TEXT),
        ("column", _TEXT),
        ("what", _TEXT),
        ("rule", _TEXT),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""Rows that must be refused: ``key`` is the grain's values with ``|`` between them, ``what`` says
what is wrong, ``rule`` refuses it."""


def pack(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table, by the time they became known and then by their first two columns."""

    def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return (row["recorded_at"], *(str(row[name]) for name in schema.names[:2]))

    return pa.Table.from_pylist(sorted(rows, key=place), schema=schema)
