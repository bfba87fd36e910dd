"""``tillit query``: ask the lake in SQL."""

from __future__ import annotations

import click

from tillit.cli.common import as_json, open_home, show, table

__all__ = ["query"]


@click.command()
@click.argument("sql")
@as_json
@click.pass_context
def query(ctx: click.Context, sql: str, as_json: bool) -> None:
    """Ask the lake in SQL: one SELECT over landed, current, own, exchange, quarantine, trust.

    What was known at a time: SELECT * FROM as_of.demand_forecast('2026-03-01T00:00:00Z').
    """
    from tillit.lake import ask

    home = open_home(ctx)
    home.lake.prepare(home.kinds.values())
    names, rows = ask(home.lake, sql)
    facts = [dict(zip(names, row, strict=True)) for row in rows]
    show(facts, as_json=as_json, lines=table(names, rows))
