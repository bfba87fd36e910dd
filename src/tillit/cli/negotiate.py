"""``tillit agreement propose`` and on to ``revoke``: what one side says to the other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tillit.cli.common import now_option, open_home

if TYPE_CHECKING:
    from tillit.home import Home
    from tillit.model import Agreement

__all__ = ["COMMANDS", "text_of"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def text_of(ctx: click.Context, name: str) -> Agreement:
    """The agreement that a file holds, or that is on the table as ``AGREEMENT[@VERSION]``."""
    from tillit.agreement.language import read
    from tillit.exchange.agreements import version_of

    if Path(name).is_file():
        return read(Path(name).read_bytes())
    agreement_id, _, version = name.partition("@")
    return version_of(open_home(ctx), agreement_id, version or None).agreement


def _sent(home: Home, now: datetime, said: str) -> None:
    """Deliver what was said, and tell whom it did not reach."""
    from tillit.exchange.deliver import deliver

    outcome = deliver(home, now=now)
    click.echo(said)
    for name, error in outcome.unreachable:
        click.echo(f"{name} could not be reached yet: {error}", err=True)


@click.command()
@click.argument("file", type=_FILE)
@now_option
@click.pass_context
def propose(ctx: click.Context, file: Path, now: datetime) -> None:
    """Propose FILE, or a newer version of what is agreed; it binds nobody before it is signed."""
    from tillit.exchange.agreements import propose as run

    home = open_home(ctx)
    made = run(home, file.read_bytes(), now=now)
    _sent(home, now, f"{made.id} {made.version}: proposed, waits for the partner")


@click.command()
@click.argument("file", type=_FILE)
@click.option("--to", "answers", metavar="VERSION", help="Without it the newest that waits for us.")
@now_option
@click.pass_context
def counter(ctx: click.Context, file: Path, answers: str | None, now: datetime) -> None:
    """Answer a proposal with FILE, which has a newer version."""
    from tillit.exchange.agreements import counter as run

    home = open_home(ctx)
    made = run(home, file.read_bytes(), answers=answers, now=now)
    _sent(home, now, f"{made.id} {made.version}: proposed in return, waits for the partner")


@click.command()
@click.argument("name", metavar="FILE|AGREEMENT[@VERSION]")
@now_option
@click.pass_context
def sign(ctx: click.Context, name: str, now: datetime) -> None:
    """Sign the exact bytes of a file, or of a proposal, and send the signature to the partner."""
    from tillit.exchange.agreements import sign as run
    from tillit.exchange.agreements import version_of

    home = open_home(ctx)
    if Path(name).is_file():
        text = Path(name).read_bytes()
    else:
        agreement_id, _, version = name.partition("@")
        text = version_of(home, agreement_id, version or None).agreement.text
    signed = run(home, text, now=now)
    state = "in force on its dates" if signed.complete else "waits for the partner's signature"
    signers = ", ".join(sorted(signed.signers))
    found = signed.agreement
    _sent(home, now, f"{found.id} {found.version}: signed by {signers}; {state}")


@click.command()
@click.argument("name", metavar="AGREEMENT[@VERSION]")
@click.option("--reason", required=True, help="No is an answer, with a reason.")
@now_option
@click.pass_context
def decline(ctx: click.Context, name: str, reason: str, now: datetime) -> None:
    """Say no to a proposal; without VERSION to the newest that waits for us."""
    from tillit.exchange.agreements import decline as run

    home = open_home(ctx)
    agreement_id, _, version = name.partition("@")
    made = run(home, agreement_id, reason, version=version or None, now=now)
    _sent(home, now, f"{made.id} {made.version}: declined")


@click.command()
@click.argument("agreement_id", metavar="AGREEMENT")
@click.option("--reason", required=True)
@now_option
@click.pass_context
def revoke(ctx: click.Context, agreement_id: str, reason: str, now: datetime) -> None:
    """Take back what we have signed or proposed of an agreement, in all its versions.

    Nothing leaves under it from now on; at the partner it ends when this arrives there.
    """
    from tillit.exchange.agreements import revoke as run

    home = open_home(ctx)
    made = run(home, agreement_id, reason, now=now)
    _sent(home, now, f"{made.id}: revoked")


COMMANDS = (propose, counter, sign, decline, revoke)
