"""The table ``cell`` judged, and ``cell_gain`` made of it. I/O: DuckDB.

The fit over a moving frame is the one step of the measure that is not SQL: window sums of DuckDB
take 0.3 s of a core for each sum and million cells, and a fit on seven figures needs 45 of them.
Cells are put in order by DuckDB and judged as they come out of the sort, some hundred thousand at a
time: so they are never kept twice, and memory does not grow with the history. What was made of them
goes by a second connection into the engine's own database, for a temporary table could be filled
only when the sort has been read to its end.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tillit.engine import drop_temporary, scalar
from tillit.trust.frame import Floats, Places
from tillit.trust.gain import Cells, Gains, gains

__all__ = ["READS", "make_cell_gain"]

READS = ("cell",)

_AT_ONCE = 200_000
_WAITING = 4
_BLOCK = 24_000
_NEVER = np.iinfo(np.int64).max
_KEPT = ("series_no", "period_start", "column_no")
_NUMBERS = ("y", "told", "last_known", "before_known", "known_already")
_MADE = ("bits", "told_error", "used_error", "n", "own", "own_variance")
# Columns that most tables have nothing in. What is sorted is what the measure spends most on after
# the fit, so they are looked at first.
_SELDOM = (
    *("cell_id", "last_known", "before_known", "known_already"),
    *("quantile_level", "more", "told_before"),
)
_USED = """
select
    count(*),
    bool_or(cell_id <> ''), bool_or(last_known is not null), bool_or(before_known is not null),
    bool_or(known_already is not null), bool_or(quantile_level is not null),
    bool_or(more is not null), bool_or(told_before is not null)
from cell
"""
# A third key costs as much as the first two; what they leave tied is looked at afterwards.
_ORDERED = """
select
    series_no, period_start, column_no, y, season, cut_off_at, y_known_at,
    -- What came too late or not at all has no word that counts.
    case when status = 'arrived' then f end as told
    {seldom}
from cell
order by series_no, cut_off_at {named}
"""
_JUDGED = """
create or replace table memory.main.judged_cell (
    series_no ubigint, period_start timestamptz{named}, column_no ubigint,
    counted_at timestamptz, bits double, told_error double, used_error double, n double,
    own double, own_variance double
)
"""
_GAIN = "create or replace temp view cell_gain as select *{named} from memory.main.judged_cell"


def make_cell_gain(connection: Any, progress: Callable[[int, int], None] | None = None) -> None:
    """Make the temporary view ``cell_gain`` of ``cell``.

    A row a cell: bits, ``n`` cells in the frame, the outcome that we expected by ourselves (own)
    and its variance; null where the cell could not be judged. ``counted_at`` is when the outcome
    was known, null while it is not. ``progress`` is told cells done, of how many. The connection is
    one of an engine's own (its first database is in memory), and not inside a transaction.
    """
    drop_temporary(connection, "cell_gain")
    total, *used = connection.execute(_USED).fetchone()
    there = [name for name, is_used in zip(_SELDOM, used, strict=True) if is_used]
    named = "cell_id" in there
    ordered = _ORDERED.format(
        seldom="".join(f", {name}" for name in there),
        named=", period_start, cell_id" if named else "",
    )
    done = 0
    with connection.cursor() as writer, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        writer.execute(_JUDGED.format(named=", cell_id varchar" if named else ""))
        # While one stretch is judged the next comes out of the sort.
        waiting: deque[_Judging] = deque()
        for table in _stretches(connection.execute(ordered).to_arrow_reader(_AT_ONCE)):
            waiting.append(_Judging.begin(table, pool))
            if len(waiting) > _WAITING:
                done += _insert(writer, waiting.popleft())
                if progress is not None:
                    progress(done, total)
        for judging in waiting:
            done += _insert(writer, judging)
    connection.execute(_GAIN.format(named="" if named else ", '' as cell_id"))
    made = scalar(connection, "select count(*) from cell_gain")
    if made != total:
        raise RuntimeError(f"{made} of {total} cells were judged: another transaction is open")
    if progress is not None:
        progress(done, total)


def _insert(writer: Any, judging: _Judging) -> int:
    judged = judging.end()
    writer.register("judged", judged)
    writer.execute("insert into memory.main.judged_cell by name from judged")
    writer.unregister("judged")
    return int(judged.num_rows)


def _stretches(reader: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Whole series, as many as have about as many cells as are taken at once."""
    held: list[pa.RecordBatch] = []
    for batch in reader:
        held.append(batch)
        if sum(map(len, held)) < _AT_ONCE:
            continue
        table = pa.Table.from_batches(held).combine_chunks()
        series = table["series_no"].to_numpy()
        whole = int(np.searchsorted(series, series[-1]))
        if whole:
            yield _untied(table.slice(0, whole))
        held = table.slice(whole).to_batches()
    if held:
        yield _untied(pa.Table.from_batches(held).combine_chunks())


def _untied(table: pa.Table) -> pa.Table:
    """In the order of series, cut-off and period, where the last may still be missing."""
    series = table["series_no"].to_numpy()
    cut_off, period = _instants(table, "cut_off_at"), _instants(table, "period_start")
    tied = (series[1:] == series[:-1]) & (cut_off[1:] == cut_off[:-1])
    if (period[1:] >= period[:-1])[tied].all():
        return table
    return table.take(np.lexsort((period, cut_off, series)))


@dataclass(frozen=True)
class _Block:
    """Series of like length: where each cell stands in the table, and where there is none."""

    places: Places
    there: NDArray[np.bool_] | None

    def laid(self, values: Floats) -> Floats:
        """Values in the block's order, NaN where there is no cell."""
        found = values[self.places]
        if self.there is not None:
            found[~self.there] = np.nan
        return found


@dataclass(frozen=True)
class _Judging:
    """A stretch of cells whose blocks are being judged."""

    table: pa.Table
    blocks: list[_Block]
    found: list[Future[Gains]]

    @classmethod
    def begin(cls, table: pa.Table, pool: ThreadPoolExecutor) -> Self:
        """Hand its blocks to the pool."""
        given = _Given.of(table)
        blocks = list(_blocks(table["series_no"].to_numpy()))
        return cls(table, blocks, [pool.submit(given.judge, block) for block in blocks])

    @property
    def _named(self) -> tuple[str, ...]:
        return ("cell_id",) if "cell_id" in self.table.column_names else ()

    def end(self) -> pa.Table:
        """The table's rows with what was made of them."""
        made = {name: np.full(self.table.num_rows, np.nan) for name in _MADE}
        for block, future in zip(self.blocks, self.found, strict=True):
            gained = future.result()
            for name in _MADE:
                values = getattr(gained, name)
                if block.there is None:
                    made[name][block.places] = values
                else:
                    made[name][block.places[block.there]] = values[block.there]
        return pa.table(
            {
                **{name: self.table[name] for name in (*_KEPT, *self._named)},
                "counted_at": pc.if_else(
                    self.table["y"].is_valid(), self.table["y_known_at"], None
                ),
                # NaN, which stands for unknown here, is null in a table.
                **{name: pa.array(values, from_pandas=True) for name, values in made.items()},
            }
        )


@dataclass(frozen=True)
class _Given:
    """A stretch's columns."""

    columns: dict[str, Floats]
    cut_off: Places
    known_at: Places
    season: Places
    level: Floats
    more: list[Floats]
    earlier: list[Floats]

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        return cls(
            columns={name: _floats(table, name) for name in _NUMBERS},
            cut_off=_instants(table, "cut_off_at"),
            known_at=_instants(table, "y_known_at"),
            season=table["season"].to_numpy().astype(np.int64),
            level=_floats(table, "quantile_level"),
            more=_lists(table, "more"),
            earlier=_lists(table, "told_before"),
        )

    def judge(self, block: _Block) -> Gains:
        known_at = self.known_at[block.places]
        if block.there is not None:
            known_at[~block.there] = _NEVER
        laid = {name: block.laid(values) for name, values in self.columns.items()}
        more, earlier = (
            [block.laid(values) for values in columns] for columns in (self.more, self.earlier)
        )
        return gains(
            Cells(
                cut_off=self.cut_off[block.places],
                known_at=known_at,
                y=laid["y"],
                f=laid["told"],
                last=laid["last_known"],
                before=laid["before_known"],
                already=laid["known_already"],
                season=self.season[block.places[0]],
                level=self.level[block.places[0]],
                more=_said(more),
                earlier=_said(earlier),
            )
        )


def _said(columns: Iterable[Floats]) -> tuple[Floats, ...]:
    """Those that say anything of these series: the others would be fitted for nothing."""
    return tuple(values for values in columns if np.isfinite(values).any())


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
        length = lengths[chosen]
        cells = np.arange(int(length.max()))[:, np.newaxis]
        there = cells < length
        places = starts[chosen] + np.minimum(cells, length - 1)
        yield _Block(places, None if there.all() else there)


def _floats(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.asarray(table[name].fill_null(np.nan).to_numpy(), dtype=np.float64)


def _instants(table: pa.Table, name: str) -> Places:
    """Microseconds; what is not known is never, and so is what is known at no finite time."""
    numbers = np.asarray(table[name].cast(pa.int64()).fill_null(_NEVER).to_numpy(), dtype=np.int64)
    return np.where(numbers == -_NEVER, _NEVER, numbers)


def _lists(table: pa.Table, name: str) -> list[Floats]:
    """The lists of further columns, a column each; NaN where a list is shorter."""
    if name not in table.column_names:
        return []
    lists = table[name].combine_chunks()
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
