"""Parquet that goes to a partner or came from one. I/O: files, DuckDB.

What comes from a partner is a bomb until it is measured. A Parquet file of a megabyte can hold a
text of a megabyte once and refer to it ten million times; its footer can say whatever it likes.
So the size that a shipment states is the size of its cells unpacked (`unpacked bytes`: 8 for each
cell, and the bytes of each text), the footer must not contradict it, and before anything else
looks at the rows one pass counts what is really there and stops as soon as it is more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tillit.engine import (
    drop_temporary,
    quote_identifier,
    quote_literal,
    refused_as_query,
    translated,
)
from tillit.errors import DatabaseUnavailable, PayloadRefused, TableRefused

__all__ = [
    "ParquetInfo",
    "Written",
    "inspect_parquet",
    "measure_payload",
    "measured",
    "open_payload",
    "unpacked_bytes",
    "write_parquet",
]

CELL_BYTES = 8
MAX_COLUMNS = 500
# What Arrow raises for a broken file; a name in it that is no UTF-8 is a ValueError.
_BROKEN = (pa.ArrowException, OSError, ValueError, KeyError)
VECTOR_ROWS = 2048
MAX_VECTOR_BYTES = 256 << 20
_BATCH_ROWS = 128 * VECTOR_ROWS
# Page headers, levels and dictionaries that are never referred to: what an honest footer may
# state beyond the cells.
_SLACK_FACTOR, _SLACK_BYTES = 3, 1 << 20
_WIDTH = 16
_TEXT = frozenset({"VARCHAR", "BLOB"})
_PLAIN_TYPES = frozenset(
    {
        *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DATE"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "TIME", "UUID", "HUGEINT", "UHUGEINT"),
        *("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
    }
)


@dataclass(frozen=True)
class ParquetInfo:
    """What a file's footer says of it; nothing here was checked against the rows.

    ``encoded_bytes`` is the sum of its pages before compression. ``columns`` are names and DuckDB
    types in the file's order.
    """

    rows: int
    encoded_bytes: int
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Written:
    """A Parquet file that was written; ``unpacked_bytes`` is what its shipment states."""

    path: Path
    rows: int
    bytes: int
    unpacked_bytes: int


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> Written:
    """Write what a query of ours gives to ``path``, zstd.

    Level 1 takes a fifth less CPU than DuckDB's default and is 5 % smaller on a forecast. Version 2
    pages would take another fifth less, but Arrow cannot measure all of their encodings. The size
    is measured on the file, so that both sides measure the same thing.
    Raises TableRefused when the query cannot run.
    """
    with translated(f"writing {path.name}", refused_as_query("the rows of a shipment")):
        connection.execute(
            f"copy ({query}) to {quote_literal(str(path))} (format parquet, "
            "compression zstd, compression_level 1, parquet_version v1)"
        )
    return measured(connection, path)


def measured(connection: duckdb.DuckDBPyConnection, path: Path) -> Written:
    """A Parquet file of ours with its sizes; PayloadRefused if it cannot be read."""
    info = inspect_parquet(connection, path)
    return Written(path, info.rows, path.stat().st_size, unpacked_bytes(path, info))


def inspect_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> ParquetInfo:
    """Read a file's footer, and no row; PayloadRefused if it is no Parquet that we take."""
    try:
        footer = pq.read_metadata(path)
        widest = max((footer.schema.column(n).length for n in range(footer.num_columns)), default=0)
        encoded = sum(footer.row_group(n).total_byte_size for n in range(footer.num_row_groups))
    except _BROKEN as error:
        raise _not_parquet(path, str(error)) from None
    _no_wide_values(path, widest)
    if footer.num_columns > MAX_COLUMNS:
        raise PayloadRefused(
            "unpacks-too-large",
            f"{path.name} has too many columns",
            expected=f"at most {MAX_COLUMNS}",
            found=footer.num_columns,
        )
    with _reading(path):
        described = connection.execute(
            "describe select * from read_parquet(?)", [str(path)]
        ).fetchall()
    columns = tuple((str(name), str(kind)) for name, kind, *_ in described)
    return ParquetInfo(footer.num_rows, encoded, columns)


def open_payload(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    rows: int,
    unpacked: int,
    columns: Mapping[str, str],
) -> None:
    """Make the temporary view ``incoming`` (``row_no``, then ``columns``) over a partner's file.

    ``rows``, ``unpacked`` and ``columns`` (name to DuckDB type, in order) are what the signed
    statement says. ``row_no`` counts from 1 in the file's order. Raises PayloadRefused
    (not-parquet, rows, unpacks-too-large) or TableRefused (missing-column, extra-column,
    wrong-type).
    """
    found = measure_payload(connection, path, rows=rows, limit=unpacked, columns=columns)
    if found != unpacked:
        raise _too_large(path, unpacked, found)
    names = ", ".join(quote_identifier(name) for name in columns)
    with _reading(path):
        drop_temporary(connection, "incoming")
        connection.execute(
            f"create temp view incoming as select file_row_number + 1 as row_no, {names} "
            f"from read_parquet({quote_literal(str(path))}, file_row_number = true)"
        )


def measure_payload(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    rows: int,
    limit: int,
    columns: Mapping[str, str],
) -> int:
    """The unpacked bytes of a partner's file that can be read whole: at most ``limit``.

    Raises what `open_payload` does.
    """
    info = inspect_parquet(connection, path)
    if info.rows != rows:
        raise PayloadRefused(
            "rows", f"{path.name} holds another number of rows", expected=rows, found=info.rows
        )
    _same_columns(path, info.columns, columns)
    if info.encoded_bytes > _SLACK_FACTOR * limit + _SLACK_BYTES:
        raise _too_large(path, limit, info.encoded_bytes)
    found = unpacked_bytes(path, info, limit=limit)
    if found > limit:
        raise _too_large(path, limit, found)
    _unpack(connection, path, info)
    return found


def unpacked_bytes(path: Path, info: ParquetInfo, *, limit: int | None = None) -> int:
    """The size of a file's cells: 8 bytes each, and the bytes of each text.

    Reads the columns of text, .05 s a million rows, and stops early, with what it has counted,
    when that is more than ``limit``. Arrow reads them, because it can leave a dictionary a
    dictionary: DuckDB copies each text, and two thousand of them before it looks. Raises
    PayloadRefused.
    """
    total = info.rows * len(info.columns) * CELL_BYTES
    names = [name for name, kind in info.columns if kind in _TEXT]
    if not names or (limit is not None and total > limit):
        return total
    try:
        file = pq.ParquetFile(path, read_dictionary=names, pre_buffer=False, buffer_size=1 << 20)
        for batch in file.iter_batches(_BATCH_ROWS, columns=names, use_threads=False):
            lengths = [_lengths(column) for column in batch.columns]
            total += sum(pc.sum(each, min_count=0).as_py() for each in lengths)
            _fits_vectors(path, lengths)
            if limit is not None and total > limit:
                break
    except _BROKEN as error:
        raise _not_parquet(path, str(error)) from None
    except MemoryError:
        raise _too_large(path, total if limit is None else limit, total) from None
    return total


def _lengths(column: pa.Array) -> pa.Array:
    """The bytes of each text; null for null."""
    if pa.types.is_dictionary(column.type):
        return pc.take(pc.binary_length(column.dictionary), column.indices)
    return pc.binary_length(column)


def _fits_vectors(path: Path, columns: Sequence[pa.Array]) -> None:
    """DuckDB holds the texts of 2,048 rows at once, and counts them against no limit."""
    # The longest text of each column in every row: where that fits, so does what is there.
    most = VECTOR_ROWS * sum(pc.max(column).as_py() or 0 for column in columns)
    if most > MAX_VECTOR_BYTES:
        lengths = np.sum([_filled(column) for column in columns], axis=0)
        starts = np.arange(0, len(lengths), VECTOR_ROWS)
        most = int(np.add.reduceat(lengths, starts).max())
    if most > MAX_VECTOR_BYTES:
        raise PayloadRefused(
            "unpacks-too-large",
            f"{path.name} holds too much text in neighbouring rows",
            expected=f"at most {MAX_VECTOR_BYTES} bytes in {VECTOR_ROWS} rows",
            found=f"{most} bytes",
        )


def _filled(lengths: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    filled: np.ndarray[Any, np.dtype[np.int64]] = (
        pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return filled


def _unpack(connection: duckdb.DuckDBPyConnection, path: Path, info: ParquetInfo) -> None:
    """Unpack every page that the measuring did not, so that what is broken breaks here.

    A page's own header can ask for gigabytes; met later, while a rule runs, that would look like
    our own lack of memory. Hashes, because a count or a maximum is answered from the footer.
    """
    plain = [quote_identifier(name) for name, kind in info.columns if kind not in _TEXT]
    if plain:
        with _reading(path):
            connection.execute(
                f"select bit_xor(hash({', '.join(plain)})) "
                f"from read_parquet({quote_literal(str(path))})"
            ).fetchall()


def _no_wide_values(path: Path, widest: int) -> None:
    """Numbers of a fixed width have 16 bytes at most; a fixed width of a megabyte is a bomb."""
    if widest > _WIDTH:
        raise PayloadRefused(
            "not-parquet",
            f"{path.name} has values of a fixed width",
            expected=f"at most {_WIDTH} bytes",
            found=widest,
        )


def _same_columns(path: Path, found: Sequence[tuple[str, str]], stated: Mapping[str, str]) -> None:
    """Names and types must be as stated; the order may differ, the view has the stated one."""
    held = dict(found)
    if missing := [name for name in stated if name not in held]:
        raise TableRefused(
            "missing-column", f"{path.name} lacks a column", expected=missing[0], found="none"
        )
    if extra := [name for name, _ in found if name not in stated]:
        raise TableRefused(
            "extra-column",
            f"{path.name} has a column that was not stated",
            expected=", ".join(stated),
            found=extra[0],
        )
    for name, kind in stated.items():
        taken = held[name] in _TEXT or held[name] in _PLAIN_TYPES
        if held[name] != kind or not (taken or held[name].startswith("DECIMAL(")):
            raise TableRefused(
                "wrong-type", f"{path.name}: {name}", expected=kind, found=held[name]
            )


def _not_parquet(path: Path, message: str) -> PayloadRefused:
    found = message.split("\n", 1)[0]
    return PayloadRefused("not-parquet", f"{path.name} cannot be read", found=found)


def _too_large(path: Path, stated: int, found: int) -> PayloadRefused:
    return PayloadRefused(
        "unpacks-too-large",
        f"{path.name} does not unpack to what was stated",
        expected=f"{stated} bytes",
        found=f"{found} bytes, or more",
    )


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Errors while a partner's file is read are the file's, memory and all."""
    try:
        with translated(f"reading {path.name}", lambda message: _not_parquet(path, message)):
            yield
    except DatabaseUnavailable as error:
        if error.code != "database.memory":
            raise
        raise PayloadRefused(
            "unpacks-too-large",
            f"{path.name} does not fit in the memory that is allowed",
            found=error.found,
        ) from None
