"""A small lake, copied into memory for whoever reads all of it several times. I/O: DuckDB.

Whoever makes a table has to name the lake: `landed.x` alone would be made beside the copies.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import duckdb

from tillit.engine import quote_identifier, scalar
from tillit.lake.tables import CATALOG

__all__ = ["IN_MEMORY", "copy", "drop", "make_schemas"]

_MOST_ROWS = 200_000
_SCHEMAS = ("landed", "own")
_MEMORY = "memory"

IN_MEMORY = tuple(f"{_MEMORY}.{schema}" for schema in _SCHEMAS)
"""Schemas that the search path has before those of the lake: empty, but for as long as needed."""


def make_schemas(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the schemas for the copies."""
    for schema in IN_MEMORY:
        connection.execute(f"create schema {schema}")


def copy(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Copy what landed and what is our own, as of one snapshot; the copies' names.

    Nothing is copied where there are too many rows, by the catalog's estimate, which counts
    deleted ones too.
    """
    tables = connection.execute(
        "select schema_name, table_name, estimated_size from duckdb_tables() "
        "where database_name = ? and list_contains(?, schema_name)",
        [CATALOG, list(_SCHEMAS)],
    ).fetchall()
    if sum(rows for *_, rows in tables) > _MOST_ROWS:
        return []
    copies = []
    connection.begin()
    try:
        for schema, name, _ in tables:
            table = f"{quote_identifier(schema)}.{quote_identifier(name)}"
            copies.append(f"{_MEMORY}.{table}")
            connection.execute(
                f"create or replace table {copies[-1]} as from {CATALOG}.{table}"
                + ("" if _has_files(connection, schema, name) else " limit 0")
            )
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # a commit that failed has rolled back already
            connection.rollback()
        raise
    return copies


def _has_files(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether a table can have a row; an empty one that is not asked for any costs 3 ms, not 80.

    Nothing of these schemas is kept inline in the catalog, where partners' rows would lie open.
    """
    files = f"ducklake_list_files('{CATALOG}', ?, schema => ?)"
    return bool(scalar(connection, f"select exists (from {files})", name, schema))


def drop(connection: duckdb.DuckDBPyConnection, copies: Iterable[str]) -> None:
    """Drop what `copy` made."""
    for table in copies:
        connection.execute(f"drop table if exists {table}")
