"""Check many agreements at once, each for itself. I/O: reads files, starts a process for each core.

One that is refused stops no other one: whoever keeps ten thousand wants all slips of the pen named.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import click

from tillit.agreement.language import findings, read, require_kind
from tillit.cli.common import show
from tillit.errors import Refusal, TillitError, UsageError
from tillit.kinds import installed, kind_of
from tillit.model import Kind, counted

__all__ = ["check_many", "files_in"]

_AT_ONCE = 250
"""Files that a process is given at a time; fewer than that are not worth a second process."""


@dataclass(frozen=True)
class _Checked:
    """What became of one file; ``exit_code`` is 0 when it fits."""

    facts: dict[str, Any]
    line: str
    exit_code: int = 0


def files_in(paths: Iterable[Path]) -> list[Path]:
    """The files, and every ``.yaml`` below the folders; UsageError when there is none."""
    paths = list(paths)
    found = [
        sorted(path.rglob("*.yaml")) if path.is_dir() else [path] for path in dict.fromkeys(paths)
    ]
    files = list(dict.fromkeys(chain.from_iterable(found)))
    if not files:
        raise UsageError(
            "not-found",
            "no agreement is there to check",
            expected="files named *.yaml",
            found=", ".join(map(str, paths)),
        )
    return files


def check_many(files: Sequence[Path], *, as_json: bool) -> int:
    """Tell of each file on a line whether it fits; the exit code of the first that does not."""
    installed()  # what is wrong with a kind is said once, before ten thousand files
    checked = []
    for result in _with_progress(_checked(files), len(files)):
        checked.append(result)
        if not as_json:
            click.echo(result.line)
    refused = [result.exit_code for result in checked if result.exit_code]
    facts = {
        "checked": len(checked),
        "refused": len(refused),
        "agreements": [result.facts for result in checked],
    }
    fits = f"{len(checked) - len(refused):,} fit, {len(refused):,} refused"
    summary = f"{counted(len(checked), 'agreement')} checked: {fits}; none signed by this command"
    show(facts, as_json=as_json, lines=[summary])
    return refused[0] if refused else 0


def _checked(files: Sequence[Path]) -> Iterator[_Checked]:
    """The results in the order of the files."""
    workers = min(_cores(), len(files) // _AT_ONCE)
    if workers < 2:
        yield from map(_one, files)
        return
    # What is read is dropped as soon as its line is written: to look for garbage takes a quarter of
    # the time and finds none.
    with ProcessPoolExecutor(workers, initializer=gc.disable) as pool:
        yield from pool.map(_one, files, chunksize=_AT_ONCE)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _with_progress(results: Iterator[_Checked], total: int) -> Iterator[_Checked]:
    """A bar for whoever looks at a terminal while the lines go elsewhere."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield from results
        return
    with click.progressbar(results, length=total, label="checking", file=sys.stderr) as bar:
        yield from bar


def _one(file: Path) -> _Checked:
    try:
        return _fits(file, file.read_bytes())
    except Refusal as refusal:
        return _wrong(file, refusal)
    except UsageError as error:  # a kind that is not installed
        return _wrong(file, error)
    except OSError as error:
        unreadable = partial(UsageError, "argument", f"{file.name} cannot be read")
        return _wrong(file, unreadable(found=error.strerror))


def _fits(file: Path, text: bytes) -> _Checked:
    found = read(text)
    kind = kind_of(_kinds(), found.kind)
    require_kind(found, kind)
    notes_on = findings(found, kind)
    facts = {
        "file": str(file),
        "id": found.id,
        "version": found.version,
        "digest": found.digest,
        "provider": found.provider,
        "consumer": found.consumer,
        "fits": True,
        "findings": [{"at": f.at, "says": f.says} for f in notes_on],
    }
    notes = f", {counted(len(notes_on), 'note')}" if notes_on else ""
    return _Checked(facts, f"fits     {file}: {found.id} {found.version}{notes}")


def _wrong(file: Path, error: TillitError) -> _Checked:
    facts = {
        "file": str(file),
        "fits": False,
        "code": error.code,
        "message": error.message,
        "expected": error.expected,
        "found": error.found,
    }
    return _Checked(facts, f"refused  {file}: [{error.code}] {error}", error.exit_code)


@cache
def _kinds() -> dict[str, Kind]:
    """The installed kinds, read once in each process."""
    return installed()
