"""What was due follows from the agreement's cadence, and the auditor's views read a real ledger."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa
from tests.lakes import open_lake, server

from tillit import places
from tillit.ledger.store import Ledger
from tillit.model import Agreement, Cadence, Every
from tillit.warehouse import due_periods, open_audit


def at(day: int, hour: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def agreement(every: Every, hours: float = 0, end: datetime | None = None) -> Agreement:
    return Agreement(
        id="p--c.order",
        version="1",
        digest="0" * 64,
        provider="p",
        consumer="c",
        kind="order",
        kind_version="1.0.0",
        kind_digest="0" * 64,
        start=at(2, 12),
        end=end or at(1, month=12),
        purposes=(),
        columns={},
        cadence=Cadence(every, hours),
    )


@pytest.mark.parametrize(
    ("every", "hours", "since", "until", "cut_offs"),
    [
        (Every.DAY, 6, at(1), at(5), [at(2, 18), at(3, 18), at(4, 18)]),
        (Every.DAY, -6, at(4), at(6), [at(4, 6), at(5, 6)]),
        (Every.WEEK, 24, at(1), at(23), [at(8), at(15), at(22)]),
        (Every.MONTH, 0, at(1), at(1, month=6), [at(1, month=4), at(1, month=5)]),
        (Every.EVENT, 0, at(1), at(31), []),
        (Every.DAY, 0, at(1), at(2), []),
    ],
)
def test_what_was_due(
    every: Every, hours: float, since: datetime, until: datetime, cut_offs: list[datetime]
) -> None:
    periods = due_periods(agreement(every, hours), since=since, until=until)
    assert [period.cut_off for period in periods] == cut_offs


def test_nothing_is_due_after_the_agreement() -> None:
    ended = agreement(Every.DAY, end=at(5))
    due = [p.cut_off for p in due_periods(ended, since=at(1), until=at(20))]
    assert due == [at(3), at(4)]


def test_the_views_open_over_a_ledger_in_postgresql(tmp_path: Path) -> None:
    signed = {"predicate": {"body": {"code": "x.y", "reason": "z"}}}
    with server() as running:
        ledger = running.libpq()
        engine = sa.create_engine(
            "postgresql+psycopg2://", creator=lambda: psycopg2.connect(ledger)
        )
        with Ledger(engine, "a").transaction():
            pass  # makes the tables
        engine.dispose()
        connection = psycopg2.connect(ledger)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "insert into statement (author, recipient, seq, digest, witnessed_seq, type, "
                "issued_at, recorded_at, direction, envelope) values "
                "('a', 'b', 1, repeat('0', 64), 0, 'notice', now(), now(), 'sent', "
                "convert_to(%s, 'UTF8'))",
                (json.dumps({"payload": base64.b64encode(json.dumps(signed).encode()).decode()}),),
            )
        connection.close()
        with open_lake(running.libpq(), tmp_path, ledger=ledger) as lake:
            names = open_audit(
                lake.connection,
                places.transforms(),
                [agreement(Every.WEEK)],
                since=at(1),
                until=at(30),
            )
            run = lake.connection.execute
            assert run("select rule, reason from refusal").fetchall() == [("x.y", "z")]
            assert run("select count(*), min(state) from punctuality").fetchall() == [
                (3, "missing")
            ]
            for name in names:
                run(f"from {name}").fetchall()
            with pytest.raises(Exception, match="read-only"):
                run("delete from ledger.public.statement")
