"""Measure how much information partners share with us, and keep it in the lake.

**Owner** relationship management. **Runs** each morning, and when new evidence has landed.

**If it is late** scores are those of the day before; nothing else depends on it.

**If it fails** the log names the query. Running it again gives the same figures.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable, dag, task

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
    """One task: the SQL of transforms/trust."""

    @task
    def measure() -> dict[str, float | None]:
        from tillit.airflow import tasks

        return tasks.measure()

    measure()


flow()
