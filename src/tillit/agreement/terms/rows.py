"""The term ``rows``: which rows leave, as a condition on the kind's columns. Pure: SQL as text.

The condition reads clear columns only: so the consumer can hold every row against it too, and no
row's presence tells of a column that the consumer does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tillit.agreement.fields import refuse
from tillit.agreement.terms.columns import shared_columns
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.errors import ContractRefused
from tillit.model import Agreement, Kind, Rule, Treatment

if TYPE_CHECKING:
    from tillit.sql.conditions import Condition

__all__ = ["ROWS", "row_filter"]

_LONGEST = 2000
_NAME = "rows"


def _read(value: object, at: str) -> str:
    good = isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()
    if not good or not str(value).strip():
        raise refuse("wrong-value", at, f"a condition in one line of at most {_LONGEST}", value)
    return str(value)


def row_filter(agreement: Agreement, kind: Kind) -> Condition | None:
    """The condition as SQL that is true for the rows that may leave, and never null.

    Raises ContractRefused for a condition that is none, does more than compare the kind's own
    columns, or reads one that is not clear.
    """
    written = agreement.terms.get(_NAME)
    if written is None:
        return None
    # Imports an SQL parser, a fifth of a second, that most agreements do not need.
    from tillit.sql.conditions import inside

    return inside(written, {column.name for column in kind.columns}, f"terms.{_NAME}")


def _fits(agreement: Agreement, at: str, kind: Kind) -> None:
    condition = row_filter(agreement, kind)
    shared = shared_columns(agreement, kind)
    for name in () if condition is None else condition.columns:
        if name not in shared or agreement.columns[name] is not Treatment.CLEAR:
            raise ContractRefused(
                "wrong-value",
                f"{at} reads {name}, which the consumer does not have as it is",
                expected="columns that are clear, so that both sides can judge every row",
                found=agreement.columns.get(name, Treatment.WITHHELD),
            )


def _rules(agreement: Agreement, kind: Kind) -> Iterator[Rule]:
    condition = row_filter(agreement, kind)
    if condition is not None:
        reason = "the row is not one of those that were agreed"
        yield Rule("agreed:rows", reason, f"not {condition.sql}", condition.columns)


def _compare(old: str | None, new: str | None, at: str) -> list[Change]:
    if new is None:
        return [Change(at, f"all rows, and not only where {old}", Direction.WIDENING)]
    if old is None:
        return [Change(at, f"only rows where {new}", Direction.NARROWING)]
    # Which of two conditions holds for more rows cannot be told from their text.
    return [Change(at, f"rows where {new}, and not where {old}", Direction.WIDENING)]


ROWS = Term(
    schema={
        "description": (
            "Only rows for which this condition holds leave: comparisons, and, or, not, in,"
            " between, like, arithmetic and listed functions over clear columns of the kind."
        ),
        "type": "string",
        "minLength": 1,
        "maxLength": _LONGEST,
    },
    read=_read,
    fits=_fits,
    compare=_compare,
    rules=_rules,
)
