"""A party's own files as tables. I/O: DuckDB reads them, nothing is written.

Text stays text: a CSV's columns are all VARCHAR, so that a value that cannot be read is one refused
row later, and not a file that cannot be opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tillit.engine import quote_identifier, quote_literal, translated
from tillit.errors import TableRefused, TillitError
from tillit.model import NAME, Kind

__all__ = ["PREFIX", "complete_source", "observed_source", "register_sources", "release_sources"]

PREFIX = "source_"
_CSV = frozenset({".csv", ".tsv", ".txt"})
_GLOB = frozenset("*?[]")
_ABOUT_A_ROW = ("partner", "recorded_at")  # whom it is for, and since when we know it


def register_sources(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, str], names: Iterable[str]
) -> None:
    """Make the temporary views ``source_<name>`` for these names of ``sources``.

    A source is a Parquet or CSV file, or ``file.duckdb#table`` (``#schema.table``), which stays
    attached until `release_sources`: its writer has to wait. Raises TableRefused
    (source-unreadable).
    """
    for name in names:
        if name not in sources or not NAME.fullmatch(name):
            raise TableRefused(
                "source-unreadable",
                f"no source is called {name}",
                expected=", ".join(sorted(sources)) or "a name in [sources]",
                found=name,
            )
        with translated(f"source {name}", _unreadable(name)):
            table = _table(connection, name, sources[name])
            view = quote_identifier(PREFIX + name)
            connection.execute(f"create or replace temp view {view} as from {table}")


def complete_source(
    connection: duckdb.DuckDBPyConnection, sources: Mapping[str, str], kind: Kind
) -> bool:
    """Give a kind's own source the optional columns that its file does not have, as nulls.

    Says whether there were any. Raises TableRefused (missing-column) for a column that has to be
    there: one that the kind requires, ``partner`` or ``recorded_at``.
    """
    view = quote_identifier(PREFIX + kind.name)
    with translated(f"source {kind.name}", _unreadable(kind.name)):
        described = connection.execute(f"describe {view}").fetchall()
    there = [str(name) for name, *_ in described]
    lacking = [column for column in kind.columns if column.name not in there]
    needed = [column.name for column in lacking if column.required or column.key]
    if needed := [*needed, *(name for name in _ABOUT_A_ROW if name not in there)]:
        raise TableRefused(
            "missing-column",
            f"the source {kind.name} lacks what it has to say",
            expected=", ".join(needed),
            found=", ".join(there),
        )
    if lacking:
        nulls = ", ".join(f"null::{c.sql_type} as {quote_identifier(c.name)}" for c in lacking)
        table = _table(connection, kind.name, sources[kind.name])
        connection.execute(f"create or replace temp view {view} as select *, {nulls} from {table}")
    return bool(lacking)


def release_sources(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Drop the views and detach the files of `register_sources`."""
    for name in names:
        connection.execute(f"drop view if exists temp.main.{quote_identifier(PREFIX + name)}")
        connection.execute(f"detach database if exists {quote_identifier(_database(name))}")


@contextmanager
def observed_source(connection: duckdb.DuckDBPyConnection, where: str) -> Iterator[str]:
    """A view over one file, for as long as the context lasts; gives the view's name.

    Raises TableRefused (source-unreadable).
    """
    names = ("observed",)
    register_sources(connection, {"observed": where}, names)
    try:
        yield PREFIX + "observed"
    finally:
        release_sources(connection, names)


def _table(connection: duckdb.DuckDBPyConnection, name: str, where: str) -> str:
    file, mark, table = where.partition("#")
    path = Path(file)
    if not path.is_file() or _GLOB & set(file):
        raise _unreadable(name)(f"{path.name} is not a file")
    if mark:
        database = quote_identifier(_database(name))
        connection.execute(f"attach if not exists {quote_literal(file)} as {database} (read_only)")
        parts = table.split(".") if "." in table else ["main", table]
        return ".".join([database, *(quote_identifier(part) for part in parts)])
    if path.suffix == ".parquet":
        return f"read_parquet({quote_literal(file)})"
    if path.suffix in _CSV:
        # A line that is too short is a row with missing values, to be refused with a reason.
        options = "all_varchar = true, header = true, null_padding = true"
        return f"read_csv({quote_literal(file)}, {options})"
    raise _unreadable(name)(f"what a {path.suffix or 'file without suffix'} is, is not known")


def _database(name: str) -> str:
    return f"file_of_{name}"


def _unreadable(name: str) -> Callable[[str], TillitError]:
    def refuse(message: str) -> TillitError:
        return TableRefused("source-unreadable", f"the source {name} cannot be read", found=message)

    return refuse
