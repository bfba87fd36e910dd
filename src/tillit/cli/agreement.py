"""``tillit agreement``: write, check, compare and list access agreements."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tillit.cli.common import INSTANT, as_json, now_option, open_home, show, table
from tillit.cli.negotiate import COMMANDS, text_of
from tillit.cli.standards import export, import_policy
from tillit.model import Every, isoformat

if TYPE_CHECKING:
    from tillit.agreement.life import Life, Version
    from tillit.home import Home
    from tillit.model import Agreement

__all__ = ["agreement"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = click.Path(exists=True, path_type=Path)


@click.group()
def agreement() -> None:
    """Access agreements: who may have what of whom, for what, from when to when."""


agreement.add_command(export)
agreement.add_command(import_policy)
for _command in COMMANDS:
    agreement.add_command(_command)


@agreement.command()
@click.option("--consumer", help="Who is to receive from us.")
@click.option("--provider", help="Or who is to share with us.")
@click.option("--kind", "kind_name", required=True, help="What kind of exchange.")
@click.option("--start", type=INSTANT, required=True)
@click.option("--end", type=INSTANT, required=True)
@click.option("--every", type=click.Choice([e.value for e in Every]), default="week")
@click.option("--cut-off-hours", default=24.0, help="Hours before the period's start.")
@click.option("--purpose", "purposes", multiple=True, required=True)
@click.option("--withhold", multiple=True, metavar="COLUMN")
@click.option(
    "--version", default="1.0.0", show_default=True, help="Another text, another version."
)
@click.pass_context
def new(
    ctx: click.Context,
    consumer: str | None,
    provider: str | None,
    kind_name: str,
    start: datetime,
    end: datetime,
    every: str,
    cut_off_hours: float,
    purposes: tuple[str, ...],
    withhold: tuple[str, ...],
    version: str,
) -> None:
    """Print the draft of an agreement: we share with a consumer, or a provider with us."""
    from tillit.agreement.new import draft
    from tillit.kinds import kind_of
    from tillit.model import Cadence

    if (consumer is None) == (provider is None):
        raise click.UsageError("give one of --consumer and --provider; we are the other")
    home = open_home(ctx)
    text = draft(
        provider or home.party_id,
        consumer or home.party_id,
        kind_of(home.kinds, kind_name),
        start,
        end,
        Cadence(Every(every), cut_off_hours),
        purposes,
        withheld=withhold,
        version=version,
    )
    click.echo(text, nl=False)


@agreement.command()
@click.argument("files", metavar="FILE...", type=_PATH, nargs=-1, required=True)
@click.option("--was", type=_FILE, help="The contract that it pins, where a newer is installed.")
@as_json
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...], was: Path | None, as_json: bool) -> None:
    """Check agreements: the language of each, and that it fits the kind it pins.

    Several files, or folders of them, get a line each; all are checked, and the exit code is that
    of the first one refused. With --was one file is checked, and it says what the installed
    contract of the kind breaks that the older one did not.
    """
    if len(files) == 1 and not files[0].is_dir():
        _check_one(files[0], was, as_json=as_json)
        return
    from tillit.cli.check_many import check_many, files_in

    if was is not None:
        raise click.UsageError("--was is about one agreement")
    ctx.exit(check_many(files_in(files), as_json=as_json))


def _check_one(file: Path, was: Path | None, *, as_json: bool) -> None:
    from tillit.agreement.language import check as findings_of
    from tillit.agreement.language import read
    from tillit.agreement.terms import cut_offs
    from tillit.kinds import installed, kind_of

    text = file.read_bytes()
    found = read(text)
    if was is not None:
        _show_breaks(found, was.read_bytes(), as_json=as_json)
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


def _show_breaks(found: Agreement, contract: bytes, *, as_json: bool) -> None:
    """What the installed contract breaks; the check itself then says that the pins do not fit."""
    from tillit.agreement.breaking import breaking
    from tillit.agreement.language import require_kind
    from tillit.kinds import installed, kind_of
    from tillit.quality.rules import load_kind

    old = load_kind(contract)
    require_kind(found, old)
    broken = breaking(old, kind_of(installed(), found.kind))
    facts = {
        "id": found.id,
        "version": found.version,
        "needs_amendment": bool(broken),
        "breaks": [{"at": b.at, "says": b.says} for b in broken],
    }
    lines = [f"  needs an amendment: {b.at} {b.says}" for b in broken]
    show(facts, as_json=as_json, lines=lines or ["  nothing breaks: new pins and signatures do"])


@agreement.command("list")
@now_option
@as_json
@click.pass_context
def list_agreements(ctx: click.Context, now: datetime, as_json: bool) -> None:
    """List all versions of all agreements with what they are, and whose word they wait for."""
    from tillit.cli.progress import told
    from tillit.exchange.listing import listed

    home = open_home(ctx)
    with told("verifying what is new") as progress:
        lives = listed(home, progress)
    every = [
        _facts(life, version, now, home.party_id)
        for life in lives.values()
        for version in life.newest_first[::-1]
    ]
    head = ["agreement", "version", "provider", "consumer", "kind", "from", "until", "state"]
    keys = ["id", "version", "provider", "consumer", "kind", "from", "until", "says"]
    rows = [[facts[key] for key in keys] for facts in every]
    show(every, as_json=as_json, lines=table(head, rows))


def _facts(life: Life, version: Version, now: datetime, us: str) -> dict[str, Any]:
    from tillit.agreement.life import state, told, waits_for

    found = version.agreement
    return {
        "id": found.id,
        "version": found.version,
        "digest": found.digest,
        "provider": found.provider,
        "consumer": found.consumer,
        "kind": found.kind,
        "from": isoformat(found.start),
        "until": isoformat(found.end),
        "signed_by": sorted(version.signed),
        "state": str(state(life, version, now)),
        "waits_for": list(waits_for(life, version, now)),
        "reassessment_due": found.reassess is not None and now >= found.reassess,
        "says": told(life, version, now, us),
    }


@agreement.command("show")
@click.argument("agreement_id", metavar="AGREEMENT")
@click.option("--version", help="Which version; without it the newest.")
@now_option
@as_json
@click.pass_context
def show_agreement(
    ctx: click.Context, agreement_id: str, version: str | None, now: datetime, as_json: bool
) -> None:
    """Print the text of an agreement, byte for byte, so that it can be read and signed.

    What it is, and each step that was taken, goes to stderr; with --json all of it to stdout.
    """
    from tillit.exchange.agreements import version_of
    from tillit.exchange.standing import life_of, other_party
    from tillit.ledger.bodies import AgreementBody

    home = open_home(ctx)
    shown = version_of(home, agreement_id, version)
    partner = other_party(home, shown.agreement)
    life = life_of(home, home.ledger, agreement_id, partner)
    facts = _facts(life, shown, now, home.party_id)
    steps = [
        {
            "at": isoformat(e.recorded_at),
            "author": e.author,
            "event": body.event,
            "version": body.agreement.version,
            "reason": body.reason,
            "statement": e.digest,
        }
        for e in home.ledger.entries(partner=partner, type="agreement", agreement=agreement_id)
        if isinstance(body := e.statement.body, AgreementBody)
    ]
    back = _returned(home, shown.agreement, now)
    if as_json:
        text = shown.agreement.text.decode()
        show({**facts, "steps": steps, "in_return": back, "text": text}, as_json=True, lines=())
        return
    click.echo(f"{agreement_id} {facts['version']}: {facts['says']}", err=True)
    for step in steps:
        why = f": {step['reason']}" if step["reason"] else ""
        said = f"{step['author']} {step['event']} {step['version']}{why}"
        click.echo(f"  {step['at']}  {said}", err=True)
    if back is not None:
        click.echo(f"  in return for {back['agreement']}: {back['says']}", err=True)
    click.echo(shown.agreement.text, nl=False)


def _returned(home: Home, found: Agreement, now: datetime) -> dict[str, Any] | None:
    """How what is shared in return is kept, as far as it can be seen here."""
    from tillit.agreement.terms.reciprocity import in_return_for

    term = in_return_for(found)
    if term is None:
        return None
    if home.party_id != found.provider:
        says = f"{found.provider} counts what arrives there, and pauses after {term.overdue}"
        return {"agreement": term.agreement, "says": says}
    from tillit.exchange.reciprocity import returned

    held = returned(home, found, now)
    if held is None:
        return None
    says = held.why or f"{held.overdue} of at most {held.allowed} cadences overdue"
    kept = "" if held.kept else "; publishing pauses"
    return {
        "agreement": held.agreement_id,
        "overdue": held.overdue,
        "allowed": held.allowed,
        "kept": held.kept,
        "says": says + kept,
    }


@agreement.command("diff")
@click.argument("old")
@click.argument("new")
@as_json
@click.pass_context
def diff_agreements(ctx: click.Context, old: str, new: str, as_json: bool) -> None:
    """Say in words what NEW lets through that OLD did not; each a file or AGREEMENT@VERSION.

    Each difference is marked: + widening, - narrowing, . neither by itself.
    """
    from tillit.agreement.diff import diff

    before, after = (text_of(ctx, name) for name in (old, new))
    changes = diff(before, after)
    facts = [{"at": c.at, "says": c.says, "direction": str(c.direction)} for c in changes]
    marks = {"widening": "+", "narrowing": "-", "neither": "."}
    lines = [f"{marks[c.direction]} {c.direction:<9}  {c.at}: {c.says}" for c in changes]
    show(facts, as_json=as_json, lines=lines or ["the same"])


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
