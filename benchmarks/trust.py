"""Due cells a second, and memory, as a ratio to a floor. Run: python -m benchmarks.trust [cells...]

The floor is one sum over the same frame of the same rows, sorted and written as the measure's are:
what the engine takes before anything is measured. Each size runs in a process of its own, so that
its peak memory is its own; the rows stand in a database file, as a lake's would.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
CHAIN = (
    "definition",
    "int_cell_known",
    "int_cell_baseline",
    "int_cell_moment",
    "int_cell_centred",
    "int_cell_free_of_last",
    "int_cell_free_of_season",
    "int_cell_free_of_trend",
    "int_cell_free_of_known",
    "int_cell_error",
)
WEEKS = 104
MEMORY = "1500MB"
FLOOR = """
create or replace temp table floor as
select series_no, cell_no, sum(y) over (
    partition by series_no order by cell_no rows between 52 preceding and 1 preceding
) as total
from cell
"""
CELLS = """
create table cell as
select
    i // $weeks as series_no,
    i % $weeks + 1 as cell_no,
    i // $weeks % 50 as column_no,
    timestamptz '2020-01-06 00:00:00+00' + to_days((7 * (i % $weeks))::integer) as cut_off_at,
    timestamptz '2020-01-14 00:00:00+00' + to_days((7 * (i % $weeks))::integer) as y_known_at,
    'arrived' as status,
    100 + 10 * random() as y,
    100 + 10 * random() as f,
    null::double as last_known,
    10 * random() as known_already,
    52 as season
from range($cells) as r (i)
order by series_no, cell_no
"""


def main(sizes: list[int]) -> None:
    print(f"{'due cells':>12} {'cells/s':>10} {'a thread':>10} {'x floor':>8} {'peak MB':>8}")
    for cells in sizes or [1_000_000, 10_000_000]:
        asked = [sys.executable, "-m", "benchmarks.trust", "--one", str(cells)]
        subprocess.run(asked, cwd=ROOT, check=True)


def one(cells: int) -> None:
    threads = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(
            f"{folder}/cells.duckdb", config={"threads": threads, "memory_limit": MEMORY}
        )
        connection.execute("set timezone = 'UTC'")
        connection.execute("select setseed(0.5)")
        connection.execute(CELLS, {"weeks": WEEKS, "cells": cells})
        for name in CHAIN:
            sql = (ROOT / "transforms" / "trust" / f"{name}.sql").read_text()
            connection.execute(f"create view {name} as (\n{sql}\n)")
        floor = timed(connection, FLOOR)
        gain = (ROOT / "transforms" / "trust" / "cell_gain.sql").read_text()
        spent = timed(connection, f"create table cell_gain as (\n{gain}\n)")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rate = cells / spent
        shown = f"{cells:>12,} {rate:>10,.0f} {rate / threads:>10,.0f}"
        print(f"{shown} {spent / floor:>8.1f} {peak:>8,.0f}")


def timed(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    started = time.perf_counter()
    connection.execute(sql)
    return time.perf_counter() - started


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(int(sys.argv[2]))
    else:
        main([int(float(size)) for size in sys.argv[1:]])
