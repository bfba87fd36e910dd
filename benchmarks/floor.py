"""The same work by hand: DuckDB alone, no contract, no signature, no second party. I/O.

What somebody writes who knows this one table and this one engine well: one pass for all checks, one
for the key (64-bit hashes, which prove uniqueness when they are all different, and cost half of
grouping by the key), one that writes. It has all cores and all memory, and the level of zstd that
the product uses.

Run: python -m benchmarks.floor publish|receive FOLDER
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import duckdb
from benchmarks import world
from benchmarks.measure import tell, timed

COLUMNS = """item_id, ship_to, period_start, period, quantity, quantity_low, quantity_high,
    commitment, unit, supplier_item_id, note"""
_NAME = "[!-~]([ -~]*[!-~])?"
_UNSEEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{202A}-\x{202E}\x{2066}-\x{2069}]"
CHECKS = f"""
select count(*) from {{table}}
where item_id is null or ship_to is null or period_start is null or period is null
    or quantity is null or commitment is null or unit is null
    or length(item_id) not between 1 and 64 or not regexp_full_match(item_id, '{_NAME}')
    or length(ship_to) not between 1 and 64 or not regexp_full_match(ship_to, '{_NAME}')
    or period_start not between date '1990-01-01' and date '2100-12-31'
    or period not in ('day', 'week', 'month')
    or quantity not between 0 and 999999999999
    or quantity_low not between 0 and 999999999999
    or quantity_high not between 0 and 999999999999
    or commitment not in ('firm', 'production', 'material', 'planning')
    or unit not in (
        'C62', 'EA', 'H87', 'PR', 'SET', 'DZN', 'KGM', 'GRM', 'TNE', 'LBR', 'LTR', 'MLT', 'MTR',
        'CMT', 'MMT', 'MTK', 'MTQ', 'HUR', 'DAY', 'KWH'
    )
    or length(supplier_item_id) not between 1 and 64
    or not regexp_full_match(supplier_item_id, '{_NAME}')
    or length(note) not between 1 and 500 or regexp_full_match(note, '(?s:.*){_UNSEEN}(?s:.*)')
    or quantity_low > quantity or quantity_high < quantity or quantity_low > quantity_high
    or (period = 'week' and isodow(period_start) <> 1)
    or (period = 'month' and day(period_start) <> 1)
"""
UNIQUE = """
select count(*) - count(distinct hash(item_id, ship_to, period_start, period)) from {table}
"""
WHERE = f"""
where partner = '{world.SUPPLIER}' and recorded_at <= timestamptz '{world.NOW}'
    and period_start >= date '2026-01-05'
"""


def payload(folder: Path) -> Path:
    """What `publish` leaves and `receive` takes."""
    return folder / "floor.parquet"


def publish(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """From the source to a checked Parquet file, zstd."""
    source = world.source(folder)
    rows = f"(select * from read_parquet('{source}') {WHERE})"
    _check(connection, rows)
    connection.execute(
        f"copy (select {COLUMNS} from {rows}) to '{payload(folder)}' "
        "(format parquet, compression zstd, compression_level 1)"
    )


def receive(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """From that file to an encrypted DuckLake table, checked, with where it came from."""
    _check(connection, f"read_parquet('{payload(folder)}')")
    connection.execute(
        f"insert into lake.forecast select {COLUMNS}, 'nordvik', 'agreement', 'shipment', "
        f"timestamptz '{world.NOW}', timestamptz '{world.NOW}' "
        f"from read_parquet('{payload(folder)}')"
    )


def _check(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    for query in (CHECKS, UNIQUE):
        found = connection.execute(query.replace("{table}", table)).fetchone()
        assert found == (0,), f"the rows are not as they should be: {found}"


def open_lake(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """An encrypted DuckLake whose catalog is a DuckDB file: nothing to wait for but the data."""
    for name in ("httpfs", "ducklake"):
        spec = importlib.util.find_spec(f"duckdb_extension_{name}")
        assert spec is not None
        assert spec.origin is not None
        version = f"v{duckdb.__version__}"
        file = Path(spec.origin).parent / "extensions" / version / f"{name}.duckdb_extension"
        connection.execute(f"load '{file}'")
    connection.execute(
        f"attach 'ducklake:{folder}/floor.ducklake' as lake "
        f"(data_path '{folder}/floor-lake', encrypted, data_inlining_row_limit 0)"
    )
    for name, value in (("compression", "zstd"), ("compression_level", "1"), ("version", "2")):
        connection.execute(f"call lake.set_option('parquet_{name}', '{value}')")
    connection.execute(
        f"create table if not exists lake.forecast as select {COLUMNS}, "
        "''::varchar as partner, ''::varchar as agreement_id, ''::varchar as shipment_id, "
        "now() as issued_at, now() as arrived_at "
        f"from read_parquet('{payload(folder)}') limit 0"
    )


def main(act: str, folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        if act == "receive":
            open_lake(connection, folder)
        work = {"publish": publish, "receive": receive}[act]
        spent = timed(lambda: work(connection, folder))
    tell(seconds=spent["seconds"], cpu=spent["cpu"])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
