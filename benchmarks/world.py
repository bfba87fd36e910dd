"""A forecast of any size, and two homes that have agreed to exchange it. I/O.

The rows are a function of their number, so every run on every machine has the same ones.
Run: python -m benchmarks.world build FOLDER ROWS
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from tillit.demo import acts
from tillit.demo.model import Want
from tillit.model import Every

BUYER, SUPPLIER = "nordvik", "fjordstal"
AGREEMENT = f"{BUYER}--{SUPPLIER}.demand_forecast"
NOW = datetime(2026, 1, 2, 6, tzinfo=UTC)
START, END = NOW - timedelta(days=30), NOW + timedelta(days=365)

# A year of weeks for each item and place; quantities that grow and shrink with the season, a note
# on one row in fifty, a supplier's number on most.
ROWS = """
select
    'BRK-' || lpad((i // 1300)::varchar, 6, '0') as item_id,
    'PLANT-' || lpad((i // 52 % 25)::varchar, 2, '0') as ship_to,
    date '2026-01-05' + (7 * (i % 52))::integer as period_start,
    'week' as period,
    (100 + 80 * sin(i % 52 / 8.3) + hash(i) % 40000 / 1000)::decimal(18, 3) as quantity,
    (quantity * 0.8)::decimal(18, 3) as quantity_low,
    (quantity * 1.3)::decimal(18, 3) as quantity_high,
    ['firm', 'production', 'material', 'planning'][1 + least(3, i % 52 // 6)] as commitment,
    'H87' as unit,
    case when i // 1300 % 5 > 0 then 'FC-' || (70000 + i // 1300)::varchar end as supplier_item_id,
    case when hash(i) % 50 = 0 then 'launch moved to week ' || (i % 52)::varchar end as note,
    'fjordstal' as partner,
    timestamptz '2026-01-01 00:00:00+00' as recorded_at
from range({rows}) as r (i)
"""


def home(folder: Path, party: str) -> Path:
    """Where a party's home lies."""
    return folder / party


def source(folder: Path) -> Path:
    """The buyer's table, as its planning system would leave it."""
    return home(folder, BUYER) / "sources" / "demand_forecast.parquet"


def write_rows(path: Path, rows: int) -> None:
    """Write the forecast as Parquet, as DuckDB writes it when it is told nothing else."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            f"copy ({ROWS.format(rows=rows)}) to '{path}' (format parquet, compression zstd)"
        )


def build(folder: Path, rows: int) -> None:
    """Two homes with keys, that know each other, and one agreement in force."""
    want = Want(BUYER, SUPPLIER, "demand_forecast", Every.WEEK, 24.0, "production-planning")
    stages = {party: acts.Stage(home(folder, party)) for party in (BUYER, SUPPLIER)}
    try:
        for party, stage in stages.items():
            (stage.folder / "sources").mkdir(parents=True)
            if party == BUYER:
                write_rows(source(folder), rows)
            mailbox = (folder / "mailboxes" / party).as_uri()
            acts.build(
                stage, party=party, name=party.title(), mailbox=mailbox, outbound={}, now=START
            )
        documents = {party: acts.document(stage) for party, stage in stages.items()}
        acts.meet(stages[BUYER], documents=[documents[SUPPLIER]], now=START)
        acts.meet(stages[SUPPLIER], documents=[documents[BUYER]], now=START)
        acts.propose(stages[BUYER], wants=[want], start=START, end=END, now=START)
        acts.receive(stages[SUPPLIER], now=START)
        acts.countersign(stages[SUPPLIER], now=START)
        acts.receive(stages[BUYER], now=START)
    finally:
        for stage in stages.values():
            stage.close()


if __name__ == "__main__":
    build(Path(sys.argv[2]), int(sys.argv[3]))
    print("{}")
