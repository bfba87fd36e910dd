"""A lake in memory for tests of the measure: the lake's own tables, filled by hand or by a world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tillit import places
from tillit.kinds import installed
from tillit.lake import tables
from tillit.trust.score import Scores, compute
from tillit.trust.terms import TermColumn

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
TRUST = places.transforms() / "trust"
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def memory_lake() -> duckdb.DuckDBPyConnection:
    """Every kind's tables and the exchange's, empty."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("attach ':memory:' as lake")
    for statement in tables.empty_lake(installed().values()):
        connection.execute(statement)
    connection.execute("use lake")
    return connection


def insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]
) -> None:
    """Insert rows; columns that are not given are null."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    for names, some in groups.items():
        types = {n: t for n, t, *_ in connection.execute(f"describe {table}").fetchall()}
        values = {name: [row[name] for row in some] for name in names}
        listed = ", ".join(f"unnest(${name}::{types[name]}[])" for name in names)
        connection.execute(f"insert into {table} ({', '.join(names)}) select {listed}", values)


def term(
    kind: str,
    column: str,
    witness: str | None,
    *,
    partner: str = "p",
    cadence: str = "week",
    cut_off_hours: float = 24.0,
    level: int = 3,
    permitted: bool = True,
    key: bool = False,
) -> TermColumn:
    """A column of an agreement that holds for ever."""
    return TermColumn(
        agreement_id=f"{partner}.{kind}",
        agreement_version="1.0.0",
        partner=partner,
        direction="in",
        kind=kind,
        column_name=column,
        is_key=key,
        permitted=permitted,
        classification=level,
        witness=witness,
        cadence=cadence,
        cut_off_hours=cut_off_hours,
        starts_at=ALWAYS[0],
        ends_at=ALWAYS[1],
    )


FORECAST = term("demand_forecast", "quantity", "order.quantity")
PROMISED = (
    term("delivery_commitment", "promised_quantity", "delivery.quantity", cut_off_hours=-168.0),
    term("delivery_commitment", "promised_date", "delivery.arrived_on", cut_off_hours=-168.0),
)


def measure(
    connection: duckdb.DuckDBPyConnection, terms: Sequence[TermColumn], now: datetime
) -> Scores:
    """The whole measure, checks included."""
    scores = compute(connection, places.transforms(), terms, party="us", now=now)
    assert scores.findings == ()
    return scores


def run_models(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], folder: Path = TRUST
) -> None:
    """Some models of the measure as temporary views, over tables that a test has made."""
    for name in names:
        sql = (folder / f"{name}.sql").read_text(encoding="utf-8")
        connection.execute(f"create or replace temp view {name} as (\n{sql}\n)")
