"""From a party's sources to the rows of a kind, on disk once. I/O: DuckDB, the engine's folder.

The result is written as Parquet rather than kept as a table: the rules pass over it several times,
row numbers must stay, and when every row and column may leave, this file is the payload. Encoding
it is most of the work of a large shipment, so rows that leave changed are changed on the way into
the file, as long as none of them has to stay.
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

__all__ = ["KEPT_BACK", "Outbound", "prepare_outbound"]

KEPT_BACK = "a row that has to stay"
"""What a query that changes rows on their way fails with where one must not leave."""

_PAYLOAD = "(format parquet, compression zstd, compression_level 1, parquet_version v1)"
# For our own eyes only, and gone in a moment: compressing it would cost as much as reading it.
_SCRATCH = "(format parquet, compression uncompressed, parquet_version v1)"


@dataclass(frozen=True)
class Outbound:
    """What a kind's outbound SQL gave: ``path`` holds the rows as they came, in the kind's columns.

    ``unread`` are the columns that did not come in the kind's type: ``incoming`` reads them, with
    NULL where that cannot be done. ``changed`` says that the rows were changed on the way: then the
    file holds what leaves, and there is only ``incoming``.
    """

    rows: int
    path: Path
    unread: tuple[str, ...]
    changed: bool = False


def prepare_outbound(
    connection: duckdb.DuckDBPyConnection,
    query: Path,
    run: Run,
    kind: Kind,
    sources: Mapping[str, str],
    *,
    leaves: bool = True,
    change: Callable[[str], str] | None = None,
) -> Outbound:
    """Run a kind's outbound SQL and leave two temporary views over what it gave.

    ``leaves`` says that the file may become the payload; else it is written in the quickest way.
    ``change`` makes of a query that gives the rows in the kind's types one that gives what leaves
    instead, and fails with `KEPT_BACK` where a row has to stay: then, and when something came in
    another type, the rows are written as they came.

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
            unread = tuple(c.name for c in kind.columns if types[c.name] != c.sql_type)
            listed = ", ".join(quote_identifier(column.name) for column in kind.columns)
            rows = f"select {listed} from (\n{model.sql}\n)"
            changed = change is not None and not unread and _changed(connection, rows, change, path)
            if not changed:
                how = _PAYLOAD if leaves else _SCRATCH
                connection.execute(f"copy ({rows}) to {quote_literal(str(path))} {how}")
    finally:
        release_sources(connection, names)
    if changed:
        _make_view(connection, path)
    else:
        _make_views(connection, kind, path, types)
    count = scalar(connection, "select num_rows from parquet_file_metadata(?)", str(path))
    return Outbound(int(count), path, unread, changed)


def _changed(
    connection: duckdb.DuckDBPyConnection, rows: str, change: Callable[[str], str], path: Path
) -> bool:
    """Write the rows changed; False when one of them has to stay."""
    try:
        connection.execute(f"copy ({change(rows)}) to {quote_literal(str(path))} {_PAYLOAD}")
    except duckdb.InvalidInputException as error:
        if KEPT_BACK not in str(error):
            raise
        return False
    return True


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


def _make_view(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Only ``incoming``: a row that was changed is no longer as it came."""
    for view in ("incoming", "unread"):
        drop_temporary(connection, view)
    connection.execute(
        "create temp view incoming as select file_row_number + 1 as row_no, * "
        f"exclude (file_row_number) from read_parquet({quote_literal(str(path))}, "
        "file_row_number = true)"
    )


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
