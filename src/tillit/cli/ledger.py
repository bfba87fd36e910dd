"""``tillit ledger``: the record of everything sent and received."""

from __future__ import annotations

import json

import click

from tillit.cli.common import as_json, open_home, show, table
from tillit.model import counted, isoformat

__all__ = ["ledger"]


@click.group()
def ledger() -> None:
    """The record of everything sent and received, refusals included."""


@ledger.command("list")
@click.option("--partner", help="Only what passed between us and this partner.")
@click.option("--type", "type_", help="Only shipment, receipt, agreement, deletion, party, ...")
@click.option("--limit", default=50, show_default=True)
@as_json
@click.pass_context
def list_entries(
    ctx: click.Context, partner: str | None, type_: str | None, limit: int, as_json: bool
) -> None:
    """List statements, newest last."""
    home = open_home(ctx)
    entries = home.ledger.entries(partner=partner, type=type_, limit=limit, newest=True)
    facts = [
        {
            "digest": e.digest,
            "author": e.author,
            "recipient": e.recipient,
            "seq": e.seq,
            "type": e.type,
            "direction": e.direction,
            "about": e.shipment_id or e.agreement_id,
            "issued_at": isoformat(e.issued_at),
            "recorded_at": isoformat(e.recorded_at),
        }
        for e in entries
    ]
    rows = [
        [
            e.digest[:12],
            e.author,
            e.recipient,
            e.seq,
            e.type,
            e.shipment_id or e.agreement_id,
            isoformat(e.recorded_at),
        ]
        for e in entries
    ]
    head = ["digest", "author", "recipient", "seq", "type", "about", "recorded at"]
    show(facts, as_json=as_json, lines=table(head, rows))


@ledger.command("show")
@click.argument("digest")
@click.option("--envelope", is_flag=True, help="The signed envelope, byte for byte.")
@click.pass_context
def show_entry(ctx: click.Context, digest: str, envelope: bool) -> None:
    """Show one statement by the beginning of its DIGEST."""
    from tillit.crypto import dsse
    from tillit.errors import UsageError

    entry = open_home(ctx).ledger.get(digest)
    if entry is None:
        raise UsageError("not-found", "no statement has this digest", found=digest)
    if envelope:
        click.echo(entry.envelope, nl=False)
        return
    statement = json.loads(dsse.unverified_payload(entry.envelope))
    click.echo(json.dumps(statement, indent=2, ensure_ascii=False))


@ledger.command()
@as_json
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Verify every digest, signature, link and mutual witness; exit code 9 if one does not hold."""
    from tillit.exchange.audit import verify_ledger

    report = verify_ledger(open_home(ctx))
    facts = {
        "statements": report.statements,
        "chains": report.chains,
        "findings": [{"code": f.code, "digest": f.digest, "text": f.text} for f in report.findings],
    }
    lines = [f"{counted(report.statements, 'statement')} in {counted(report.chains, 'chain')}"]
    lines += [f"  {f.code}: {f.text}" for f in report.findings] or ["everything holds"]
    show(facts, as_json=as_json, lines=lines)
    if report.findings:
        ctx.exit(9)
