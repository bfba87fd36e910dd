"""The term ``columns``: what happens to each column before anything leaves. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tillit.agreement.fields import one_of, refuse
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import NAME, Agreement, Kind, Treatment

__all__ = ["COLUMNS", "require_columns", "shared_columns"]

_MOST_COLUMNS = 1000
_TREATMENTS = tuple(Treatment)


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


def _compare(
    old: Mapping[str, Treatment], new: Mapping[str, Treatment], at: str
) -> Iterator[Change]:
    """Column by column; one that is not listed is withheld, so listing it so changes nothing."""
    for name in dict.fromkeys((*new, *old)):
        was = old.get(name, Treatment.WITHHELD)
        now = new.get(name, Treatment.WITHHELD)
        if was != now:
            more = _openness(now) - _openness(was)
            yield Change(
                f"{at}.{name}",
                f"was {was}, and is {now}",
                Direction.WIDENING
                if more > 0
                else Direction.NARROWING
                if more < 0
                else Direction.NEITHER,
            )


def _openness(treatment: Treatment) -> int:
    """Withheld shows nothing, clear shows all, and whatever else there is lies between."""
    return {Treatment.WITHHELD: 0, Treatment.CLEAR: 2}.get(treatment, 1)


COLUMNS = Term(
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
    compare=lambda old, new, at: list(_compare(old, new, at)),
)
