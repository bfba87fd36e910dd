"""``tillit home``: make a home and look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tillit.cli.common import as_json, open_home, passphrase, show

__all__ = ["home"]


@click.group()
def home() -> None:
    """Make a home and look at it: one party's keys, ledger, lake and mailbox address."""


@home.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--party", required=True, help="Our id, such as nordvik.")
@click.option("--name", required=True, help='Our name, such as "Nordvik Motor".')
@click.option("--mailbox", help="Where partners put what they send us: a folder, sftp:// or s3://.")
@click.option(
    "--database-url-file",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    help="A 0600 file with the URL of a PostgreSQL server, instead of one of our own.",
)
@click.option("--passphrase/--no-passphrase", "lock", help="Keep the keys under a passphrase.")
@click.pass_context
def init(
    ctx: click.Context,
    folder: Path,
    party: str,
    name: str,
    mailbox: str | None,
    database_url_file: Path | None,
    lock: bool,
) -> None:
    """Make a home in FOLDER: keys, ledger, lake and configuration."""
    from tillit.home import create_home

    secret = passphrase(ctx, new=True)() if lock or ctx.find_root().obj["passphrase_file"] else None
    with create_home(
        folder,
        party_id=party,
        name=name,
        now=datetime.now(UTC),
        mailbox_url=mailbox,
        database_url_file=database_url_file,
        passphrase=secret,
    ) as made:
        made.ledger.heads()  # the first use makes the tables
        made.lake.prepare(made.kinds.values())
        us = made.party(party)
    click.echo(f"{name} ({party}) lives in {folder}")
    click.echo(f"fingerprint  {us.fingerprint}")
    click.echo(f"mailbox      {us.mailbox_url}")
    click.echo("next: tillit party export > us.json, and tell the partner the fingerprint")


@home.command("show")
@as_json
@click.pass_context
def show_home(ctx: click.Context, as_json: bool) -> None:
    """Show who we are, whom we know and where things lie."""
    opened = open_home(ctx)
    us = opened.party(opened.party_id)
    facts = {
        "party": us.id,
        "name": us.name,
        "fingerprint": us.fingerprint,
        "mailbox": us.mailbox_url,
        "folder": str(opened.folder),
        "partners": sorted(set(opened.parties) - {us.id}),
        "kinds": sorted(opened.kinds),
        "sources": dict(opened.config.sources),
    }
    lines = [f"{key:<12} {_words(value)}" for key, value in facts.items()]
    show(facts, as_json=as_json, lines=lines)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} = {v}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value)
