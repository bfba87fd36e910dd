"""What a run of the measure was made of: each table it read, and the queries. I/O: DuckDB.

With the instant and the version of the definition that every kept row carries, this tells whether
a score that somebody acted on would come out the same today, and if not, which table has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tillit.engine import quote_identifier
from tillit.trust.terms import TermColumn
from tillit.warehouse import Transforms

__all__ = ["INPUT", "inputs"]

INPUT = {
    "as_of": "timestamptz",
    "definition": "varchar",
    "source": "varchar",
    "rows_read": "bigint",
    "digest": "varchar",
}
"""Columns and types. A source is a table, ``terms`` or ``queries``."""


def inputs(
    connection: Any,
    transforms: Transforms,
    terms: tuple[TermColumn, ...],
    *,
    as_of: datetime,
    definition: str,
) -> Iterator[dict[str, Any]]:
    """A row a source; of a table, the rows that had arrived by ``as_of``."""
    queries = hashlib.sha256()
    for model in transforms.models:
        queries.update(f"{model.name}\n{model.sql}\n".encode())
    stated = sorted(repr(term) for term in terms)
    told: dict[str, tuple[int, str]] = {
        "queries": (len(transforms.models), queries.hexdigest()),
        "terms": (len(stated), hashlib.sha256("\n".join(stated).encode()).hexdigest()),
    }
    for source in sorted({read for model in transforms.models for read in model.reads}):
        if "." in source:
            told[source] = _of_table(connection, source, as_of)
    for source, (rows, digest) in told.items():
        yield {
            "as_of": as_of,
            "definition": definition,
            "source": source,
            "rows_read": rows,
            "digest": digest,
        }


def _of_table(connection: Any, source: str, as_of: datetime) -> tuple[int, str]:
    """The number of rows, and the sum of their hashes: the same in any order."""
    table = ".".join(quote_identifier(part) for part in source.split("."))
    columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
    # The sum is text: it is wider than any number that a table of the lake can hold.
    query = f"select count(*), coalesce(sum(hash(t)), 0)::varchar from {table} as t"  # noqa: S608 (quoted)
    values = []
    if "arrived_at" in columns:
        query += " where arrived_at <= ?"
        values.append(as_of)
    rows, digest = connection.execute(query, values).fetchone()
    return int(rows), f"duckdb-hash:{digest}"
