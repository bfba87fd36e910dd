"""Questions that a person asks the lake. I/O: DuckDB, reading only."""

from __future__ import annotations

from typing import Any

import duckdb

from tillit.engine import refused_as_query, translated
from tillit.errors import TableRefused
from tillit.lake.store import Lake

__all__ = ["ask"]


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
