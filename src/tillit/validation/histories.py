"""A simulated world as tables: one a kind, with arrivals and agreements. I/O: ``write`` alone.

The tables are those that ``tillit trust score FOLDER`` reads. Everything is built column by column:
three hundred relationships of a hundred and twenty weeks are a million rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

__all__ = ["ARRIVALS", "Arrived", "History", "joined", "table", "together"]

ARRIVALS = "arrivals"


@dataclass(frozen=True)
class History:
    """``tables`` by kind; ``arrivals`` a row a shipment; ``agreements`` a row a column.

    ``public`` is the registered public series, the same for all relationships of a history.
    """

    tables: Mapping[str, pa.Table]
    arrivals: pa.Table
    agreements: pa.Table
    public: pa.Table | None = None

    def write(self, folder: Path) -> Path:
        """Write the folder; it is made where it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self._files():
            pq.write_table(rows, folder / f"{name}.parquet", compression="zstd")
        return folder

    def replacing(self, kind: str, rows: pa.Table) -> History:
        """The same, but for the table of one kind."""
        return replace(self, tables={**self.tables, kind: rows})

    def adding(
        self, kind: str, rows: pa.Table, arrived_at: NDArray[Any], cut_off_at: NDArray[Any]
    ) -> History:
        """With more rows of one kind, in shipments of their own; both times are given by row."""
        there, arrived = self.tables[kind], Arrived()
        arrived.add(rows, arrived_at, cut_off_at)
        rows = rows.select(there.column_names).cast(there.schema)
        more = self.replacing(kind, pa.concat_tables([there, rows]))
        return replace(more, arrivals=pa.concat_tables([self.arrivals, arrived.all()]))

    def mapped(self, change: Callable[[pa.Table], pa.Table]) -> History:
        """Every table that has a relationship, changed."""
        return replace(
            self,
            tables={kind: change(rows) for kind, rows in self.tables.items()},
            arrivals=change(self.arrivals),
            agreements=change(self.agreements),
        )

    def of(self, relationships: Iterable[str]) -> History:
        """These relationships alone."""
        wanted = pa.array(sorted(relationships))
        return self.mapped(
            lambda rows: rows.filter(pc.is_in(rows["relationship_id"], value_set=wanted))
        )

    def named(self, suffix: str) -> History:
        """Every relationship under another name, so that two fates of one stand side by side."""

        def renamed(rows: pa.Table) -> pa.Table:
            for name in ("relationship_id", "agreement_id"):
                names = pc.binary_join_element_wise(rows[name], suffix, "")
                rows = rows.set_column(rows.column_names.index(name), name, names)
            return rows

        return self.mapped(renamed)

    def _files(self) -> list[tuple[str, pa.Table]]:
        public = [] if self.public is None else [("public_index", self.public)]
        own = [(ARRIVALS, self.arrivals), ("agreements", self.agreements)]
        return [*self.tables.items(), *own, *public]


def together(histories: Iterable[History]) -> History:
    """Several histories in one; they share the public series of the first."""
    all_of = list(histories)
    kinds = dict.fromkeys(kind for history in all_of for kind in history.tables)
    return History(
        tables={
            kind: pa.concat_tables([h.tables[kind] for h in all_of if kind in h.tables])
            for kind in kinds
        },
        arrivals=pa.concat_tables([h.arrivals for h in all_of]),
        agreements=pa.concat_tables([h.agreements for h in all_of]),
        public=all_of[0].public,
    )


@dataclass
class Arrived:
    """Collects the arrivals of the shipments that are written."""

    parts: list[pa.Table] = field(default_factory=list)

    def add(self, rows: pa.Table, arrived_at: NDArray[Any], cut_off_at: NDArray[Any]) -> None:
        """Record the shipments of these rows; both times are given by row."""
        timed = rows.select(["relationship_id", "flow", "agreement_id", "shipment_id"])
        timed = timed.append_column("arrived_at", _array(arrived_at))
        timed = timed.append_column("cut_off_at", _array(cut_off_at))
        keys = ["relationship_id", "flow", "agreement_id", "shipment_id"]
        whole = timed.group_by(keys).aggregate(
            [
                ("arrived_at", "max"),
                ("cut_off_at", "max"),
                ("shipment_id", "count"),
            ]
        )
        self.parts.append(
            table(
                relationship_id=whole["relationship_id"],
                direction=whole["flow"],
                agreement_id=whole["agreement_id"],
                shipment_id=whole["shipment_id"],
                kind=pc.list_element(pc.split_pattern(whole["agreement_id"], "/"), 1),
                rows=whole["shipment_id_count"],
                arrived_at=whole["arrived_at_max"],
                cut_off_at=whole["cut_off_at_max"],
            )
        )

    def all(self) -> pa.Table:
        """One table of all of them."""
        return pa.concat_tables(self.parts)


def table(**columns: Any) -> pa.Table:
    """Columns as a table: arrays of numpy or arrow, or one value for every row."""
    arrays = {n: _array(value) for n, value in columns.items() if not np.isscalar(value)}
    rows = len(next(iter(arrays.values())))
    whole = {
        name: arrays[name] if name in arrays else pa.repeat(pa.scalar(value), rows)
        for name, value in columns.items()
    }
    return pa.table(whole)


def joined(*parts: Any) -> pa.Array:
    """Text made of columns and constants, put one after another."""
    texts = [
        part if isinstance(part, str) else pc.cast(_array(part), pa.string()) for part in parts
    ]
    return pc.binary_join_element_wise(*texts, "")


def _array(values: Any) -> Any:
    """An arrow array: times in UTC, and no number where it is NaN."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    given = np.asarray(values)
    if given.dtype.kind == "M" and given.dtype != np.dtype("datetime64[D]"):
        return pa.array(given.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))
    return pa.array(given, from_pandas=True)
