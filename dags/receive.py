"""Receive whatever waits in our mailbox: verify, open, judge, land, acknowledge.

**Owner** supply-chain. **Runs** when the doorbell rings: seconds after something arrives.

**If it is late** partners wait for receipts; nothing is lost, everything stays in the mailbox.

**If it fails** the database, the lake or the mailbox could not be reached: it is tried again, and
the doorbell rings every minute while anything waits. Refusals do not fail it: they are recorded,
answered, and listed by `tillit ledger list --type receipt`. Running it twice lands nothing twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, AssetWatcher, dag, task

from tillit.airflow.doorbell import Doorbell
from tillit.airflow.environment import home_folder
from tillit.airflow.tasks import DEFAULTS

mailbox = Asset(
    "tillit_mailbox",
    watchers=[AssetWatcher(name="doorbell", trigger=Doorbell(home=str(home_folder())))],
)
landed = Asset("tillit_landed")


@dag(
    dag_id="receive",
    schedule=[mailbox],
    catchup=False,
    max_active_runs=1,
    # Soon again and not for long: while this run waits no other can start, and once it has failed
    # the doorbell starts one as soon as the mailbox can be reached.
    default_args={
        **DEFAULTS,
        "retries": 3,
        "retry_delay": timedelta(seconds=10),
        "max_retry_delay": timedelta(minutes=1),
    },
    doc_md=__doc__,
    tags=["tillit", "receive"],
)
def flow() -> None:
    """One task for all that waits: a task costs more than a small shipment."""

    @task(outlets=[landed])
    def receive() -> dict[str, int]:
        from tillit.airflow import tasks

        return tasks.receive()

    receive()


flow()
