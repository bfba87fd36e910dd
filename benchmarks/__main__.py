"""Speed and memory as ratios, in one run: python -m benchmarks [--json] [--rows N] [--only NAME].

Every measurement is a process of its own; the contenders take turns, so that what else the machine
does falls on both. The rows are made anew in a temporary folder, the same ones every time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import agreements, large, peer, small, start, terms, trust
from benchmarks.measure import Row, child, say

NAMES = ("agreements", "dags", "large", "peer", "small", "start", "terms", "trust")


def main(arguments: list[str] | None = None) -> int:
    asked = _arguments(arguments)
    only = frozenset(asked.only or NAMES)
    made_at = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.folder) as name:
        table = measure(Path(name).resolve(), only, asked)
    if asked.json:
        told = {"machine": machine(), "at": made_at.isoformat(timespec="seconds")}
        rows = [row.as_json() for row in table]
        print(json.dumps({**told, "rows": asked.rows, "results": rows}, indent=2))
    else:
        print(written(table, asked.rows, made_at))
    return 0


def measure(folder: Path, only: frozenset[str], asked: argparse.Namespace) -> list[Row]:
    """All rows of the table."""
    rows, rounds = asked.rows, asked.rounds
    table: list[Row] = []
    if "start" in only:
        table += start.rows(rounds or start.ROUNDS)
    if "small" in only:
        table += small.rows(_built(folder / "small", small.SIZE), rounds or small.ROUNDS)
    if {"large", "peer"} & only:
        place = _built(folder / "large", rows)
        found, seconds = large.rows(place, rows, rounds or large.ROUNDS)
        table += found if "large" in only else []
        if "peer" in only:
            table += peer.rows(place, rows, sum(seconds.values()))
    if "terms" in only:
        table += terms.rows(_built(folder / "terms", rows), rows, rounds or terms.ROUNDS)
    if {"agreements", "dags"} & only:
        table += agreements.rows(folder / "agreements", asked.agreements, only)
    if "trust" in only:
        sizes = {max(rows // 10, 1), rows} | ({trust.LARGE} if asked.large else set())
        table += trust.rows(folder, sorted(sizes))
    return table


def _built(folder: Path, rows: int) -> Path:
    say(f"two homes, and a forecast of {rows:,} rows")
    folder.mkdir()
    child("world", "build", folder, rows)
    return folder


def machine() -> dict[str, Any]:
    """What the figures were measured on; never its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory),
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "load": round(os.getloadavg()[0], 1),
    }


def written(table: list[Row], rows: int, made_at: datetime) -> str:
    """The table as Markdown, to be read on a console and copied into a page."""
    about = machine()
    on = f"{about['cores']} cores, {about['memory_gb']} GB, Python {about['python']}, "
    on += f"DuckDB {about['duckdb']}"
    lines = [
        f"{on}; {rows:,} rows; {made_at:%Y-%m-%d}; load at the end {about['load']}",
        "",
        "| what | measured | against | ratio | target | met | how |",
        "|---|---:|---|---:|---:|---|---|",
    ]
    for row in table:
        reference = "" if row.reference is None else f"{_number(row.reference, row.unit)}: "
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        unit = f" {row.unit}" if row.judged == "value" else ""
        target = "" if row.target is None else f"{row.bound} {row.target:g}{unit}"
        met = {True: "yes", False: "**no**", None: ""}[row.met]
        measured = _number(row.value, row.unit)
        cells = (row.what, measured, reference + row.against, ratio, target, met, row.note)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    digits = 0 if unit == "MB" else 1 if value >= 10 else 3
    return f"{value:,.{digits}f} {unit}"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the large forecast")
    parser.add_argument(
        "--agreements", type=int, default=agreements.NUMBER, help="to list, check, schedule"
    )
    parser.add_argument(
        "--large", action="store_true", help="the measure over a hundred million due cells too"
    )
    parser.add_argument("--rounds", type=int, help="instead of each benchmark's own number")
    parser.add_argument("--only", choices=NAMES, action="append", help="one part; repeatable")
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
