"""DuckDB opened as this product uses it: offline, within limits, confined. I/O.

Nothing else sets DuckDB's options, so that what a query may reach and use is decided here:

- extensions come from the installed packages, never from the network;
- memory has a limit, and what does not fit is spilled encrypted, into a folder that vanishes;
- after `confine` no file can be read or written outside the folders that were named, and no
  option can be changed, whatever SQL runs.

What `confine` cannot close: with the extension ``postgres_scanner`` the function ``postgres_scan``
still connects to whatever server it is told. SQL of a person is asked by `tillit.lake.ask`, which
knows which functions it lets be called; SQL of a partner is never run.
"""

from __future__ import annotations

import fcntl
import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Self

import duckdb
import pyarrow as pa
from duckdb.func import ARROW
from duckdb.sqltypes import VARCHAR

from tillit.errors import DatabaseUnavailable, TableRefused, TillitError

__all__ = [
    "Engine",
    "drop_temporary",
    "function_of_text",
    "quote_identifier",
    "quote_literal",
    "refused_as_query",
    "scalar",
    "translated",
]

_POSTGRES = re.compile(
    r"postgres|connection to server|server closed|terminating connection|could not connect|libpq",
    re.IGNORECASE,
)
# What is deleted for good takes the files from under questions that were asked before.
_LAKE_FILE = re.compile(r"/ducklake-[0-9a-f-]+\.parquet\"?: No such file or directory")
_EXTENSION = re.compile(r"[a-z_]{1,40}")
_FOLDER_PREFIX = "duckdb-"
_REMEMBERED = 100_000


def quote_identifier(name: str) -> str:
    """A name as DuckDB reads it literally; ValueError for one that no name can be."""
    if not name or "\0" in name:
        raise ValueError("an empty name, or one with a zero byte")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """A string where DuckDB takes no parameter: in ATTACH, SET and the text of a view."""
    if "\0" in text:
        raise ValueError("a zero byte in a string")
    return "'" + text.replace("'", "''") + "'"


@dataclass
class Engine:
    """One DuckDB in this process with its private folder; a context manager.

    ``connection`` belongs to one thread. ``folder`` is removed on close; one that a killed process
    left behind is removed by the next engine in the same spool.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path
    _lock: IO[bytes]

    @classmethod
    def open(
        cls,
        spool: Path,
        *,
        memory_limit: str = "1GB",
        threads: int | None = None,
        extensions: Iterable[str] = (),
    ) -> Self:
        """Start an engine that spills into ``spool``; DatabaseUnavailable if it cannot start.

        Each extension costs .1 to .2 s. ``httpfs`` is always loaded: it brings the OpenSSL that
        encrypts the lake's files and what is spilled.
        """
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(spool)
        folder, lock = _own_folder(spool)
        with ExitStack() as failed, translated("DuckDB", _unusable):
            failed.callback(lock.close)
            failed.callback(shutil.rmtree, folder, ignore_errors=True)
            connection = duckdb.connect(
                config={
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "allow_community_extensions": False,
                    # Somebody's secrets in a home directory are not ours to use.
                    "secret_directory": str(folder / "secrets"),
                    "memory_limit": memory_limit,
                    "temp_directory": str(folder / "spill"),
                    **({} if threads is None else {"threads": threads}),
                }
            )
            failed.callback(connection.close)
            connection.execute("set enable_progress_bar = false")
            connection.execute("set python_enable_replacements = false")
            connection.execute("set timezone = 'UTC'")
            for name in ("httpfs", *extensions):
                connection.execute(f"load {quote_literal(str(_extension(name)))}")
            connection.execute("set temp_file_encryption = true")
            failed.pop_all()
        return cls(connection, folder, lock)

    def confine(self, *, directories: Iterable[str] = (), paths: Iterable[str] = ()) -> None:
        """From here on only these folders and files (and the engine's own) can be touched.

        Cannot be undone. What is attached stays attached, but nothing more can be attached over
        the network, and no setting changes any more.
        """
        folders = [str(self.folder), *directories]
        with translated("DuckDB", _unusable):
            self.connection.execute(
                "set allowed_directories = " + _list(f.rstrip("/") + "/" for f in folders)
            )
            self.connection.execute("set allowed_paths = " + _list(paths))
            self.connection.execute("set enable_external_access = false")
            self.connection.execute("set lock_configuration = true")

    def close(self) -> None:
        """Close the connection and remove the folder; safe to call again."""
        with suppress(duckdb.Error):
            self.connection.rollback()
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def function_of_text(
    connection: duckdb.DuckDBPyConnection, name: str, each: Callable[[str], str]
) -> Iterator[None]:
    """Meanwhile SQL can call ``name(text)``: what ``each`` makes of a text, null of null.

    Not inside a transaction: DuckDB would not let go of the name after one that failed.

    Where DuckDB keeps a column as a dictionary it asks for the entries alone; else each different
    text of some thousand is asked for once, and the last hundred thousand are remembered.
    """
    one = lru_cache(_REMEMBERED)(each)

    def many(texts: pa.ChunkedArray) -> pa.Array:
        coded = texts.combine_chunks().dictionary_encode()
        try:
            made = [one(text) for text in coded.dictionary.to_pylist()]
        except ValueError:  # its words would name the text, and stand in a refusal
            raise ValueError(f"{name} cannot be made of a text") from None
        return pa.array(made, pa.string()).take(coded.indices)

    connection.create_function(name, many, [VARCHAR], VARCHAR, type=ARROW)
    try:
        yield
    finally:
        connection.remove_function(name)


@contextmanager
def translated(what: str, refuse: Callable[[str], TillitError]) -> Iterator[None]:
    """Turn DuckDB's errors into ours.

    What PostgreSQL, memory or the disk are to blame for is DatabaseUnavailable, without the
    connection's parameters, because one may be a password. Everything else becomes
    ``refuse(first line of the message)``.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise DatabaseUnavailable(
            "memory", f"{what} needs more than the limits allow", found=_first_line(error)
        ) from None
    except duckdb.TransactionException as error:
        if "conflict" in str(error).lower():
            raise DatabaseUnavailable("lock-timeout", f"{what}: others write too") from None
        raise _other(what, error, refuse) from None
    except duckdb.Error as error:
        raise _other(what, error, refuse) from None


def _other(what: str, error: Exception, refuse: Callable[[str], TillitError]) -> TillitError:
    text = str(error)
    if _LAKE_FILE.search(text):
        return DatabaseUnavailable("lock-timeout", f"{what}: a file of the lake was written anew")
    if "No space left on device" in text:
        return DatabaseUnavailable("disk-full", f"{what}: the disk is full")
    if _POSTGRES.search(text):
        return DatabaseUnavailable(
            "unreachable", f"{what}: PostgreSQL does not answer", found=_redacted(error)
        )
    return refuse(_first_line(error))


def refused_as_query(what: str) -> Callable[[str], TillitError]:
    """For `translated`: SQL of ours or of a party's that cannot run."""
    return lambda message: TableRefused("query", f"{what} cannot be run", found=message)


def scalar(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> Any:
    """The first column of the only row that a query gives."""
    row = connection.execute(query, list(values) or None).fetchone()
    if row is None:
        raise ValueError("a query without rows")
    return row[0]


def drop_temporary(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Drop the temporary table or view of that name: one cannot replace the other.

    Not inside a transaction, which the first attempt may end: to ask first what there is would
    read the whole catalog of the lake, 40 ms each time.
    """
    quoted = quote_identifier(name)
    try:
        connection.execute(f"drop view if exists temp.main.{quoted}")
    except duckdb.CatalogException:
        connection.execute(f"drop table if exists temp.main.{quoted}")


def _unusable(message: str) -> TillitError:
    return DatabaseUnavailable("unreachable", "DuckDB cannot be started", found=message)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]


def _redacted(error: Exception) -> str:
    """The message without what stands in quotes: there DuckDB repeats the connection's string."""
    text = re.sub(r"""(["']).*\1""", "...", _first_line(error))
    return re.sub(r"(?i)(password|passfile)\s*=\s*\S+", r"\1=...", text)


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(quote_literal(value) for value in values) + "]"


def _extension(name: str) -> Path:
    """The extension's file in its package, which must match the engine's version exactly."""
    if not _EXTENSION.fullmatch(name):
        raise ValueError(f"no extension is called {name!r}")
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable("unreachable", f"the package duckdb-extension-{name} is missing")
    version = f"v{duckdb.__version__}"
    return Path(spec.origin).parent / "extensions" / version / f"{name}.duckdb_extension"


def _own_folder(spool: Path) -> tuple[Path, IO[bytes]]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=spool))
        lock = (folder / "lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "lock").exists():  # else another's sweep came between open and lock
            return folder, lock
        lock.close()


def _sweep(spool: Path) -> None:
    """Remove folders of engines that were killed: nobody holds their lock any more."""
    for folder in spool.glob(_FOLDER_PREFIX + "*"):
        with suppress(OSError), (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
