"""The ``quality`` entries of a contract, as rules. Pure.

A rule carries the ``id`` of its entry, or is numbered. A tolerance ("at most 5 percent") is
refused: rows are taken or refused one by one, so no rule may be broken a little.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tillit.errors import ContractRefused
from tillit.model import Rule
from tillit.quality.section import Section
from tillit.quality.types import family
from tillit.sql.conditions import counted, held
from tillit.sql.patterns import found, to_re2
from tillit.sql.text import literal, quote

__all__ = ["quality_rules"]

_RULE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPERATORS = {
    "mustBe": "=",
    "mustNotBe": "<>",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "<=",
}
_BETWEEN = ("mustBeBetween", "mustNotBeBetween")
_DOCUMENTATION = (
    *("id", "name", "description", "dimension", "severity", "businessImpact", "method", "tags"),
    *("schedule", "scheduler", "unit", "type", "authoritativeDefinitions", "customProperties"),
)


def quality_rules(
    owner: Section, table: str, types: dict[str, str], column: str | None = None
) -> list[Rule]:
    """The rules of a ``quality`` list, of the table or of one column."""
    rules = []
    for number, entry in enumerate(owner.sections("quality", "id"), start=1):
        kind = entry.text("type", _implied_type(entry))
        if kind == "text":
            continue  # for people; ODCS says that nothing is to be run
        fallback = f"{column or table}_{kind}_{number}"
        name = entry.text("id", fallback)
        if not _RULE_ID.fullmatch(name):
            raise entry.wrong("id", "letters, digits, - and _, at most 64")
        if entry.text("severity", "error") != "error":
            raise entry.unsupported("severity", "a rule refuses rows or is none: only error")
        make = {"library": _library, "sql": _sql, "custom": _custom}.get(kind)
        if make is None:
            raise entry.wrong("type", "library, sql, custom or text")
        rules.append(make(entry, name, table, types, column))
    return rules


def _implied_type(entry: Section) -> str:
    for key, kind in (("query", "sql"), ("engine", "custom")):
        if key in entry:
            return kind
    return "library"


def _reason(entry: Section, fallback: str) -> str:
    """What the partner is told: the description, in one printable line."""
    text = " ".join(entry.text("description", fallback).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:300]


def _nothing_tolerated(entry: Section) -> None:
    """Refuse a threshold other than none at all."""
    given = [key for key in (*_OPERATORS, *_BETWEEN) if key in entry]
    none_at_all = (("mustBe", 0), ("mustBeLessOrEqualTo", 0), ("mustBeLessThan", 1))
    if len(given) == 1:
        value = entry.values[given[0]]
        percent = entry.values.get("unit") == "percent" and given[0] == "mustBeLessThan"
        if not percent and not isinstance(value, bool) and (given[0], value) in none_at_all:
            return
    key = given[0] if given else "mustBe"
    raise entry.unsupported(key, "rows are taken one by one, so no rule tolerates some: mustBe 0")


def _sql(entry: Section, name: str, table: str, types: dict[str, str], column: str | None) -> Rule:
    entry.only((*_DOCUMENTATION, *_OPERATORS, *_BETWEEN, "query"))
    _nothing_tolerated(entry)
    query = entry.text("query")
    for word in ("object", "table"):
        query = query.replace(f"${{{word}}}", table)
    for word in ("property", "column"):
        query = query.replace(f"${{{word}}}", column or f"${{{word}}}")
    condition = counted(query, table, types, entry.at("query"))
    return Rule(
        name,
        _reason(entry, f"the row breaks {name}"),
        condition.sql,
        condition.columns,
        dimension=entry.text("dimension", "consistency"),
    )


def _custom(
    entry: Section, name: str, table: str, types: dict[str, str], column: str | None
) -> Rule:
    """``engine: tillit``: the implementation is a condition that every row keeps."""
    del table, column
    entry.only((*_DOCUMENTATION, "engine", "implementation"))
    if entry.text("engine") != "tillit":
        raise entry.unsupported("engine", "rules of other engines are not run here")
    condition = held(entry.text("implementation"), types, entry.at("implementation"))
    return Rule(
        name,
        _reason(entry, f"the row breaks {name}"),
        condition.sql,
        condition.columns,
        dimension=entry.text("dimension", "consistency"),
    )


def _library(
    entry: Section, name: str, table: str, types: dict[str, str], column: str | None
) -> Rule:
    entry.only((*_DOCUMENTATION, *_OPERATORS, *_BETWEEN, "metric", "arguments"), ("rule",))
    metric = entry.text("metric")
    arguments = entry.inner("arguments")
    if metric == "rowCount" and column is None:
        return _row_count(entry, name, arguments)
    _nothing_tolerated(entry)
    if metric == "duplicateValues":
        return _duplicates(entry, name, arguments, types, column)
    if column is None:
        raise entry.unsupported("metric", "is a metric of columns")
    quoted = quote(column)
    if metric == "nullValues":
        arguments.only(())
        breaks, reason = f"{quoted} is null", f"{column} is missing"
        dimension = "completeness"
    elif metric == "missingValues":
        arguments.only(("missingValues",))
        given = _values(arguments, "missingValues", types[column])
        breaks = f"{quoted} is null"
        if given:
            breaks += f" or {quoted} in ({', '.join(given)})"
        reason, dimension = f"{column} is missing", "completeness"
    elif metric == "invalidValues":
        breaks = _invalid(arguments, quoted, types[column])
        reason, dimension = f"{column} is none of the valid values", "conformity"
    else:
        raise entry.unsupported("metric", f"no such metric for {table}.{column}")
    dimension = entry.text("dimension", dimension)
    return Rule(name, _reason(entry, reason), breaks, (column,), dimension=dimension)


def _invalid(arguments: Section, quoted: str, sql_type: str) -> str:
    arguments.only(("validValues", "pattern"))
    broken = []
    if "validValues" in arguments:
        valid = _values(arguments, "validValues", sql_type)
        broken.append(f"{quoted} not in ({', '.join(valid)})" if valid else f"{quoted} is not null")
    if "pattern" in arguments:
        if family(sql_type) != "string":
            raise arguments.wrong("pattern", "a pattern for text only")
        pattern = to_re2(arguments.text("pattern"), arguments.at("pattern"))
        broken.append(f"not {found(quoted, pattern)}")
    if not broken:
        raise ContractRefused(
            "missing-key", f"{arguments.path} has neither validValues nor pattern"
        )
    return " or ".join(broken)


def _values(arguments: Section, key: str, sql_type: str) -> list[str]:
    """Literals of the listed values that fit the column; null is left out, it is never wrong."""
    kind = family(sql_type)
    fits: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    literals = []
    for value in arguments.items(key):
        if value is None:
            continue
        bare = isinstance(value, bool) and kind != "boolean"
        if kind not in fits or bare or not isinstance(value, fits[kind]):
            raise arguments.wrong(key, f"a list of {kind} values")
        literals.append(literal(value))
    return literals


def _duplicates(
    entry: Section, name: str, arguments: Section, types: Collection[str], column: str | None
) -> Rule:
    arguments.only(("properties",))
    columns = [column] if column else arguments.items("properties")
    if not columns or len(set(map(str, columns))) != len(columns) or not set(columns) <= set(types):
        raise arguments.wrong("properties", "columns of this contract, each once")
    reason = _reason(entry, f"another row has the same {', '.join(columns)}")
    return Rule(name, reason, "", tuple(columns), scope="key", dimension="uniqueness")


def _row_count(entry: Section, name: str, arguments: Section) -> Rule:
    """Of the table as a whole: ``breaks`` is over ``row_count``."""
    arguments.only(())
    given = [key for key in (*_OPERATORS, *_BETWEEN) if key in entry]
    if len(given) != 1 or entry.text("unit", "rows") != "rows":
        raise entry.unsupported("metric", "a row count is compared with one number of rows")
    key = given[0]
    value = entry.values[key]
    numbers = value if key in _BETWEEN else [value]
    if not isinstance(numbers, list) or len(numbers) != (2 if key in _BETWEEN else 1):
        raise entry.wrong(key, "two numbers" if key in _BETWEEN else "a number")
    if any(isinstance(n, bool) or not isinstance(n, int) for n in numbers):
        raise entry.wrong(key, "whole numbers")
    if key in _BETWEEN:
        inverse = "not " if key == "mustBeBetween" else ""
        breaks = f"row_count {inverse}between {numbers[0]} and {numbers[1]}"
    else:
        breaks = f"not (row_count {_OPERATORS[key]} {numbers[0]})"
    reason = _reason(entry, f"the number of rows breaks {name}")
    return Rule(name, reason, breaks, scope="table", dimension="completeness")
