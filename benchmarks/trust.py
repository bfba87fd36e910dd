"""Due cells a second, and memory, as a ratio to a floor. I/O: a database file.

The floor is one sum over the same frame of the same rows, sorted and written as the measure's are:
what the engine takes before anything is measured. Each size runs in a process of its own, so that
its peak memory is its own; the rows stand in a database file, as a lake's would.

Run: python -m benchmarks.trust one FOLDER CELLS
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import duckdb
from benchmarks.measure import Row, child, say, tell, timed

from tillit.trust.cells import make_cell_gain

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
    null::double as before_known,
    10 * random() as known_already,
    52 as season,
    null::double as quantile_level,
    []::double[] as more,
    []::double[] as told_before
from range($cells) as r (i)
order by series_no, cell_no
"""


def rows(folder: Path, sizes: list[int]) -> list[Row]:
    """The table's rows: seconds for each number of due cells, and memory at the largest."""
    table = []
    for cells in sizes:
        say(f"the measure over {cells:,} due cells")
        told = child("trust", "one", folder, cells)
        threads = os.cpu_count() or 1
        rate = cells / told["seconds"]
        table.append(
            Row(
                *(f"trust.{cells}", f"the measure, {cells:,} due cells", told["seconds"], "s"),
                *(told["floor"], "one window sum over the same rows"),
                told["seconds"] / told["floor"],
                note=f"{rate:,.0f} cells/s on {threads} cores, peak {told['peak_mb']:,.0f} MB",
            )
        )
    return table


def one(folder: Path, cells: int) -> None:
    with tempfile.TemporaryDirectory(prefix="trust-", dir=folder) as own:
        connection = duckdb.connect(
            f"{own}/cells.duckdb",
            config={"threads": os.cpu_count() or 1, "memory_limit": MEMORY},
        )
        connection.execute("set timezone = 'UTC'")
        connection.execute("select setseed(0.5)")
        connection.execute(CELLS, {"weeks": WEEKS, "cells": cells})
        floor = timed(lambda: connection.execute(FLOOR))
        spent = timed(lambda: make_cell_gain(connection))
        connection.close()
    tell(seconds=spent["seconds"], floor=floor["seconds"])


if __name__ == "__main__":
    one(Path(sys.argv[2]), int(sys.argv[3]))
