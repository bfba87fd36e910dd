"""The lake's tables, views and questions as SQL text. Pure, but for `lake_tables`.

A kind's columns come from its contract, so its tables cannot stand as files under transforms/:
they are put together here, from names that are quoted and types that DuckDB checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import duckdb

from tillit.engine import quote_identifier
from tillit.errors import ContractRefused
from tillit.model import NAME, Column, Kind

__all__ = [
    "ADDED",
    "CATALOG",
    "FIXED",
    "INLINED",
    "KIND_SCHEMAS",
    "METADATA",
    "OWN",
    "SCHEMAS",
    "SUMMED",
    "added_column",
    "as_of_macro",
    "check_kind",
    "create_kind",
    "current_view",
    "empty_lake",
    "fixed_tables",
    "kind_table",
    "lake_tables",
    "widened_column",
]

CATALOG = "lake"
METADATA = f"__ducklake_metadata_{CATALOG}"
"""Where DuckDB attaches the catalog's own tables."""
SCHEMAS = ("landed", "own", "current", "as_of", "exchange", "quarantine", "trust")
KIND_SCHEMAS = ("landed", "own")
OWN = "own"
"""Where an agreement's id stands for rows that a party observed itself."""

# What the exchange adds to the kind's own columns.
ADDED = {
    "partner": "VARCHAR",
    "agreement_id": "VARCHAR",
    "shipment_id": "VARCHAR",
    "issued_at": "TIMESTAMP WITH TIME ZONE",
    "arrived_at": "TIMESTAMP WITH TIME ZONE",
}

# A type as the contracts write it; what is pasted into DDL can hold no second statement.
_TYPE = re.compile(r"[A-Z][A-Z ]{1,30}(\([0-9]{1,2}(, ?[0-9]{1,2})?\))?(\[\])?")

_SHIPMENTS = {
    "shipment_id": "VARCHAR",
    "agreement_id": "VARCHAR",
    "kind": "VARCHAR",
    "partner": "VARCHAR",
    "seq": "BIGINT",
    "statement_digest": "VARCHAR",
    "period_start": "TIMESTAMP WITH TIME ZONE",
    "period_end": "TIMESTAMP WITH TIME ZONE",
    "cut_off_at": "TIMESTAMP WITH TIME ZONE",
    "issued_at": "TIMESTAMP WITH TIME ZONE",
    "arrived_at": "TIMESTAMP WITH TIME ZONE",
    "rows_accepted": "BIGINT",
    "rows_refused": "BIGINT",
    "payload_bytes": "BIGINT",
}

_REFUSED = {
    "shipment_id": "VARCHAR",
    "agreement_id": "VARCHAR",
    "kind": "VARCHAR",
    "partner": "VARCHAR",
    "row_no": "BIGINT",
    "rules": "VARCHAR[]",
    "reasons": "VARCHAR[]",
    "row": "VARCHAR",
    "arrived_at": "TIMESTAMP WITH TIME ZONE",
}


# What is no longer there: a shipment's rows, when they went, and how many they were.
_DELETIONS = {
    "partner": "VARCHAR",
    "shipment_id": "VARCHAR",
    "statement_digest": "VARCHAR",
    "agreement_id": "VARCHAR",
    "kind": "VARCHAR",
    "rows_deleted": "BIGINT",
    "deleted_at": "TIMESTAMP WITH TIME ZONE",
}

# Public series that we registered; what repeats them is no news to us.
_PUBLIC_INDEX = {
    "series": "VARCHAR",
    "published_on": "DATE",
    "period_start": "DATE",
    "value": "DOUBLE",
}

FIXED = {
    "own.public_index": _PUBLIC_INDEX,
    "exchange.shipments": _SHIPMENTS,
    "exchange.deletions": _DELETIONS,
    "quarantine.refused": _REFUSED,
    # The same for what stopped at us before it left, and for what a partner sent back.
    "quarantine.stopped": _REFUSED,
    "quarantine.returned": _REFUSED,
}

SUMMED = (
    *("alarm", "arrival_lag", "column_not_measured", "column_week"),
    *("definition", "direction_week", "input", "interval"),
)
"""Marts of the measure in which no single value of a partner stands; in any other one may."""

# One short row at a time, none of it a partner's content: a file each would be thousands of files.
INLINED = ("shipments", "deletions")


def empty_lake(kinds: Iterable[Kind]) -> Iterator[str]:
    """Statements that make the schemas, and every table of a lake that exchanges these kinds."""
    yield from fixed_tables()
    for kind in kinds:
        for schema in KIND_SCHEMAS:
            yield create_kind(schema, kind)


def fixed_tables() -> tuple[str, ...]:
    """Statements that make the schemas and the tables every lake has."""
    return (
        *(f"create schema if not exists {CATALOG}.{schema}" for schema in SCHEMAS),
        *(_create(f"{CATALOG}.{table}", columns) for table, columns in FIXED.items()),
    )


def lake_tables(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """The tables of one of the lake's schemas, from its catalog.

    DuckDB's own list would load every table of every schema, a tenth of a second each time.
    """
    found = connection.execute(
        f"select t.table_name from {METADATA}.ducklake_table as t "
        f"inner join {METADATA}.ducklake_schema as s using (schema_id) "
        "where s.schema_name = ? and t.end_snapshot is null and s.end_snapshot is null order by 1",
        [schema],
    ).fetchall()
    return [name for (name,) in found]


def check_kind(kind: Kind) -> None:
    """Refuse a kind that the lake cannot hold: ContractRefused for names, types, a missing key."""
    for name in (kind.name, *(column.name for column in kind.columns)):
        if not NAME.fullmatch(name):
            raise ContractRefused(
                "wrong-value", f"a name in {kind.name}", expected=NAME.pattern, found=name
            )
    for column in kind.columns:
        if column.name in ADDED:
            raise ContractRefused(
                "wrong-value",
                f"{kind.name}: a column that the exchange adds itself",
                expected="another name",
                found=column.name,
            )
        if not _TYPE.fullmatch(column.sql_type):
            raise ContractRefused(
                "wrong-value",
                f"{kind.name}.{column.name}: a type",
                expected="a type of DuckDB",
                found=column.sql_type,
            )
    if not kind.key:
        raise ContractRefused(
            "missing-key", f"{kind.name} has no grain", expected="a primary key", found="none"
        )


def kind_table(schema: str, kind: Kind) -> str:
    """A kind's table or view, fully qualified and quoted."""
    return f"{CATALOG}.{schema}.{quote_identifier(kind.name)}"


def create_kind(schema: str, kind: Kind) -> str:
    """The statement that makes a kind's table: the contract's columns, then the added ones."""
    columns = {column.name: column.sql_type for column in kind.columns}
    return _create(kind_table(schema, kind), {**columns, **ADDED})


def added_column(schema: str, kind: Kind, column: Column) -> str:
    """The statement that adds a column which a newer version of the kind brought."""
    name = quote_identifier(column.name)
    return f"alter table {kind_table(schema, kind)} add column {name} {column.sql_type}"


def widened_column(schema: str, kind: Kind, column: Column) -> str:
    """The statement that widens a column's type; the lake refuses one that would lose values."""
    name = quote_identifier(column.name)
    return (
        f"alter table {kind_table(schema, kind)} alter column {name} "
        f"set data type {column.sql_type}"
    )


def current_view(kind: Kind) -> str:
    """The statement that makes ``current.<kind>``: of each key and partner, the newest issue.

    A vintage that arrives late is stored but never current, however late it arrives.
    """
    return f"create or replace view {kind_table('current', kind)} as {_newest(kind, '')}"


def as_of_macro(kind: Kind) -> str:
    """The statement that makes ``as_of.<kind>(known_at)``: what was current at a time.

    Only what had arrived by then counts, whenever it was issued.
    """
    newest = _newest(kind, "where landed.arrived_at <= known_at ")
    return (
        f"create or replace macro {kind_table('as_of', kind)}(known_at) as table "
        f"select known.* from ({newest}) as known"
    )


def _newest(kind: Kind, where: str) -> str:
    key = ", ".join(f"landed.{quote_identifier(name)}" for name in ("partner", *kind.key))
    return (
        f"select landed.* from {kind_table('landed', kind)} as landed {where}"
        f"qualify rank() over (partition by {key} order by landed.issued_at desc) = 1"
    )


def _create(table: str, columns: dict[str, str]) -> str:
    listed = ", ".join(f"{quote_identifier(name)} {kind}" for name, kind in columns.items())
    return f"create table if not exists {table} ({listed})"
