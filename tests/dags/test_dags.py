"""The DAG files as Airflow reads them: which DAGs a home has, when they run, what they promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from croniter import croniter

from tillit import places
from tillit.agreement.new import draft
from tillit.airflow.schedule import MARGIN, crons, dag_id, outgoing, require_readable
from tillit.errors import ConfigError
from tillit.home import create_home
from tillit.kinds import installed
from tillit.model import Cadence, Every

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)

# One process looks at everything once: importing Airflow costs seconds.
LOOK = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(sys.argv[1])
heavy = {name.partition(".")[0] for name in set(sys.modules) - before}
told = {}
for key, dag in bag.dags.items():
    told[key] = {
        "tasks": {t.task_id: [t.owner, t.retries, t.execution_timeout is not None] for t in dag.tasks},
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "active": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": repr(type(dag.timetable).__name__),
        "crons": [t.expression for t in getattr(dag.timetable, "timetables", [])],
        "start": str(dag.start_date), "end": str(dag.end_date),
        "file": dag.fileloc,
    }
print("LOOKED" + json.dumps({"dags": told, "errors": bag.import_errors, "modules": sorted(heavy)}))
"""


def agreement(
    folder: Path, name: str, kind: str, cadence: Cadence, *, consumer: str, **other: Any
) -> None:
    text = draft(
        "nordvik", consumer, installed(None)[kind], START, END, cadence, ["planning"], **other
    )
    file = folder / "agreements" / f"nordvik--{consumer}" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three agreements of its own, one of a partner's, and two files that are none."""
    folder = tmp_path_factory.mktemp("dags") / "home"
    contracts = folder.parent / "contracts"
    (contracts / "kinds").parent.mkdir()
    (contracts / "kinds").symlink_to(places.contracts() / "kinds")
    create_home(folder, party_id="nordvik", name="Nordvik", now=START, contracts=contracts).close()
    week, event = Cadence(Every.WEEK, 12), Cadence(Every.EVENT)
    agreement(contracts, "demand_forecast.yaml", "demand_forecast", week, consumer="fjordstal")
    agreement(contracts, "order.yaml", "order", event, consumer="fjordstal")
    odd = "0.odd-_.id--x.."[:-2]
    agreement(contracts, "odd.yaml", "order", event, consumer="havglass", agreement_id=odd)
    stray = contracts / "agreements" / "nordvik--skogtre"
    stray.mkdir()
    good = (contracts / "agreements" / "nordvik--fjordstal" / "order.yaml").read_text()
    line = next(line for line in good.splitlines() if line.startswith("id: "))
    for name, identifier in {
        "quote.yaml": "a'); import os; ('",
        "path.yaml": "../../etc",
        "space.yaml": "a b",
    }.items():
        stray.joinpath(name).write_text(good.replace(line, f"id: {json.dumps(identifier)}"))
    theirs = contracts / "agreements" / "fjordstal--nordvik"
    theirs.mkdir()
    theirs.joinpath("order.yaml").write_text(
        good.replace("provider: nordvik", "provider: fjordstal").replace(
            "consumer: fjordstal", "consumer: nordvik"
        )
    )
    return folder


def look(folder: Path, home: Path | None) -> dict[str, Any]:
    """What Airflow finds in dags/, in a process of its own; its tables are not needed for that."""
    settings = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TILLIT"))},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    if home is not None:
        settings["TILLIT_HOME"] = str(home)
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK, str(places.dags())],
        env=settings,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found: dict[str, Any] = json.loads(result.stdout.rpartition("LOOKED")[2])
    return found


@pytest.fixture(scope="module")
def found(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return look(tmp_path_factory.mktemp("airflow"), home)


@pytest.fixture(scope="module")
def dags(found: dict[str, Any]) -> Mapping[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = found["dags"]
    return told


def test_there_is_a_dag_for_each_agreement_of_ours_and_one_each_to_receive_and_measure(
    dags: Mapping[str, Any],
) -> None:
    assert set(dags) == {
        "publish.nordvik--fjordstal.demand_forecast",
        "publish.nordvik--fjordstal.order",
        "publish.0.odd-_.id--x",
        "custody",
        "proposal",
        "proposals",
        "receive",
        "trust",
    }


def test_what_is_no_agreement_is_named_and_stops_nothing_else(found: dict[str, Any]) -> None:
    assert [Path(file).name for file in found["errors"]] == ["unreadable.py"]
    (error,) = found["errors"].values()
    for name in ("quote.yaml", "path.yaml", "space.yaml"):
        assert f"nordvik--skogtre/{name}" in error
    assert "order.yaml" not in error


def test_parsing_imports_nothing_heavy(found: dict[str, Any]) -> None:
    heavy = {"duckdb", "great_expectations", "cryptography", "pyarrow", "pandas", "paramiko"}
    assert "tillit" in found["modules"]
    assert not heavy & set(found["modules"])


def test_each_dag_says_who_owns_it_when_it_runs_and_what_to_do(dags: Mapping[str, Any]) -> None:
    for key, dag in dags.items():
        for words in ("**Owner**", "**Runs**", "**If it is late**", "**If it fails**"):
            assert words in dag["doc"], key
        assert "tillit" in dag["tags"]
        assert 1 <= len(dag["tasks"]) <= 3
        # One run for each proposal, for as long as a person takes.
        assert dag["active"] == (1000 if key == "proposal" else 1)
        assert dag["catchup"] is False
        for owner, retries, limited in dag["tasks"].values():
            assert owner in {"supply-chain", "relationship-management"}
            assert retries >= 3
            assert limited
    assert {"publish", "fjordstal", "order"} <= set(
        dags["publish.nordvik--fjordstal.order"]["tags"]
    )


def test_dags_run_as_their_agreements_say(dags: Mapping[str, Any]) -> None:
    forecast = dags["publish.nordvik--fjordstal.demand_forecast"]
    # A week begins on Monday 00:00; 12 hours before is Sunday noon, and six before that is 06:00.
    assert forecast["crons"] == ["0 6 * * 0"]
    assert dags["publish.nordvik--fjordstal.order"]["crons"] == ["17 * * * *"]
    assert (forecast["start"][:10], forecast["end"][:10]) == ("2026-01-01", "2030-01-01")
    assert "Asset" in dags["receive"]["schedule"]
    assert "Asset" in dags["trust"]["schedule"]


def test_without_a_home_airflow_says_what_is_missing(tmp_path: Path) -> None:
    found = look(tmp_path, None)
    assert not set(found["dags"]) - {"custody", "proposal", "proposals", "trust"}
    assert {Path(file).name for file in found["errors"]} == {
        "publish.py",
        "receive.py",
        "unreadable.py",
    }
    for error in found["errors"].values():
        assert "Airflow does not know whose schedule to run; expected TILLIT_HOME" in error


def test_a_task_reads_its_own_agreement_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path), whole(path))[1])
    (one,) = outgoing(home, only="publish.nordvik--fjordstal.order")
    assert one.id == "nordvik--fjordstal.order"
    assert [path.name for path in read] == ["order.yaml"]
    (odd,) = outgoing(home, only="publish.0.odd-_.id--x")
    assert dag_id(odd.id) == "publish.0.odd-_.id--x"
    assert outgoing(home, only="publish.of.nobody") == []


def test_of_two_versions_the_one_that_ends_last_is_scheduled(tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    (contracts).mkdir()
    (contracts / "kinds").symlink_to(places.contracts() / "kinds")
    home = tmp_path / "home"
    create_home(home, party_id="nordvik", name="N", now=START, contracts=contracts).close()
    for name, every in (("order-2.yaml", Every.DAY), ("order.yaml", Every.EVENT)):
        agreement(contracts, name, "order", Cadence(every), consumer="fjordstal")
    renewed = contracts / "agreements" / "nordvik--fjordstal" / "order-2.yaml"
    renewed.write_text(renewed.read_text().replace("2030-01-01", "2031-01-01"))
    (chosen,) = outgoing(home)
    assert chosen.cadence.every is Every.DAY
    require_readable(home)
    renewed.write_text("id: [")
    with pytest.raises(ConfigError, match=r"order-2\.yaml"):
        require_readable(home)
    (left,) = outgoing(home)
    assert left.cadence.every is Every.EVENT


CADENCES = [
    Cadence(Every.HOUR, 0),
    Cadence(Every.HOUR, 0.5),
    *(Cadence(Every.DAY, hours) for hours in (0, 12, -6, 30.25)),
    *(Cadence(Every.WEEK, hours) for hours in (0, 12, 72, -48, -168, 7.5)),
    *(Cadence(Every.MONTH, hours) for hours in (0, 12, 240, -48, -744, 720)),
]


@pytest.mark.parametrize("cadence", CADENCES, ids=lambda c: f"{c.every}{c.cut_off_hours:+}")
def test_each_period_is_published_before_its_cut_off_and_none_is_left_out(
    cadence: Cadence,
) -> None:
    first = datetime(2027, 11, 3, 0, 0, tzinfo=UTC)  # and over a leap day
    last = first + (timedelta(days=500) if cadence.every is Every.MONTH else timedelta(days=120))
    fires = sorted(
        {when for expression in crons(cadence) for when in iterate(expression, first, last)}
    )
    served = [cadence.next_due(when) for when in fires]
    assert len(served) > 10
    for when, period in zip(fires, served, strict=True):
        assert when <= period.cut_off
        # No earlier than needed: a day more at most, around a leap day, and an hour if hourly.
        early = timedelta(hours=1) if cadence.every is Every.HOUR else MARGIN + timedelta(days=1)
        assert period.cut_off - when <= early
    for before, after in pairwise(served):
        assert after.start == before.end


def iterate(expression: str, first: datetime, last: datetime) -> list[datetime]:
    found, times = [], croniter(expression, first)
    while (when := times.get_next(datetime)) < last:
        found.append(when.astimezone(UTC))
    return found


def test_events_are_looked_for_every_hour() -> None:
    assert crons(replace(Cadence(Every.EVENT), cut_off_hours=-24)) == ["17 * * * *"]
