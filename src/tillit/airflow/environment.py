"""Settings under which Airflow runs a home's schedule. I/O: starts the home's database.

Each setting that differs from Airflow's default has its reason beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

from tillit import places
from tillit.errors import HomeError
from tillit.home import Home

__all__ = ["HOME_VARIABLE", "environment", "home_folder"]

HOME_VARIABLE = "TILLIT_HOME"


def home_folder() -> Path:
    """The home that this process works for; HomeError when the environment names none.

    DAG files ask this when they are parsed: which DAGs there are depends on whose home it is, and
    Airflow has no other way to tell them.
    """
    folder = os.environ.get(HOME_VARIABLE)
    if not folder:
        raise HomeError(
            "missing", "Airflow does not know whose schedule to run", expected=HOME_VARIABLE
        )
    return Path(folder)


def environment(home: Home) -> dict[str, str]:
    """Variables for every Airflow process of this home, standalone or apart."""
    return {
        HOME_VARIABLE: str(home.folder),
        "AIRFLOW_HOME": str(home.place("airflow")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(places.dags()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # A task costs .3 s of CPU and 60 MB; two cores do no more than four at once.
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": home.database.sqlalchemy_url("airflow"),
        # With the default of 5 s a finished task is reported late and holds its slot that long.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # Triggers of new agreements and of the doorbell are picked up soon.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # Without byte-code on disk every task imports for nine seconds.
        "PYTHONDONTWRITEBYTECODE": "",
        "GX_ANALYTICS_ENABLED": "false",
    }
