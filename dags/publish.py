"""Publish under each agreement in which we are the provider, at its cadence.

**Owner** supply-chain. **Runs** six hours before the cut-off of the period that is due next.

**If it is late** the partner plans without us, and the missing cells count as not shared.

**If it fails** the log says what was expected and found. A refusal (an agreement that is not in
force, a table without rows) has to be mended and the run cleared; what could not be reached is
tried again by itself. Running it twice sends nothing twice, and a run that
starts late publishes what was due when it should have started.
"""

from __future__ import annotations

from airflow.sdk import DAG, MultipleCronTriggerTimetable, dag, get_parsing_context, task

from tillit.airflow.environment import home_folder
from tillit.airflow.schedule import crons, dag_id, outgoing
from tillit.airflow.tasks import DEFAULTS
from tillit.model import Agreement


def publish_dag(agreement: Agreement) -> DAG:
    """The DAG of one agreement."""

    @dag(
        dag_id=dag_id(agreement.id),
        schedule=MultipleCronTriggerTimetable(*crons(agreement.cadence), timezone="UTC"),
        start_date=agreement.start,
        end_date=agreement.end,
        catchup=False,
        max_active_runs=1,
        default_args=dict(DEFAULTS),
        doc_md=__doc__,
        tags=["tillit", "publish", agreement.consumer, agreement.kind],
    )
    def flow() -> None:
        @task
        def publish(agreement_id: str) -> dict[str, object]:
            from tillit.airflow import tasks

            return tasks.publish(agreement_id)

        publish(agreement.id)

    return flow()


for _agreement in outgoing(home_folder(), only=get_parsing_context().dag_id):
    globals()[dag_id(_agreement.id)] = publish_dag(_agreement)
