"""The use cases as tasks. I/O: the home in the environment.

A task may be killed anywhere and run again: each use case finds what it has done in the ledger. A
refusal is an answer and fails for good; what could not be reached is tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tillit.airflow.environment import home_folder, passphrase
from tillit.errors import Refusal
from tillit.home import Home
from tillit.model import parse_instant

__all__ = [
    "DEFAULTS",
    "alert",
    "carry_out",
    "keep_custody",
    "lend",
    "measure",
    "proposals",
    "publish",
    "publish_one_of",
    "receive",
]

DEFAULTS: Mapping[str, Any] = {
    "owner": "supply-chain",
    "retries": 4,
    "retry_delay": timedelta(minutes=2),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=2),
}

# It writes a hundred lines about itself into the log of each task; AIRFLOW__LOGGING__
# NAMESPACE_LEVELS does not reach tasks.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

T = TypeVar("T")


def publish(agreement_id: str) -> dict[str, Any]:
    """Publish what is due under an agreement, and deliver what still waits."""
    from tillit.exchange.publish import publish as run

    made = _with_home(lambda home, now: run(home, agreement_id, now=now, due_at=_due_at()))
    return {**asdict(made), "reasons": [asdict(reason) for reason in made.reasons]}


def publish_one_of(agreement_id: str, start: str, end: str) -> dict[str, Any]:
    """`publish` for one of many agreements in a DAG, which has no start and end of its own there.

    Before its start and from its end on the task is skipped, as its own DAG would not run.
    """
    when = _due_at() or _now()
    if not parse_instant(start) <= when < parse_instant(end):
        raise AirflowSkipException(f"{agreement_id} runs from {start} to {end}")
    return publish(agreement_id)


def receive() -> dict[str, int]:
    """Take everything that waits in the mailbox; how many statements came to which result."""
    from tillit.exchange.receive import receive as run

    return _with_home(lambda home, now: run(home, now=now)).summary()


def keep_custody() -> dict[str, int]:
    """Delete what may not be kept, and certify that; how many shipments and rows are gone."""
    from tillit.exchange.custody import keep_custody as run

    kept = _with_home(lambda home, now: run(home, now=now))
    shipments = sum(len(certificate.shipments) for certificate in kept.certificates)
    return {"shipments": shipments, "rows": kept.rows}


def proposals() -> list[dict[str, Any]]:
    """What each run of the DAG ``proposal`` is given: its id and the question to put."""
    from tillit.exchange.proposals import waiting

    return [
        {
            "trigger_run_id": "~".join(
                [p.agreement.id, p.agreement.version, p.agreement.digest[:16]]
            ),
            "conf": {
                "agreement": p.agreement.id,
                "digest": p.agreement.digest,
                "subject": f"{p.partner} proposes {p.agreement.id} {p.agreement.version}",
                "body": p.as_markdown(),
            },
        }
        for p in _with_home(lambda home, now: waiting(home, now=now))
    ]


def carry_out(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Do what a person decided about a proposal, and deliver it; what was done."""
    from tillit.exchange.deliver import deliver
    from tillit.exchange.proposals import decide

    given = answer.get("params_input") or {}

    def act(home: Home, now: datetime) -> str:
        done = decide(
            home,
            asked["agreement"],
            asked["digest"],
            *answer["chosen_options"],
            reason=given.get("reason", ""),
            text=given.get("text", ""),
            now=now,
        )
        deliver(home, now=now)
        return done

    return _with_home(act)


def measure() -> dict[str, Any]:
    """Compute the trust marts; the score of each direction, and the alarms that are new.

    New is what no run before this one of the DAG had told: a task that is run again, because it
    was killed once it had kept what it found, tells the same.
    """
    from tillit.trust.news import new_alarms
    from tillit.trust.run import run_trust

    began = _given() or get_current_context()["dag_run"].start_date

    def act(home: Home, now: datetime) -> dict[str, Any]:
        shown = run_trust(home, now=now)
        return {
            "scores": {
                f"{d['sender']} to {d['receiver']}": d["score"] for d in shown["directions"]
            },
            "alarms": new_alarms(home, shown, before=began or now),
        }

    return _with_home(act)


def alert(measured: Mapping[str, Any]) -> str:
    """The new alarms, a line each, for whoever is to be told; skipped where there are none."""
    if not measured["alarms"]:
        raise AirflowSkipException("no new alarm")
    text = "\n".join(measured["alarms"])
    logging.getLogger(__name__).warning("%s", text)
    return text


_lent: list[Home] = []


@contextmanager
def lend(home: Home) -> Iterator[None]:
    """Let tasks that run in this very process use a home that is open already.

    For `tillit.airflow.runner`: to open the lake costs more than a small shipment.
    """
    _lent.append(home)
    try:
        yield
    finally:
        _lent.remove(home)


@contextmanager
def _opened() -> Iterator[Home]:
    for home in _lent:
        if home.folder == home_folder().resolve():
            yield home
            return
    with Home.open(home_folder(), passphrase=passphrase) as home:
        yield home


def _with_home(act: Callable[[Home, datetime], T]) -> T:
    with _opened() as home:
        try:
            return act(home, _now())
        except Refusal as refusal:
            raise AirflowFailException(f"[{refusal.code}] {refusal}") from refusal


def _now() -> datetime:
    """The clock, or the instant that whoever started the run has given to replay a history."""
    return _given() or datetime.now(UTC)


def _due_at() -> datetime | None:
    """The instant that the run was planned for, which may be long past when it starts.

    A scheduler that was down starts the run that it has missed; a failed task is cleared hours
    later. Both publish what was due then, and it counts as late, which it is.
    """
    return _given() or get_current_context()["dag_run"].logical_date


def _given() -> datetime | None:
    given = (get_current_context()["dag_run"].conf or {}).get("now")
    return None if given is None else parse_instant(given)
