"""The one way in which a name or a value gets into SQL. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal

__all__ = ["either", "literal", "names", "quote", "text_list"]


def quote(name: str) -> str:
    """A name as a quoted identifier; ``a.b`` is two names, since no name of ours has a dot."""
    if not name or "\0" in name:
        raise ValueError("not a name")
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def names(columns: Iterable[str]) -> str:
    """Quoted names with commas between."""
    return ", ".join(quote(name) for name in columns)


def literal(value: object) -> str:
    """A value as a DuckDB literal; ValueError for a type that has none here.

    Text with characters below a blank is spelled with ``chr``, since a NUL ends a query's text in
    some drivers.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):  # bool too
        return str(value).lower()
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        zoned = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
        return f"{zoned} '{value.isoformat(sep=' ')}'"
    if isinstance(value, date | time):
        return f"{type(value).__name__.upper()} '{value.isoformat()}'"
    raise ValueError(f"no literal for {type(value).__name__}")


def text_list(values: Iterable[str]) -> str:
    """A VARCHAR[] literal."""
    return "[" + ", ".join(_text(value) for value in values) + "]::VARCHAR[]"


def either(conditions: Iterable[str]) -> str:
    """True where one of the conditions is; ``false`` when there is none."""
    return " or ".join(f"({condition})" for condition in conditions) or "false"


def _text(value: str) -> str:
    parts: list[str] = []
    plain = ""
    for character in value:
        if character < " ":
            parts += [f"'{plain}'", f"chr({ord(character)})"]
            plain = ""
        else:
            plain += "''" if character == "'" else character
    parts.append(f"'{plain}'")
    return "(" + " || ".join(parts) + ")" if len(parts) > 1 else parts[0]


def _number(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        raise ValueError("not a finite number")
    return format(number, "f")
