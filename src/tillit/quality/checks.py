"""What a contract asks of its rows, as rules. Pure.

Rules by name: ``required:c``, ``range:c``, ``step:c``, ``length:c``, ``pattern:c``, ``text:c``,
``finite:c`` come from a property's own fields; the rest carry the ``id`` of their ``quality``
entry, or are numbered. A tolerance ("at most 5 percent") is refused: rows are taken or refused one
by one, so there is no rule that a table may break a little.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time

from tillit.errors import ContractRefused
from tillit.model import Rule
from tillit.quality.conditions import counted, held
from tillit.quality.patterns import to_re2
from tillit.quality.section import Section
from tillit.quality.sql import literal, quote
from tillit.quality.types import family, text_limit

__all__ = ["column_rules", "quality_rules"]

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
# Control characters but tab and line ends, and those that turn the direction of writing: text that
# shows as something else than it is.
_UNSEEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{202A}-\x{202E}\x{2066}-\x{2069}]"
_FORMATS = {
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "email": r"^[^@\s]+@[^@\s]+$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]*$",
    "hostname": r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
    "ipv4": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
}
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def column_rules(column: Section, name: str, sql_type: str, *, required: bool) -> list[Rule]:
    """The rules that follow from a property's own fields."""
    kind = family(sql_type)
    quoted = quote(name)
    rules: list[Rule] = []

    def add(rule: str, breaks: str, reason: str, dimension: str = "conformity") -> None:
        rules.append(Rule(f"{rule}:{name}", reason, breaks, (name,), dimension=dimension))

    if required:
        add("required", f"{quoted} is null", f"{name} is missing", "completeness")
    options = column.inner("logicalTypeOptions")
    if kind == "string":
        _text_rules(column, options, name, add)
    elif kind in {"number", "integer"}:
        options.only((*_BOUNDS, "multipleOf", "format"))
        if sql_type in {"DOUBLE", "FLOAT"}:
            add("finite", f"not isfinite({quoted})", f"{name} is not a finite number", "accuracy")
        if "multipleOf" in options:
            step = _number(options, "multipleOf")
            if not float(step) > 0:
                raise options.wrong("multipleOf", "a number above zero")
            add(
                "step",
                f"{quoted} % {literal(step)} <> 0",
                f"{name} is not a multiple of {literal(step)}",
            )
    elif kind == "boolean":
        options.only(())
    else:
        zones = ("timezone", "defaultTimezone") if kind != "date" else ()
        options.only((*_BOUNDS, "format", *zones))
        if options.text("defaultTimezone", "UTC") not in {"UTC", "Etc/UTC"}:
            raise options.unsupported("defaultTimezone", "times are UTC")
    _range_rule(options, name, sql_type, add)
    return rules


def _range_rule(
    options: Section, name: str, sql_type: str, add: Callable[[str, str, str, str], None]
) -> None:
    """One rule for both ends, so that a column is read once."""
    broken, allowed = [], []
    for bound, sign, word in zip(
        _BOUNDS, ("<", "<=", ">", ">="), ("at least", "above", "at most", "below"), strict=True
    ):
        if bound in options:
            end = literal(_end(options, bound, sql_type))
            broken.append(f"{quote(name)} {sign} {end}")
            allowed.append(f"{word} {options.values[bound]}")
    if broken:
        reason = f"{name} is not {' and '.join(allowed)}"
        add("range", " or ".join(broken), reason, "accuracy")


def _end(options: Section, bound: str, sql_type: str) -> object:
    kind = family(sql_type)
    if kind in {"number", "integer"}:
        return _number(options, bound)
    written = options.text(bound)
    try:
        if kind == "date":
            return date.fromisoformat(written)
        if kind == "time":
            return time.fromisoformat(written)
        instant = datetime.fromisoformat(written)
    except ValueError:
        raise options.wrong(bound, f"a {kind} as ISO 8601 writes it") from None
    if sql_type == "TIMESTAMP":
        return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _number(options: Section, key: str) -> float:
    value = options.values[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise options.wrong(key, "a number")
    if abs(value) >= 10**37:
        raise options.wrong(key, "a number that fits into 38 digits")
    return value


def _text_rules(
    column: Section, options: Section, name: str, add: Callable[[str, str, str], None]
) -> None:
    options.only(("minLength", "maxLength", "pattern", "format"))
    quoted = quote(name)
    least = options.count("minLength", 0)
    limits = [text_limit(column)]
    if "maxLength" in options:
        limits.append(options.count("maxLength", 0))
    most = min((limit for limit in limits if limit is not None), default=None)
    broken = []
    if least:
        broken.append(f"{quoted} = ''" if least == 1 else f"length({quoted}) < {least}")
    if most is not None:
        # strlen counts bytes, which are never fewer, and costs nothing.
        broken.append(f"(strlen({quoted}) > {most} and length({quoted}) > {most})")
    if broken:
        upto = "more" if most is None else str(most)
        add("length", " or ".join(broken), f"{name} has not {least} to {upto} characters")
    if "format" in options:
        written = options.text("format")
        if written not in _FORMATS:
            raise options.unsupported("format", "no such format of text")
        breaks = f"not regexp_matches({quoted}, {literal(_FORMATS[written])})"
        add("format", breaks, f"{name} is not a {written}")
    if "pattern" in options:
        pattern = to_re2(options.text("pattern"), options.at("pattern"))
        breaks = f"not regexp_matches({quoted}, {literal(pattern)})"
        add("pattern", breaks, f"{name} does not match {options.text('pattern')}")
    elif not any(_has_values(item) for item in column.items("quality")):
        # A pattern or a list of values says itself which characters may be.
        breaks = f"regexp_matches({quoted}, '{_UNSEEN}')"
        add("text", breaks, f"{name} holds characters that cannot be seen")


def _has_values(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("metric") == "invalidValues"


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
        broken.append(f"not regexp_matches({quoted}, {literal(pattern)})")
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
