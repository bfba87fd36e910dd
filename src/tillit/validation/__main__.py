"""Try every mark: python -m tillit.validation [--quick] [--only NAME] [--seeds N,N] [--json].

Trials run in processes of their own, one a core; each is a function of its seed, so that a run can
be repeated. Exit code 1 when a mark is missed, so that a script can tell; a quick run proves
nothing and ends with 0.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from rich.console import Console

from tillit.validation.marks import Row
from tillit.validation.plan import GROUPS, HELD_OUT, Sizes
from tillit.validation.report import as_json, print_table
from tillit.validation.running import run

__all__ = ["main"]

_WIDE = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and print the table."""
    asked = _arguments(arguments)
    sizes = Sizes.quick() if asked.quick else Sizes()
    names = [name for name in GROUPS if not asked.only or name in asked.only]
    started = time.monotonic()
    jobs = dict.fromkeys(job for name in names for job in GROUPS[name].jobs(sizes, asked.seeds))
    found = run(list(jobs), asked.processes, Console(stderr=True))
    rows: list[Row] = []
    for name in names:
        rows += GROUPS[name].rows(found, sizes, asked.seeds)
    seconds = time.monotonic() - started
    if asked.json:
        about = {"seeds": list(asked.seeds), "quick": asked.quick, "seconds": round(seconds)}
        sys.stdout.write(as_json(rows, about) + "\n")
    else:
        # A file or a pipe has no width of its own, and the table is broken up in eighty columns.
        console = Console(width=None if sys.stdout.isatty() else _WIDE)
        print_table(rows, console)
        console.print(f"seeds {', '.join(map(str, asked.seeds))}; {seconds / 60:.1f} minutes")
        console.print("speed and memory are measured by: make bench")
    return int(not asked.quick and any(row.met is False for row in rows))


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tillit.validation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few relationships; proves nothing")
    parser.add_argument("--only", action="append", choices=sorted(GROUPS), metavar="NAME",
                        help=f"a part of the table: {', '.join(GROUPS)}")  # fmt: skip
    parser.add_argument("--seeds", type=_seeds, default=HELD_OUT, help="seeds, comma between")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(given)


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    raise SystemExit(main())
