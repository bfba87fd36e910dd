"""Delete what was received and may not be kept any longer, and certify that to its providers.

**Owner** relationship management. **Runs** each morning at 04:30 UTC, an hour before
trust is measured: the marts with single values go as well, and are made anew from what is left.

**If it is late** what is due stays: a day after its date partners see it as overdue. A certificate
carries its own date, so that late is late.

**If it fails** others were writing to the lake, or database or lake could not be reached: it is
tried again. A run that was killed is finished by the next; nothing is certified twice, and nothing
before it is destroyed. `tillit custody list` shows what is still to be done.
"""

from __future__ import annotations

from airflow.sdk import CronTriggerTimetable, dag, task

from tillit.airflow.tasks import DEFAULTS


@dag(
    dag_id="custody",
    schedule=CronTriggerTimetable("30 4 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULTS, "owner": "relationship-management"},
    doc_md=__doc__,
    tags=["tillit", "custody"],
)
def flow() -> None:
    """One task: what is deleted is destroyed for all shipments at once."""

    @task
    def keep() -> dict[str, int]:
        from tillit.airflow import tasks

        return tasks.keep_custody()

    keep()


flow()
