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
from tillit.model import Agreement, Cadence, Every

__all__ = ["MARGIN", "cron", "dag_id", "outgoing"]

MARGIN = timedelta(hours=6)
"""How long before its cut-off a shipment is published: time to mend what refuses to leave."""

_PREFIX = "publish."


def dag_id(agreement_id: str) -> str:
    """The id of the DAG that publishes under an agreement."""
    return f"{_PREFIX}{agreement_id}"


def outgoing(home: Path, *, only: str | None = None) -> list[Agreement]:
    """The agreements in the contracts folder whose provider we are; by id.

    With ``only`` a DAG's id, its agreement alone is read: starting a task must not parse a
    thousand others. Raises ConfigError for the home, ContractRefused for an agreement.
    """
    config = read_config(home)
    folder = places.contracts(config.contracts) / "agreements"
    files = sorted(folder.glob(f"{config.party_id}--*/*.yaml"))
    if only is not None:
        files = [f for f in files if only == dag_id(f"{f.parent.name}.{f.stem}")] or files
    found = [read(file.read_bytes()) for file in files]
    ours = [agreement for agreement in found if agreement.provider == config.party_id]
    return [a for a in ours if only in (None, dag_id(a.id))]


def cron(cadence: Cadence) -> str:
    """When to publish, in UTC: `MARGIN` before the cut-off; events are looked for every hour."""
    # Any period of the cadence shows the time of day and the weekday of its cut-off.
    when = cadence.period_at(datetime(2024, 1, 1, tzinfo=UTC)).cut_off - MARGIN
    if cadence.every is Every.EVENT:
        return "17 * * * *"
    if cadence.every is Every.HOUR:
        return f"{when.minute} * * * *"
    if cadence.every is Every.DAY:
        return f"{when.minute} {when.hour} * * *"
    if cadence.every is Every.WEEK:
        return f"{when.minute} {when.hour} * * {when.isoweekday() % 7}"
    # The day of a cut-off before or after the first of a month moves with the month's length, so
    # a month is published every day of its last week: the same period is the same shipment.
    return f"{when.minute} {when.hour} 25-31 * *"
