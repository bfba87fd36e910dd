"""Ask a person about each proposal that waits for us: approve, decline with a reason, or counter.

**Owner** supply-chain. **Runs** after whatever was received, and every morning; each proposal gets
one run of `proposal`, which waits under *Required actions* until somebody answers.

**If it is late** the partner waits for our word; nothing is shared meanwhile.

**If it fails** the answer could not be carried out: the proposal was taken back, another version
was signed, or it cannot be signed as it is. The log says which; on the command line the same is
done by `tillit agreement sign`, `decline` and `counter`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    Asset,
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    Param,
    dag,
    get_current_context,
    task,
)

from tillit.airflow.tasks import DEFAULTS


@dag(
    dag_id="proposals",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("7 6 * * *", timezone="UTC"), assets=[Asset("tillit_landed")]
    ),
    catchup=False,
    max_active_runs=1,
    default_args=dict(DEFAULTS),
    doc_md=__doc__,
    tags=["tillit", "agreements"],
)
def proposals() -> None:
    """Start a run for each proposal that has none."""

    @task
    def waiting() -> list[dict[str, Any]]:
        from tillit.airflow import tasks

        return tasks.proposals()

    TriggerDagRunOperator.partial(
        task_id="ask", trigger_dag_id="proposal", skip_when_already_exists=True
    ).expand_kwargs(waiting())


@dag(
    dag_id="proposal",
    schedule=None,
    catchup=False,
    max_active_runs=1000,
    default_args=dict(DEFAULTS),
    doc_md=__doc__,
    tags=["tillit", "agreements"],
)
def proposal() -> None:
    """One proposal: ask, and do what the person says."""
    decide = HITLOperator(
        task_id="decide",
        subject="{{ dag_run.conf['subject'] }}",
        body="{{ dag_run.conf['body'] }}",
        options=["approve", "decline", "counter"],
        params={
            "reason": Param("", type="string", title="Why not", maxLength=1000),
            "text": Param("", type="string", format="multiline", title="The text to answer with"),
        },
        # A person may take weeks.
        response_timeout=timedelta(days=90),
        execution_timeout=timedelta(minutes=10),
        # In Airflow 3.3.2 an answer within a second fails the task: the question is put again.
        retry_delay=timedelta(seconds=5),
    )

    @task
    def carry_out(answer: Any) -> str:
        from tillit.airflow import tasks

        return tasks.carry_out(get_current_context()["dag_run"].conf or {}, answer)

    carry_out(decide.output)


proposals()
proposal()
