"""The auditor's views over a lake and the ledger attached to it. I/O: DuckDB, reading only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import duckdb

from tillit.model import Agreement, Every, Period
from tillit.warehouse.models import Transforms
from tillit.warehouse.run import build

__all__ = ["due_periods", "open_audit"]

_COLUMNS = {
    "agreement_id": "varchar",
    "provider": "varchar",
    "consumer": "varchar",
    "kind": "varchar",
    "period_start": "timestamptz",
    "period_end": "timestamptz",
    "cut_off_at": "timestamptz",
}


def open_audit(
    connection: duckdb.DuckDBPyConnection,
    transforms: Path,
    agreements: Iterable[Agreement],
    *,
    since: datetime,
    until: datetime,
) -> tuple[str, ...]:
    """Make the temporary views of ``transforms/audit``; their names.

    ``agreements`` say what was due between ``since`` and ``until``; of several versions the caller
    gives each for its own time. The connection is a lake's that was opened with a ledger. It sees
    everything, so no person is given it: they ask by `tillit query`. Raises TableRefused (query).
    """
    rows = [
        (a.id, a.provider, a.consumer, a.kind, period.start, period.end, period.cut_off)
        for a in agreements
        for period in due_periods(a, since=since, until=until)
    ]
    given = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    listed = ", ".join(f"unnest(${name}::{kind}[]) as {name}" for name, kind in _COLUMNS.items())
    # Tables of the ledger that were made after it was attached are not seen before this.
    connection.execute("call pg_clear_cache()")
    connection.execute(
        f"create or replace temp table due as select {listed}",
        {name: given.get(name, []) for name in _COLUMNS},
    )
    return build(connection, Transforms.read(transforms / "audit"), as_view=lambda _: True)


def due_periods(agreement: Agreement, *, since: datetime, until: datetime) -> Iterator[Period]:
    """Periods of an agreement's cadence, by cut-off, in its time and from ``since`` to ``until``.

    None for a cadence of events: they are due when something happens.
    """
    if agreement.cadence.every is Every.EVENT:
        return
    end = min(until, agreement.end)
    period = agreement.cadence.next_due(max(since, agreement.start))
    while period.cut_off < end:
        yield period
        # By way of the next start, because months differ in length.
        period = agreement.cadence.period_at(period.end)
