"""The benchmarks' runner tells what it promises; how fast anything is, is no test's matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from benchmarks import floor, measure, world
from benchmarks.__main__ import written
from benchmarks.measure import Row

ROW_KEYS = {
    *("name", "what", "value", "unit", "reference", "against", "ratio", "target", "bound"),
    *("judged", "note", "met"),
}


def test_runner_prints_json_with_the_documented_keys(tmp_path: Path) -> None:
    asked = [
        "--json",
        "--rows",
        "2000",
        "--rounds",
        "1",
        "--only",
        "start",
        "--only",
        "trust",
        "--only",
        "agreements",
        "--agreements",
        "12",
        "--folder",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", *asked, str(tmp_path)],
        cwd=measure.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(run.stdout)
    assert set(told) == {"machine", "at", "rows", "results"}
    assert set(told["machine"]) == {"cores", "memory_gb", "python", "duckdb", "load"}
    assert told["rows"] == 2000
    assert [row["name"] for row in told["results"]] == [
        *("start", "start.duckdb", "agreements.list.first", "agreements.list.first.memory"),
        *("agreements.list", "agreements.list.memory", "agreements.check"),
        "agreements.check.memory",
        *(f"trust.plans.200{what}" for what in ("", ".rate", ".memory")),
        *(f"trust.forecasts.200{what}" for what in ("", ".rate", ".memory")),
        *(f"trust.forecasts.2000{what}" for what in ("", ".rate", ".memory")),
    ]
    assert all(set(row) == ROW_KEYS for row in told["results"])
    assert "due cells" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_rows_keep_the_floors_checks_and_are_the_same_every_time(tmp_path: Path) -> None:
    source = world.source(tmp_path)
    source.parent.mkdir(parents=True)
    world.write_rows(source, 2000)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        floor.publish(connection, tmp_path)
        floor.open_lake(connection, tmp_path)
        floor.receive(connection, tmp_path)
        assert connection.execute("select count(*) from lake.forecast").fetchone() == (2000,)
        digest = connection.execute(
            f"select bit_xor(hash(t)) from read_parquet('{source}') as t"
        ).fetchone()
        world.write_rows(source, 2000)
        again = connection.execute(
            f"select bit_xor(hash(t)) from read_parquet('{source}') as t"
        ).fetchone()
        assert digest == again


def test_the_floor_refuses_what_breaks_a_rule(tmp_path: Path) -> None:
    source = world.source(tmp_path)
    source.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        rows = world.ROWS.format(rows=100)
        connection.execute(f"copy (from ({rows}) union all from ({rows})) to '{source}'")
        with pytest.raises(AssertionError, match="100"):
            floor.publish(connection, tmp_path)
        connection.execute(
            f"copy (select * replace (-quantity as quantity) from ({rows})) to '{source}'"
        )
        with pytest.raises(AssertionError, match="100"):
            floor.publish(connection, tmp_path)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", "a", 3.0, "s", 2.0, "b", 1.5, 1.5), True),
        (Row("a", "a", 3.2, "s", 2.0, "b", 1.6, 1.5), False),
        (Row("a", "a", 1.0, "s", 3.0, "b", 3.0, 3.0, ">="), True),
        (Row("a", "a", 1.0, "s", 2.0, "b", 2.0, 3.0, ">="), False),
        (Row("a", "a", 0.7, "s", 0.1, "b", 7.0, 0.6, judged="value"), False),
        (Row("a", "a", 0.5, "s", 0.1, "b", 5.0, 0.6, judged="value"), True),
        (Row("a", "a", 1.0, "s", target=3.0, bound=">="), None),
        (Row("a", "a", 1.0, "s"), None),
    ],
)
def test_a_target_is_of_the_ratio_or_of_the_value(row: Row, met: object) -> None:
    assert row.met is met
    assert row.as_json()["met"] is met


def test_the_table_says_what_was_missed() -> None:
    missed = Row("a", "publish", 3.2, "s", 2.0, "by hand", 1.6, 1.5, note="how")
    text = written([missed], 10, world.NOW)
    assert "| publish | 3.200 s | 2.000 s: by hand | 1.60 | <= 1.5 | **no** | how |" in text
