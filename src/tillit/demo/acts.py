"""What a party of a demonstration can be asked to do. I/O: its own home, and mailboxes.

Every act goes through the use cases that production runs. Answers are plain values, because they
cross a process boundary.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tillit import places
from tillit.demo.model import Move, Want
from tillit.errors import AgreementRefused, TableRefused
from tillit.home import Home, create_home
from tillit.model import Cadence

__all__ = [
    "build",
    "changed",
    "countersign",
    "deliver",
    "document",
    "measure",
    "meet",
    "move",
    "propose",
    "publish",
    "receive",
    "refused",
    "run_dags",
    "verify",
    "warm_up",
]


class Stage:
    """A party's folder, and its home once that is built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home: Home | None = None

    @property
    def home(self) -> Home:
        """The home, opened when it is first used."""
        if self._home is None:
            self._home = Home.open(self.folder)
        return self._home

    def close(self) -> None:
        """Close the home, so that its database may stop."""
        if self._home is not None:
            self._home.close()
            self._home = None


def build(
    stage: Stage,
    *,
    party: str,
    name: str,
    mailbox: str,
    outbound: Mapping[str, Path],
    now: datetime,
    threads: int | None = None,
) -> None:
    """Make the home; its sources lie in it already. ``outbound`` is SQL of the party's own.

    ``threads`` is how many the home's lake may use; without it as many as the machine has cores.
    """
    for kind, query in outbound.items():
        own = stage.folder / "transforms" / "outbound" / f"{kind}.sql"
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(query, own)
    sources = stage.folder / "sources"
    kinds = stage.folder / "contracts" / "kinds"
    shutil.copytree(places.contracts() / "kinds", kinds)
    create_home(
        stage.folder,
        party_id=party,
        name=name,
        now=now,
        mailbox_url=mailbox,
        contracts=stage.folder / "contracts",
        threads=threads,
        sources={path.stem: f"sources/{path.name}" for path in sorted(sources.glob("*.parquet"))},
    ).close()
    stage.home.lake.prepare(stage.home.kinds.values())


def document(stage: Stage) -> tuple[bytes, str]:
    """Our party document, and the fingerprint that we tell by another way."""
    home = stage.home
    return home.documents(home.party_id)[-1], home.party(home.party_id).fingerprint


def meet(stage: Stage, *, documents: Sequence[tuple[bytes, str]], now: datetime) -> None:
    """Accept the documents of the others, each by its fingerprint."""
    from tillit.exchange.parties import add_party

    for envelope, fingerprint in documents:
        add_party(stage.home, envelope, fingerprint, now=now)


def propose(
    stage: Stage, *, wants: Sequence[Want], start: datetime, end: datetime, now: datetime
) -> list[str]:
    """Write, sign and send the agreements in which we are the provider; their ids."""
    from tillit.exchange.agreements import sign
    from tillit.exchange.deliver import deliver as run

    home, made = stage.home, []
    for want in wants:
        if want.provider != home.party_id:
            continue
        text = _written(home, want, start, end)
        _put_into_force(home, want, text)
        made.append(sign(home, text, now=now).agreement.id)
    run(home, now=now)
    return made


def _written(home: Home, want: Want, start: datetime, end: datetime) -> bytes:
    from tillit.agreement.new import draft

    return draft(
        want.provider,
        want.consumer,
        home.kinds[want.kind],
        start,
        end,
        Cadence(want.every, want.cut_off_hours),
        [want.purpose, *want.also_for],
        withheld=want.withheld,
        version=want.version,
    ).encode()


def _put_into_force(home: Home, want: Want, text: bytes) -> None:
    """Lay the text where the schedule looks for what we are to publish."""
    folder = home.folder / "contracts" / "agreements" / f"{want.provider}--{want.consumer}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{want.kind}.yaml").write_bytes(text)


def countersign(stage: Stage, *, now: datetime) -> int:
    """Sign every agreement that a partner has signed and we have not; how many."""
    from tillit.exchange.agreements import held, sign
    from tillit.exchange.deliver import deliver as run

    waiting = [s for s in held(stage.home) if stage.home.party_id not in s.signers]
    for signed in waiting:
        sign(stage.home, signed.agreement.text, now=now)
    run(stage.home, now=now)
    return len(waiting)


def move(stage: Stage, *, move: Move, start: datetime, end: datetime) -> None:
    """Take a step in the life of an agreement, and tell the partner."""
    from tillit.exchange import agreements
    from tillit.exchange.deliver import deliver as run

    home, want, now = stage.home, move.want, move.now
    match move.what:
        case "propose":
            agreements.propose(home, _written(home, want, start, end), now=now)
        case "sign":
            version = agreements.version_of(home, want.agreement_id, want.version)
            if want.provider == home.party_id:
                _put_into_force(home, want, version.agreement.text)
            agreements.sign(home, version.agreement.text, now=now)
        case "decline":
            agreements.decline(home, want.agreement_id, move.reason, version=want.version, now=now)
        case "revoke":
            agreements.revoke(home, want.agreement_id, move.reason, now=now)
        case _:
            raise ValueError(f"no agreement is ever {move.what}")
    run(home, now=now)


def changed(stage: Stage) -> list[dict[str, Any]]:
    """What became of agreements after both had signed them, as our ledger has it.

    Each is an amendment, a proposal that was declined or a revocation: who, when, why, and in
    words what the version lets through that the one before it did not.
    """
    from tillit.demo.changes import changes_of
    from tillit.exchange.standing import lives

    return [found for life in lives(stage.home).values() for found in changes_of(life)]


def publish(stage: Stage, *, agreements: Iterable[str], now: datetime) -> dict[str, Any]:
    """Publish what is due under each agreement; what could not leave is counted, not raised."""
    from tillit.exchange.publish import publish as run

    shipments, rows, stopped, empty, revoked = 0, 0, 0, 0, 0
    for agreement_id in agreements:
        try:
            made = run(stage.home, agreement_id, now=now)
        except AgreementRefused as refusal:
            if refusal.code != "agreement.revoked":
                raise
            revoked += 1
            continue
        except TableRefused as refusal:
            if refusal.code not in {"table.empty", "table.all-rows-refused"}:
                raise
            empty += 1
            continue
        shipments += not made.nothing
        rows += made.rows
        stopped += made.stopped
    return {
        "shipments": shipments,
        "rows": rows,
        "stopped": stopped,
        "empty": empty,
        "revoked": revoked,
    }


def receive(
    stage: Stage, *, now: datetime, partners: Sequence[str] | None = None
) -> dict[str, Any]:
    """Take what waits, or what some partners sent; how many statements came to which result.

    Beside that, how many rows landed and were refused, and the codes of refusals.
    """
    from tillit.exchange.receive import receive as run

    whom: Sequence[str | None] = [None] if partners is None else partners
    taken = [run(stage.home, now=now, partner=partner) for partner in whom]
    outcomes = [outcome for received in taken for outcome in received.outcomes]
    summary: Counter[str] = Counter(outcome.result for outcome in outcomes)
    return {
        "summary": dict(summary),
        "rows": sum(received.rows for received in taken),
        "refused": sum(outcome.refused for outcome in outcomes),
        "codes": sorted({o.code for o in outcomes if o.code}),
    }


def deliver(stage: Stage, *, now: datetime) -> int:
    """Deliver what waits in the outbox; how many statements went out."""
    from tillit.exchange.deliver import deliver as run

    return run(stage.home, now=now).sent


def measure(stage: Stage, *, now: datetime, since: date | None = None) -> Any:
    """The trust marts, computed and kept, as `tillit trust show --json` prints them.

    What moved a score is told from the week of ``since`` on.
    """
    from tillit.trust.run import run_trust

    return run_trust(stage.home, now=now, since=since, band=True)


def run_dags(stage: Stage, *, now: datetime, dag_ids: Sequence[str]) -> dict[str, str]:
    """Run DAGs of ours in Airflow, in this process; the state of each."""
    from tillit.airflow.runner import run_dags as run

    return run(stage.home, dag_ids, now=now)


def warm_up(stage: Stage) -> None:
    """Get Airflow ready to run DAGs in this process, which takes it a while."""
    from tillit.airflow.runner import warm_up as run

    run(stage.home)


def refused(stage: Stage) -> list[dict[str, Any]]:
    """Rows that stopped at us or that we refused, by partner, kind and rule."""
    from tillit.lake import quarantine_counts

    home = stage.home
    return [
        {
            "where": "sender" if stage_name == "stopped" else "receiver",
            "sender": home.party_id if stage_name == "stopped" else partner,
            "receiver": partner if stage_name == "stopped" else home.party_id,
            "kind": kind,
            "rule": rule,
            "reason": reason,
            "rows": rows,
        }
        for stage_name, partner, kind, rule, reason, rows in quarantine_counts(home.lake)
    ]


def verify(stage: Stage) -> dict[str, Any]:
    """The independent auditor's report on our ledger."""
    from tillit.exchange.audit import verify_ledger

    report = verify_ledger(stage.home)
    return {
        "statements": report.statements,
        "chains": report.chains,
        "findings": [f.text for f in report.findings],
    }
