"""The measure over a real lake: kept whole, and the same when it is run again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.lakes import Server, open_lake, server
from tests.transforms.trust.test_models import fill_world
from tests.trusts import FORECAST, MONDAY, PROMISED, WEEK, measure

from tillit.errors import TableRefused
from tillit.kinds import installed
from tillit.lake import Lake
from tillit.trust.judged import Judged, judge
from tillit.trust.records import ALARM, INTERVAL, alarm_rows, interval_rows
from tillit.trust.score import MARTS, Scores, keep

NOW = MONDAY + 40 * WEEK


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture
def lake(postgres: Server, tmp_path: Path) -> Iterator[Lake]:
    with open_lake(postgres.libpq(), tmp_path) as lake:
        lake.prepare(installed().values())
        fill_world(lake.connection)
        yield lake


def run(lake: Lake, now: datetime) -> tuple[Scores, Judged]:
    """Measure, judge and keep, as a home does."""
    scores = measure(lake.connection, [FORECAST, *PROMISED], now)
    judged = judge(scores.directions, scores.columns)
    added = {
        "interval": (INTERVAL, interval_rows(scores, judged)),
        "alarm": (ALARM, alarm_rows(scores, judged)),
    }
    keep(lake.connection, added)
    return scores, judged


def marts(lake: Lake) -> list[list[tuple[Any, ...]]]:
    return [
        lake.connection.execute(f"from lake.trust.{mart} order by all").fetchall() for mart in MARTS
    ]


def intervals(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.connection.execute(
        "select as_of, definition, figure, low, high from lake.trust.interval "
        "where kind is null order by all"
    ).fetchall()


@pytest.mark.slow
def test_running_again_changes_nothing_and_what_was_judged_stays(lake: Lake) -> None:
    """Marts are of the last run; intervals and alarms of all, so that an old score is explained."""
    first, judged = run(lake, NOW)
    kept, sure = marts(lake), intervals(lake)
    empty = {mart for mart, rows in zip(MARTS, kept, strict=True) if not rows}
    assert empty <= {"column_not_measured", "unanswered", "arrival_lag"}
    assert {row[:2] for row in sure} == {(NOW, first.version)}
    bounds = judged.ways["p", "in"].interval["score"]
    assert next(row[3:] for row in sure if row[2] == "score") == bounds

    assert run(lake, NOW) == (first, judged)
    assert (marts(lake), intervals(lake)) == (kept, sure)

    run(lake, NOW + WEEK)
    assert marts(lake) != kept
    assert [row for row in intervals(lake) if row[0] == NOW] == sure
    assert len(intervals(lake)) == 2 * len(sure)
    alarms = lake.connection.execute("describe lake.trust.alarm").fetchall()
    assert [name for name, *_ in alarms] == list(ALARM)


def test_a_public_series_is_registered_once_and_keeps_its_revisions(lake: Lake) -> None:
    run = lake.connection.execute
    run(
        "create temp table index as select date '2024-01-02' as published_on, "
        "date '2024-01-01' as period_start, 100 as value"
    )
    assert lake.register_public("steel", "index") == 1
    run(
        "insert into index values ('2024-02-02', '2024-01-01', 101), ('2024-02-02', '2024-02-01', 7)"
    )
    assert lake.register_public("steel", "index") == 2
    assert lake.register_public("steel", "index") == 0
    assert lake.register_public("copper", "index") == 3
    kept = run(
        "select series, value from own.public_index where period_start = '2024-01-01' "
        "and series <> 'index' order by all"
    ).fetchall()
    assert kept == [("copper", 100), ("copper", 101), ("steel", 100), ("steel", 101)]


def test_a_public_series_without_values_is_refused(lake: Lake) -> None:
    lake.connection.execute("create temp table empty_index as select 1 as value")
    with pytest.raises(TableRefused, match="published_on"):
        lake.register_public("steel", "empty_index")
