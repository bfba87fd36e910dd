"""Due cells a second, and memory, as a ratio to a floor. I/O: a Parquet file, a DuckDB that spills.

What is timed is the chain of the measure from stated cells (what was told of each, and what came)
to the marts, model by model as a run makes them. The floor is one sum over the same frame of the
same cells, added up by column: what the engine takes before anything is measured. Each size runs in
a process of its own, so that its peak memory is its own.

Cells are forecasts of one column. Plans have two columns that speak of one outcome, so that each is
to be freed of what the other told: every second cell is fitted three times.

Run: python -m benchmarks.trust one FOLDER CELLS forecasts|plans
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import PROMISED, Row, child, say, tell, timed

from tillit import places
from tillit.engine import Engine, quote_literal
from tillit.kinds import installed
from tillit.lake import tables
from tillit.trust.score import MAKERS, as_view, models, set_terms
from tillit.trust.terms import TermColumn
from tillit.warehouse import Run, Transforms, build, set_run

WEEKS = 520
PARTNERS = 50
MEMORY = "1GB"
"""What a home's own engine may take unless it says otherwise."""
LARGE = 100_000_000
MARK = 1_000_000
LIMIT = 2_048.0
START = datetime(2016, 1, 4, tzinfo=UTC)
STATED = "int_stated_cell"
COLUMNS = (
    ("demand_forecast", "quantity", "order.quantity"),
    ("production_plan", "planned_quantity", "delivery.quantity"),
    ("production_plan", "capacity_quantity", "delivery.quantity"),
)
SHAPES = {"forecasts": "demand_forecast", "plans": "production_plan"}
FLOOR = """
with
framed as (
    select column_no, sum(y) over (
        partition by series_no order by cut_off_at rows between 52 preceding and 1 preceding
    ) as total
    from int_stated_cell
)

select column_no, sum(total) from framed group by column_no
"""
# In the order of time, as exchange brings it. Chance is a hash: the same rows every time.
CELLS = """
with
numbered as (
    select i // $series as week_no, i % $series as series from range($cells) as r (i)
),

placed as (
    select
        week_no,
        series,
        'p' || series // len($names) % $partners as partner,
        $kind as kind,
        $names[1 + series % len($names)] as column_name,
        -- Two columns of one plan are of the same item, and have the same outcome.
        series // len($names) as item,
        $start::timestamptz + to_days((7 * week_no)::integer) as period_start
    from numbered
),

dated as (
    select
        *,
        partner || '.' || kind as agreement_id,
        'item-' || item || '/' as series_id,
        period_start - interval 1 day as cut_off_at,
        period_start + interval 14 day as y_known_at,
        100 + 20 * (hash(item, week_no) / 18446744073709551616.0) as outcome,
        100 + 20 * (hash(item, week_no - 1) / 18446744073709551616.0) as outcome_before
    from placed
)

select
    partner,
    'in' as direction,
    kind,
    column_name,
    series_id,
    period_start,
    '' as cell_id,
    agreement_id,
    cut_off_at,
    y_known_at,
    case when hash(series, week_no, 1) % 20 = 0 then 'missing' else 'arrived' end as status,
    case when status = 'arrived'
        then outcome + 20 * (hash(series, week_no, 2) / 18446744073709551616.0) end as f,
    case when y_known_at <= $as_of then outcome end as y,
    outcome_before as last_known,
    outcome_before as before_known,
    10 * (hash(item, week_no, 3) / 18446744073709551616.0) as known_already,
    52 as season,
    null::double as quantile_level,
    hash(partner, direction, kind, column_name, series_id) as series_no,
    hash(partner, direction, kind, series_id) as subject_no,
    null::ubigint as outcome_no,
    hash(partner, direction, kind, column_name) as column_no
from dated
"""


def rows(folder: Path, sizes: list[int]) -> list[Row]:
    """The table's rows: seconds for each number of due cells, their rate, and memory."""
    table: list[Row] = []
    for cells, shape in [(sizes[0], "plans"), *((cells, "forecasts") for cells in sizes)]:
        say(f"the measure over {cells:,} due cells: {shape}")
        told = child("trust", "one", folder, cells, shape)
        rate = cells / told["seconds"]
        promised = cells >= PROMISED and shape == "forecasts"
        name = f"trust.{shape}.{cells}"
        slowest = sorted(told["models"].items(), key=lambda item: -item[1])[:3]
        spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in slowest)
        table += [
            Row(
                *(name, f"the measure, {cells:,} {shape}", told["seconds"], "s"),
                *(told["floor"], "one window sum over the same cells"),
                told["seconds"] / told["floor"],
                note=f"CPU {told['cpu']:.1f} s; {spent}",
            ),
            Row(
                *(f"{name}.rate", "due cells a second", rate / 1e6, "M/s"),
                target=MARK / 1e6 if promised else None,
                bound=">=",
                judged="value",
                note=f"on {os.cpu_count()} cores, load {told['load']:.1f}",
            ),
            Row(
                *(f"{name}.memory", "peak memory of the measure", told["peak_mb"], "MB"),
                target=LIMIT,
                judged="value",
            ),
        ]
    return table


def one(folder: Path, cells: int, shape: str) -> None:
    """Make cells, take the floor, run the chain; tell seconds and memory."""
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="trust-", dir=folder) as own,
        Engine.open(Path(own) / "spool", memory_limit=MEMORY) as engine,
    ):
        connection = engine.connection
        stated = Path(own) / "stated.parquet"
        state_cells(connection, stated, cells, shape)
        prepare(connection, now(), PARTNERS)
        chain = Chain(stated)
        chain.state(connection)
        floor = timed(lambda: connection.execute(FLOOR).fetchall())
        spent = timed(lambda: chain.run(connection))
        scored = connection.execute("select sum(scored) from int_column_week").fetchone()
    tell(
        seconds=sum(chain.seconds.values()),
        cpu=spent["cpu"],
        floor=floor["seconds"],
        models=chain.seconds,
        load=load,
        scored=int(scored[0] or 0) if scored else 0,
    )


def now() -> datetime:
    """When the last cell's cut-off has just passed."""
    return START + timedelta(days=7 * WEEKS)


def state_cells(connection: Any, path: Path, cells: int, shape: str) -> None:
    """Write so many stated cells to a file."""
    kind = SHAPES[shape]
    given = {
        "kind": kind,
        "names": [column for of, column, _ in COLUMNS if of == kind],
        "cells": cells,
        "series": -(-cells // WEEKS),
        "partners": PARTNERS,
        "start": START,
        "as_of": now(),
    }
    connection.execute(
        f"copy ({CELLS}) to {quote_literal(str(path))} (format parquet, row_group_size 122880)",
        given,
    )


def prepare(connection: Any, as_of: datetime, partners: int) -> None:
    """A lake in which nothing landed, so that what is not of the chain costs nothing; the terms."""
    connection.execute("attach ':memory:' as lake")
    for statement in tables.empty_lake(installed().values()):
        connection.execute(statement)
    connection.execute("use lake")
    set_run(connection, Run(as_of=as_of, party="us"))
    set_terms(connection, list(_terms(partners)))


def _terms(partners: int) -> Iterable[TermColumn]:
    for number in range(partners):
        for kind, column, witness in COLUMNS:
            yield TermColumn(
                agreement_id=f"p{number}.{kind}",
                agreement_version="1.0.0",
                partner=f"p{number}",
                direction="in",
                kind=kind,
                column_name=column,
                is_key=False,
                permitted=True,
                classification=3,
                witness=witness,
                cadence="week",
                cut_off_hours=24.0,
                starts_at=START - timedelta(days=7),
                ends_at=START + timedelta(days=7 * 2 * WEEKS),
            )


class Chain:
    """The models of the measure, those that follow from stated cells on the clock."""

    def __init__(self, stated: Path) -> None:
        self.stated = stated
        self.seconds: dict[str, float] = {}
        every = models(places.transforms())
        follows = {STATED}
        for model in every.models:
            if follows & set(model.reads):
                follows.add(model.name)
        self.timed = follows - {STATED}
        self.transforms = Transforms(
            tuple(
                replace(model, sql="", reads=()) if model.name == STATED else model
                for model in every.models
            )
        )

    def state(self, connection: Any) -> None:
        """The cells as a view of their file."""
        source = f"read_parquet({quote_literal(str(self.stated))})"
        connection.execute(f"create or replace temp view {STATED} as from {source}")

    def run(self, connection: Any) -> None:
        """Build everything; seconds of each model that is timed."""
        makers: dict[str, Callable[[Any], None]] = {**MAKERS, STATED: self.state}
        last, began = "", time.perf_counter()

        def told(name: str, _done: int, _of: int) -> None:
            nonlocal last, began
            at = time.perf_counter()
            if last in self.timed:
                self.seconds[last] = at - began
            last, began = name, at

        build(connection, self.transforms, as_view=as_view, makers=makers, progress=told)


if __name__ == "__main__":
    one(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
