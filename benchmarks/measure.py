"""What every benchmark needs: rows of the table, processes of their own, time and memory. I/O."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MB = 1024 * 1024
PROMISED = 10_000_000
"""Rows from which the targets of large shipments hold: below, fixed costs are most of it."""


@dataclass(frozen=True)
class Row:
    """One row of the table: a value, what it is held against, and what was promised.

    ``ratio`` is value / reference, or reference / value where ``bound`` is ``>=`` (so many times
    faster); what is promised, ``target``, is of ``judged``: the ratio, or the value itself.
    """

    name: str
    what: str
    value: float
    unit: str
    reference: float | None = None
    against: str = ""
    ratio: float | None = None
    target: float | None = None
    bound: str = "<="
    judged: str = "ratio"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is kept; None where there is none or it cannot be judged here."""
        held = self.ratio if self.judged == "ratio" else self.value
        if self.target is None or held is None:
            return None
        return held <= self.target if self.bound == "<=" else held >= self.target

    def as_json(self) -> dict[str, Any]:
        """The row as ``--json`` prints it."""
        return {**asdict(self), "met": self.met}


def say(text: str) -> None:
    """A line of progress, on stderr."""
    print(f"  {text}", file=sys.stderr, flush=True)


def child(module: str, *arguments: object) -> dict[str, Any]:
    """Run one measurement in a process of its own; what it told, with ``wall`` of the whole.

    ``server_mb`` is the most that PostgreSQL processes of the homes in the working folder held at
    once while it ran, as proportional sizes: they share most of it.
    """
    asked = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    started = time.perf_counter()
    with (
        _watched(str(arguments[1]) if len(arguments) > 1 else "") as most,
        subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
    ):
        told, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"benchmarks.{module} {' '.join(map(str, arguments))} failed")
    wall = time.perf_counter() - started
    answer: dict[str, Any] = json.loads(told.strip().splitlines()[-1])
    return {"wall": wall, "server_mb": most[0] / MB, **answer}


def tell(**values: object) -> None:
    """Answer the parent, as a child: the values, and the most memory this process ever held."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps({"peak_mb": own, "children_mb": others, **values}))


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """Seconds and CPU seconds (all threads of this process) of a piece of work; its result."""
    cpu, started = time.process_time(), time.perf_counter()
    result = work()
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "result": result,
    }


@contextmanager
def _watched(folder: str) -> Iterator[list[int]]:
    """Look five times a second at the PostgreSQL processes that run below a folder."""
    most, done = [0], threading.Event()

    def watch() -> None:
        while folder and not done.wait(0.2):
            most[0] = max(most[0], _held_below(folder))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        done.set()
        watcher.join()


def _held_below(folder: str) -> int:
    """Bytes that processes whose current folder is below this one hold (proportional set size)."""
    held = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if not str((process / "cwd").readlink()).startswith(folder + os.sep):
                continue
            rollup = (process / "smaps_rollup").read_text()
        except OSError:
            continue  # it has ended, or is another's
        held += sum(
            int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return held
