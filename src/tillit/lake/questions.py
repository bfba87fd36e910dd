"""Questions that a person asks the lake. I/O: DuckDB, reading only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from tillit.engine import quote_identifier, refused_as_query, scalar, translated
from tillit.errors import TableRefused
from tillit.lake.store import Lake
from tillit.model import Kind

__all__ = ["ask", "observed_until"]


def ask(lake: Lake, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns and the rows that one SELECT gives; TableRefused for anything else.

    A question cannot change what it asks about: nothing but a single SELECT is run.
    """
    with translated("the question", refused_as_query("the question")):
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise TableRefused(
                "query",
                "only one SELECT is run here",
                expected="one SELECT",
                found=", ".join(str(s.type).rpartition(".")[2] for s in statements) or "nothing",
            )
        found = lake.connection.execute(statements[0])
        names = [str(column[0]) for column in found.description or ()]
        return names, found.fetchall()


def observed_until(lake: Lake, kind: Kind, batches: str) -> datetime | None:
    """The newest ``recorded_at`` of our own rows in batches whose name begins so; None if none."""
    with translated("the lake", refused_as_query("our own rows")):
        found: datetime | None = scalar(
            lake.connection,
            f"select max(arrived_at) from lake.own.{quote_identifier(kind.name)} "
            "where starts_with(shipment_id, ?)",
            batches,
        )
    return found
