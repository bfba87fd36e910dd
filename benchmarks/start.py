"""How long `tillit --help` takes, against Python that does nothing and Python with DuckDB. I/O."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import ROOT, Row, say

ROUNDS = 15
_HELP = (str(Path(sys.executable).with_name("tillit")), "--help")
_NOTHING = (sys.executable, "-c", "pass")
_DUCKDB = (sys.executable, "-c", "import duckdb")


def rows(rounds: int = ROUNDS) -> list[Row]:
    """The table's rows."""
    say(f"tillit --help, {rounds} times")
    least: dict[tuple[str, ...], float] = {}
    for number in range(rounds + 1):  # the first round only fills the system's caches
        for command in (_HELP, _NOTHING, _DUCKDB):
            started = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            spent = time.perf_counter() - started
            if number:
                least[command] = min(spent, least.get(command, spent))
    note = f"minima of {rounds} in turn"
    ours = least[_HELP]
    given = [
        ("start", "python -c pass", least[_NOTHING], 0.3),
        ("start.duckdb", "python -c 'import duckdb'", least[_DUCKDB], None),
    ]
    return [
        Row(
            *(name, "tillit --help, wall", ours, "s", held, against, ours / held, target),
            judged="value",
            note=note,
        )
        for name, against, held, target in given
    ]
