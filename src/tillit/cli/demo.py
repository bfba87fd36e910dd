"""``tillit demo``: two homes and three more suppliers trade for a simulated year."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tillit.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tillit.demo.model import World

__all__ = ["demo"]


@click.command()
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same scores.")
@click.option("--weeks", default=56, show_default=True, help="Length of the simulated history.")
@click.option(
    "--real",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Exchange real data instead: a folder with flusight/ and scms/.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/demo"),
    show_default=True,
    help="Where homes and report are left; an earlier demo there is replaced.",
)
@click.option("--airflow/--no-airflow", default=True, help="Run the last week by the DAGs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def demo(seed: int, weeks: int, real: Path | None, out: Path, airflow: bool, as_json: bool) -> None:
    """Play a trading year through the real publish and receive, then show what it says.

    A buyer and its suppliers each have a home of their own and run in a process of their own. They
    exchange plans, orders, commitments, deliveries, complaints and ideas under signed agreements;
    the last week is run by the DAGs in Airflow.
    """
    from tillit.demo.worker import prepare

    prepare()  # beside what follows, which needs as long
    from tillit.demo.run import play
    from tillit.demo.tell import content, lines, summary
    from tillit.report.page import write

    world = _world(seed, weeks, real)
    _clear(out)
    with _progress(quiet=as_json) as progress:
        played = play(world, out.resolve(), progress, airflow=airflow and real is None)
    report = write(content(played), out / "report.html")
    told = summary(played, report=report.resolve())
    (out / "summary.json").write_text(json.dumps(told, indent=2, default=str), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(told, indent=2, default=str))
    else:
        for line in lines(played):
            click.echo(line)
        click.echo(f"\nreport  {report.resolve()}")
        click.echo(
            f"homes   {out.resolve()}  (try: tillit --home {out}/{world.parties[0].id} ledger list)"
        )
    broken = [finding for audit in played.audits.values() for finding in audit["findings"]]
    sys.exit(9 if broken else 0)


def _world(seed: int, weeks: int, real: Path | None) -> World:
    if real is not None:
        from tillit.demo.real import real_world

        return real_world(real)
    from tillit.demo.world import simulate

    return simulate(seed=seed, weeks=weeks)


_MARK = ".tillit-demo"


def _clear(out: Path) -> None:
    """Make room; only what an earlier demo left is ever removed."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise UsageError(
            "exists", f"{out} holds something else than a demo", expected="an empty folder"
        )
    if out.exists():
        from tillit.database.embedded import stop

        for data in out.glob("*/postgres"):
            stop(data)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / _MARK).touch()


@contextmanager
def _progress(*, quiet: bool) -> Iterator[_Bars]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, quiet=quiet)
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bars(progress)


class _Bars:
    """A bar a stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def stage(self, what: str, steps: int) -> None:
        """A new bar."""
        self._task = self._progress.add_task(what, total=steps)

    def step(self) -> None:
        """One further."""
        if self._task is not None:
            self._progress.advance(self._task)
