"""Who is told of alarms, and that each is told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.context import Context

from tillit import places
from tillit.airflow.alerts import ALERTS, notifiers
from tillit.errors import ConfigError
from tillit.home import Home, create_home
from tillit.trust.news import new_alarms

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
ONE = "the first of two alarms, 5 % and a \u00f8"

RUN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tillit.home import Home
home = Home.open(Path(sys.argv[1]))
from tillit.airflow.runner import run_dags, warm_up
warm_up(home)  # Airflow reads its environment when it is first imported
from tillit.airflow import tasks
now = datetime(2026, 3, 2, 6, tzinfo=UTC)
for alarms in (["the first of two alarms, 5 % and a \u00f8", "the second"], []):
    tasks.measure = lambda: {"scores": {}, "alarms": alarms}
    print("RAN", run_dags(home, ["trust"], now=now))
home.close()
"""


class Noted(BaseNotifier):
    """Writes what it is told at the end of a file."""

    template_fields = ("message",)

    def __init__(self, path: str, message: str) -> None:
        super().__init__()
        self.path, self.message = path, message

    def notify(self, context: Context) -> None:
        with Path(self.path).open("a", encoding="utf-8") as file:
            file.write(f"{self.message}\n")


def named(**how: Any) -> str:
    return json.dumps([{"notifier": "tests.dags.test_alerts.Noted", **how}])


def test_nobody_is_told_where_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALERTS, raising=False)
    assert notifiers() == []
    monkeypatch.setenv(ALERTS, "  ")
    assert notifiers() == []


def test_notifiers_are_made_as_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALERTS, named(path="x", message="y"))
    (made,) = notifiers()
    assert (cast("Noted", made).path, cast("Noted", made).message) == ("x", "y")
    (mail,) = notifiers(
        json.dumps(
            [
                {
                    "notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
                    "to": "relations@nordvik.example",
                    "html_content": '{{ ti.xcom_pull(task_ids="alert") }}',
                }
            ]
        )
    )
    assert type(mail).__name__ == "SmtpNotifier"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[1]",
        "[{}]",
        '[{"notifier": "no.such.module.Class"}]',
        '[{"notifier": "json.dumps"}]',
        '[{"notifier": "os.path"}]',
        named(path="x"),
        named(path="x", message="y", more="z"),
    ],
)
def test_what_names_no_notifier_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=ALERTS):
        notifiers(text)


def test_alarms_reach_a_notifier_of_airflows_and_no_alarm_reaches_nobody(tmp_path: Path) -> None:
    home, noted = tmp_path / "home", tmp_path / "noted.txt"
    create_home(home, party_id="nordvik", name="Nordvik", now=NOW).close()
    message = '{{ ti.xcom_pull(task_ids="alert") }}'
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TILLIT"))},
        ALERTS: named(path=str(noted), message=message),
        "PYTHONPATH": os.pathsep.join([str(places.dags().parent), *sys.path]),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, str(home)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout.count("RAN {'trust': 'success'}") == 2, ran.stderr[-2000:]
    assert noted.read_text(encoding="utf-8") == f"{ONE}\nthe second\n"


def shown(*alarms: str) -> dict[str, Any]:
    told = [
        {
            "kind": kind,
            "what": "demand_forecast.quantity",
            "says": f"{kind} of it",
            "ended": None,
            "chance": 0.01,
            "told": kind != "erosion",
        }
        for kind in alarms
    ]
    names = {"partner": "p", "direction": "in", "sender": "p", "receiver": "us"}
    return {"directions": [{**names, "alarms": told}]}


def test_an_alarm_is_told_once_and_again_after_it_had_ended() -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create schema trust")
        connection.execute("create table trust.input (as_of timestamptz)")
        connection.execute(
            "create table trust.alarm (as_of timestamptz, partner varchar, direction varchar, "
            "kind varchar, what varchar, told boolean)"
        )

        def ran(day: int, *kinds: str) -> None:
            connection.execute("insert into trust.input values ($1)", [NOW.replace(day=day)])
            for kind in kinds:
                connection.execute(
                    "insert into trust.alarm values ($1, 'p', 'in', $2, $3, true)",
                    [NOW.replace(day=day), kind, "demand_forecast.quantity"],
                )

        home = cast("Home", SimpleNamespace(lake=SimpleNamespace(connection=connection)))

        def new(day: int, *kinds: str) -> int:
            return len(new_alarms(home, shown(*kinds), before=NOW.replace(day=day)))

        assert new(2, "drop", "erosion") == 1  # the other is not sure enough to be told
        ran(3, "drop")
        # The run of the third is asked again after it was killed: it still tells its own.
        assert new(3, "drop") == 1
        assert new(4, "drop") == 0
        assert new(4, "drop", "silence") == 1
        ran(5)
        assert new(6, "drop") == 1
