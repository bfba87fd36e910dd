"""Which agreements are ours to publish, and when each is due. I/O: reads the contracts folder.

DAG files call this each time they are parsed, so it opens no database: whether an agreement is in
force is asked when its task runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tillit import places
from tillit.airflow.looked import Outgoing, look, looked
from tillit.config import read_config
from tillit.errors import ConfigError
from tillit.model import Cadence, Every

__all__ = [
    "MARGIN",
    "MOST_DAGS",
    "Plan",
    "crons",
    "dag_id",
    "outgoing",
    "planned",
    "require_readable",
]

MARGIN = timedelta(hours=6)
"""How long before its cut-off a shipment is published: time to mend what refuses to leave."""

MOST_DAGS = 500
"""Outgoing agreements up to which each has a DAG of its own."""

_MOST_TASKS = 500
_PREFIX = "publish."
_MANY = "publish-many."
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """A DAG to make; its agreements have one cadence."""

    dag_id: str
    agreements: tuple[Outgoing, ...]

    @property
    def is_one(self) -> bool:
        """Whether it is the DAG of an agreement, not that of a part of very many."""
        return not self.dag_id.startswith(_MANY)

    @property
    def start(self) -> datetime:
        """When the first of them begins."""
        return min(agreement.start for agreement in self.agreements)

    @property
    def end(self) -> datetime:
        """When the last of them ends."""
        return max(agreement.end for agreement in self.agreements)

    @property
    def crons(self) -> list[str]:
        """When it runs."""
        return crons(self.agreements[0].cadence)

    @property
    def tags(self) -> list[str]:
        """What it is found by; whose and of what kind only where it is about one."""
        one = self.agreements[0]
        return [one.consumer, one.kind] if self.is_one else [str(one.cadence.every)]


def dag_id(agreement_id: str) -> str:
    """The id of the DAG that publishes under an agreement."""
    return f"{_PREFIX}{agreement_id}"


def planned(home: Path, *, only: str | None = None) -> list[Plan]:
    """What to make DAGs of: one for each agreement, or of very many one for several at a cadence.

    Airflow takes a millisecond to make a DAG, four to write it down for the scheduler and more to
    store it, at each parse: with ten thousand its processor would never be done. With ``only`` a
    DAG's id, that one alone is planned. Raises ConfigError and HomeError for the home.
    """
    if only is not None and not only.startswith(_MANY):
        return [_of_one(agreement) for agreement in outgoing(home, only=only)]
    found = outgoing(home)
    if len(found) <= MOST_DAGS:
        return [_of_one(agreement) for agreement in found if only is None]
    return [plan for plan in _of_many(found) if only in (None, plan.dag_id)]


def _of_one(agreement: Outgoing) -> Plan:
    return Plan(dag_id(agreement.id), (agreement,))


def _of_many(found: list[Outgoing]) -> Iterator[Plan]:
    """By cadence, and of one cadence in parts by a hash of the id: a new one moves no other."""
    at: dict[Cadence, list[Outgoing]] = {}
    for agreement in found:
        at.setdefault(agreement.cadence, []).append(agreement)
    for cadence, same in at.items():
        digits = next(n for n in range(64) if len(same) <= _MOST_TASKS * 16**n)
        parts: dict[str, list[Outgoing]] = {}
        for agreement in same:
            part = hashlib.sha256(agreement.id.encode()).hexdigest()[:digits]
            parts.setdefault(part, []).append(agreement)
        hours = str(cadence.cut_off_hours).removesuffix(".0")
        when = f"{_MANY}{cadence.every}.{hours}h"
        for part, agreements in sorted(parts.items()):
            yield Plan(f"{when}.{part}" if part else when, tuple(agreements))


def outgoing(home: Path, *, only: str | None = None) -> list[Outgoing]:
    """The agreements in the contracts folder whose provider we are, one for each id.

    Of several versions it is the one that ends last. What cannot be read is left out, so that one
    slip of the pen does not stop all that is published: `require_readable` names it. With ``only``
    a DAG's id, its agreement alone is read: starting a task must not parse a thousand others.
    Raises ConfigError and HomeError for the home.
    """
    party, files = _files(home)
    named = [f for f in files if only == dag_id(f"{f.parent.name}.{f.stem}")]
    said = map(look, named) if named else looked(home, files).values()
    found: dict[str, Outgoing] = {}
    for agreement in said:
        if isinstance(agreement, str) or agreement.provider != party:
            continue
        before = found.get(agreement.id)
        if before is None or before.end < agreement.end:
            found[agreement.id] = agreement
    return [a for key, a in sorted(found.items()) if only in (None, dag_id(key))]


def require_readable(home: Path) -> None:
    """Raise ConfigError that names every agreement of ours in the contracts folder that is none."""
    wrong = [
        f"{file.parent.name}/{file.name}: {said}"
        for file, said in looked(home, _files(home)[1]).items()
        if isinstance(said, str)
    ]
    if wrong:
        raise ConfigError("unreadable", "; ".join(wrong))


def _files(home: Path) -> tuple[str, list[Path]]:
    config = read_config(home)
    folder = places.contracts(config.contracts) / "agreements"
    # By text: to compare ten thousand paths part by part takes a third of a second.
    return config.party_id, sorted(folder.glob(f"{config.party_id}--*/*.yaml"), key=str)


def crons(cadence: Cadence) -> list[str]:
    """When to publish, in UTC: `MARGIN` before each cut-off, an hour before where that is hourly.

    Events are looked for every hour.
    """
    # Any period of the cadence shows the time of day and the weekday of its cut-off.
    when = cadence.period_at(_A_MONDAY).cut_off - MARGIN
    if cadence.every is Every.EVENT:
        return ["17 * * * *"]
    if cadence.every is Every.HOUR:
        return [f"{when.minute} * * * *"]
    if cadence.every is Every.DAY:
        return [f"{when.minute} {when.hour} * * *"]
    if cadence.every is Every.WEEK:
        return [f"{when.minute} {when.hour} * * {when.isoweekday() % 7}"]
    return [_in_month(cadence, month) for month in range(1, 13)]


def _in_month(cadence: Cadence, month: int) -> str:
    """Months differ in length, so each has a day of its own: the earlier one around a leap day."""
    cut_offs = (
        cadence.period_at(datetime(year, month, 1, tzinfo=UTC)).cut_off - MARGIN
        for year in (2023, 2024)
    )
    when = min(cut_offs, key=lambda w: (w.month, w.day))
    return f"{when.minute} {when.hour} {when.day} {when.month} *"
