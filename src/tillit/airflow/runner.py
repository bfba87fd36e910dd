"""DAGs in one process, without a scheduler: for demonstrations and tests. I/O.

What this leaves out of a real Airflow: pools, timeouts of runs, DAGs that an asset starts (start
them yourself), human decisions. Tasks, retries, XCom and assets are real.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tillit import places
from tillit.airflow.environment import environment
from tillit.collector import uncollected
from tillit.home import Home
from tillit.model import isoformat

if TYPE_CHECKING:
    from airflow.sdk import DAG

__all__ = ["imported", "run_dags", "warm_up"]

_QUIET = {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}


def warm_up(home: Home) -> None:
    """Do ahead what the first `run_dags` of a process would begin with; ten seconds and more.

    That is Airflow's imports, its tables, and the interface through which tasks talk to it. The
    exchange is not touched.
    """
    with _logged(home.place("airflow")), uncollected():
        _prepare(home)
        from airflow.sdk.execution_time.supervisor import in_process_api_server

        _dags()
        _make_interface()
        _ = in_process_api_server().transport
    _ = home.lake


def imported(folder: Path) -> None:
    """Do ahead what all homes share: the imports and the interface, four fifths of `warm_up`.

    For a process that runs no DAG itself and is forked into those that do; no thread of it is left
    that a fork would miss. Airflow is told of a folder that nobody will use; ``run.log`` in it
    holds what it says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(_QUIET, AIRFLOW_HOME=str(folder), PYTHONDONTWRITEBYTECODE="")
    with _logged(folder), uncollected():
        from airflow.dag_processing.dagbag import DagBag  # noqa: F401 (to have been imported)

        _make_interface()


def _make_interface() -> None:
    """Ask the interface of tasks for something: only then is it made, in all its versions."""
    import asyncio

    import httpx
    from airflow.sdk.execution_time.supervisor import in_process_api_server

    async def ask() -> None:
        transport = in_process_api_server().atransport
        async with httpx.AsyncClient(
            transport=transport, base_url="http://nowhere.invalid"
        ) as client:
            await client.get("/health")

    asyncio.run(ask())


def run_dags(home: Home, dag_ids: Sequence[str], *, now: datetime) -> dict[str, str]:
    """Run DAGs of this home as of ``now``, one after another; the state that each came to.

    What Airflow says goes to ``airflow/run.log`` in the home. The first call in a process takes
    as long as `warm_up` does, unless that was called. A process serves one home.
    """
    with _logged(home.place("airflow")):
        _prepare(home)
        from tillit.airflow.tasks import lend

        dags = _dags()
        with lend(home):
            return {dag_id: _run(dags[dag_id], now) for dag_id in dag_ids}


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Let what Airflow says go to a file."""
    with (
        (folder / "run.log").open("a", encoding="utf-8") as said,
        redirect_stdout(said),
        redirect_stderr(said),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


_prepared: set[Path] = set()


def _prepare(home: Home) -> None:
    """Tell Airflow where it lives, if need be anew, and make its tables."""
    if home.folder in _prepared:
        return
    os.environ.update(environment(home) | _QUIET)
    known_before = "airflow.settings" in sys.modules
    from airflow import settings
    from airflow.utils.db import initdb

    if known_before:
        # Options are looked up in the environment each time; only the database was opened already.
        settings.configure_vars()  # type: ignore[no-untyped-call]
        settings.configure_orm()  # type: ignore[no-untyped-call]

    logging.getLogger("alembic").setLevel(logging.ERROR)
    initdb()
    _prepared.add(home.folder)


def _dags() -> dict[str, DAG]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(places.dags())
    if bag.import_errors:
        raise RuntimeError(f"DAG files that cannot be parsed: {bag.import_errors}")
    return dict(bag.dags)


def _run(dag: DAG, now: datetime) -> str:
    for task in dag.tasks:
        task.retries = 0  # nobody waits half an hour for a demonstration that has failed
    with _only(dag.dag_id):
        run = dag.test(logical_date=now, run_conf={"now": isoformat(now)})
    return str(run.state)


@contextmanager
def _only(dag_id: str) -> Iterator[None]:
    """Let DAG files make this DAG alone, as when a worker starts its task.

    `DAG.test` parses the whole folder again each time and writes every DAG of it to the database:
    without this, n agreements would cost n times n DAGs.
    """
    name = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"  # what `get_parsing_context` reads
    os.environ[name] = dag_id
    try:
        yield
    finally:
        del os.environ[name]
