"""Settings under which Airflow runs a home's schedule. I/O: starts the home's database.

Each setting that differs from Airflow's default has its reason beside it.
"""

from __future__ import annotations

import os
import secrets
import shlex
from pathlib import Path

from tillit import places
from tillit.errors import HomeError, KeyFileError
from tillit.home import Home

__all__ = ["HOME_VARIABLE", "PASSPHRASE_VARIABLE", "environment", "home_folder", "passphrase"]

HOME_VARIABLE = "TILLIT_HOME"
PASSPHRASE_VARIABLE = "TILLIT_PASSPHRASE_FILE"  # noqa: S105 (a name)


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


def passphrase() -> bytes:
    """The passphrase of the keys, out of the private file that the environment names.

    Nobody is there to be asked. Raises KeyFileError without a file, or for one others may read.
    """
    from tillit.crypto.secret_file import read_secret

    file = os.environ.get(PASSPHRASE_VARIABLE)
    if not file:
        raise KeyFileError(
            "passphrase", "the keys are locked", expected=PASSPHRASE_VARIABLE, found="none"
        )
    return read_secret(Path(file)).rstrip(b"\r\n")


def environment(home: Home, *, port: int = 8080) -> dict[str, str]:
    """Variables for every Airflow process of this home, standalone or apart.

    The home's database has to run as long as they do: the embedded one stops when nobody holds it.
    """
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
        # New agreements are found within a minute, not within five.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        # A parse of the few files takes .3 s of CPU: two at once, every half minute, is too much.
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        # Nobody else's machine: tasks and people on this one. A proxy opens it to others.
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        # Signs the tokens of tasks. Airflow's own would be 16 random bytes, too few for SHA-512. A
        # command, because variables are seen by more eyes than a private file.
        "AIRFLOW__API_AUTH__JWT_SECRET_CMD": f"cat {shlex.quote(str(_token_key(home)))}",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        # Without byte-code on disk every task imports for nine seconds.
        "PYTHONDONTWRITEBYTECODE": "",
        "GX_ANALYTICS_ENABLED": "false",
    }


def _token_key(home: Home) -> Path:
    """The file with the key of Airflow's tokens, made once."""
    from tillit.crypto.secret_file import write_secret

    path = home.place("airflow") / "tokens.key"
    if not path.exists():
        write_secret(path, secrets.token_hex(64).encode())
    return path
