"""What each term of an agreement is and does. Pure.

An open set: a term is one entry in `TERMS` with its schema, its reader, what it asks of the kind,
and the functions here that carry it out. What has no entry is refused by name, never ignored:
a reader that skipped a term would share more than was agreed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tillit.agreement.fields import (
    Schema,
    mapping,
    mapping_schema,
    matched,
    number,
    one_of,
    refuse,
)
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import NAME, Agreement, Cadence, Every, Kind, Period, Treatment

__all__ = [
    "PURPOSE",
    "TERMS",
    "Term",
    "cut_offs",
    "due",
    "is_late",
    "read_terms",
    "require_columns",
    "require_purposes",
    "shared_columns",
    "terms_fit",
    "terms_schema",
]

PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_MOST_COLUMNS = 1000
_MOST_PURPOSES = 20
_YEAR_OF_HOURS = 366 * 24


@dataclass(frozen=True)
class Term:
    """One term: its JSON Schema, its reader, and what it asks of the kind that it is about.

    ``read`` takes the value and its place; ``fits`` raises ContractRefused when the kind cannot
    be shared so, and does nothing for a term that asks nothing of the kind.
    """

    schema: Schema
    read: Callable[[object, str], Any]
    fits: Callable[[Any, str, Kind], None]
    required: bool = True


# ---- columns --------------------------------------------------------------------------------


def _read_columns(value: object, at: str) -> dict[str, Treatment]:
    if not isinstance(value, dict) or not 1 <= len(value) <= _MOST_COLUMNS:
        raise refuse(
            "wrong-value", at, f"a mapping of 1 to {_MOST_COLUMNS} columns", value or "none"
        )
    columns = {}
    for name, word in value.items():
        if not NAME.fullmatch(name):
            raise refuse("wrong-value", f"{at}.{name}", f"a column's name, {NAME.pattern}", name)
        columns[name] = Treatment(one_of(word, f"{at}.{name}", _TREATMENTS))
    return columns


def _columns_fit(columns: Mapping[str, Treatment], at: str, kind: Kind) -> None:
    """The kind has these columns, those of its key are shared, and so is one beside them."""
    known = {column.name for column in kind.columns}
    for name in columns:
        if name not in known:
            expected = f"a column of {kind.name}: {', '.join(sorted(known))}"
            raise refuse("wrong-value", f"{at}.{name}", expected, name)
    for name in kind.key:
        if columns.get(name) is not Treatment.CLEAR:
            raise ContractRefused(
                "wrong-value",
                f"{at}.{name} is of the key of {kind.name}: without it no row can be told apart",
                expected="clear",
                found=columns.get(name, "not listed, so withheld"),
            )


def shared_columns(agreement: Agreement, kind: Kind) -> tuple[str, ...]:
    """Names of the columns that may leave the provider, in the kind's order.

    A column that the terms do not list is withheld.
    """
    return tuple(
        column.name
        for column in kind.columns
        if agreement.columns.get(column.name, Treatment.WITHHELD) is not Treatment.WITHHELD
    )


def require_columns(agreement: Agreement, names: Iterable[str]) -> None:
    """Nothing but shared columns; AgreementRefused ``column-not-permitted`` otherwise."""
    for name in names:
        if agreement.columns.get(name, Treatment.WITHHELD) is Treatment.WITHHELD:
            raise AgreementRefused(
                "column-not-permitted",
                f"{agreement.id} does not share the column {name}",
                expected=f"of {', '.join(agreement.shared_columns)}",
                found=name,
            )


# ---- purposes -------------------------------------------------------------------------------


def _read_purposes(value: object, at: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_PURPOSES:
        raise refuse(
            "wrong-value", at, f"a list of 1 to {_MOST_PURPOSES} purposes", value or "none"
        )
    purposes = tuple(
        matched(item, f"{at}[{place}]", PURPOSE, f"an id, {PURPOSE.pattern}")
        for place, item in enumerate(value)
    )
    if len(set(purposes)) != len(purposes):
        raise refuse("wrong-value", at, "each purpose once", ", ".join(purposes))
    return purposes


def require_purposes(agreement: Agreement, purposes: Iterable[str]) -> None:
    """Some purpose, and none beyond the agreed; AgreementRefused ``purpose`` otherwise."""
    named = tuple(purposes)
    beyond = [purpose for purpose in named if purpose not in agreement.purposes]
    if beyond or not named:
        raise AgreementRefused(
            "purpose",
            f"{agreement.id} was not made for this purpose",
            expected=f"of {', '.join(agreement.purposes)}",
            found=", ".join(beyond) or "none",
        )


# ---- cadence --------------------------------------------------------------------------------


def _read_cadence(value: object, at: str) -> Cadence:
    fields = mapping(value, at, _CADENCE)
    every = Every(one_of(fields["every"], f"{at}.every", _EVERY))
    # What happens unforeseen cannot be due before it happens.
    most = 0 if every is Every.EVENT else _YEAR_OF_HOURS
    hours = number(fields["cutOffHours"], f"{at}.cutOffHours", -_YEAR_OF_HOURS, most)
    return Cadence(every, hours)


def due(agreement: Agreement, now: datetime) -> Period:
    """The first period whose cut-off has not passed at ``now``: what to publish next."""
    return agreement.cadence.next_due(now)


def cut_offs(agreement: Agreement, now: datetime) -> Iterator[Period]:
    """The periods due from ``now`` on that begin before the agreement ends; none for events."""
    if agreement.cadence.every is Every.EVENT:
        return
    period = due(agreement, now)
    while period.start < agreement.end:
        if period.end > agreement.start:
            yield period
        period = agreement.cadence.period_at(period.end)


def is_late(period: Period, arrived_at: datetime) -> bool:
    """Whether what arrived then came after its period's cut-off.

    ``arrived_at`` is the receiver's own time, never one that the sender wrote.
    """
    return arrived_at > period.cut_off


# ---- the table ------------------------------------------------------------------------------

_TREATMENTS = tuple(Treatment)
_EVERY = tuple(Every)
_CADENCE = ("every", "cutOffHours")


def _asks_nothing(_value: object, _at: str, _kind: Kind) -> None:
    """For terms that hold for every kind."""


_HOURS = {"type": "number", "minimum": -_YEAR_OF_HOURS, "maximum": _YEAR_OF_HOURS}

TERMS: Mapping[str, Term] = {
    "columns": Term(
        schema={
            "description": (
                "What happens to each column. One that is not listed is withheld; those of the"
                " kind's key must be clear."
            ),
            "type": "object",
            "minProperties": 1,
            "maxProperties": _MOST_COLUMNS,
            "propertyNames": {"pattern": f"^(?:{NAME.pattern})$"},
            "additionalProperties": {"enum": list(_TREATMENTS)},
        },
        read=_read_columns,
        fits=_columns_fit,
    ),
    "purposes": Term(
        schema={
            "description": "What the consumer may use the rows for; ids that both sides know.",
            "type": "array",
            "minItems": 1,
            "maxItems": _MOST_PURPOSES,
            "uniqueItems": True,
            "items": {"type": "string", "pattern": f"^(?:{PURPOSE.pattern})$"},
        },
        read=_read_purposes,
        fits=_asks_nothing,
    ),
    "cadence": Term(
        schema={
            **mapping_schema(
                {
                    "every": {
                        "enum": list(_EVERY),
                        "description": (
                            "Length of a period, in UTC; a week begins on Monday. event: when"
                            " something happens."
                        ),
                    },
                    "cutOffHours": {
                        **_HOURS,
                        "description": (
                            "Hours before a period's start by which its shipment must have"
                            " arrived; negative hours lie after the start."
                        ),
                    },
                },
                _CADENCE,
                "How often a shipment is due, and when it is late.",
            ),
            "if": {"properties": {"every": {"const": "event"}}},
            "then": {"properties": {"cutOffHours": {"maximum": 0}}},
        },
        read=_read_cadence,
        fits=_asks_nothing,
    ),
}


def read_terms(value: object, at: str = "terms") -> dict[str, Any]:
    """What each term of the block says; ContractRefused ``unknown-term`` for one without entry."""
    if isinstance(value, dict):
        for name in value:
            if name not in TERMS:
                raise ContractRefused(
                    "unknown-term",
                    f"{at}.{name} is not a term that can be enforced here",
                    expected=f"only {', '.join(TERMS)}",
                    found=repr(name),
                )
    needed = [name for name, term in TERMS.items() if term.required]
    found = mapping(value, at, needed, TERMS)
    return {name: TERMS[name].read(found[name], f"{at}.{name}") for name in TERMS if name in found}


def terms_schema() -> Schema:
    """The schema of the block, out of the table."""
    return mapping_schema(
        {name: term.schema for name, term in TERMS.items()},
        [name for name, term in TERMS.items() if term.required],
        "What software enforces on both sides. A term that is not known is refused.",
    )


def terms_fit(agreement: Agreement, kind: Kind) -> None:
    """Whether the kind can be shared under these terms; ContractRefused if it cannot."""
    for name, value in (
        ("columns", agreement.columns),
        ("purposes", agreement.purposes),
        ("cadence", agreement.cadence),
    ):
        TERMS[name].fits(value, f"terms.{name}", kind)
