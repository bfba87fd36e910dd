"""``tillit party``: who we are, whom we know, and keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tillit.cli.common import as_json, open_home, show, table

__all__ = ["party"]


@click.group()
def party() -> None:
    """Who we are, whom we know, and keys."""


@party.command()
@click.pass_context
def export(ctx: click.Context) -> None:
    """Print our public party document, self-signed; send it to a partner."""
    home = open_home(ctx)
    click.echo(home.documents(home.party_id)[-1].decode("utf-8"))


@party.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fingerprint", help="As the partner told you, by another way than the file came.")
@click.pass_context
def add(ctx: click.Context, file: Path, fingerprint: str | None) -> None:
    """Accept a partner's document, or a newer one signed with the keys that we know."""
    from tillit.exchange.parties import add_party

    home = open_home(ctx)
    added = add_party(home, file.read_bytes(), fingerprint, now=datetime.now(UTC))
    click.echo(f"{added.name} ({added.id}), document {added.version}: {added.fingerprint}")


@party.command("list")
@as_json
@click.pass_context
def list_parties(ctx: click.Context, as_json: bool) -> None:
    """List everybody we know."""
    home = open_home(ctx)
    facts = [
        {
            "party": p.id,
            "name": p.name,
            "document": p.version,
            "key_generations": len(p.keys),
            "fingerprint": p.fingerprint,
            "mailbox": p.mailbox_url,
            "us": p.id == home.party_id,
        }
        for p in home.parties.values()
    ]
    rows = [[*fact.values()][:-1] for fact in facts]
    head = ["party", "name", "document", "keys", "fingerprint", "mailbox"]
    show(facts, as_json=as_json, lines=table(head, rows))


@party.command()
@click.pass_context
def rotate(ctx: click.Context) -> None:
    """Make new keys; the old ones sign the new document, and old shipments still open."""
    from tillit.exchange.parties import rotate_keys

    home = open_home(ctx)
    us = rotate_keys(home, now=datetime.now(UTC))
    click.echo(f"document {us.version}: {us.fingerprint}")
    click.echo("next: tillit party export > us.json, for every partner")
