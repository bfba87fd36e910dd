"""Trials side by side, a process each. I/O: processes, progress on the console."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from rich.console import Console

from tillit.validation.plan import Job
from tillit.validation.trials import TRIALS

__all__ = ["play", "run"]


def run(jobs: Sequence[Job], processes: int, console: Console) -> dict[Job, dict[str, Any]]:
    """The results of all trials; the largest begin first, so that none is waited for alone."""
    found: dict[Job, dict[str, Any]] = {}
    ordered = sorted(jobs, key=_weight, reverse=True)
    if processes <= 1:
        return {job: play(job) for job in ordered}
    # A fresh process has none of the threads that DuckDB has started in this one.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running = {pool.submit(play, job): job for job in ordered}
        for number, done in enumerate(as_completed(running), 1):
            job = running[done]
            found[job] = done.result()
            console.print(f"  {number}/{len(jobs)} {job.trial} {dict(job.more) or ''} {job.seed}")
    return found


def play(job: Job) -> dict[str, Any]:
    """One trial, in whatever process this is."""
    return TRIALS[job.trial](job.seed, job.size, **dict(job.more))


def _weight(job: Job) -> int:
    times = {"cheats": 45, "tries": 42, "milking": 6, "opening": 8, "covering": 24}
    return job.size * times.get(job.trial, 1)
