"""Ten thousand agreements: to list them, to check them, to build their DAGs. I/O.

They are signed by both sides and stand in the ledger as they would have come: two statements each,
with all signatures. They are written there at once: to negotiate them one by one takes hours.

Run: python -m benchmarks.agreements build FOLDER NUMBER
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from benchmarks.measure import MB, ROOT, Row, child, say

NUMBER = 10_000
SECONDS, MEMORY_MB = 5, 500

_US = "nordvik"
_EACH = 100  # agreements with one partner
_NOW = datetime(2026, 1, 2, 6, tzinfo=UTC)
_TILLIT = str(Path(sys.executable).with_name("tillit"))
_SETTLED = 2.5  # seconds until a changed file counts as at rest
_PARSE = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
print(len(bag.dags))
"""
_IMPORT = "from airflow.dag_processing.dagbag import DagBag; import airflow.sdk"


def rows(folder: Path, number: int, only: frozenset[str]) -> list[Row]:
    """The table's rows: each is a command as a person or Airflow would run it, whole."""
    say(f"a home with {number:,} agreements, signed by both sides")
    folder.mkdir()
    child("agreements", "build", folder, number)
    home, files = folder / "home", folder / "contracts" / "agreements"
    listing = [_TILLIT, "--home", home, "agreement", "list"]
    check = [_TILLIT, "agreement", "check", files]
    floor = [sys.executable, "-m", "benchmarks.agreements", "floor", files]
    plain = "the files parsed by PyYAML's C loader"
    parse = [sys.executable, "-W", "ignore", "-c", _PARSE, ROOT / "dags" / "publish.py"]
    airflow = [sys.executable, "-W", "ignore", "-c", _IMPORT]
    table = []
    with _server(home):
        if "agreements" in only:
            table += _measured("agreements.list.first", "list, first", number, listing, folder)
            table += _measured("agreements.list", "list", number, listing, folder, floor, plain)
            table += _measured("agreements.check", "check", number, check, folder, floor, plain)
        if "dags" in only:
            time.sleep(_SETTLED)
            table += _measured("dags.first", "DAGs, first", number, parse, folder)
            least = (airflow, "Airflow imported")
            table += _measured("dags", "DAGs", number, parse, folder, *least)
    return table


def _measured(
    name: str,
    what: str,
    number: int,
    command: Sequence[object],
    folder: Path,
    least: Sequence[object] = (),
    against: str = "",
) -> list[Row]:
    """Wall time and memory; without a floor it is the run that nothing was remembered for."""
    told = f"{number:,} agreements, {what}"
    say(told)
    spent = _run(command, folder)
    held = _run(least, folder)["wall"] if least else None
    load = os.getloadavg()[0]
    return [
        Row(
            *(name, f"{told}, wall", spent["wall"], "s", held, against),
            None if held is None else spent["wall"] / held,
            SECONDS if least else None,
            judged="value",
            note=f"CPU {spent['cpu']:.1f} s; load {load:.1f}",
        ),
        Row(
            *(f"{name}.memory", f"{told}, memory", spent["peak_mb"], "MB"),
            target=MEMORY_MB,
            judged="value",
            note="all its processes; PostgreSQL not counted",
        ),
    ]


@contextmanager
def _server(home: Path) -> Iterator[None]:
    """The home's database runs, as it does wherever a schedule does."""
    from tillit.home import Home

    with Home.open(home) as opened:
        _ = opened.database
        yield


def _run(command: Sequence[object], folder: Path) -> dict[str, float]:
    """Seconds, CPU seconds and the most memory of a command with all processes that it starts."""
    environment = {
        **os.environ,
        "TILLIT_HOME": str(folder / "home"),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        most = 0
        while True:
            most = max(most, _held_by(process.pid))
            try:
                process.wait(0.25)  # to look more often would slow down what is measured
                break
            except subprocess.TimeoutExpired:
                continue
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))[:200]} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "peak_mb": most / MB}


def _held_by(session: int) -> int:
    """Bytes that the processes of a session hold (proportional set size)."""
    held = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(process.name)) != session:
                continue
            rollup = (process / "smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        held += int(found[1]) * 1024 if found else 0
    return held


def floor(folder: Path) -> None:
    """Read the files, and parse each with the C loader, which refuses nothing that we refuse."""
    for path in sorted(folder.rglob("*.yaml")):
        yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


# ---- the home ------------------------------------------------------------------------------------


def build(folder: Path, number: int) -> None:
    """A home, its partners, the agreements' files, and their statements in the ledger."""
    from tillit import places
    from tillit.crypto.keys import KeyRing
    from tillit.crypto.party import PartyDocument
    from tillit.home import create_home

    contracts = folder / "contracts"
    contracts.mkdir()
    (contracts / "kinds").symlink_to(places.contracts() / "kinds")
    names = [f"partner-{i}" for i in range(-(-number // _EACH))]
    with create_home(
        folder / "home", party_id=_US, name="Nordvik", now=_NOW, contracts=contracts
    ) as home:
        work = []
        for place, name in enumerate(names):
            ring = KeyRing.create(folder / "keys" / name)
            document = PartyDocument.first(
                id=name, name=name, mailbox_url="file:///nowhere", keys=ring, issued_at=_NOW
            )
            home.keep_party(document.party, document.envelope)
            numbers = range(place * _EACH, min((place + 1) * _EACH, number))
            # Copies: what a key has made of itself does not go to another process.
            keys = (replace(home.keys.signing), replace(ring.signing))
            work.append((name, *keys, contracts, numbers))
        with ProcessPoolExecutor() as pool:
            for made in pool.map(_with_partner, work):
                _record(home, *made)


def _with_partner(work: tuple[Any, ...]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the ledger holds of all agreements with one partner."""
    from tillit.agreement import PAYLOAD_TYPE
    from tillit.agreement.language import read
    from tillit.crypto import dsse
    from tillit.ledger.bodies import AgreementBody, AgreementRef
    from tillit.ledger.statement import IN_TOTO, Statement, Subject, Witness

    partner, ours, theirs, contracts, numbers = work
    heads: dict[str, Statement | None] = {_US: None, partner: None}
    statements, agreements = [], []
    for number in numbers:
        text = _text(number, partner)
        path = contracts / "agreements" / f"{_US}--{partner}" / f"a{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        agreement = read(text)
        ref = AgreementRef(id=agreement.id, version=agreement.version, digest=agreement.digest)
        envelope = dsse.sign(text, PAYLOAD_TYPE, [ours])
        for author, recipient, keys in ((_US, partner, ours), (partner, _US, theirs)):
            if author == partner:
                envelope = dsse.add_signatures(envelope, [theirs])
            own, other = heads[author], heads[recipient]
            statement = Statement(
                author=author,
                recipient=recipient,
                seq=1 if own is None else own.seq + 1,
                previous=None if own is None else own.digest,
                witnessed=None if other is None else Witness(other.seq, other.digest),
                issued_at=_NOW,
                subjects=(Subject(name=f"{ref.id}@{ref.version}", sha256=ref.digest),),
                body=AgreementBody("signed", ref, envelope=json.loads(envelope)),
            )
            heads[author] = statement
            statements.append(
                {
                    "author": author,
                    "recipient": recipient,
                    "seq": statement.seq,
                    "digest": statement.digest,
                    "previous": statement.previous,
                    "witnessed_seq": 0 if other is None else other.seq,
                    "type": "agreement",
                    "shipment_id": None,
                    "agreement_id": ref.id,
                    "issued_at": _NOW,
                    "recorded_at": _NOW,
                    "direction": "sent" if author == _US else "received",
                    "envelope": dsse.sign(statement.to_bytes(), IN_TOTO, [keys]),
                }
            )
            agreements.append(
                {
                    "digest": ref.digest,
                    "agreement_id": ref.id,
                    "version": ref.version,
                    "provider": agreement.provider,
                    "consumer": agreement.consumer,
                    "kind": agreement.kind,
                    "envelope": envelope,
                    "complete": author == partner,
                    "recorded_at": _NOW,
                }
            )
    return statements, agreements


_CADENCES = [("hour", 0), ("event", 0)] + [
    (every, hours) for every in ("day", "week", "month") for hours in (6, 12, 24, 48, -12, -48)
]


def _text(number: int, partner: str) -> bytes:
    """One of the agreements of the repository, with another consumer, id and cadence."""
    templates = sorted((ROOT / "contracts" / "agreements").glob(f"{_US}--*/*.yaml"))
    text = templates[number % len(templates)].read_text(encoding="utf-8")
    every, hours = _CADENCES[number % len(_CADENCES)]
    for key, value in {
        "id": f"{_US}--{partner}.a{number}",
        "consumer": partner,
        r"    every": every,
        r"    cutOffHours": hours,
        "startTimestamp": "2026-01-01T00:00:00Z",
        "endTimestamp": "2090-01-01T00:00:00Z",
    }.items():
        text = re.sub(rf"(?m)^{key}: .*$", f"{key}: {value}", text)
    return text.encode()


def _record(home: Any, statements: list[dict[str, Any]], agreements: list[dict[str, Any]]) -> None:
    from sqlalchemy import insert

    from tillit.ledger.schema import AGREEMENT_SIGNATURE, STATEMENT

    home.ledger.steps()  # makes the tables
    with home.database.engine("ledger").begin() as connection:
        connection.execute(insert(STATEMENT), statements)
        connection.execute(insert(AGREEMENT_SIGNATURE), agreements)


def main(what: str, folder: Path, number: int) -> None:
    if what == "floor":
        floor(folder)
    else:
        build(folder, number)
        print("{}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else NUMBER)
