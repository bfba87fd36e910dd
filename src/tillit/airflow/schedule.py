"""Which agreements are ours to publish, and when each is due. I/O: reads the contracts folder.

DAG files call this each time they are parsed, so it opens no database: whether an agreement is in
force is asked when its task runs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tillit import places
from tillit.agreement.language import read
from tillit.config import read_config
from tillit.errors import ConfigError, ContractRefused
from tillit.model import Agreement, Cadence, Every

__all__ = ["MARGIN", "crons", "dag_id", "outgoing", "require_readable"]

MARGIN = timedelta(hours=6)
"""How long before its cut-off a shipment is published: time to mend what refuses to leave."""

_PREFIX = "publish."
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def dag_id(agreement_id: str) -> str:
    """The id of the DAG that publishes under an agreement."""
    return f"{_PREFIX}{agreement_id}"


def outgoing(home: Path, *, only: str | None = None) -> list[Agreement]:
    """The agreements in the contracts folder whose provider we are, one for each id.

    Of several versions it is the one that ends last. What cannot be read is left out, so that one
    slip of the pen does not stop all that is published: `require_readable` names it. With ``only``
    a DAG's id, its agreement alone is read: starting a task must not parse a thousand others.
    Raises ConfigError and HomeError for the home.
    """
    party, files = _files(home)
    if only is not None:
        files = [f for f in files if only == dag_id(f"{f.parent.name}.{f.stem}")] or files
    found: dict[str, Agreement] = {}
    for file in files:
        try:
            agreement = read(file.read_bytes())
        except ContractRefused:
            continue
        before = found.get(agreement.id)
        if agreement.provider == party and (before is None or before.end < agreement.end):
            found[agreement.id] = agreement
    return [a for key, a in sorted(found.items()) if only in (None, dag_id(key))]


def require_readable(home: Path) -> None:
    """Raise ConfigError that names every agreement of ours in the contracts folder that is none."""
    wrong = []
    for file in _files(home)[1]:
        try:
            read(file.read_bytes())
        except ContractRefused as refusal:
            wrong.append(f"{file.parent.name}/{file.name}: {refusal}")
    if wrong:
        raise ConfigError("unreadable", "; ".join(wrong))


def _files(home: Path) -> tuple[str, list[Path]]:
    config = read_config(home)
    folder = places.contracts(config.contracts) / "agreements"
    return config.party_id, sorted(folder.glob(f"{config.party_id}--*/*.yaml"))


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
