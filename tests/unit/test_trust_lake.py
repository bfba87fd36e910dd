"""The measure over a real lake: kept whole, and the same when it is run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lakes import Server, open_lake, server
from tests.transforms.trust.test_models import fill_world
from tests.trusts import FORECAST, MONDAY, PROMISED, WEEK, measure

from tillit.errors import TableRefused
from tillit.kinds import installed
from tillit.lake import Lake
from tillit.trust.score import MARTS, keep

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


@pytest.mark.slow
def test_marts_are_kept_and_running_again_changes_nothing(lake: Lake) -> None:
    first = measure(lake.connection, [FORECAST, *PROMISED], NOW)
    keep(lake.connection)
    kept = [lake.connection.execute(f"from lake.trust.{mart}").fetchall() for mart in MARTS]
    assert all(len(rows) > 0 for mart, rows in zip(MARTS, kept, strict=True) if "not_" not in mart)

    again = measure(lake.connection, [FORECAST, *PROMISED], NOW)
    keep(lake.connection)
    assert again == first
    assert [lake.connection.execute(f"from lake.trust.{mart}").fetchall() for mart in MARTS] == kept


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
