"""Questions that a person asks the lake. I/O: DuckDB, reading only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import duckdb
import pyarrow as pa

from tillit.engine import quote_identifier, refused_as_query, scalar, translated
from tillit.errors import TableRefused
from tillit.lake.permitted import Permission, Touched, make_views, redirect
from tillit.lake.store import Lake
from tillit.lake.tables import CATALOG
from tillit.model import Kind

__all__ = ["Question", "ask", "landed_under", "last_cut_off", "observed_until"]

# A SELECT from a function can dial a server (postgres_scan), run other SQL (query), rewrite the
# lake (ducklake_...) or write a log; so only those are called that make or read rows.
_TABLE_FUNCTIONS = frozenset(
    {
        *("unnest", "range", "generate_series", "repeat", "json_each", "json_tree"),
        *("read_parquet", "read_csv", "read_csv_auto"),  # of the files that the home has named
        *("duckdb_columns", "duckdb_schemas", "duckdb_tables", "duckdb_views", "pragma_table_info"),
    }
)
_MACROS = "as_of"


@dataclass(frozen=True)
class Question:
    """One SELECT, read: what of partners' rows it touches, and what it means here."""

    sql: str
    touched: Touched

    @classmethod
    def read(cls, lake: Lake, sql: str) -> Self:
        """Read a question; TableRefused for anything but one SELECT over what may be asked.

        A question cannot change what it asks about, nor reach anything else: nothing but a single
        SELECT is run, and of functions that stand for tables only those that read.
        """
        with translated("the question", refused_as_query("the question")):
            tree = _tree(lake.connection, sql)
            kinds = lake.connection.execute(
                "select distinct table_name from duckdb_tables() "
                f"where database_name = '{CATALOG}' and schema_name = 'landed'"
            ).fetchall()
            touched = redirect(tree, {name for (name,) in kinds})
            meant = scalar(lake.connection, "select json_deserialize_sql(?)", json.dumps(tree))
        return cls(str(meant), touched)

    def run(
        self, lake: Lake, permission: Permission, kinds: Iterable[Kind]
    ) -> tuple[list[str], list[tuple[Any, ...]], pa.Table]:
        """The names of the columns, the rows, and both as a table of Arrow."""
        with translated("the question", refused_as_query("the question")):
            if self.touched.anything:
                make_views(lake.connection, permission, kinds)
            table = lake.connection.execute(self.sql).to_arrow_table()
            rows = lake.connection.from_arrow(table).fetchall()
        return table.column_names, rows, table


def landed_under(lake: Lake, touched: Touched) -> set[tuple[str, str]]:
    """Partner and agreement of whatever came of what a question touches."""
    with translated("the lake", refused_as_query("what landed")):
        return set(
            lake.connection.execute(
                "select distinct partner, agreement_id from lake.exchange.shipments "
                "where (kind in (select unnest(?::varchar[])) and rows_accepted > 0) "
                "or (? and rows_refused > 0)",
                [sorted(touched.kinds), touched.refused],
            ).fetchall()
        )


def ask(lake: Lake, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The answer to a question that touches nothing of partners'; TableRefused for another."""
    question = Question.read(lake, sql)
    if question.touched.anything:
        raise TableRefused(
            "query", "partners' rows need a purpose", found=", ".join(question.touched.names)
        )
    names, rows, _ = question.run(lake, Permission(), ())
    return names, rows


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """DuckDB's own tree of one SELECT that only reads."""
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise TableRefused(
            "query",
            "only one SELECT is run here",
            expected="one SELECT",
            found=", ".join(str(s.type).rpartition(".")[2] for s in statements) or "nothing",
        )
    parsed = json.loads(scalar(connection, "select json_serialize_sql(?)", statements[0].query))
    if parsed["error"]:
        raise TableRefused(
            "query", "this question is not understood", found=parsed.get("error_message")
        )
    for schema, name in _functions(parsed):
        if schema != _MACROS and name not in _TABLE_FUNCTIONS:
            raise TableRefused(
                "query",
                "a function that may not be asked",
                expected=", ".join([f"{_MACROS}.<kind>", *sorted(_TABLE_FUNCTIONS)]),
                found=name,
            )
    return parsed


def _functions(node: Any) -> Iterator[tuple[str, str]]:
    """Schema and name of each function that stands for a table, in DuckDB's own tree."""
    if isinstance(node, dict):
        if node.get("type") == "TABLE_FUNCTION":
            called = node["function"]
            yield called["schema"].lower(), called["function_name"].lower()
        for value in node.values():
            yield from _functions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _functions(value)


def last_cut_off(lake: Lake, agreement_id: str, partner: str) -> datetime | None:
    """The newest cut-off that a landed shipment of a partner's agreement served; None if none."""
    with translated("the lake", refused_as_query("what landed")):
        found: datetime | None = scalar(
            lake.connection,
            "select max(cut_off_at) from lake.exchange.shipments "
            "where agreement_id = ? and partner = ? and rows_accepted > 0",
            *(agreement_id, partner),
        )
    return found


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
