"""The measure over a real lake: kept whole, and the same when it is run again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lakes import Server, open_lake, server
from tests.transforms.trust.test_models import fill_world
from tests.trusts import FORECAST, MONDAY, PROMISED, WEEK, measure

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
