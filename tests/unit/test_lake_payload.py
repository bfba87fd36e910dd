"""A partner's Parquet is measured before it is read: bombs, lies and what is no Parquet."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tillit.engine import Engine
from tillit.errors import PayloadRefused, TableRefused
from tillit.lake import (
    ParquetInfo,
    Written,
    inspect_parquet,
    open_payload,
    unpacked_bytes,
    write_parquet,
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    spool = tmp_path_factory.mktemp("spool")
    with Engine.open(spool, memory_limit="300MB", threads=2) as opened:
        opened.confine(directories=[str(spool.parent)])
        yield opened


@pytest.fixture
def honest(engine: Engine, tmp_path: Path) -> tuple[Written, ParquetInfo]:
    written = write_parquet(
        engine.connection,
        "select 'item ' || i as item, i::decimal(18,3) as quantity, "
        "case when i % 2 = 0 then 'é' end as note, '2026-01-05'::timestamptz as at "
        "from range(1000) as r(i)",
        tmp_path / "honest.parquet",
    )
    return written, inspect_parquet(engine.connection, written.path)


def test_what_is_written_can_be_opened(engine: Engine, honest: tuple[Written, ParquetInfo]) -> None:
    written, info = honest
    assert written.rows == info.rows == 1000
    assert written.bytes == written.path.stat().st_size
    texts = sum(len(f"item {i}") for i in range(1000)) + 500 * len("é".encode())
    assert written.unpacked_bytes == 1000 * 4 * 8 + texts
    # The statement's order decides, not the file's.
    columns = dict(reversed(info.columns))
    open_payload(
        engine.connection, written.path, rows=1000, unpacked=written.unpacked_bytes, columns=columns
    )
    described = engine.connection.execute("describe incoming").fetchall()
    assert [name for name, *_ in described] == ["row_no", "at", "note", "quantity", "item"]
    assert engine.connection.execute(
        "select min(row_no), max(row_no), count(distinct row_no), count(note) from incoming"
    ).fetchall() == [(1, 1000, 1000, 500)]


def test_others_read_what_is_written(honest: tuple[Written, ParquetInfo]) -> None:
    written, _ = honest
    table = pq.read_table(written.path)
    assert table.column("item").to_pylist()[:2] == ["item 0", "item 1"]
    assert table.column("note").null_count == 500


def opened(engine: Engine, path: Path, **stated: object) -> None:
    info = inspect_parquet(engine.connection, path)
    given = {
        "rows": info.rows,
        "unpacked": unpacked_bytes(path, info),
        "columns": dict(info.columns),
        **stated,
    }
    open_payload(engine.connection, path, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"rows": 999}, "payload.rows"),
        ({"rows": 1001}, "payload.rows"),
        ({"unpacked": 40_000}, "payload.unpacks-too-large"),
        ({"unpacked": 10**12}, "payload.unpacks-too-large"),
    ],
)
def test_a_size_that_is_not_as_stated_is_refused(
    engine: Engine, honest: tuple[Written, ParquetInfo], stated: dict[str, int], code: str
) -> None:
    with pytest.raises(PayloadRefused) as refused:
        opened(engine, honest[0].path, **stated)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"extra": "VARCHAR"}, "table.missing-column"),
        ({"note": None}, "table.extra-column"),
        ({"quantity": "VARCHAR"}, "table.wrong-type"),
    ],
)
def test_columns_that_are_not_as_stated_are_refused(
    engine: Engine,
    honest: tuple[Written, ParquetInfo],
    change: dict[str, str | None],
    code: str,
) -> None:
    written, info = honest
    columns = {k: v for k, v in {**dict(info.columns), **change}.items() if v is not None}
    with pytest.raises(TableRefused) as refused:
        opened(engine, written.path, columns=columns)
    assert refused.value.code == code


def test_nested_columns_are_refused_even_if_stated(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"a": [[1, 2]]}), path)
    with pytest.raises(TableRefused) as refused:
        opened(engine, path)
    assert refused.value.code == "table.wrong-type"


@pytest.mark.parametrize("name", ["row_no", "file_row_number", 'x"; drop table y; --', "ROW_NO"])
def test_names_with_tricks_stay_names(engine: Engine, tmp_path: Path, name: str) -> None:
    """Nothing but the names that were stated is let in, and a name of ours is not to be had."""
    path = tmp_path / "names.parquet"
    pq.write_table(pa.table({name: ["a"], "item": ["b"]}), path)
    with pytest.raises(TableRefused):
        opened(engine, path, columns={"item": "VARCHAR"})


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"a,b\n1,2\n"])
def test_what_is_no_parquet_is_refused(engine: Engine, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(PayloadRefused) as refused:
        inspect_parquet(engine.connection, path)
    assert refused.value.code == "payload.not-parquet"


def test_any_changed_byte_is_refused_or_changes_nothing_in_size(
    engine: Engine, honest: tuple[Written, ParquetInfo], tmp_path: Path
) -> None:
    """A footer may lie in any way: what gets through has the stated rows and bytes."""
    written, info = honest
    good, path = written.path.read_bytes(), tmp_path / "changed.parquet"
    for place in range(4, len(good), 37):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            opened(engine, path, unpacked=written.unpacked_bytes, columns=dict(info.columns))
            rows = engine.connection.execute("select count(*) from incoming").fetchall()
        except (PayloadRefused, TableRefused):
            continue
        assert rows == [(1000,)]


# ---- bombs -----------------------------------------------------------------------------------


def dictionary_bomb(path: Path, rows: int) -> None:
    """One text of a megabyte, referred to ``rows`` times: a file of some kilobytes."""
    indices = pa.array([0] * rows, pa.int32())
    bomb = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"note": bomb}), path, compression="zstd", store_schema=False)


def refused_quickly(engine: Engine, path: Path, unpacked: int) -> PayloadRefused:
    info = inspect_parquet(engine.connection, path)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(PayloadRefused) as refused:
        open_payload(
            engine.connection,
            path,
            rows=info.rows,
            unpacked=unpacked,
            columns=dict(info.columns),
        )
    assert time.monotonic() - started < 10
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 300
    return refused.value


def test_ten_terabytes_of_one_text_are_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    dictionary_bomb(path, 10_000_000)
    assert path.stat().st_size < 100_000
    info = inspect_parquet(engine.connection, path)
    # The footer is honest and says nothing of it: a megabyte in each of ten groups.
    assert info.encoded_bytes < 20_000_000
    assert refused_quickly(engine, path, 10_000_000 * 8).code == "payload.unpacks-too-large"


def test_much_text_in_neighbouring_rows_is_refused_though_stated(
    engine: Engine, tmp_path: Path
) -> None:
    """DuckDB would hold two gigabytes at once, whatever its limit."""
    path = tmp_path / "dense.parquet"
    dictionary_bomb(path, 3000)
    stated = 3000 * (8 + 1_000_000)
    assert refused_quickly(engine, path, stated).code == "payload.unpacks-too-large"


def test_values_of_a_great_fixed_width_are_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "fixed.parquet"
    pq.write_table(pa.table({"a": pa.array([bytes(1000)] * 10, pa.binary(1000))}), path)
    with pytest.raises(PayloadRefused) as refused:
        inspect_parquet(engine.connection, path)
    assert refused.value.code == "payload.not-parquet"


def test_plain_text_that_deflates_a_thousandfold_is_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    pq.write_table(
        pa.table({"note": ["x" * 1_000_000] * 50}),
        path,
        compression="zstd",
        use_dictionary=False,
        store_schema=False,
    )
    assert path.stat().st_size < 1_000_000
    assert refused_quickly(engine, path, 50 * 8 + 4000).code == "payload.unpacks-too-large"


def test_a_page_that_says_it_is_huge_is_refused(engine: Engine, tmp_path: Path) -> None:
    """The page's own header lies, and says that it unpacks to 2 GB."""
    path = tmp_path / "huge.parquet"
    pq.write_table(
        pa.table({"a": pa.array(range(1000), pa.int64())}),
        path,
        use_dictionary=False,
        compression="zstd",
        column_encoding={"a": "PLAIN"},
        store_schema=False,
    )
    good = path.read_bytes()
    # Thrift compact: field 1 page type i32, field 2 uncompressed size i32 as a zig-zag varint.
    assert good[4:7] == bytes([0x15, 0x00, 0x15])
    end = 7
    while good[end] & 0x80:
        end += 1
    assert end == 8  # 8,000 bytes need two bytes; keep the length, or every offset moves
    path.write_bytes(good[:7] + b"\xfe\xff\xff\xff\x0f" + good[end + 4 :])
    with pytest.raises(PayloadRefused):
        opened(engine, path, unpacked=8000, columns={"a": "BIGINT"})


def test_too_many_columns_are_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"c{i}": [1] for i in range(600)}), path)
    with pytest.raises(PayloadRefused) as refused:
        inspect_parquet(engine.connection, path)
    assert refused.value.code == "payload.unpacks-too-large"
