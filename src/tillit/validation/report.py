"""The table of marks, for people and for machines. I/O: the console."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tillit.validation.marks import Row

__all__ = ["as_json", "print_table"]

_VERDICT = {True: "[green]met[/]", False: "[bold red]MISSED[/]", None: "[dim]-[/]"}


def print_table(rows: Sequence[Row], console: Console) -> None:
    """Every row with its mark and verdict, and in the end how many were met and missed."""
    table = Table(title="What the measure is held to", title_justify="left", show_lines=False)
    for name in ("", "what", "measured", "mark", "", "note"):
        table.add_column(name, overflow="fold")
    group = ""
    for row in rows:
        if row.group != group:
            table.add_section()
        named = row.group if row.group != group else ""
        group = row.group
        table.add_row(named, row.what, row.measured, row.mark, _VERDICT[row.met], row.note)
    console.print(table)
    met, missed = (sum(row.met is verdict for row in rows) for verdict in (True, False))
    shown = len(rows) - met - missed
    console.print(f"{met} marks met, {missed} missed; {shown} rows shown without a verdict")
    for row in rows:
        if row.met is False:
            console.print(f"  missed: {row.what}: {row.measured}, mark {row.mark}")


def as_json(rows: Sequence[Row], about: Mapping[str, Any]) -> str:
    """The same as JSON, with what it was run on."""
    told = [
        {
            "group": row.group,
            "what": row.what,
            "measured": row.measured,
            "mark": row.mark or None,
            "met": row.met,
            "note": row.note or None,
            "values": dict(row.values) if row.values else None,
        }
        for row in rows
    ]
    return json.dumps({**about, "rows": told}, indent=2)
