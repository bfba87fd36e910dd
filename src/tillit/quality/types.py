"""ODCS types as DuckDB types. Pure.

``physicalType`` decides where it is given and agrees with ``logicalType``; else ``logicalType``
with its options does. Nested types are refused: a rule on a row needs a flat row.
"""

from __future__ import annotations

import re

from tillit.quality.section import Section

__all__ = ["FAMILY", "column_type", "family", "text_limit"]

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
    **dict.fromkeys(("STRING", "TEXT", "CHAR", "BPCHAR", "CHARACTER VARYING"), "VARCHAR"),
    **dict.fromkeys(("INT", "INT4", "SIGNED"), "INTEGER"),
    **dict.fromkeys(("LONG", "INT8"), "BIGINT"),
    **dict.fromkeys(("SHORT", "INT2"), "SMALLINT"),
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


def family(sql_type: str) -> str:
    """The logical type of a DuckDB type; KeyError for one that no column of a kind can have."""
    return FAMILY[sql_type.partition("(")[0]]


def column_type(column: Section) -> str:
    """The DuckDB type of a property, spelled as ``describe`` spells it.

    Raises ContractRefused ``unsupported`` for nested and unknown types, ``wrong-value`` when the
    two types contradict each other, ``missing-key`` when there is none.
    """
    logical = column.text("logicalType", "")
    if logical in {"object", "array"}:
        raise column.unsupported("logicalType", "nested values are not supported")
    if logical and logical not in _DEFAULTS:
        raise column.wrong("logicalType", " or ".join(_DEFAULTS))
    if "physicalType" in column:
        sql_type, _ = _physical(column)
        known = family(sql_type)
        if logical and known != logical and (known, logical) != ("integer", "number"):
            raise column.wrong("physicalType", f"a type for {logical}")
        return sql_type
    if not logical:
        column.text("logicalType")
    options = column.inner("logicalTypeOptions")
    written = options.text("format", "")
    if logical in {"integer", "number"} and written:
        if written not in _FORMATS or family(_FORMATS[written]) != logical:
            raise options.wrong("format", f"a format of {logical}")
        return _FORMATS[written]
    if logical == "timestamp" and options.flag("timezone"):
        return "TIMESTAMP WITH TIME ZONE"
    return _DEFAULTS[logical]


def text_limit(column: Section) -> int | None:
    """The n of a physical ``VARCHAR(n)``, which DuckDB itself does not keep; None without one."""
    if "physicalType" not in column:
        return None
    return _physical(column)[1]


def _physical(column: Section) -> tuple[str, int | None]:
    written = " ".join(column.text("physicalType").split())
    match = _WRITTEN.fullmatch(written)
    name = "" if match is None else match[1].upper()
    if match is None or name not in _PHYSICAL:
        raise column.unsupported("physicalType", "no such type")
    sql_type, first, second = _PHYSICAL[name], match[2], match[3]
    if sql_type == "DECIMAL":
        precision, scale = int(first or 18), int(second or (0 if first else 3))
        if not 1 <= precision <= 38 or scale > precision:
            raise column.wrong("physicalType", "DECIMAL(p,s) with s <= p <= 38")
        return f"DECIMAL({precision},{scale})", None
    if first is None:
        return sql_type, None
    if sql_type != "VARCHAR" or second is not None or int(first) == 0:
        raise column.unsupported("physicalType", "no such type")
    return sql_type, int(first)
