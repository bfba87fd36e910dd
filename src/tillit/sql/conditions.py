"""Conditions that a contract's author wrote in SQL, held to what a rule on one row needs. Pure.

The text is parsed, every node is looked up in a list of allowed ones, every column must be one of
the contract's, and DuckDB is given SQL that is written anew from the tree: no subqueries, no other
tables, no files, no settings, no clock, no randomness, no functions but those listed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tillit.errors import ContractRefused
from tillit.sql.patterns import to_re2
from tillit.sql.text import quote

__all__ = ["Condition", "counted", "held", "inside"]

_LONGEST = 2_000
_MOST_NODES = 300
_DEEPEST = 30
_ALLOWED: frozenset[type[exp.Expr]] = frozenset(
    {
        # names and values
        *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren),
        # logic and comparison
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is),
        *(exp.In, exp.Between, exp.Like, exp.ILike, exp.NullSafeEQ, exp.NullSafeNEQ),
        *(exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least),
        # numbers
        *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg),
        *(exp.Abs, exp.Round, exp.Floor, exp.Ceil),
        # text
        *(exp.Length, exp.Lower, exp.Upper, exp.Trim, exp.StartsWith, exp.Contains),
        *(exp.RegexpLike, exp.RegexpFullMatch),
        # days
        *(exp.Day, exp.Month, exp.Year, exp.Quarter, exp.DayOfWeek, exp.DayOfWeekIso),
        *(exp.DateDiff, exp.Extract, exp.Var, exp.Cast, exp.DataType, exp.DataTypeParam),
    }
)
_CASTS = frozenset(
    exp.DataType.Type[name]
    for name in ("DATE", "TIMESTAMP", "INT", "BIGINT", "DOUBLE", "DECIMAL", "VARCHAR", "TEXT")
)
_PARTS = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "HOUR", "MINUTE", "SECOND"})


@dataclass(frozen=True)
class Condition:
    """SQL that is true for the rows meant: those that break a rule, or those that are inside."""

    sql: str
    columns: tuple[str, ...]


def counted(query: str, table: str, columns: Collection[str], where: str) -> Condition:
    """The condition of ``select count(*) from <table> where <condition>``: such rows must not be.

    Raises ContractRefused ``unsupported`` for any other query, since only this one says which rows
    are wrong.
    """
    tree = _parse(query, where)
    wanted = f"a count of all rows of {table} where a condition holds"
    if not isinstance(tree, exp.Select):
        raise _refused(where, wanted, query)
    parts = {name: part for name, part in tree.args.items() if part}
    source = parts.pop("from_", None) or parts.pop("from", None)
    condition = parts.pop("where", None)
    chosen = parts.pop("expressions", [])
    if parts or source is None or condition is None or len(chosen) != 1:
        raise _refused(where, wanted, query)
    count = chosen[0]
    is_count = isinstance(count, exp.Count) and isinstance(count.this, exp.Star)
    of = source.this
    if not is_count or not isinstance(of, exp.Table) or of.sql().lower() != table:
        raise _refused(where, wanted, query)
    return _breaks(condition.this, columns, where, broken_if="{}")


def held(expression: str, columns: Collection[str], where: str) -> Condition:
    """The condition that an expression which every row must keep is broken; null keeps it."""
    tree = _parse(expression, where)
    return _breaks(tree, columns, where, broken_if="not ({})")


def inside(expression: str, columns: Collection[str], where: str) -> Condition:
    """The condition itself, closed: where it cannot be answered, a row is not inside."""
    tree = _parse(expression, where)
    sql, used = _written(tree, columns, where)
    return Condition(f"coalesce(try({sql}), false)", used)


def _parse(text: str, where: str) -> exp.Expr:
    if len(text) > _LONGEST:
        raise _refused(where, f"at most {_LONGEST} characters", text)
    try:
        return sqlglot.parse_one(text, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise ContractRefused(
            "wrong-value",
            f"{where} is not SQL that can be read",
            found=str(error).partition("\n")[0],
        ) from None


def _breaks(tree: exp.Expr, columns: Collection[str], where: str, *, broken_if: str) -> Condition:
    sql, used = _written(tree, columns, where)
    # TRY, because a hostile value (an overflow) must cost its row and not the shipment: where all
    # columns have values and there is still no answer, the rule counts as broken.
    known = " and ".join(f"{quote(name)} is not null" for name in used)
    return Condition(f"coalesce(try({broken_if.format(sql)}), {known})", used)


def _written(tree: exp.Expr, columns: Collection[str], where: str) -> tuple[str, tuple[str, ...]]:
    """The tree as SQL, once every node of it is allowed, and the columns that it reads."""
    used: dict[str, None] = {}
    for number, node in enumerate(tree.walk()):
        if number > _MOST_NODES or node.depth > _DEEPEST + tree.depth:
            raise _refused(where, "a shorter condition", "a longer one")
        _check(node, columns, where)
        if isinstance(node, exp.Column):
            used[node.name.lower()] = None
    if not used:
        raise _refused(where, "a condition on columns of this contract", tree.sql("duckdb"))
    for column in list(tree.find_all(exp.Column)):
        column.set("this", exp.to_identifier(column.name.lower(), quoted=True))
    return tree.sql("duckdb", comments=False), tuple(used)


def _check(node: exp.Expr, columns: Collection[str], where: str) -> None:
    if type(node) not in _ALLOWED:
        raise _refused(where, "only listed functions and operators", type(node).__name__)
    if isinstance(node, exp.Column):
        _check_column(node, columns, where)
    elif isinstance(node, exp.RegexpLike | exp.RegexpFullMatch):
        _check_pattern(node, where)
    elif isinstance(node, exp.In):
        if any(node.args.get(name) for name in ("query", "unnest", "field")):
            raise _refused(where, "a list of values", node.sql("duckdb"))
    elif isinstance(node, exp.Cast):
        if node.to.this not in _CASTS or node.args.get("format"):
            raise _refused(where, "a plain type", node.sql("duckdb"))
    elif isinstance(node, exp.Var) and node.name.upper() not in _PARTS:
        raise _refused(where, "a part of a date", node.name)


def _check_column(node: exp.Column, columns: Collection[str], where: str) -> None:
    if len(node.parts) != 1 or not isinstance(node.this, exp.Identifier):
        raise _refused(where, "a column's name alone", node.sql("duckdb"))
    if node.name.lower() not in columns:
        raise ContractRefused(
            "wrong-value", f"{where} names a column that is not there", found=node.name
        )


def _check_pattern(node: exp.Expr, where: str) -> None:
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or not pattern.is_string or node.args.get("flag"):
        raise _refused(where, "a pattern written out", node.sql("duckdb"))
    pattern.set("this", to_re2(pattern.name, where))


def _refused(where: str, expected: str, found: str) -> ContractRefused:
    return ContractRefused(
        "unsupported", f"{where} is not a condition on single rows", expected=expected, found=found
    )
