"""From a party's sources to the rows of a kind, on disk once. I/O: DuckDB, the engine's folder.

The result is written as Parquet rather than kept as a table: the rules pass over it several times,
row numbers must stay, and when every row and column may leave, this file is the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tillit.engine import drop_temporary, quote_identifier, quote_literal, scalar, translated
from tillit.errors import TableRefused, TillitError
from tillit.model import Kind
from tillit.warehouse.models import read_model
from tillit.warehouse.run import Run, set_run
from tillit.warehouse.sources import PREFIX, complete_source, register_sources, release_sources

__all__ = ["Outbound", "prepare_outbound"]

_PAYLOAD = "(format parquet, compression zstd, compression_level 1, parquet_version v1)"
# For our own eyes only, and gone in a moment: compressing it would cost as much as reading it.
_SCRATCH = "(format parquet, compression uncompressed, parquet_version v1)"


@dataclass(frozen=True)
class Outbound:
    """What a kind's outbound SQL gave: ``path`` holds the rows as they came, in the kind's columns.

    ``unread`` are the columns that did not come in the kind's type: ``incoming`` reads them, with
    NULL where that cannot be done.
    """

    rows: int
    path: Path
    unread: tuple[str, ...]


def prepare_outbound(
    connection: duckdb.DuckDBPyConnection,
    query: Path,
    run: Run,
    kind: Kind,
    sources: Mapping[str, str],
    *,
    leaves: bool = True,
) -> Outbound:
    """Run a kind's outbound SQL and leave two temporary views over what it gave.

    ``leaves`` says that the file may become the payload; else it is written in the quickest way.
    ``unread``: ``row_no`` (from 1) and the kind's columns as they came. ``incoming``: the same in
    the kind's types, NULL where a text cannot be read. Raises TableRefused: source-unreadable,
    missing-column, extra-column, query.
    """
    model = read_model(query)
    names = sorted(table.removeprefix(PREFIX) for table in model.reads if table.startswith(PREFIX))
    folder = Path(str(scalar(connection, "select current_setting('temp_directory')"))).parent
    path = folder / "outbound.parquet"
    set_run(connection, run)
    try:
        register_sources(connection, sources, names)
        with translated(f"preparing {kind.name}", _cannot_prepare(kind)):
            given = _described(connection, model.sql, kind, sources, names)
            types = {str(name): str(sql_type) for name, sql_type, *_ in given}
            _same_columns(kind, types)
            listed = ", ".join(quote_identifier(column.name) for column in kind.columns)
            connection.execute(
                f"copy (select {listed} from (\n{model.sql}\n)) "
                f"to {quote_literal(str(path))} {_PAYLOAD if leaves else _SCRATCH}"
            )
    finally:
        release_sources(connection, names)
    _make_views(connection, kind, path, types)
    rows = scalar(connection, "select num_rows from parquet_file_metadata(?)", str(path))
    unread = tuple(c.name for c in kind.columns if types[c.name] != c.sql_type)
    return Outbound(int(rows), path, unread)


def _described(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    kind: Kind,
    sources: Mapping[str, str],
    names: Sequence[str],
) -> list[tuple[Any, ...]]:
    """The columns that a query gives; asked again when a source's optional columns were missing.

    To look at the source first would cost every shipment a question that few need.
    """
    try:
        return connection.execute(f"describe\n{sql}").fetchall()
    except duckdb.BinderException:
        if kind.name not in names or not complete_source(connection, sources, kind):
            raise
    return connection.execute(f"describe\n{sql}").fetchall()


def _make_views(
    connection: duckdb.DuckDBPyConnection, kind: Kind, path: Path, types: Mapping[str, str]
) -> None:
    raw = ", ".join(quote_identifier(column.name) for column in kind.columns)
    read = ", ".join(
        quote_identifier(c.name)
        if types[c.name] == c.sql_type
        else f"try_cast({quote_identifier(c.name)} as {c.sql_type}) as {quote_identifier(c.name)}"
        for c in kind.columns
    )
    for view in ("incoming", "unread"):
        drop_temporary(connection, view)
    connection.execute(
        "create temp view unread as select file_row_number + 1 as row_no, "
        f"{raw} from read_parquet({quote_literal(str(path))}, file_row_number = true)"
    )
    connection.execute(f"create temp view incoming as select row_no, {read} from unread")


def _same_columns(kind: Kind, types: Mapping[str, str]) -> None:
    wanted = [column.name for column in kind.columns]
    if missing := [name for name in wanted if name not in types]:
        raise TableRefused(
            "missing-column", f"{kind.name} lacks a column", expected=missing[0], found="none"
        )
    if extra := [name for name in types if name not in wanted]:
        raise TableRefused(
            "extra-column",
            f"{kind.name} has no such column",
            expected=", ".join(wanted),
            found=extra[0],
        )


def _cannot_prepare(kind: Kind) -> Callable[[str], TillitError]:
    def refuse(message: str) -> TillitError:
        lacking = "not found in FROM clause" in message or "does not have a column" in message
        code = "missing-column" if lacking else "query"
        return TableRefused(code, f"{kind.name} cannot be prepared", found=message)

    return refuse
