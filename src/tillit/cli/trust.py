"""``tillit trust``: how much information is shared."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tillit.cli.common import INSTANT, as_json, now_option, open_home, show, table
from tillit.errors import UsageError
from tillit.model import counted

__all__ = ["trust"]


@click.group()
def trust() -> None:
    """How much information partners share with us, as an indicator of trust."""


@trust.command("show")
@now_option
@as_json
@click.pass_context
def show_trust(ctx: click.Context, now: datetime, as_json: bool) -> None:
    """Measure and show each partner's direction to us, with its evidence."""
    from tillit.trust.run import run_trust
    from tillit.trust.show import NAMES
    from tillit.trust.show import table as rows_of

    shown = run_trust(open_home(ctx), now=now)
    lines = table(NAMES, rows_of(shown))
    lines += ["", "a dash is not measured; a column under 26 due cells has not enough evidence"]
    lines += [
        f"check {f['check']}: {f['what']} ({counted(f['rows'], 'row')})" for f in shown["findings"]
    ]
    show(shown, as_json=as_json, lines=lines)


@trust.command()
@click.argument("partner")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Compare with the week of a day.")
@now_option
@as_json
@click.pass_context
def explain(
    ctx: click.Context, partner: str, since: datetime | None, now: datetime, as_json: bool
) -> None:
    """Explain the score of what PARTNER shares with us: how sure it is, and why it moved.

    With --now an earlier score is explained, from what was known then; nothing of that is kept.
    """
    from tillit.trust.words import explained

    shown = _measured(ctx, now, since)
    direction = _of(shown, partner)
    facts = {**direction, "as_of": shown["as_of"], "definition": shown["definition"]}
    lines = [f"as of {shown['as_of']}, by definition {shown['definition']}"]
    for section in explained(direction):
        rows = table(section.head, section.rows) if section.head else [r[0] for r in section.rows]
        lines += ["", section.title, *(f"  {row}" for row in rows)]
    show(facts, as_json=as_json, lines=lines)


@trust.command()
@click.argument("partner")
@click.option("--weeks", type=click.IntRange(1), default=26, show_default=True)
@now_option
@as_json
@click.pass_context
def history(ctx: click.Context, partner: str, weeks: int, now: datetime, as_json: bool) -> None:
    """Show what PARTNER shared with us week by week, the newest last."""
    from tillit.trust.show import HISTORY, history_table

    direction = _of(_measured(ctx, now), partner)
    told = direction["history"][-weeks:]
    show(told, as_json=as_json, lines=table(HISTORY, history_table(told)))


@trust.command()
@now_option
@as_json
@click.pass_context
def compare(ctx: click.Context, now: datetime, as_json: bool) -> None:
    """Compare the partners that share with us, the highest score first."""
    from tillit.trust.show import COMPARED, compared

    rows = compared(_measured(ctx, now))
    facts = [dict(zip(COMPARED, row, strict=True)) for row in rows]
    show(facts, as_json=as_json, lines=table(COMPARED, rows))


def _measured(ctx: click.Context, now: datetime, since: datetime | None = None) -> dict[str, Any]:
    """Measure without keeping it: who asks about a day does not change what the lake holds."""
    from tillit.trust.run import run_trust

    day = None if since is None else since.date()
    return run_trust(open_home(ctx), now=now, since=day, kept=False)


def _of(shown: dict[str, Any], partner: str) -> dict[str, Any]:
    """What one partner shares with us; UsageError ``not-found`` says who does."""
    directions = shown["directions"]
    for direction in directions:
        if direction["partner"] == partner:
            return dict(direction)
    raise UsageError(
        "not-found",
        "nobody of that id shares with us under an agreement",
        expected=", ".join(sorted(d["partner"] for d in directions)) or "a partner",
        found=partner,
    )


@trust.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--as-of", type=INSTANT, help="Measure as of this instant; else of the last one.")
@as_json
def score(folder: Path, as_of: datetime | None, as_json: bool) -> None:
    """Score a history that was exchanged by other means: a FOLDER of Parquet files.

    It holds a file a kind, arrivals.parquet and agreements.parquet, and may hold
    public_index.parquet; docs/score-a-history.md says which columns. Nothing leaves the machine,
    and nothing is kept.
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from tillit.trust.folder import score_folder
    from tillit.trust.show import NAMES, relationship_table

    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), transient=True, disable=as_json
    ) as bar:
        task = bar.add_task("reading")
        shown = score_folder(
            folder,
            as_of=as_of,
            progress=lambda name, done, of: bar.update(task, description=f"{name}  {done} of {of}"),
        )
    lines = table(("relationship", "T", *NAMES), relationship_table(shown))
    lines += ["", "a dash is not measured; a column under 26 due cells has not enough evidence"]
    lines += [
        f"check {f['check']}: {f['what']} ({counted(f['rows'], 'row')})" for f in shown["findings"]
    ]
    show(shown, as_json=as_json, lines=lines)


@trust.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("trust.html"),
    show_default=True,
)
@now_option
@click.pass_context
def report(ctx: click.Context, out: Path, now: datetime) -> None:
    """Write an HTML report that opens without a network."""
    from tillit.report.compose import compose
    from tillit.report.page import write
    from tillit.trust.run import run_trust

    home = open_home(ctx)
    shown = run_trust(home, now=now, band=True)
    partners = sorted({d["partner"] for d in shown["directions"]})
    content = compose(
        title=f"What partners share with {home.config.party_name}",
        measures={home.party_id: shown},
        pairs=[(home.party_id, partner) for partner in partners],
        names={party.id: party.name for party in home.parties.values()},
        stories={},
        refused=[],
        facts=[("partners", str(len(partners)))],
    )
    click.echo(write(content, out))
