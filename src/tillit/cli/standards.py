"""``tillit agreement export`` and ``import``: agreements in the words of other standards."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tillit.cli.common import INSTANT, open_home

if TYPE_CHECKING:
    from tillit.model import Agreement

__all__ = ["export", "import_policy"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("export")
@click.argument("agreement", metavar="AGREEMENT")
@click.option(
    "--to", "form", type=click.Choice(["odrl", "oaas"]), default="odrl", show_default=True
)
@click.option(
    "--party",
    "parties",
    multiple=True,
    metavar="ID=NAME",
    help="What a dataspace calls a party, such as nordvik=BPNL000000000001.",
)
@click.option("--purpose", "purposes", multiple=True, help="Of Catena-X's catalogue.")
@click.pass_context
def export(
    ctx: click.Context,
    agreement: str,
    form: str,
    parties: tuple[str, ...],
    purposes: tuple[str, ...],
) -> None:
    """Print AGREEMENT (a file, or the id of one that we hold) as another standard has it.

    odrl: the agreement of Dataspace Protocol 2025-1 with Catena-X's constraints; what ODRL cannot
    say is listed in it. oaas: Bitol's draft Open Access Agreement Standard.
    """
    from tillit.agreement.language import require_kind
    from tillit.agreement.oaas import to_oaas
    from tillit.agreement.odrl import NOT_SAID, to_odrl
    from tillit.errors import UsageError
    from tillit.kinds import installed, kind_of

    found = _agreement(ctx, agreement)
    if form == "oaas":
        click.echo(json.dumps(to_oaas(found), indent=2, ensure_ascii=False, default=str))
        return
    kind = kind_of(installed(), found.kind)
    require_kind(found, kind)
    if wrong := [pair for pair in parties if not all(pair.partition("="))]:
        raise UsageError("argument", "--party", expected="ID=NAME", found=wrong[0])
    names = {pair.partition("=")[0]: pair.partition("=")[2] for pair in parties}
    policy = to_odrl(found, kind, parties=names, purposes=purposes)
    click.echo(json.dumps(policy, indent=2, ensure_ascii=False))
    click.echo("ODRL has no words for this; it stands in the policy as notSaid:", err=True)
    for words in policy[NOT_SAID]:
        click.echo(f"  {words}", err=True)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--kind", required=True, help="The kind of exchange that the policy is about.")
@click.option("--provider", help="Whom of ours the policy's assigner stands for.")
@click.option("--consumer", help="Whom of ours the policy's assignee stands for.")
@click.option("--start", type=INSTANT, help="From when on; else the policy's timestamp.")
def import_policy(
    file: Path, kind: str, provider: str | None, consumer: str | None, start: datetime | None
) -> None:
    """Print a draft made of an ODRL policy in FILE: its end, its purposes, its parties.

    A policy knows no columns: all but the key's are withheld until a person opens them.
    """
    from tillit.agreement.odrl import from_odrl
    from tillit.kinds import installed, kind_of

    made = from_odrl(
        file.read_bytes(),
        kind_of(installed(), kind),
        provider=provider,
        consumer=consumer,
        start=start,
    )
    click.echo(made.text, nl=False)
    for words in made.left_out:
        click.echo(f"not carried over: {words}", err=True)


def _agreement(ctx: click.Context, named: str) -> Agreement:
    """An agreement from a file, or the newest of that id in the home."""
    from tillit.agreement.language import read
    from tillit.errors import AgreementRefused

    if Path(named).is_file():
        return read(Path(named).read_bytes())
    from tillit.exchange.agreements import held

    found = [s.agreement for s in held(open_home(ctx)) if s.agreement.id == named]
    if not found:
        raise AgreementRefused(
            "missing",
            f"neither a file nor an agreement that is held: {named}",
            expected="a file, or an id of tillit agreement list",
        )
    return found[-1]
