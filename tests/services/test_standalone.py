"""Production in small: Airflow's real processes, a mailbox that fills at once, a task that is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import psutil
import pytest

from tillit.agreement.new import draft
from tillit.demo import acts
from tillit.demo.model import Want, write_tables
from tillit.demo.world import simulate
from tillit.exchange.agreements import find, propose
from tillit.exchange.audit import verify_ledger
from tillit.exchange.deliver import deliver
from tillit.exchange.publish import publish
from tillit.exchange.receive import receive
from tillit.home import Home
from tillit.model import Cadence, Every

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(290)]

BUYER, SUPPLIER = "nordvik", "fjordstal"
SHIPMENTS = 50
DELIVERIES = f"{SUPPLIER}--{BUYER}.delivery"
PROPOSED = f"{SUPPLIER}--{BUYER}.order"
ORDERS = f"{BUYER}--{SUPPLIER}.order"
WANTS = [
    Want(SUPPLIER, BUYER, "delivery", Every.HOUR, 0, "planning"),
    Want(BUYER, SUPPLIER, "order", Every.EVENT, 0, "planning"),
]


@dataclass
class Stand:
    """Two homes that have agreed; 50 shipments lie ready beside the buyer's mailbox."""

    folder: Path
    rows: int
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def mailbox(self) -> Path:
        return self.folder / "mailboxes" / BUYER

    @property
    def aside(self) -> Path:
        return self.folder / "aside"

    def home(self, party: str) -> Home:
        return Home.open(self.folder / party)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """Supplier's hourly shipments of the last two days are made, and put aside."""
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(hours=SHIPMENTS + 2)
    world = simulate(seed=11, weeks=44)
    with ExitStack() as stack:
        stages = {}
        for party in (BUYER, SUPPLIER):
            stages[party] = stage = acts.Stage(tmp_path / party)
            stack.callback(stage.close)
            sources = stage.folder / "sources"
            sources.mkdir(parents=True)
            for name, file in write_tables(world, party, sources).items():
                if name not in {"delivery", "order"}:
                    file.unlink()
                else:
                    spread(file, start)
            mailbox = (tmp_path / "mailboxes" / party).as_uri()
            acts.build(stage, party=party, name=party, mailbox=mailbox, outbound={}, now=start)
        known = {party: acts.document(stage) for party, stage in stages.items()}
        acts.meet(stages[BUYER], documents=[known[SUPPLIER]], now=start)
        acts.meet(stages[SUPPLIER], documents=[known[BUYER]], now=start)
        for stage in stages.values():
            acts.propose(stage, wants=WANTS, start=start, end=now + timedelta(days=9), now=start)
        for act in (acts.receive, acts.countersign, acts.receive):
            for stage in stages.values():
                act(stage, now=start)
        rows = 0
        for hour in range(SHIPMENTS):
            made = publish(
                stages[SUPPLIER].home, DELIVERIES, now=start + timedelta(hours=hour + 1.01)
            )
            assert made.delivered
            rows += made.rows
    stand = Stand(tmp_path, rows, free_port())
    (stand.mailbox / SUPPLIER).rename(stand.aside)
    return stand


def spread(file: Path, start: datetime) -> None:
    """Let rows of a simulated table become known one after another from ``start`` on."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create table source as select * from read_parquet($1)", [str(file)])
        connection.execute(
            "create table chosen as select * replace ("
            " $1::timestamptz + to_minutes(20 * row_number() over ()) as recorded_at)"
            " from source where partner in ($2, $3) limit 150",
            [start, BUYER, SUPPLIER],
        )
        connection.table("chosen").write_parquet(str(file))


@pytest.fixture
def airflow(stand: Stand) -> Iterator[psutil.Process]:
    """The buyer's `tillit airflow standalone`; afterwards nothing of it may be left."""
    log = stand.folder / "standalone.log"
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TILLIT"))}
    with log.open("w") as said:
        process = psutil.Popen(
            [
                *(
                    str(Path(sys.executable).with_name("tillit")),
                    "--home",
                    str(stand.folder / BUYER),
                ),
                *("airflow", "standalone", "--port", str(stand.port)),
            ],
            stdout=said,
            stderr=said,
            env=settings,
        )
    try:
        yield process
        assert process.poll() is None, tail(log)
    finally:
        started = process.children(recursive=True) if process.is_running() else []
        process.terminate()
        try:
            process.wait(90)
        finally:
            left = psutil.wait_procs(started, timeout=5)[1]
            for one in left:
                one.kill()
    assert not left


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])


def wait(what: str, seconds: float, ready: Callable[[], object]) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(0.5)


def task_of(airflow: psutil.Process, home: Path, dag: str) -> psutil.Process | None:
    """The process of a DAG's running task: the child of the executor's worker that supervises it."""
    logs = list((home / "airflow" / "logs").glob(f"dag_id={dag}/*/*/attempt=*.log"))
    for process in airflow.children(recursive=True):
        try:
            above = process.parent()
            if (
                logs
                and above is not None
                and "LocalExecutor" in " ".join(above.cmdline())
                and "LocalExecutor" not in " ".join(process.cmdline())
            ):
                return process
        except psutil.NoSuchProcess:
            continue
    return None


def answered(home: Home) -> list[str]:
    """Shipments that have our receipt, as often as they have one."""
    return [
        entry.statement.body.shipment_id
        for entry in home.ledger.entries(type="receipt", partner=SUPPLIER)
        if entry.statement.author == BUYER
    ]


def landed(home: Home) -> tuple[int, int, int]:
    """Shipments in the lake, different ones, and rows."""
    connection = home.lake.connection
    found = connection.execute(
        "select count(*), count(distinct shipment_id) from lake.exchange.shipments"
    ).fetchone()
    rows = connection.execute("select count(*) from lake.landed.delivery").fetchone()
    assert found is not None
    assert rows is not None
    return found[0], found[1], rows[0]


def test_fifty_shipments_at_once_land_once_each_though_the_task_is_killed(
    stand: Stand, airflow: psutil.Process
) -> None:
    logs = stand.folder / BUYER / "airflow" / "logs"
    with stand.home(BUYER) as buyer:
        # The schedule runs: an order that waits goes out without anybody asking.
        wait(
            "the buyer's own publication",
            120,
            lambda: any(
                entry.statement.author == BUYER
                for entry in buyer.ledger.entries(type="shipment", partner=SUPPLIER)
            ),
        )

        # All at once; whoever is at it is killed half-way.
        kept = stand.folder / "kept"
        shutil.copytree(stand.aside, kept)
        stand.aside.rename(stand.mailbox / SUPPLIER)
        dropped = time.monotonic()
        wait("the first receipts", 90, lambda: len(answered(buyer)) >= 5)
        before = len(answered(buyer))
        busy = task_of(airflow, stand.folder / BUYER, "receive")
        assert busy is not None
        busy.send_signal(signal.SIGKILL)
        wait("all receipts", 120 - (time.monotonic() - dropped), lambda: len(answered(buyer)) >= 50)
        assert before < SHIPMENTS
        attempts = sorted(path.name for path in logs.glob("dag_id=receive/*/*/attempt=*.log"))
        assert "attempt=2.log" in attempts
        assert landed(buyer) == (SHIPMENTS, SHIPMENTS, stand.rows)

        # The same objects once more: the doorbell rings, and nothing lands twice.
        wait("an empty mailbox", 30, lambda: not any((stand.mailbox / SUPPLIER).iterdir()))
        for path in sorted(kept.iterdir())[:6]:
            shutil.copyfile(path, stand.mailbox / SUPPLIER / path.name)
        wait("the copies to be turned away", 90, lambda: not names(stand.mailbox / SUPPLIER))
        assert len(answered(buyer)) == len(set(answered(buyer))) == SHIPMENTS
        assert landed(buyer) == (SHIPMENTS, SHIPMENTS, stand.rows)
        assert not verify_ledger(buyer).findings
        a_person_says_no(stand, buyer)

    with stand.home(SUPPLIER) as supplier:
        taken = receive(supplier, now=datetime.now(UTC)).summary()
        assert taken["accepted"] == 1
        _, life = find(supplier, PROPOSED)
        (version,) = life.newest_first
        assert version.declined is not None
        assert version.declined.reason == "We need the prices."
        assert taken["recorded"] >= SHIPMENTS


def a_person_says_no(stand: Stand, buyer: Home) -> None:
    """The supplier proposes an agreement; a person of the buyer's declines it in Airflow."""
    now = datetime.now(UTC)
    with stand.home(SUPPLIER) as supplier:
        text = draft(
            *(SUPPLIER, BUYER, supplier.kinds["order"], now, now + timedelta(days=9)),
            *(Cadence(Every.EVENT), ["planning"]),
            agreement_id=PROPOSED,
        ).encode()
        propose(supplier, text, now=now)
        assert deliver(supplier, now=now).complete
    api = Api.login(stand)
    wait("the question", 90, lambda: api.state() == "awaiting_input")
    time.sleep(4)  # Airflow 3.3.2 loses an answer that comes at once
    shown = api.call("GET", "hitlDetails")
    assert "it is withheld" in shown["body"] or "lets nordvik have order" in shown["body"]
    said = {"reason": "We need the prices.", "text": ""}
    api.call("PATCH", "hitlDetails", {"chosen_options": ["decline"], "params_input": said})
    wait("the answer", 60, lambda: buyer.ledger.entries(type="agreement", agreement=PROPOSED)[1:])


@dataclass
class Api:
    """The web page's own interface, as a person's browser uses it."""

    address: str
    token: str

    @classmethod
    def login(cls, stand: Stand) -> Api:
        home = stand.folder / BUYER / "airflow"
        passwords = json.loads((home / "simple_auth_manager_passwords.json.generated").read_text())
        [(name, password)] = passwords.items()
        address = stand.address
        said = httpx.post(f"{address}/auth/token", json={"username": name, "password": password})
        return cls(address, said.raise_for_status().json()["access_token"])

    def call(self, method: str, what: str, body: object = None) -> Any:
        runs = f"{self.address}/api/v2/dags/proposal/dagRuns"
        headers = {"Authorization": f"Bearer {self.token}"}
        found = httpx.get(runs, headers=headers).raise_for_status().json()["dag_runs"]
        if not found:
            return {"state": "no run"}
        task = f"{runs}/{quote(found[0]['dag_run_id'], safe='')}/taskInstances/decide"
        task += f"/-1/{what}" if what else ""
        return httpx.request(method, task, headers=headers, json=body).raise_for_status().json()

    def state(self) -> str:
        return str(self.call("GET", "")["state"])


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
