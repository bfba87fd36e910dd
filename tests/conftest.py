"""What tests of several folders share."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tillit.database import Database

_NUMBERS = itertools.count()

# At each start pytest closes its common folder to all other accounts. The embedded servers of a run
# beside it, which do not run as root, would lose their files: each run has a folder of its own.
if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
    os.environ["PYTEST_DEBUG_TEMPROOT"] = _OWN = tempfile.mkdtemp(prefix="tillit-tests-")
else:
    _OWN = ""


def pytest_sessionfinish(exitstatus: int) -> None:
    """Remove the folder of a run in which all is well; else it tells what was wrong."""
    if _OWN and exitstatus == 0:
        shutil.rmtree(_OWN, ignore_errors=True)


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One embedded PostgreSQL for all workers of a run: they share it as processes of one home."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres"


@pytest.fixture(scope="session")
def database(server_folder: Path) -> Iterator[Database]:
    """The run's PostgreSQL, open."""
    with Database.open(None, server_folder) as opened:
        yield opened


@pytest.fixture
def fresh_schema(database: Database) -> Iterator[Callable[[], sa.Engine]]:
    """Makes engines that each see an empty database: a schema of its own, which costs less."""
    made: list[sa.Engine] = []

    def make() -> sa.Engine:
        base = database.engine("ledger")
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw")
        name = f"t_{worker}_{os.getpid()}_{next(_NUMBERS)}"
        with base.begin() as connection:
            connection.execute(sa.text(f"create schema {name}"))
        options = f"-c search_path={name} -c timezone=UTC -c lock_timeout=20000"
        made.append(sa.create_engine(base.url, connect_args={"options": options}))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()
