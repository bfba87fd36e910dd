"""Play a world: homes, acquaintance, agreements, a year of exchange, the last week in Airflow. I/O.

Each party lives in a home of its own and a process, the busiest in two. What happens is what
production does; only the clock is the world's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from tillit.database.embedded import stop
from tillit.demo.model import Move, Step, World, write_tables
from tillit.demo.worker import Party, ask_all, stop_all

__all__ = ["Played", "Progress", "play"]

_BEFORE = timedelta(days=7)
_AFTER = timedelta(days=370)
_ON_ITS_WAY = timedelta(minutes=30)
_BUSY = 2  # partners; a party with more of them is the one that all others wait for


class Progress(Protocol):
    """Whoever shows how far it is."""

    def stage(self, what: str, steps: int) -> None:
        """A new stage of so many steps begins."""

    def step(self) -> None:
        """One step of the stage is done."""


@dataclass
class Played:
    """What came of it: counts; what each party measured, refused, agreed anew and verified."""

    world: World
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)
    measures: dict[str, Any] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    agreements: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    audits: dict[str, Any] = field(default_factory=dict)
    dags: dict[str, dict[str, str]] = field(default_factory=dict)


def play(world: World, folder: Path, progress: Progress, *, airflow: bool) -> Played:
    """Play a world in an empty folder; with ``airflow`` its last step is run by the DAGs.

    Raises PartyFailed when a party's process does what it must not.
    """
    played = Played(world, folder)
    with _cast(world, folder) as (cast, helpers, schedulers):
        _settle(world, cast, folder, progress)
        _agree(world, cast, progress)
        if airflow:
            _get_ready(world, schedulers, folder)
        desks = _desks(world, cast, helpers, folder)
        *history, last = world.steps
        if not airflow:
            history.append(last)
        progress.stage("a year of exchange" if len(history) > 40 else "exchange", len(history))
        moves = list(world.moves)
        for step in history:
            _negotiate(world, moves, step.now, cast)
            _turn(step, desks, played)
            progress.step()
        if airflow:
            _negotiate(world, moves, last.now, cast)
            progress.stage("the last week, by Airflow", 3)
            _last_week(last, schedulers, played, progress)
        _take_stock(world, cast, played, progress)
    return played


@contextmanager
def _cast(
    world: World, folder: Path
) -> Iterator[tuple[dict[str, Party], dict[str, Party], dict[str, Party]]]:
    """A process a party; empty dictionaries for those who help them and those who run DAGs."""
    cast: dict[str, Party] = {}
    helpers: dict[str, Party] = {}
    schedulers: dict[str, Party] = {}
    try:
        for partner in world.parties:
            cast[partner.id] = Party.start(partner.id, folder / partner.id)
        yield cast, helpers, schedulers
    finally:
        for some in (schedulers, helpers, cast):
            stop_all(list(some.values()))
        for partner in world.parties:
            stop(folder / partner.id / "postgres")  # Airflow's connections kept it up


def _settle(world: World, cast: Mapping[str, Party], folder: Path, progress: Progress) -> None:
    progress.stage("homes, keys and acquaintance", 2 * len(cast))
    start = world.start - _BEFORE
    for partner in world.parties:
        sources = folder / partner.id / "sources"
        sources.mkdir(parents=True)
        write_tables(world, partner.id, sources)
        mailbox = (folder / "mailboxes" / partner.id).resolve().as_uri()
        cast[partner.id].ask(
            "build",
            party=partner.id,
            name=partner.name,
            mailbox=mailbox,
            outbound=dict(world.outbound.get(partner.id, {})),
            now=start,
            threads=1,  # all parties share this machine
        )
    for party in cast.values():
        party.answer()
        progress.step()
    documents = ask_all(list(cast.values()), "document")
    for party_id, party in cast.items():
        others = [documents[other] for other in _partners(world, party_id)]
        party.ask("meet", documents=others, now=start)
    for party in cast.values():
        party.answer()
        progress.step()


def _partners(world: World, party_id: str) -> list[str]:
    """Whom a party has to do with, and nobody else."""
    pairs = {(want.provider, want.consumer) for want in world.wants}
    known = {b if a == party_id else a for a, b in pairs if party_id in {a, b}}
    return sorted(known)


def _agree(world: World, cast: Mapping[str, Party], progress: Progress) -> None:
    progress.stage("agreements, signed by both", 4)
    start = world.start - _BEFORE
    parties = list(cast.values())
    ask_all(parties, "propose", wants=world.wants, now=start, **_term(world))
    progress.step()
    for act in ("receive", "countersign", "receive"):
        ask_all(parties, act, now=start)
        progress.step()


def _get_ready(world: World, schedulers: dict[str, Party], folder: Path) -> None:
    """Start Airflow for the last week beside the year, in time that would be idle."""
    homes = {partner.id: folder / partner.id for partner in world.parties}
    schedulers.update(Party.start_for_airflow(homes, folder / "airflow"))
    for party in schedulers.values():
        party.ask("warm_up")


@dataclass(frozen=True)
class _Desk:
    """A process of a party, and the partners that it publishes to and receives from."""

    party: Party
    partners: frozenset[str]


def _desks(
    world: World, cast: Mapping[str, Party], helpers: dict[str, Party], folder: Path
) -> list[_Desk]:
    """Who deals with whom: a party that all others wait for has two processes, as in production.

    Both work on one home; its database keeps them apart.
    """
    desks = []
    for party_id, party in cast.items():
        partners = _partners(world, party_id)
        if len(partners) <= _BUSY:
            desks.append(_Desk(party, frozenset(partners)))
            continue
        helpers[party_id] = Party.start(party_id, folder / party_id)
        desks.append(_Desk(party, frozenset(partners[::2])))
        desks.append(_Desk(helpers[party_id], frozenset(partners[1::2])))
    return desks


def _negotiate(world: World, moves: list[Move], until: datetime, cast: Mapping[str, Party]) -> None:
    """Take the moves that are due, each through the mailbox, before anybody takes the next."""
    while moves and moves[0].now <= until:
        move = moves.pop(0)
        cast[move.who].do("move", move=move, **_term(world))
        cast[move.partner].do("receive", now=move.now + _ON_ITS_WAY)


def _term(world: World) -> dict[str, datetime]:
    return {"start": world.start - _BEFORE, "end": world.end + _AFTER}


def _turn(step: Step, desks: Sequence[_Desk], played: Played) -> None:
    """One turn of the clock: all publish, then all receive what came, then the receipts."""
    for desk in desks:
        due = [
            want.agreement_id
            for want in step.wants
            if want.provider == desk.party.id and want.consumer in desk.partners
        ]
        desk.party.ask("publish", agreements=due, now=step.now)
    for desk in desks:
        _count(played.counts, "published", desk.party.answer())
    for desk in desks:
        desk.party.ask("receive", now=step.receive_at, partners=sorted(desk.partners))
    for desk in desks:
        _count(played.counts, "received", desk.party.answer())


def _count(counts: Counter[str], what: str, answer: Mapping[str, Any]) -> None:
    for key, value in answer.items():
        if isinstance(value, int):
            counts[f"{what} {key}"] += value
        elif isinstance(value, dict):
            counts.update({f"{what} {name}": number for name, number in value.items()})


def _last_week(
    step: Step, schedulers: Mapping[str, Party], played: Played, progress: Progress
) -> None:
    """The same turn, but every act is a DAG's: publish, receive, trust.

    The last receipts come with whatever else has arrived when stock is taken.
    Airflow has a process of its own for each party, as it has in production.
    """
    for scheduler in schedulers.values():
        scheduler.answer()  # that it is ready
    due: dict[str, list[str]] = {}
    for want in step.wants:
        due.setdefault(want.provider, []).append(f"publish.{want.agreement_id}")
    rounds: Sequence[tuple[Mapping[str, list[str]], Any]] = (
        (due, step.now),
        ({party: ["receive"] for party in schedulers}, step.receive_at),
        ({party: ["trust"] for party in schedulers}, step.receive_at + timedelta(minutes=10)),
    )
    for dags, now in rounds:
        for party_id, dag_ids in dags.items():
            schedulers[party_id].ask("run_dags", dag_ids=dag_ids, now=now)
        for party_id in dags:
            played.dags.setdefault(party_id, {}).update(schedulers[party_id].answer())
        progress.step()


def _take_stock(
    world: World, cast: Mapping[str, Party], played: Played, progress: Progress
) -> None:
    progress.stage("measures, and the auditor", 3)
    parties = list(cast.values())
    end = world.end + timedelta(hours=1)
    ask_all(parties, "receive", now=end)
    played.measures = ask_all(parties, "measure", now=end, since=world.turned)
    progress.step()
    for found in ask_all(parties, "refused").values():
        played.refused += found
    played.agreements = ask_all(parties, "changed")
    progress.step()
    played.audits = ask_all(parties, "verify")
    progress.step()
