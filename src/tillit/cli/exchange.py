"""``tillit publish``, ``receive``, ``observe``: the use cases that the DAGs run too."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tillit.cli.common import as_json, now_option, open_home, show, table
from tillit.model import counted

if TYPE_CHECKING:
    from tillit.exchange.publish import Published
    from tillit.exchange.receive import Received

__all__ = ["observe", "publish", "receive"]


@click.command()
@click.argument("agreement_id", metavar="AGREEMENT")
@click.option("--revision", default=1, show_default=True, help="2, 3, ... to correct a period.")
@now_option
@as_json
@click.pass_context
def publish(
    ctx: click.Context, agreement_id: str, revision: int, now: datetime, as_json: bool
) -> None:
    """Publish what is due next under AGREEMENT."""
    from tillit.exchange.publish import publish as run

    made = run(open_home(ctx), agreement_id, now=now, revision=revision)
    show(asdict(made), as_json=as_json, lines=_told(made))


def _told(made: Published) -> list[str]:
    if made.nothing:
        return [f"{made.agreement_id}: nothing new to tell"]
    lines = [
        f"{made.shipment_id}: {counted(made.rows, 'row')}"
        + (" (made before)" if made.repeated else "")
        + (", delivered" if made.delivered else ", waiting in the outbox: mailbox unreachable")
    ]
    if made.stopped:
        lines.append(f"{counted(made.stopped, 'row')} stopped here:")
        lines += [f"  {r.rows:>6}  {r.rule}: {r.reason}" for r in made.reasons]
    return lines


@click.command()
@click.option("--partner", help="Take only what this partner sent.")
@now_option
@as_json
@click.pass_context
def receive(ctx: click.Context, partner: str | None, now: datetime, as_json: bool) -> None:
    """Take what waits in our mailbox: verify, open, judge, land, acknowledge."""
    from tillit.exchange.receive import receive as run

    taken = run(open_home(ctx), now=now, partner=partner)
    facts = {
        "outcomes": [asdict(outcome) for outcome in taken.outcomes],
        "summary": taken.summary(),
        "rows": taken.rows,
        "unreachable": [name for name, _ in taken.delivered.unreachable],
    }
    show(facts, as_json=as_json, lines=_taken(taken))


def _taken(taken: Received) -> list[str]:
    if not taken.outcomes:
        return ["nothing waits"]
    rows = [
        [o.sender, o.seq, o.shipment_id or o.type, o.result, o.accepted, o.refused, o.code]
        for o in taken.outcomes
    ]
    head = ["from", "number", "what", "result", "accepted", "refused", "code"]
    lines = table(head, rows)
    lines += [
        f"{name} could not be reached: {error}" for name, error in taken.delivered.unreachable
    ]
    return lines


@click.command()
@click.argument("kind_name", metavar="KIND")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--batch", help="Name of this batch; the same batch is taken once.  [default: file]")
@now_option
@as_json
@click.pass_context
def observe(
    ctx: click.Context, kind_name: str, file: Path, batch: str | None, now: datetime, as_json: bool
) -> None:
    """Record in our lake what we saw ourselves: rows of KIND in a Parquet or CSV FILE.

    FILE has the kind's columns, partner (whom it is about) and recorded_at. These rows are
    witnesses: what a partner tells is measured against them.
    """
    from tillit.exchange.observe import observe as run

    home = open_home(ctx)
    home.readable.append(str(file.resolve()))
    rows = run(home, kind_name, file, batch=batch or file.name, now=now)
    show({"kind": kind_name, "rows": rows}, as_json=as_json, lines=[f"{rows} rows of {kind_name}"])
