"""What a property's own fields ask of a row, as rules. Pure.

Rules by name: ``required:c``, ``range:c``, ``step:c``, ``length:c``, ``format:c``, ``pattern:c``,
``text:c``, ``finite:c``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time

from tillit.model import Rule
from tillit.quality.section import Section
from tillit.quality.types import family, is_uuid, text_limit
from tillit.sql.patterns import found, to_re2
from tillit.sql.text import literal, quote

__all__ = ["column_rules"]

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
    written = options.text("format", "uuid" if is_uuid(column) else "")
    if written:
        if written not in _FORMATS:
            raise options.unsupported("format", "no such format of text")
        breaks = f"not {found(quoted, _FORMATS[written])}"
        add("format", breaks, f"{name} is not a {written}")
    if "pattern" in options:
        pattern = to_re2(options.text("pattern"), options.at("pattern"))
        breaks = f"not {found(quoted, pattern)}"
        add("pattern", breaks, f"{name} does not match {options.text('pattern')}")
    elif not any(_has_values(item) for item in column.items("quality")):
        # A pattern or a list of values says itself which characters may be.
        add("text", found(quoted, _UNSEEN), f"{name} holds characters that cannot be seen")


def _has_values(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("metric") == "invalidValues"
