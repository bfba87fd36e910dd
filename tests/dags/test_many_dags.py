"""Of very many agreements several share a DAG; what the contracts folder says is remembered."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.dags.test_dags import START, agreement, look

from tillit import places
from tillit.airflow import looked as looked_module
from tillit.airflow import schedule, tasks
from tillit.airflow.looked import look as really_look
from tillit.airflow.schedule import MOST_DAGS, crons, outgoing, planned, require_readable
from tillit.errors import ConfigError
from tillit.home import create_home
from tillit.model import Cadence, Every

WEEK, DAY = Cadence(Every.WEEK, 12), Cadence(Every.DAY, 7.5)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (contracts / "kinds").symlink_to(places.contracts() / "kinds")
    folder = tmp_path / "home"
    create_home(folder, party_id="nordvik", name="N", now=START, contracts=contracts).close()
    return folder


def fill(home: Path, names: list[str], cadence: Cadence) -> None:
    """Many agreements out of one text."""
    contracts = home.parent / "contracts"
    agreement(contracts, "first.yaml", "order", cadence, consumer="fjordstal", agreement_id="first")
    first = contracts / "agreements" / "nordvik--fjordstal" / "first.yaml"
    text = first.read_text(encoding="utf-8")
    first.unlink()
    for name in names:
        first.with_name(f"{name}.yaml").write_text(text.replace("id: first", f"id: {name}"))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if everything had lain there for long."""
    whole = time.time_ns
    monkeypatch.setattr(looked_module.time, "time_ns", lambda: whole() + 60 * 10**9)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []

    def reading(file: Path) -> Any:
        names.append(file.name)
        return really_look(file)

    monkeypatch.setattr(looked_module, "look", reading)
    monkeypatch.setattr(schedule, "look", reading)
    return names


def remembered(home: Path) -> Path:
    return home / "cache" / "schedule.jsonl"


def test_very_many_agreements_share_dags(home: Path, tmp_path: Path) -> None:
    fill(home, [f"w{i}" for i in range(MOST_DAGS)], WEEK)
    assert len(planned(home)) == MOST_DAGS
    fill(home, [f"d{i}" for i in range(MOST_DAGS + 7)], DAY)
    found = look(tmp_path, home)
    assert not found["errors"]
    many = {key: dag for key, dag in found["dags"].items() if key.startswith("publish")}
    assert "publish-many.week.12h" in many
    assert min(many) == "publish-many.day.7.5h.0"
    assert len(many) == 1 + 16
    for key, dag in many.items():
        assert dag["crons"] == crons(WEEK if ".week" in key else DAY)
        assert set(dag["tasks"]) == {"publish_one_of"}
        assert dag["catchup"] is False


def test_each_agreement_is_in_one_part_and_stays_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MOST_DAGS", 10)
    monkeypatch.setattr(schedule, "_MOST_TASKS", 10)
    fill(home, [f"w{i}" for i in range(40)], WEEK)
    before = {a.id: plan.dag_id for plan in planned(home) for a in plan.agreements}
    assert len(before) == 40 == sum(len(plan.agreements) for plan in planned(home))
    fill(home, ["one-more"], WEEK)
    after = {a.id: plan.dag_id for plan in planned(home) for a in plan.agreements}
    assert {name: after[name] for name in before} == before
    part = after["one-more"]
    (alone,) = planned(home, only=part)
    assert {a.id for a in alone.agreements} == {name for name, p in after.items() if p == part}
    # What was started while each had a DAG of its own goes on.
    (own,) = planned(home, only="publish.w3")
    assert [a.id for a in own.agreements] == ["w3"]
    assert planned(home, only="publish-many.never") == []


@pytest.mark.parametrize(
    ("when", "runs"), [("2025-12-31", False), ("2026-01-01", True), ("2030-01-01", False)]
)
def test_a_part_skips_what_has_not_begun_or_has_ended(
    monkeypatch: pytest.MonkeyPatch, when: str, *, runs: bool
) -> None:
    monkeypatch.setattr(tasks, "_due_at", lambda: datetime.fromisoformat(when).replace(tzinfo=UTC))
    monkeypatch.setattr(tasks, "publish", lambda agreement_id: {"published": agreement_id})
    bounds = ("2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z")
    if runs:
        assert tasks.publish_one_of("a", *bounds) == {"published": "a"}
    else:
        with pytest.raises(tasks.AirflowSkipException, match="2026"):
            tasks.publish_one_of("a", *bounds)


@pytest.mark.usefixtures("later")
def test_a_file_is_read_again_when_it_was_changed_and_only_then(
    home: Path, read: list[str]
) -> None:
    fill(home, ["aa", "bb", "cc"], WEEK)
    plain = outgoing(home)
    assert sorted(read) == ["aa.yaml", "bb.yaml", "cc.yaml"]
    read.clear()
    assert outgoing(home) == plain
    assert read == []
    assert remembered(home).stat().st_mode & 0o777 == 0o600
    file = home.parent / "contracts" / "agreements" / "nordvik--fjordstal" / "bb.yaml"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    # As long as before, and its time set back: a change shows all the same.
    file.write_bytes(file.read_bytes().replace(b"every: week", b"every: hour"))
    os.utime(file, ns=times)
    assert [a.cadence.every for a in outgoing(home)] == [Every.WEEK, Every.HOUR, Every.WEEK]
    assert read == ["bb.yaml"]
    file.write_bytes(b"id: [")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"bb\.yaml"):
            require_readable(home)
    assert read == ["bb.yaml"] * 2
    remembered(home).unlink()
    assert [a.id for a in outgoing(home)] == ["aa", "cc"]


def test_what_was_changed_just_now_is_not_remembered(home: Path, read: list[str]) -> None:
    fill(home, ["aa"], WEEK)
    outgoing(home)
    outgoing(home)
    assert read == ["aa.yaml", "aa.yaml"]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda _: {"id": "a"},
        lambda said: {**said, "end": "soon"},
        lambda said: {**said, "cadence": {"every": "never", "cut_off_hours": 1}},
    ],
)
def test_what_nobody_could_have_remembered_is_read_again(
    home: Path, read: list[str], change: Callable[[Any], Any]
) -> None:
    fill(home, ["aa"], WEEK)
    plain = outgoing(home)
    (line,) = [json.loads(x) for x in remembered(home).read_text().splitlines() if x]
    remembered(home).write_text(json.dumps([line[0], change(line[1])]) + "\n")
    assert outgoing(home) == plain
    assert read == ["aa.yaml"] * 2
