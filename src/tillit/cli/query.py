"""``tillit query`` and ``tillit export``: ask the lake, and pass on what was made of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tillit.cli.common import as_json, now_option, open_home, show, table
from tillit.model import counted

__all__ = ["export", "query"]


@click.command()
@click.argument("sql")
@click.option("--purpose", help="What the answer is for; one that the agreements name.")
@click.option(
    "--agreement",
    "agreements",
    multiple=True,
    metavar="ID",
    help="See nothing but what came under it; repeatable.",
)
@click.option("--into", metavar="NAME", help="Keep the answer in the lake as derived.NAME.")
@click.option("--replace", is_flag=True, help="Put it over a derived.NAME that is there.")
@now_option
@as_json
@click.pass_context
def query(
    ctx: click.Context,
    sql: str,
    purpose: str | None,
    agreements: tuple[str, ...],
    into: str | None,
    now: datetime,
    *,
    replace: bool,
    as_json: bool,
) -> None:
    """Ask the lake in SQL: one SELECT.

    \b
    landed, current, quarantine   what partners sent: needs --purpose, is recorded
    as_of.KIND('2026-03-01')      what was known of a kind at a time; so does that
    derived                       answers that were kept with --into; so do they
    audit                         who shared what with whom, when, and used for what
    own, exchange, trust, ledger  our own records

    Rows of agreements that do not allow the purpose are left out, and that is said. What is kept
    goes where all agreements let it go whose rows it may hold; --agreement names fewer of them.
    """  # noqa: D301  # the backslash is for click
    from tillit.exchange.use import ask

    home = open_home(ctx)
    answer = ask(home, sql, purpose=purpose, now=now, only=agreements, into=into, replace=replace)
    for agreement_id in answer.left_out:
        click.echo(f"left out: {agreement_id} is not agreed for {purpose}", err=True)
    if into is not None:
        kept = {
            "table": f"derived.{into}",
            "rows": len(answer.rows),
            "of_agreements": list(answer.agreements),
            "left_out": list(answer.left_out),
        }
        said = f"derived.{into}: {counted(len(answer.rows), 'row')}"
        if answer.agreements:
            said += f", made of {', '.join(answer.agreements)}"
        show(kept, as_json=as_json, lines=[said])
        return
    facts: list[dict[str, Any]] = [dict(zip(answer.names, r, strict=True)) for r in answer.rows]
    show(facts, as_json=as_json, lines=table(answer.names, answer.rows))


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--to", "party", required=True, metavar="PARTY", help="For whom it is.")
@now_option
@as_json
@click.pass_context
def export(
    ctx: click.Context, name: str, file: Path, party: str, now: datetime, *, as_json: bool
) -> None:
    """Write derived.NAME to a Parquet FILE that is meant for a party.

    Refused unless every agreement whose rows it may hold lets us pass on to that party; either way
    it is recorded.
    """
    from tillit.exchange.use import export as write

    written = write(open_home(ctx), name, party, file, now=now)
    facts = {"file": str(file), "to": party, "rows": written.rows, "bytes": written.bytes}
    said = f"{file}: {counted(written.rows, 'row')} for {party}"
    show(facts, as_json=as_json, lines=[said])
