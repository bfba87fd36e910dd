"""Questions that a person asks the lake. I/O: DuckDB, reading only."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import duckdb
import pyarrow as pa

from tillit.engine import quote_identifier, refused_as_query, scalar, translated
from tillit.errors import AgreementRefused, TableRefused
from tillit.lake.permitted import Permission, Touched, make_views, redirect
from tillit.lake.store import Lake
from tillit.lake.syntax import (
    free_tables,
    parsed,
    scalar_functions,
    table_functions,
    table_nodes,
    written,
)
from tillit.lake.tables import lake_tables
from tillit.model import Kind

__all__ = [
    "Question",
    "ask",
    "landed_under",
    "last_cut_off",
    "observed_until",
    "require_own",
]

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
_MOST_TABLES = 500
# What SQL that prepares rows for a partner may name, and functions that go round any name.
_OURS = re.compile(r"run|source_[a-z0-9_]+|(own|information_schema)\..+")
_ROUND = re.compile(r"query|query_table|ducklake_.*")
# What is known of a column without looking at a row holds values of rows that may not be read.
_SCALARS = frozenset({"stats", "write_log"})


@dataclass(frozen=True)
class Question:
    """One SELECT, read: what of partners' rows it touches, and what it means here."""

    sql: str
    touched: Touched

    @classmethod
    def read(cls, lake: Lake, sql: str, audit: Collection[str] = ()) -> Self:
        """Read a question; TableRefused for anything but one SELECT over what may be asked.

        A question cannot change what it asks about, nor reach anything else: nothing but a single
        SELECT is run, and of functions that stand for tables only those that read. ``audit`` are
        the auditor's views, which are made before it runs. A table or function that is there and
        may not be named has the code ``closed``.
        """
        with translated("the question", refused_as_query("the question")):
            tree = parsed(lake.connection, sql)
            _require_harmless(tree)
            touched = redirect(tree, _path(lake.connection, tree), audit)
            if len(touched.names) > _MOST_TABLES:
                raise TableRefused(
                    "query", "too many tables", expected=_MOST_TABLES, found=len(touched.names)
                )
            meant = written(lake.connection, tree)
        return cls(meant, touched)

    def run(
        self, lake: Lake, permission: Permission
    ) -> tuple[list[str], list[tuple[Any, ...]], pa.Table]:
        """The names of the columns, the rows, and both as a table of Arrow."""
        with translated("the question", refused_as_query("the question")):
            if self.touched.anything:
                make_views(lake.connection, permission, self.touched)
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
    names, rows, _ = question.run(lake, Permission())
    return names, rows


def _require_harmless(tree: Any) -> None:
    for called in table_functions(tree):
        name = called["function_name"].lower()
        if called["schema"].lower() != _MACROS and name not in _TABLE_FUNCTIONS:
            raise _may_not(name, ", ".join([f"{_MACROS}.<kind>", *sorted(_TABLE_FUNCTIONS)]))
    for name in scalar_functions(tree):
        if name in _SCALARS:
            raise _may_not(name, "another")


def _may_not(name: str, expected: str) -> TableRefused:
    return TableRefused("closed", "a function that may not be asked", expected=expected, found=name)


def _path(connection: duckdb.DuckDBPyConnection, tree: Any) -> dict[str, str]:
    """The schema in which the search path finds names that a question gives without one."""
    if all(node["schema_name"] or node["catalog_name"] for node in table_nodes(tree)):
        return {}
    found = {schema: lake_tables(connection, schema) for schema in ("trust", "quarantine")}
    # The last word is that of `landed`, as on the path.
    found["landed"] = lake_tables(connection, "landed")
    return {name: schema for schema, names in found.items() for name in names}


def require_own(lake: Lake, sql: str, what: str) -> None:
    """Rows that leave are ours: SQL that prepares them reads nothing but sources of our own.

    What was made of partners' rows leaves by way of `tillit export`, which asks who may have it.
    Raises AgreementRefused ``onward-sharing``, and TableRefused for what is no SELECT.
    """
    with translated(what, refused_as_query(what)):
        tree = parsed(lake.connection, sql)
    named = [
        ".".join(filter(None, (node["catalog_name"], node["schema_name"], node["table_name"])))
        for node in free_tables(tree)
    ]
    called = [function["function_name"].lower() for function in table_functions(tree)]
    beyond = [name for name in named if not _OURS.fullmatch(name.lower())]
    beyond += [function["schema"] for function in table_functions(tree) if function["schema"]]
    beyond += [name for name in called if _ROUND.fullmatch(name)]
    if beyond:
        raise AgreementRefused(
            "onward-sharing",
            f"{what} reads more than sources of our own",
            expected="source_<name>, run",
            found=", ".join(beyond),
        )


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
