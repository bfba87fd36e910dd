"""Measure how much information partners share with us, and keep it in the lake.

**Owner** relationship management. **Runs** each morning, and when new evidence has landed.

**If it is late** scores are those of the day before; nothing else depends on it.

**Alarms** go to the notifiers that `TILLIT_ALERTS` names, each once; docs/airflow.md shows how.

**If it fails** the log names the query. Running it again gives the same figures.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from tillit.airflow.alerts import notifiers
from tillit.airflow.tasks import DEFAULTS


@dag(
    dag_id="trust",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("30 5 * * *", timezone="UTC"),
        assets=[Asset("tillit_landed")],
    ),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULTS, "owner": "relationship-management"},
    doc_md=__doc__,
    tags=["tillit", "trust"],
)
def flow() -> None:
    """Measure, and tell people of what is alarming: each alarm once."""

    @task
    def measure() -> dict[str, Any]:
        from tillit.airflow import tasks

        return tasks.measure()

    @task(on_success_callback=notifiers())
    def alert(measured: dict[str, Any]) -> str:
        from tillit.airflow import tasks

        return tasks.alert(measured)

    alert(measure())


flow()
