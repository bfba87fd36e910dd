"""``tillit custody``: what may not be kept for ever, here and at our partners."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tillit.cli.common import as_json, now_option, open_home, show, table
from tillit.cli.progress import told
from tillit.model import counted, isoformat

if TYPE_CHECKING:
    from tillit.exchange.duties import Duty, Expected

__all__ = ["custody"]


@click.group()
def custody() -> None:
    """What has to be deleted by when, and who has certified that it is."""


@custody.command("list")
@click.option("--all", "all_", is_flag=True, help="Also what is deleted and certified already.")
@now_option
@as_json
@click.pass_context
def list_duties(ctx: click.Context, all_: bool, now: datetime, as_json: bool) -> None:
    """List what we hold and may not keep: what `tillit custody run` will delete, and when.

    States: kept (until its date), due (the next run deletes it), deleted (its certificate is still
    to come), certified.
    """
    from tillit.exchange.duties import duties

    facts = [_duty(duty, now) for duty in duties(open_home(ctx), all_=all_)]
    head = ["delete by", "state", "from", "shipment", "rows", "deleted at"]
    rows = [
        [f["delete_by"], f["state"], f["provider"], f["shipment_id"], f["rows"], f["deleted_at"]]
        for f in facts
    ]
    lines = table(head, rows) if rows else ["nothing has to be deleted"]
    show(facts, as_json=as_json, lines=lines)


@custody.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted now.")
@now_option
@as_json
@click.pass_context
def run(ctx: click.Context, dry_run: bool, now: datetime, as_json: bool) -> None:
    """Delete what is due, destroy its keys, and certify that to those it came from.

    What is deleted cannot be brought back. Running it again does what was left undone.
    """
    from tillit.exchange.custody import keep_custody
    from tillit.exchange.duties import duties

    home = open_home(ctx)
    if dry_run:
        due = [duty for duty in duties(home) if duty.state(now) in {"due", "deleted"}]
        facts = [_duty(duty, now) for duty in due]
        lines = [f"{f['shipment_id']}: {counted(f['rows'], 'row')}" for f in facts]
        show(facts, as_json=as_json, lines=lines or ["nothing is due"])
        return
    with told("deleting") as progress:
        kept = keep_custody(home, now=now, progress=progress)
    made = [
        {
            "provider": certificate.provider,
            "agreement_id": certificate.agreement_id,
            "shipments": list(certificate.shipments),
            "rows": certificate.rows,
            "certificate": certificate.statement,
        }
        for certificate in kept.certificates
    ]
    unreachable = [name for name, _ in kept.delivered.unreachable]
    lines = [
        f"{c.agreement_id}: {counted(len(c.shipments), 'shipment')} with "
        f"{counted(c.rows, 'row')} deleted, certified to {c.provider} ({c.statement[:12]})"
        for c in kept.certificates
    ] or ["nothing is due"]
    lines += [f"derived.{name} dropped: it may have held some of it" for name in kept.derived]
    lines += [
        f"{name} could not be reached, its certificate waits: {error}"
        for name, error in kept.delivered.unreachable
    ]
    show(
        {
            "certificates": made,
            "rows": kept.rows,
            "derived_dropped": list(kept.derived),
            "unreachable": unreachable,
        },
        as_json=as_json,
        lines=lines,
    )


@custody.command()
@click.option("--overdue", is_flag=True, help="Only what should be deleted and is not certified.")
@click.option("--partner", help="Only what this partner holds.")
@now_option
@as_json
@click.pass_context
def certificates(
    ctx: click.Context, overdue: bool, partner: str | None, now: datetime, as_json: bool
) -> None:
    """List what partners hold of ours for a time, and what they certified as deleted.

    States: unanswered (no receipt yet), held, due, overdue (no certificate a day after its date),
    deleted, deleted late.
    """
    from tillit.exchange.duties import expected

    facts = [
        _expected(one, now)
        for one in expected(open_home(ctx))
        if partner in {None, one.consumer} and (not overdue or one.state(now) == "overdue")
    ]
    head = ["delete by", "state", "at", "shipment", "rows", "deleted at", "deleted", "certificate"]
    rows = [
        [
            *(f["delete_by"], f["state"], f["consumer"], f["shipment_id"], f["rows"]),
            *(f["deleted_at"], f["rows_deleted"], (f["certificate"] or "-")[:12]),
        ]
        for f in facts
    ]
    lines = table(head, rows) if rows else ["nothing"]
    show(facts, as_json=as_json, lines=lines)


def _duty(duty: Duty, now: datetime) -> dict[str, Any]:
    holding = duty.holding
    return {
        "provider": holding.partner,
        "agreement_id": holding.agreement_id,
        "agreement_version": duty.agreement.version,
        "shipment_id": holding.shipment_id,
        "rows": holding.rows,
        "arrived_at": isoformat(holding.arrived_at),
        "delete_by": isoformat(duty.delete_by),
        "deleted_at": _when(holding.deleted_at),
        "state": duty.state(now),
    }


def _expected(one: Expected, now: datetime) -> dict[str, Any]:
    return {
        "consumer": one.consumer,
        "agreement_id": one.agreement.id,
        "agreement_version": one.agreement.version,
        "shipment_id": one.shipment_id,
        "rows": one.rows,
        "arrived_at": _when(one.arrived_at),
        "delete_by": _when(one.delete_by),
        "deleted_at": _when(one.deleted_at),
        "rows_deleted": one.rows_deleted,
        "certificate": one.certificate,
        "state": one.state(now),
    }


def _when(instant: datetime | None) -> str | None:
    return None if instant is None else isoformat(instant)
