"""The term ``minimumGroup``: no aggregate of fewer members than this leaves. Pure: SQL as text.

A **cell** is a row, or all rows that are alike in the columns ``by``; its members are the sum of
the column ``count``, or the number of its rows. A cell below ``size`` is suppressed. Where one cell
of a total is missing it can be found by subtraction; so of cells that add up to a total (alike in
the columns ``within``, or the whole shipment) at least two are suppressed, the smallest first,
until together they have ``size`` members: complementary suppression, after Cox, Suppression
Methodology and Statistical Disclosure Control, JASA 75 (1980), for one dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tillit.agreement.fields import (
    distinct,
    distinct_schema,
    mapping,
    mapping_schema,
    matched,
    pattern_schema,
    refuse,
    whole,
    whole_schema,
)
from tillit.agreement.terms.columns import shared_columns
from tillit.agreement.terms.term import Change, Direction, Term, widening
from tillit.errors import ContractRefused
from tillit.model import NAME, Agreement, Kind, Rule, Treatment
from tillit.sql.text import names, quote

__all__ = ["GROUPS", "MinimumGroup", "suppressed_query"]

_NAME = "minimumGroup"
_MOST = 10**9
_MOST_COLUMNS = 20
_COLUMN = "a column's name"


@dataclass(frozen=True)
class MinimumGroup:
    """How many members a cell must have, what makes a cell, and which cells add up to a total."""

    size: int
    count: str | None = None
    by: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, once."""
        return tuple(dict.fromkeys((*self.by, *self.within, *([self.count] if self.count else []))))

    @property
    def members(self) -> str:
        """The members of a cell, in SQL."""
        return f"coalesce(sum({quote(self.count)}), 0)" if self.count else "count(*)"


def _read(value: object, at: str) -> MinimumGroup:
    fields = mapping(value, at, ("size",), ("count", "by", "within"))
    if "count" not in fields and "by" not in fields:
        raise refuse("missing-key", at, "count, or by, or both", fields)
    count = matched(fields["count"], f"{at}.count", NAME, _COLUMN) if "count" in fields else None
    by, within = (
        distinct(fields[key], f"{at}.{key}", NAME, _COLUMN, _MOST_COLUMNS) if key in fields else ()
        for key in ("by", "within")
    )
    if by and not set(within) <= set(by):
        raise refuse("wrong-value", f"{at}.within", f"of {', '.join(by)}", ", ".join(within))
    return MinimumGroup(whole(fields["size"], f"{at}.size", 2, _MOST), count, by, within)


def _fits(agreement: Agreement, at: str, kind: Kind) -> None:
    term: MinimumGroup = agreement.terms[_NAME]
    shared = shared_columns(agreement, kind)
    types = {column.name: column.sql_type for column in kind.columns}
    for name in term.columns:
        found = agreement.columns.get(name, Treatment.WITHHELD)
        if name not in shared or found not in {Treatment.CLEAR, Treatment.PSEUDONYM}:
            raise ContractRefused(
                "wrong-value",
                f"{at} reads {name}, which the consumer cannot count by",
                expected="columns that are clear or pseudonym, so that both sides can count",
                found=found,
            )
    if term.count and not types[term.count].startswith(("DECIMAL", "DOUBLE", "FLOAT", *_WHOLE)):
        raise refuse("wrong-value", f"{at}.count", "a column of numbers", types[term.count])


_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")


def suppressed_query(term: MinimumGroup, table: str) -> str:
    """The ``row_no`` of every row of ``table`` whose cell must not leave."""
    # No column of a kind begins with an underscore: names of ours are not taken for one.
    cell = names(term.by) if term.by else "row_no"
    within = names(term.within)
    alike = f"partition by {within} " if within else ""
    kept = ", ".join(dict.fromkeys([*(within.split(", ") if within else []), *cell.split(", ")]))
    return (
        f"with cells as (select {kept}, {term.members} as _members from {table} group by {kept}), "
        # The smallest first: those that are too small stand before the others, so what is
        # suppressed of a total is the beginning of this order.
        f"placed as (select *, sum(_members) over in_order - _members as _before, "
        f"row_number() over in_order as _place, min(_members) over ({alike}) as _least "
        f"from cells window in_order as ({alike}order by _members, {cell} rows unbounded preceding)"
        f"), hidden as (select * from placed where _members < {term.size} "
        f"or (_least < {term.size} and (_place <= 2 or _before < {term.size}))) "
        f"select row_no from {table} as whole where exists (select 1 from hidden where "
        + " and ".join(
            f"hidden.{column} is not distinct from whole.{column}" for column in kept.split(", ")
        )
        + ")"
    )


def _rules(agreement: Agreement, _kind: Kind) -> Iterator[Rule]:
    """The receiver sees a cell that is too small; which others had to go with it, it cannot see."""
    term: MinimumGroup = agreement.terms[_NAME]
    reason = f"a group of fewer than {term.size}"
    if not term.by:
        small = f"coalesce({quote(str(term.count))}, 0) < {term.size}"
        yield Rule("agreed:minimumGroup", reason, small, (str(term.count),))
        return
    cell = names(term.by)
    alike = " and ".join(
        f"small.{quote(name)} is not distinct from incoming.{quote(name)}" for name in term.by
    )
    small = (
        f"exists (select 1 from (select {cell} from incoming group by {cell} "
        f"having {term.members} < {term.size}) as small where {alike})"
    )
    yield Rule("agreed:minimumGroup", reason, small, term.columns)


def _compare(old: MinimumGroup | None, new: MinimumGroup | None, at: str) -> list[Change]:
    if old is None or new is None:
        says = f"no group of fewer than {new.size} leaves" if new else "any group leaves"
        return [Change(at, says, widening(new is None, old is None))]
    says = f"groups of {new.size} and more leave, and not of {old.size} and more"
    if (old.count, old.by, old.within) == (new.count, new.by, new.within):
        return [Change(f"{at}.size", says, widening(new.size < old.size, new.size > old.size))]
    return [Change(at, f"{says}; what makes a group has changed", Direction.WIDENING)]


GROUPS = Term(
    schema={
        **mapping_schema(
            {
                "size": whole_schema(2, _MOST, "Members that a group must have to leave."),
                "count": pattern_schema(NAME, "The column with how many members a row stands for."),
                "by": distinct_schema(NAME, _MOST_COLUMNS, "Rows alike in these are one group."),
                "within": distinct_schema(
                    NAME, _MOST_COLUMNS, "Groups alike in these add up to a total."
                ),
            },
            ["size"],
            "No aggregate of fewer members leaves, nor what gives one away by subtraction.",
        ),
        "anyOf": [{"required": ["count"]}, {"required": ["by"]}],
    },
    read=_read,
    fits=_fits,
    compare=_compare,
    rules=_rules,
)
