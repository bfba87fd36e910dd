"""The term ``columns``: what happens to each column before anything leaves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from tillit.agreement.fields import mapping, mapping_schema, one_of, refuse
from tillit.agreement.terms.ceiling import above_ceiling
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.agreement.terms.treatments import (
    CALENDAR,
    PLAIN,
    Treated,
    breaks,
    require_type,
    reveals_more,
    told,
)
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import NAME, Agreement, Kind, Rule, Treatment

__all__ = ["COLUMNS", "require_columns", "shared_columns", "treated"]

_MOST_COLUMNS = 1000
_MOST_EDGES = 100
_LARGEST = 10**12


def _read_columns(value: object, at: str) -> dict[str, Treated]:
    if not isinstance(value, dict) or not 1 <= len(value) <= _MOST_COLUMNS:
        raise refuse(
            "wrong-value", at, f"a mapping of 1 to {_MOST_COLUMNS} columns", value or "none"
        )
    columns = {}
    for name, word in value.items():
        if not NAME.fullmatch(name):
            raise refuse("wrong-value", f"{at}.{name}", f"a column's name, {NAME.pattern}", name)
        columns[name] = _read_treatment(word, f"{at}.{name}")
    return columns


def _read_treatment(value: object, at: str) -> Treated:
    if isinstance(value, str) and value in PLAIN:
        return Treated(Treatment(value))
    if not isinstance(value, dict):
        raise refuse("wrong-value", at, _WANTED, value)
    if len(value) != 1:
        raise refuse("wrong-value", at, "one treatment", value)
    [name] = mapping(value, at, (), _COARSENED)
    return Treated(Treatment(name), _COARSENED[name](value[name], f"{at}.{name}"))


_WANTED = f"{', '.join(PLAIN)}, {{rounded: ...}} or {{banded: [...]}}"


def _step(value: object, at: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (one_of(value, at, CALENDAR),)
    step = _decimal(value, at)
    if step <= 0:
        raise refuse("wrong-value", at, f"a step above 0, or {' or '.join(CALENDAR)}", value)
    return (format(step, "f"),)


def _edges(value: object, at: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_EDGES:
        raise refuse("wrong-value", at, f"a list of 1 to {_MOST_EDGES} numbers", value)
    edges = [_decimal(item, f"{at}[{place}]") for place, item in enumerate(value)]
    if any(low >= high for low, high in pairwise(edges)):
        raise refuse("wrong-value", at, "numbers that rise", ", ".join(map(str, edges)))
    return tuple(format(edge, "f") for edge in edges)


def _decimal(value: object, at: str) -> Decimal:
    """As it is written: .1 is a tenth here, which no binary number is."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not -_LARGEST <= value <= _LARGEST:  # type: ignore[operator]
        raise refuse("wrong-value", at, f"a number from {-_LARGEST} to {_LARGEST}", value)
    return Decimal(repr(value)).normalize()


_COARSENED = {"rounded": _step, "banded": _edges}


def treated(agreement: Agreement, name: str) -> Treated:
    """What happens to a column; one that the terms do not list is withheld."""
    treatment = agreement.columns.get(name, Treatment.WITHHELD)
    return Treated(treatment, agreement.coarseness.get(name, ()))


def _columns_fit(agreement: Agreement, at: str, kind: Kind) -> None:
    """The kind has these columns in types that can be so treated, and its key can be told apart."""
    known = {column.name: column for column in kind.columns}
    for name in agreement.columns:
        if name not in known:
            expected = f"a column of {kind.name}: {', '.join(sorted(known))}"
            raise refuse("wrong-value", f"{at}.{name}", expected, name)
        require_type(treated(agreement, name), f"{at}.{name}", known[name])
    for name in kind.key:
        found = agreement.columns.get(name)
        if found not in {Treatment.CLEAR, Treatment.PSEUDONYM}:
            raise ContractRefused(
                "wrong-value",
                f"{at}.{name} is of the key of {kind.name}: without it no row can be told apart",
                expected="clear or pseudonym",
                found=found or "not listed, so withheld",
            )


def shared_columns(agreement: Agreement, kind: Kind) -> tuple[str, ...]:
    """Names of the columns that may leave the provider, in the kind's order.

    A column that the terms do not list is withheld, and so is one above the ceiling.
    """
    return tuple(
        column.name
        for column in kind.columns
        if agreement.columns.get(column.name, Treatment.WITHHELD) is not Treatment.WITHHELD
        and not above_ceiling(agreement, column)
    )


def require_columns(agreement: Agreement, kind: Kind, named: Mapping[str, str]) -> None:
    """Nothing but shared columns, each treated as agreed.

    ``named`` are the columns of a shipment with what its provider says was done to each. Raises
    AgreementRefused ``column-not-permitted`` or ``treatment``.
    """
    shared = shared_columns(agreement, kind)
    for name, treatment in named.items():
        if name not in shared:
            raise AgreementRefused(
                "column-not-permitted",
                f"{agreement.id} does not share the column {name}",
                expected=f"of {', '.join(shared)}",
                found=name,
            )
        if treatment != agreement.columns[name]:
            raise AgreementRefused(
                "treatment",
                f"{agreement.id}: {name} was to be treated otherwise",
                expected=agreement.columns[name],
                found=treatment,
            )


def _rules(agreement: Agreement, kind: Kind) -> Iterator[Rule]:
    """What the consumer can see of a treatment: a value that it cannot have left untouched."""
    for name in shared_columns(agreement, kind):
        what = treated(agreement, name)
        condition = breaks(what, kind.column(name))
        if condition:
            yield Rule(f"treated:{name}", f"{name} is not {told(what)}", condition, (name,))


def _compare(old: Mapping[str, Treated], new: Mapping[str, Treated], at: str) -> Iterator[Change]:
    """Column by column; one that is not listed is withheld, so listing it so changes nothing."""
    withheld = Treated(Treatment.WITHHELD)
    for name in dict.fromkeys((*new, *old)):
        was, now = old.get(name, withheld), new.get(name, withheld)
        if was == now:
            continue
        direction = Direction.WIDENING if reveals_more(was, now) else Direction.NARROWING
        yield Change(f"{at}.{name}", f"was {told(was)}, and is {told(now)}", direction)


def _schema() -> dict[str, Any]:
    number = {"type": "number", "minimum": -_LARGEST, "maximum": _LARGEST}
    step = {"oneOf": [{**number, "exclusiveMinimum": 0}, {"enum": list(CALENDAR)}]}
    edges = {"type": "array", "minItems": 1, "maxItems": _MOST_EDGES, "items": number}
    return {
        "description": (
            "What happens to each column. One that is not listed is withheld; those of the"
            " kind's key must be clear or pseudonym."
        ),
        "type": "object",
        "minProperties": 1,
        "maxProperties": _MOST_COLUMNS,
        "propertyNames": {"pattern": f"^(?:{NAME.pattern})$"},
        "additionalProperties": {
            "oneOf": [
                {"enum": list(PLAIN)},
                mapping_schema(
                    {"rounded": {**step, "description": "To the nearest multiple, or down to it."}},
                    ["rounded"],
                ),
                mapping_schema(
                    {"banded": {**edges, "description": "Lower edges of the bands, rising."}},
                    ["banded"],
                ),
            ]
        },
    }


COLUMNS = Term(
    schema=_schema(),
    read=_read_columns,
    fits=_columns_fit,
    compare=lambda old, new, at: list(_compare(old, new, at)),
    rules=_rules,
    required=True,
)
