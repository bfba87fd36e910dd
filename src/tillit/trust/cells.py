"""The table ``cell`` judged, and ``cell_gain`` made of it. I/O: DuckDB.

The fit over a moving frame is the one step of the measure that is not SQL: window sums of DuckDB
take 0.3 s of a core for each sum and million cells, and a fit on seven figures needs 45 of them.
Series are read some hundred thousand cells at a time, so memory does not grow with the history.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tillit.engine import scalar
from tillit.trust.frame import Floats, Places
from tillit.trust.gain import Cells, Gains, gains

__all__ = ["READS", "make_cell_gain"]

READS = ("cell",)

_AT_ONCE = 400_000
_BLOCK = 16_000
_NEVER = np.iinfo(np.int64).max
_NUMBERS = ("y", "told", "last_known", "known_already")
_KEPT = ("series_no", "cell_no", "column_no", "status", "counted_at", "y", "f")
_MADE = ("bits", "told_error", "used_error", "n", "own", "own_variance")
_SELECT = """
select
    series_no, cell_no, column_no, status, y_known_at as counted_at, y, f, last_known,
    known_already, season, more,
    -- What came too late or not at all has no word that counts.
    case when status = 'arrived' then f end as told,
    epoch_ms(cut_off_at) as cut_off,
    -- The beginning of a millisecond is not yet the whole of it.
    case when isfinite(y_known_at) then epoch_ms(y_known_at + interval 999 microseconds) end
        as known_at
from cell
"""


def make_cell_gain(connection: Any, progress: Callable[[int, int], None] | None = None) -> None:
    """Make the temporary table ``cell_gain`` of ``cell``, which is in order of series and cell.

    A row a cell: bits, ``n`` cells in the frame, the outcome that we expected by ourselves (own)
    and its variance; null where the cell could not be judged. ``progress`` is told cells done, of
    how many.
    """
    connection.execute(
        "create or replace temp table cell_gain as select series_no, cell_no, column_no, status, "
        "y_known_at as counted_at, y, f, 0.0::double as bits, null::double as told_error, "
        "null::double as used_error, 0.0::double as n, null::double as own, "
        "null::double as own_variance from cell limit 0"
    )
    total = int(scalar(connection, "select count(*) from cell"))
    done = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for first, last in _stretches(connection, total):
            if progress is not None:
                progress(done, total)
            table = connection.execute(
                f"{_SELECT} where series_no >= ? and series_no <= ?", [first, last]
            ).to_arrow_table()
            if table.num_rows:
                judged = _judged(table, pool)
                connection.register("judged_cells", judged)
                connection.execute("insert into cell_gain by name from judged_cells")
                connection.unregister("judged_cells")
                done += table.num_rows
    if progress is not None:
        progress(done, total)


def _stretches(connection: Any, total: int) -> Iterator[tuple[int, int]]:
    """Ranges of series numbers, which are hashes, with about as many cells as are taken at once."""
    if not total:
        return
    low = int(scalar(connection, "select min(series_no) from cell"))
    high = int(scalar(connection, "select max(series_no) from cell"))
    parts = -(-total // _AT_ONCE)
    width = -(-(high - low + 1) // parts)
    for start in range(low, high + 1, width):
        yield start, min(start + width - 1, high)


@dataclass(frozen=True)
class _Block:
    """Series of like length: where each cell stands in the table, and where there is none."""

    places: Places
    there: NDArray[np.bool_]


def _judged(table: pa.Table, pool: ThreadPoolExecutor) -> pa.Table:
    columns = {name: _floats(table, name) for name in _NUMBERS}
    cut_off = table["cut_off"].to_numpy()
    known_at = table["known_at"].fill_null(_NEVER).to_numpy()
    season = table["season"].to_numpy().astype(np.int64)
    more = _more(table)
    made = {name: np.full(table.num_rows, np.nan) for name in _MADE}
    made["bits"][:] = 0.0
    made["n"][:] = 0.0

    def judge(block: _Block) -> tuple[_Block, Gains]:
        def laid(values: Floats) -> Floats:
            return np.where(block.there, values[block.places], np.nan)

        cells = Cells(
            cut_off=cut_off[block.places],
            known_at=np.where(block.there, known_at[block.places], _NEVER),
            y=laid(columns["y"]),
            f=laid(columns["told"]),
            last=laid(columns["last_known"]),
            already=laid(columns["known_already"]),
            season=season[block.places[:, 0]],
            more=tuple(extra for extra in map(laid, more) if np.isfinite(extra).any()),
        )
        return block, gains(cells)

    for block, found in pool.map(judge, _blocks(table["series_no"].to_numpy())):
        where = block.places[block.there]
        for name in _MADE:
            made[name][where] = getattr(found, name)[block.there]
    nulls = {"told_error", "used_error", "own", "own_variance"}
    return pa.table(
        {
            **{name: table[name] for name in _KEPT},
            **{
                name: pa.array(values, mask=~np.isfinite(values) if name in nulls else None)
                for name, values in made.items()
            },
        }
    )


def _blocks(series: NDArray[np.uint64]) -> Iterator[_Block]:
    """Series laid out in matrices of some thousand cells, the like-sized together."""
    starts = np.flatnonzero(np.concatenate([[True], series[1:] != series[:-1]]))
    if len(np.unique(series[starts])) != len(starts):
        raise ValueError("cells that are not in the order of their series")
    lengths = np.diff(np.append(starts, len(series)))
    order = np.argsort(lengths, kind="stable")
    edges, width, count = [0], 0, 0
    for place, length in enumerate(lengths[order]):
        width = int(length)
        count = place - edges[-1]
        if count and ((count + 1) * width > _BLOCK or width > 1.3 * lengths[order[edges[-1]]] + 8):
            edges.append(place)
    edges.append(len(order))
    for first, last in pairwise(edges):
        chosen = order[first:last]
        cells = np.arange(int(lengths[chosen].max()))
        there = cells < lengths[chosen][:, np.newaxis]
        places = starts[chosen][:, np.newaxis] + np.minimum(
            cells, lengths[chosen][:, np.newaxis] - 1
        )
        yield _Block(places, there)


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table[name].fill_null(np.nan).to_numpy(), dtype=np.float64)


def _more(table: pa.Table) -> list[Floats]:
    """The lists of further columns, a column each; NaN where a list is shorter."""
    lists = table["more"].combine_chunks()
    lengths = np.asarray(lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False))
    if not lengths.any():
        return []
    row = np.repeat(np.arange(len(lengths)), lengths)
    start = np.concatenate([[0], lengths.cumsum()[:-1]])
    column = np.arange(len(row)) - start[row]
    flat = np.asarray(
        lists.flatten().fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=np.float64
    )
    laid = np.full((int(lengths.max()), len(lengths)), np.nan)
    laid[column, row] = flat
    return list(laid)
