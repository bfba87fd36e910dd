"""`datacontract test` says of a table what we say, rule by rule and row by row; or it stands here.

A partner may check what it sent with the tool that everybody has. So the same table is judged by
both, with rows that break every rule, and what they count is compared. Where the two differ stands
in `datacontract_cases`, with the reason: a release of either that changes it fails this test.

The table is one shipment, as it stands in the lake. A whole `landed` table holds a key once for
each vintage, which `datacontract test` calls twice.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from tests.services.conftest import missing
from tests.services.datacontract_cases import CASES, CONTRACTS, SPOILED, TABLES

from tillit import places
from tillit.errors import TableRefused
from tillit.model import Kind
from tillit.quality.rules import check_columns, load_kind

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-datacontract" / "bin" / "python"
# What the lake adds to a kind's columns.
LANDED = {"partner": "VARCHAR", "shipment_id": "VARCHAR", "arrived_at": "TIMESTAMPTZ"}
# The kind of check that stands for a rule on one column.
ON_COLUMNS = {
    "field_required": "required",
    "field_primary_key_required": "required",
    "field_minimum": "range",
    "field_maximum": "range",
    "field_not_equal": "range",
    "field_min_length": "length",
    "field_max_length": "length",
    "field_regex": "pattern",
    "field_unique": "unique",
}
KEYS = ("primary_key_unique", "field_primary_key_unique")
TABLE = ("field_is_present", "field_type", "field_physical_type")

pytestmark = [pytest.mark.services, pytest.mark.slow]


@dataclass(frozen=True)
class Theirs:
    """One run of `datacontract test`: the code it ended with, and its checks."""

    code: int
    checks: list[dict[str, Any]]

    def rows(self) -> dict[str, int]:
        """The rows that break each rule, under the names that our rules have."""
        rows: dict[str, int] = defaultdict(int)
        for check in self.checks:
            found = check["diagnostics"] or {}
            name = check["qualityId"]
            if check["type"] in KEYS:
                name = "key"
            elif check["type"] in ON_COLUMNS:
                name = f"{ON_COLUMNS[check['type']]}:{check['field']}"
            if name is None:
                assert check["type"] in TABLE, check
                continue
            broken = int(found.get("failed_rows", found.get("value", 0)))
            if check["type"] == "row_count":
                broken = int(check["result"] != "passed")
            # What it says and what it counts are one thing.
            assert (check["result"] == "passed") == (broken == 0), check
            rows[name] += broken
        return dict(rows)

    def on_the_table(self) -> dict[str, str]:
        """What was not passed of the checks on columns as such."""
        return {
            f"{check['type']}:{check['field']}": check["result"]
            for check in self.checks
            if check["type"] in TABLE and check["result"] != "passed"
        }


def contract(name: str) -> bytes:
    if name in CONTRACTS:
        return CONTRACTS[name].encode()
    return (places.contracts() / "kinds" / f"{name}.odcs.yaml").read_bytes()


def rows_of(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows that keep every rule, and those with others planted among them."""
    case = CASES[name]
    numbers = count(1)

    def row(change: Mapping[str, Any]) -> dict[str, Any]:
        number = next(numbers)
        apart = {case.apart: f"{case.good[case.apart]}{number}"}
        if "serial" in case.good:
            apart["serial"] = 1000 + number
        return {**case.good, **apart, **change}

    good = [row({}) for _ in range(3)]
    return good, good + [row(change) for changes in case.planted.values() for change in changes]


def fill(path: Path, kind: Kind, rows: Iterable[Mapping[str, Any]], **types: str) -> None:
    """A file of DuckDB with the table; ``types`` replaces columns' types, an empty one removes."""
    wanted = {column.name: column.sql_type for column in kind.columns} | LANDED | types
    columns = {name: sql_type for name, sql_type in wanted.items() if sql_type}
    with duckdb.connect(str(path)) as connection:
        written = ", ".join(f'"{name}" {sql_type}' for name, sql_type in columns.items())
        connection.execute(f'create table "{kind.name}" ({written})')
        marks = ", ".join("?" for _ in columns)
        for row in rows:
            values = [row.get(name) for name in columns]
            connection.execute(f'insert into "{kind.name}" values ({marks})', values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("datacontract")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, Theirs]:
    """Every table judged by `datacontract test`, by `<kind>-<table>`, in one process."""
    lock = ROOT / "requirements-datacontract.lock"
    ready = ROOT / ".venv-datacontract" / ".ready"
    if not PYTHON.exists() or not ready.exists() or ready.stat().st_mtime < lock.stat().st_mtime:
        missing("the environment of datacontract-cli is not there or out of date: make contracts")
    servers: dict[str, list[str]] = defaultdict(list)

    def table(name: str, table: str, rows: Iterable[Mapping[str, Any]], **types: str) -> None:
        fill(folder / f"{name}-{table}.duckdb", load_kind(contract(name)), rows, **types)
        servers[name].append(f"{name}-{table}")

    for name in CASES:
        good, planted = rows_of(name)
        table(name, "good", good)
        table(name, "planted", planted)
    for name in SPOILED:
        table(name, "good", [{"id": "x", "a": 5, "b": "å"}])
    table("order", "empty", [])
    for other, (changes, _) in TABLES.items():
        table("order", other, [], **{name: sql_type for name, (sql_type, _) in changes.items()})
    for name, its in servers.items():
        document = yaml.safe_load(contract(name))
        document["servers"] = [
            {
                "server": one,
                "type": "duckdb",
                "database": f"{folder}/{one}.duckdb",
                "schema": "main",
            }
            for one in its
        ]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return run(folder, [(name, one) for name, its in servers.items() for one in its])


def run(folder: Path, wanted: list[tuple[str, str]]) -> dict[str, Theirs]:
    plan = [
        {
            "contract": str(folder / f"{name}.yaml"),
            "server": server,
            "output": str(folder / f"{server}.json"),
        }
        for name, server in wanted
    ]
    (folder / "runs.json").write_text(json.dumps(plan), encoding="utf-8")
    program = [str(PYTHON), str(Path(__file__).with_name("datacontract_runs.py"))]
    ran = subprocess.run(
        [*program, str(folder / "runs.json")],
        capture_output=True,
        check=False,
        timeout=250,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        cwd=folder,
    )
    assert ran.returncode == 0, ran.stderr.decode("utf-8", "replace")[-2000:]
    return {
        one["server"]: Theirs(
            int(Path(one["output"] + ".exit").read_text(encoding="utf-8")),
            json.loads(Path(one["output"]).read_text(encoding="utf-8"))["checks"],
        )
        for one in plan
    }


def ours(folder: Path, name: str, table: str) -> dict[str, int]:
    """The rows that break each of our rules, as Great Expectations says it."""
    from tillit.quality.expectations import judge

    kind = load_kind(contract(name))
    with duckdb.connect(str(folder / f"{name}-{table}.duckdb")) as connection:
        judgement = judge(connection, kind.name, kind, kind.columns)
    return {result["rule"]: result["rows"] for result in judgement.gx["results"]}


def difference(
    one: Mapping[str, int], other: Mapping[str, int]
) -> dict[str, tuple[int | None, int | None]]:
    names = [*one, *(name for name in other if name not in one)]
    return {n: (one.get(n), other.get(n)) for n in names if one.get(n) != other.get(n)}


@pytest.mark.parametrize("name", CASES)
def test_every_rule_on_rows_is_planted(name: str) -> None:
    rules = {rule.name for rule in load_kind(contract(name)).rules if rule.scope != "table"}
    assert set(CASES[name].planted) == rules


@pytest.mark.parametrize("name", CASES)
def test_good_rows_are_good_to_both(name: str, folder: Path, runs: dict[str, Theirs]) -> None:
    theirs = runs[f"{name}-good"]
    assert theirs.code == 0
    assert not theirs.on_the_table()
    assert not any(theirs.rows().values())
    assert not any(ours(folder, name, "good").values())


@pytest.mark.parametrize("name", CASES)
def test_each_rule_is_broken_by_as_many_rows(
    name: str, folder: Path, runs: dict[str, Theirs]
) -> None:
    theirs = runs[f"{name}-planted"]
    assert theirs.code == 1
    assert not theirs.on_the_table()
    expected = {rule: (it.ours, it.theirs) for rule, it in CASES[name].differ.items()}
    assert difference(ours(folder, name, "planted"), theirs.rows()) == expected


def test_a_key_of_several_columns_is_unique_as_a_whole(runs: dict[str, Theirs]) -> None:
    """Older releases held each of its columns to be unique; the good rows share all but one."""
    for name in ("order", "demand_forecast", "delivery"):
        keys = [c for c in runs[f"{name}-good"].checks if c["type"] in KEYS]
        assert [(c["type"], c["result"]) for c in keys] == [("primary_key_unique", "passed")]


@pytest.mark.parametrize("name", SPOILED)
def test_one_check_that_cannot_run_fails_all_of_theirs(
    name: str, folder: Path, runs: dict[str, Theirs]
) -> None:
    theirs = runs[f"{name}-good"]
    assert theirs.code == 1
    counting = [check for check in theirs.checks if check["type"] not in TABLE]
    assert {"field_required", "field_max_length"} <= {check["type"] for check in counting}
    # The second of two checks with one name gets no result at all.
    assert {check["result"] for check in counting} <= {"failed", None}
    told = {check["reason"] for check in counting if check["result"]}
    assert told
    assert all(SPOILED[name][1] in reason for reason in told)
    assert not any(ours(folder, name, "good").values())


def test_a_table_without_rows_is_refused_by_both(folder: Path, runs: dict[str, Theirs]) -> None:
    theirs = runs["order-empty"]
    assert theirs.code == 1
    assert [name for name, rows in theirs.rows().items() if rows] == ["some_rows"]
    with pytest.raises(TableRefused) as caught:
        ours(folder, "order", "empty")
    assert caught.value.code == "table.empty"


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_other_columns(table: str, runs: dict[str, Theirs]) -> None:
    """We refuse each difference by itself; theirs sees some of them."""
    changes, told = TABLES[table]
    kind = load_kind(contract("order"))
    for name, (sql_type, code) in changes.items():
        actual = {column.name: column.sql_type for column in kind.columns} | {name: sql_type}
        with pytest.raises(TableRefused) as caught:
            check_columns(kind, kind.columns, [(n, t) for n, t in actual.items() if t])
        assert caught.value.code == code
    assert runs[f"order-{table}"].on_the_table() == told
