"""``tillit agreement``: write, check and sign access agreements."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tillit.cli.common import INSTANT, as_json, now_option, open_home, show, table
from tillit.cli.standards import export, import_policy
from tillit.model import Every, isoformat

__all__ = ["agreement"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def agreement() -> None:
    """Access agreements: who may have what of whom, for what, from when to when."""


agreement.add_command(export)
agreement.add_command(import_policy)


@agreement.command()
@click.option("--consumer", required=True, help="Who is to receive.")
@click.option("--kind", "kind_name", required=True, help="What kind of exchange.")
@click.option("--start", type=INSTANT, required=True)
@click.option("--end", type=INSTANT, required=True)
@click.option("--every", type=click.Choice([e.value for e in Every]), default="week")
@click.option("--cut-off-hours", default=24.0, help="Hours before the period's start.")
@click.option("--purpose", "purposes", multiple=True, required=True)
@click.option("--withhold", multiple=True, metavar="COLUMN")
@click.pass_context
def new(
    ctx: click.Context,
    consumer: str,
    kind_name: str,
    start: datetime,
    end: datetime,
    every: str,
    cut_off_hours: float,
    purposes: tuple[str, ...],
    withhold: tuple[str, ...],
) -> None:
    """Print the draft of an agreement in which we are the provider."""
    from tillit.agreement.new import draft
    from tillit.kinds import kind_of
    from tillit.model import Cadence

    home = open_home(ctx)
    text = draft(
        home.party_id,
        consumer,
        kind_of(home.kinds, kind_name),
        start,
        end,
        Cadence(Every(every), cut_off_hours),
        purposes,
        withheld=withhold,
    )
    click.echo(text, nl=False)


@agreement.command()
@click.argument("file", type=_FILE)
@as_json
@click.pass_context
def check(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Check an agreement's FILE: its language, and that it fits the kind it pins."""
    from tillit.agreement.language import check as findings_of
    from tillit.agreement.language import read
    from tillit.agreement.terms import cut_offs
    from tillit.kinds import installed, kind_of

    text = file.read_bytes()
    found = read(text)
    findings = findings_of(text, kind_of(installed(), found.kind))
    now = datetime.now(UTC)
    upcoming = [p for p, _ in zip(cut_offs(found, now), range(3), strict=False)]
    facts = {
        "id": found.id,
        "version": found.version,
        "digest": found.digest,
        "provider": found.provider,
        "consumer": found.consumer,
        "shared": list(found.shared_columns),
        "next_cut_offs": [isoformat(p.cut_off) for p in upcoming],
        "findings": [{"at": f.at, "says": f.says} for f in findings],
    }
    lines = [
        f"{found.id} {found.version}: {found.provider} -> {found.consumer}, {found.kind}",
        f"  shares    {', '.join(found.shared_columns)}",
        f"  cut-offs  {', '.join(isoformat(p.cut_off) for p in upcoming) or 'none: on events'}",
        f"  digest    {found.digest}",
        *(f"  note      {f.at}: {f.says}" for f in findings),
        "fits its kind; not signed by this command",
    ]
    show(facts, as_json=as_json, lines=lines)
    del ctx


@agreement.command()
@click.argument("file", type=_FILE)
@now_option
@click.pass_context
def sign(ctx: click.Context, file: Path, now: datetime) -> None:
    """Sign the exact bytes of FILE and send the signature to the partner."""
    from tillit.exchange.agreements import sign as run
    from tillit.exchange.deliver import deliver

    home = open_home(ctx)
    signed = run(home, file.read_bytes(), now=now)
    outcome = deliver(home, now=now)
    state = "in force on its dates" if signed.complete else "waits for the partner's signature"
    click.echo(
        f"{signed.agreement.id} {signed.agreement.version}: signed by "
        f"{', '.join(sorted(signed.signers))}; {state}"
    )
    for name, error in outcome.unreachable:
        click.echo(f"{name} could not be reached yet: {error}", err=True)


@agreement.command("list")
@as_json
@click.pass_context
def list_agreements(ctx: click.Context, as_json: bool) -> None:
    """List the agreements that we hold, with who has signed."""
    from tillit.exchange.agreements import held

    facts = [
        {
            "id": s.agreement.id,
            "version": s.agreement.version,
            "provider": s.agreement.provider,
            "consumer": s.agreement.consumer,
            "kind": s.agreement.kind,
            "from": isoformat(s.agreement.start),
            "until": isoformat(s.agreement.end),
            "signed_by": sorted(s.signers),
        }
        for s in held(open_home(ctx))
    ]
    rows = [[*list(f.values())[:-1], ", ".join(f["signed_by"])] for f in facts]
    head = ["agreement", "version", "provider", "consumer", "kind", "from", "until", "signed by"]
    show(facts, as_json=as_json, lines=table(head, rows))


@agreement.command("show")
@click.argument("agreement_id", metavar="AGREEMENT")
@click.option("--version", help="Which version; without it the newest.")
@click.pass_context
def show_agreement(ctx: click.Context, agreement_id: str, version: str | None) -> None:
    """Print the text of an agreement that we hold, byte for byte, so that it can be signed."""
    from tillit.errors import AgreementRefused
    from tillit.exchange.agreements import held

    every = [s for s in held(open_home(ctx)) if s.agreement.id == agreement_id]
    found = [s for s in every if version in {None, s.agreement.version}]
    if not found:
        versions = ", ".join(s.agreement.version for s in every)
        raise AgreementRefused(
            "missing",
            f"no such agreement is held: {agreement_id} {version or ''}".rstrip(),
            expected=f"a version of {versions}" if every else "one of tillit agreement list",
        )
    newest = found[-1]
    click.echo(
        f"{agreement_id} {newest.agreement.version}: signed by {', '.join(sorted(newest.signers))}",
        err=True,
    )
    click.echo(newest.agreement.text, nl=False)


@agreement.command()
@click.argument("files", type=_FILE, nargs=-1, required=True)
def repin(files: tuple[Path, ...]) -> None:
    """Pin FILES to the installed contracts of their kinds; both sides then sign again."""
    from tillit.agreement.language import read
    from tillit.agreement.new import repin as renewed
    from tillit.kinds import installed, kind_of

    kinds = installed()
    for file in files:
        text = file.read_bytes()
        pinned = renewed(text, kind_of(kinds, read(text).kind))
        if pinned != text:
            file.write_bytes(pinned)
        click.echo(f"{file}: {'unchanged' if pinned == text else 'pinned anew, sign it again'}")
