"""ODCS types as DuckDB types. Pure.

``physicalType`` decides where it is given and agrees with ``logicalType``; else ``logicalType``
with its options does. Nested types are refused: a rule on a row needs a flat row.

Before v3.1.0 there was no logical type for a time: a ``date`` was any of day, time and both, and
its default format had both. There only the physical type or a format says which it is.
"""

from __future__ import annotations

import re

from tillit.errors import ContractRefused
from tillit.quality.section import Section

__all__ = ["FAMILY", "column_type", "family", "is_uuid", "text_limit"]

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
FAMILY: dict[str, str] = {
    **dict.fromkeys(_INTEGERS + _UNSIGNED, "integer"),
    "VARCHAR": "string",
    "DECIMAL": "number",
    "DOUBLE": "number",
    "FLOAT": "number",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "boolean",
}
_PHYSICAL = {
    **{name: name for name in FAMILY},
    **dict.fromkeys(("STRING", "TEXT", "CHAR", "BPCHAR", "CHARACTER VARYING", "UUID"), "VARCHAR"),
    **dict.fromkeys(("INT", "INT4", "SIGNED", "SERIAL"), "INTEGER"),
    **dict.fromkeys(("LONG", "INT8", "BIGSERIAL"), "BIGINT"),
    **dict.fromkeys(("SHORT", "INT2", "SMALLSERIAL"), "SMALLINT"),
    **dict.fromkeys(("INT1",), "TINYINT"),
    **dict.fromkeys(("NUMERIC", "DEC"), "DECIMAL"),
    **dict.fromkeys(("FLOAT8", "DOUBLE PRECISION"), "DOUBLE"),
    **dict.fromkeys(("FLOAT4", "REAL"), "FLOAT"),
    **dict.fromkeys(("BOOL", "LOGICAL"), "BOOLEAN"),
    **dict.fromkeys(("DATETIME", "TIMESTAMP WITHOUT TIME ZONE"), "TIMESTAMP"),
    **dict.fromkeys(("TIMESTAMPTZ",), "TIMESTAMP WITH TIME ZONE"),
}
_WRITTEN = re.compile(
    r"([A-Za-z][A-Za-z0-9 ]{0,39}?) ?(?:\( ?([0-9]{1,5}) ?(?:, ?([0-9]{1,2}) ?)?\))?"
)
_FORMATS = {
    **dict(zip(("i8", "i16", "i32", "i64", "i128"), _INTEGERS, strict=True)),
    **dict(zip(("u8", "u16", "u32", "u64", "u128"), _UNSIGNED, strict=True)),
    "f32": "FLOAT",
    "f64": "DOUBLE",
}
_DEFAULTS = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}
# Letters of a Java date format that stand for a time of day or a zone, outside of quotes.
_TIME_LETTERS = re.compile(r"[aBhKkHmsSAnNVvzOXxZ]")
_QUOTED = re.compile(r"'[^']*'")


def family(sql_type: str) -> str:
    """The logical type of a DuckDB type; KeyError for one that no column of a kind can have."""
    return FAMILY[sql_type.partition("(")[0]]


def column_type(column: Section, *, timeless: bool = False) -> str:
    """The DuckDB type of a property, spelled as ``describe`` spells it.

    With ``timeless`` the contract is of a version of ODCS without logical types for times.

    Raises ContractRefused ``unsupported`` for nested and unknown types, ``wrong-value`` when the
    two types contradict each other, ``missing-key`` when there is none.
    """
    logical = column.text("logicalType", "")
    if logical in {"object", "array"}:
        raise column.unsupported("logicalType", "nested values are not supported")
    if logical and logical not in _DEFAULTS:
        raise column.wrong("logicalType", " or ".join(_DEFAULTS))
    options = column.inner("logicalTypeOptions")
    if "physicalType" in column:
        sql_type, _ = _physical(column)
        known = family(sql_type)
        pairs = {("integer", "number")}
        if timeless:
            pairs |= {("timestamp", "date"), ("time", "date")}
        if logical and known != logical and (known, logical) not in pairs:
            raise column.wrong("physicalType", f"a type for {logical}")
    elif logical:
        sql_type = _logical(options, logical)
        if timeless and logical == "date" and "format" not in options:
            raise column.unsupported("logicalType", "a physicalType must say if it has a time")
    else:
        raise ContractRefused("missing-key", f"{column.at('logicalType')} is missing")
    return _zoned(column, options, sql_type)


def _logical(options: Section, logical: str) -> str:
    written = options.text("format", "")
    if logical in {"integer", "number"} and written:
        if written not in _FORMATS or family(_FORMATS[written]) != logical:
            raise options.wrong("format", f"a format of {logical}")
        return _FORMATS[written]
    return _DEFAULTS[logical]


def _zoned(column: Section, options: Section, sql_type: str) -> str:
    """The type, held against what its options say about a time of day and a zone."""
    kind = family(sql_type)
    if kind == "date" and _TIME_LETTERS.search(_QUOTED.sub("", options.text("format", ""))):
        raise options.unsupported("format", "a day has no time: its type is timestamp")
    if kind not in {"time", "timestamp"} or "timezone" not in options:
        return sql_type
    zoned = options.flag("timezone")
    if kind == "time":
        if zoned:
            raise options.unsupported("timezone", "a time of day has no zone")
        return sql_type
    if not zoned and sql_type != "TIMESTAMP":
        raise options.wrong("timezone", "true, as the physicalType has it")
    if zoned and sql_type == "TIMESTAMP":
        if column.text("physicalType", "timestamp").upper() != "TIMESTAMP":
            raise options.wrong("timezone", "false, as the physicalType has it")
        return "TIMESTAMP WITH TIME ZONE"
    return sql_type


def text_limit(column: Section) -> int | None:
    """The n of a physical ``VARCHAR(n)``, which DuckDB itself does not keep; None without one."""
    if "physicalType" not in column:
        return None
    return _physical(column)[1]


def is_uuid(column: Section) -> bool:
    """Whether the physical type is ``UUID``, which is kept as text and so needs a rule."""
    return column.text("physicalType", "").strip().upper() == "UUID"


def _physical(column: Section) -> tuple[str, int | None]:
    written = " ".join(column.text("physicalType").split())
    match = _WRITTEN.fullmatch(written)
    name = "" if match is None else match[1].upper()
    if match is None or name not in _PHYSICAL:
        raise column.unsupported("physicalType", "no such type")
    sql_type, first, second = _PHYSICAL[name], match[2], match[3]
    if sql_type == "DECIMAL":
        if first is None:
            # Elsewhere it keeps all digits, or none after the point; DuckDB would round to three.
            raise column.unsupported("physicalType", "a decimal says its digits: DECIMAL(p,s)")
        precision, scale = int(first), int(second or 0)
        if not 1 <= precision <= 38 or scale > precision:
            raise column.wrong("physicalType", "DECIMAL(p,s) with s <= p <= 38")
        return f"DECIMAL({precision},{scale})", None
    if first is None:
        return sql_type, None
    if sql_type != "VARCHAR" or second is not None or int(first) == 0:
        raise column.unsupported("physicalType", "no such type")
    return sql_type, int(first)
