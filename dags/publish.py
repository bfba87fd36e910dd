"""Publish under each agreement in which we are the provider, at its cadence.

Each agreement has a DAG of its own. Of more than five hundred those of one cadence share a few,
with a mapped task for each: it is retried, cleared and skipped by itself.

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
from tillit.airflow.schedule import Plan, planned
from tillit.airflow.tasks import DEFAULTS
from tillit.model import isoformat


def publish_dag(plan: Plan) -> DAG:
    """The DAG of one agreement, or of several."""

    @dag(
        dag_id=plan.dag_id,
        schedule=MultipleCronTriggerTimetable(*plan.crons, timezone="UTC"),
        start_date=plan.start,
        end_date=plan.end,
        catchup=False,
        max_active_runs=1,
        default_args=dict(DEFAULTS),
        doc_md=__doc__,
        tags=["tillit", "publish", *plan.tags],
    )
    def flow() -> None:
        if plan.is_one:
            publish(plan.agreements[0].id)
        else:
            publish_one_of.expand_kwargs(
                [
                    {"agreement_id": a.id, "start": isoformat(a.start), "end": isoformat(a.end)}
                    for a in plan.agreements
                ]
            )

    return flow()


@task
def publish(agreement_id: str) -> dict[str, object]:
    """Publish what is due."""
    from tillit.airflow import tasks

    return tasks.publish(agreement_id)


@task(map_index_template="{{ task.op_kwargs['agreement_id'] }}")
def publish_one_of(agreement_id: str, start: str, end: str) -> dict[str, object]:
    """Publish what is due, between the agreement's start and end."""
    from tillit.airflow import tasks

    return tasks.publish_one_of(agreement_id, start, end)


for _plan in planned(home_folder(), only=get_parsing_context().dag_id):
    globals()[_plan.dag_id] = publish_dag(_plan)
