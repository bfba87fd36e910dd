"""Several processes on one home: they share its server and its chains, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.ledgers import verify

from tillit.database import Database
from tillit.ledger.fsck import verify_ledger
from tillit.ledger.store import Ledger

ROOT = Path(__file__).resolve().parents[2]

APPEND = """
import sys
from pathlib import Path
from tests.ledgers import NOW, make, notice, seal
from tillit.database import Database
from tillit.ledger.store import Ledger

folder, count, who = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with Database.open(None, folder) as database:
    ledger = Ledger(database.engine("ledger"), "nordvik")
    for number in range(count):
        def build(position):
            said = make("nordvik", "fjordstal", position, notice(f"{who} {number}"))
            return seal(said), said
        ledger.append_sent(build, "fjordstal", now=NOW)
"""

CHURN = """
import os, random, signal, sys, time
from pathlib import Path
import sqlalchemy as sa
from tillit.database import Database

folder, seed, until = Path(sys.argv[1]), random.Random(int(sys.argv[2])), time.time() + 5
while time.time() < until:
    database = Database.open(None, folder)
    with database.engine("ledger").connect() as connection:
        assert connection.scalar(sa.text("select 1")) == 1
    time.sleep(seed.random() * 0.05)
    if seed.random() < 0.1:
        os.kill(os.getpid(), signal.SIGKILL)
    database.close()
    time.sleep(seed.random() * 0.05)
"""

HOLD = """
import sys, time
from pathlib import Path
from tillit.database import Database

with Database.open(None, Path(sys.argv[1])) as database, database.lock("held", 5):
    print("held", flush=True)
    time.sleep(60)
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=120)
    return process.returncode


@pytest.mark.slow
def test_appends_of_four_processes_make_one_chain(tmp_path: Path) -> None:
    """On a folder where there is nothing yet, so that they also race to make it."""
    folder = tmp_path / "postgres"
    assert [ended(p) for p in [start(APPEND, folder, 50, who) for who in "abcd"]] == [0] * 4
    with Database.open(None, folder) as database:
        engine = database.engine("ledger")
        entries = Ledger(engine, "nordvik").entries()
        report = verify_ledger(engine, "nordvik", verify)
    assert [e.seq for e in entries] == list(range(1, 201))
    said = sorted(e.statement.body.reason for e in entries)  # type: ignore[union-attr]
    assert said == sorted(f"{who} {n}" for who in "abcd" for n in range(50))
    assert (report.statements, report.findings) == (200, ())


@pytest.mark.slow
def test_a_killed_appender_leaves_no_gap(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    with Database.open(None, folder) as database:
        ledger = Ledger(database.engine("ledger"), "nordvik")
        for round_ in range(3):
            before = len(ledger.entries())
            process = start(APPEND, folder, 100_000, f"killed {round_}")
            deadline = time.monotonic() + 60
            while len(ledger.entries()) < before + 5:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.kill()
            assert ended(process) == -signal.SIGKILL
        assert ended(start(APPEND, folder, 5, "after")) == 0
        entries = ledger.entries()
        report = verify_ledger(database.engine("ledger"), "nordvik", verify)
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert report.findings == ()


@pytest.mark.slow
def test_processes_that_come_go_and_are_killed_hurt_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    for round_ in range(2):
        codes = [ended(p) for p in [start(CHURN, folder, 4 * round_ + n) for n in range(4)]]
        assert set(codes) <= {0, -signal.SIGKILL}
    Database.open(None, folder).close()
    assert not (folder / "data" / "postmaster.pid").exists()  # the last to leave stopped it


def test_a_killed_holder_gives_the_lock_back(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    holder = start(HOLD, folder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with Database.open(None, folder) as database:
        holder.kill()
        assert ended(holder) == -signal.SIGKILL
        with database.lock("held", 10):
            pass


@pytest.mark.parametrize("half", ["data.new-1", "data.new-999999"])
def test_a_start_that_was_killed_half_way_is_done_again(tmp_path: Path, half: str) -> None:
    folder = tmp_path / "postgres"
    (folder / half / "base").mkdir(parents=True)
    (folder / half / "PG_VERSION").write_text("18\n")
    Database.open(None, folder).close()
    assert not (folder / half).exists()
    assert (folder / "data" / "PG_VERSION").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_a_killed_server_is_started_again_with_everything_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    with Database.open(None, folder):
        assert ended(start(APPEND, folder, 10, "before")) == 0
        server = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(server, signal.SIGKILL)
        with Database.open(None, folder) as again:
            ledger = Ledger(again.engine("ledger"), "nordvik")
            assert len(ledger.entries()) == 10
            assert ended(start(APPEND, folder, 1, "after")) == 0
            assert len(ledger.entries()) == 11
