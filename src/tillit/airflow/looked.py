"""What the files of agreements say, remembered until one is changed. I/O: contracts, home, clock.

Airflow parses its DAG files every half minute, and hardly ever has an agreement changed since. What
is remembered decides when a task starts, and no more: the task asks the ledger what is in force.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from tillit import __version__
from tillit.agreement.language import read, schema
from tillit.collector import uncollected
from tillit.errors import ContractRefused
from tillit.model import Cadence, Every, isoformat, parse_instant
from tillit.remembered import Remembered

__all__ = ["Outgoing", "look", "looked"]

_SETTLED_NS = 2_000_000_000
"""A file that was changed so shortly ago could be changed again without a trace in its times."""


@dataclass(frozen=True)
class Outgoing:
    """What a DAG has to know of an agreement; its terms are read when its task runs."""

    id: str
    provider: str
    consumer: str
    kind: str
    start: datetime
    end: datetime
    cadence: Cadence


def look(file: Path) -> Outgoing | str:
    """What a file says, or why it cannot be read."""
    try:
        found = read(file.read_bytes())
    except ContractRefused as refusal:
        return str(refusal)
    return Outgoing(
        id=found.id,
        provider=found.provider,
        consumer=found.consumer,
        kind=found.kind,
        start=found.start,
        end=found.end,
        cadence=found.cadence,
    )


@uncollected()
def looked(home: Path, files: Iterable[Path]) -> dict[Path, Outgoing | str]:
    """What each file says, or why it cannot be read; only what has changed is read again."""
    kept = _kept(home)
    before = kept.load()
    now = time.time_ns()
    found: dict[Path, Outgoing | str] = {}
    old, new = {}, {}
    for file in files:
        # Looked at before it is read: what is changed in between is read again next time.
        state = file.stat()
        key = _key(file, state)
        said = _said(before.get(key))
        if said is not None:
            old[key] = before[key]
        else:
            said = look(file)
            if max(state.st_ctime_ns, state.st_mtime_ns) < now - _SETTLED_NS:
                new[key] = _written(said)
        found[file] = said
    if len(before) > 2 * len(found) + 100:  # most of it is about files that are gone
        kept.replace(old | new)
    elif new:
        kept.add(new)
    return found


def _kept(home: Path) -> Remembered:
    folder = home / "cache"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
    return Remembered(folder / "schedule.jsonl")


def _key(file: Path, state: os.stat_result) -> str:
    """Bound to the file as it is: nobody but root can set the time at which it was changed."""
    place = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return f"{_language()} {' '.join(map(str, place))} {file}"


@cache
def _language() -> str:
    """The program and its language; another one may refuse what this one reads."""
    return hashlib.sha256(f"{__version__} {json.dumps(schema())}".encode()).hexdigest()[:32]


def _written(said: Outgoing | str) -> object:
    if isinstance(said, str):
        return said
    times = {"start": isoformat(said.start), "end": isoformat(said.end)}
    return {**asdict(said), **times}


def _said(written: Any) -> Outgoing | str | None:
    """What was remembered; None when it is nothing that could have been written."""
    if isinstance(written, str):
        return written
    try:
        cadence = written["cadence"]
        return Outgoing(
            **{name: str(written[name]) for name in ("id", "provider", "consumer", "kind")},
            start=parse_instant(written["start"]),
            end=parse_instant(written["end"]),
            cadence=Cadence(Every(cadence["every"]), float(cadence["cut_off_hours"])),
        )
    except (KeyError, TypeError, ValueError):
        return None
