"""What a history that was exchanged by other means says, before the first exchange. I/O: files.

The same SQL runs as over a home's lake, so the same history gives the same score.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from tillit import places
from tillit.engine import Engine
from tillit.errors import TableRefused, UsageError
from tillit.kinds import installed
from tillit.lake.history import FLOWS, SEPARATOR, History, lay_history
from tillit.model import Kind
from tillit.trust.interval import Resampled
from tillit.trust.score import Scores, compute
from tillit.trust.show import resampled, show
from tillit.trust.terms import TermColumn

__all__ = ["score_folder"]

_LEVELS = {"public": 1, "internal": 2, "confidential": 3, "restricted": 4}
_CADENCES = frozenset({"hour", "day", "week", "month", "event"})
_ALIASES = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "on event": "event",
}
_EVER = datetime(2200, 1, 1, tzinfo=UTC)


def score_folder(
    folder: Path,
    *,
    as_of: datetime | None = None,
    transforms: Path | None = None,
    contracts: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    memory_limit: str = "2GB",
) -> dict[str, Any]:
    """Measure every relationship of a folder as of a time, by default the last in it.

    What the folder has to hold is said in docs/score-a-history.md. Raises UsageError
    ``not-found`` for no folder, or one without a kind, and TableRefused for a file that cannot be
    taken, with its name.
    """
    if not folder.is_dir():
        raise UsageError("not-found", "there is no such folder", found=folder)
    kinds = installed(contracts)
    with (
        tempfile.TemporaryDirectory(prefix="tillit-") as spool,
        Engine.open(Path(spool), memory_limit=memory_limit) as engine,
    ):
        connection = engine.connection
        connection.execute("attach ':memory:' as lake")
        connection.execute("use lake")
        history = lay_history(connection, folder, kinds)
        if not history.kinds:
            raise UsageError(
                "not-found",
                f"{folder} holds no kind of exchange",
                expected=", ".join(f"{name}.parquet" for name in sorted(kinds)),
                found=", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing",
            )
        now = as_of or history.last_at or _EVER
        scores = compute(
            connection,
            places.transforms(transforms),
            _terms(history, kinds),
            party="",
            now=now,
            progress=progress,
        )
    return _by_relationship(scores, history)


def _terms(history: History, kinds: Mapping[str, Kind]) -> Iterable[TermColumn]:
    """The columns of the agreements' file, as a home's own agreements would give them."""
    for row in history.agreements:
        relationship, partner = str(row["relationship_id"]), _partner(row)
        kind = kinds.get(row["kind"] or "")
        column = (
            next((c for c in kind.columns if c.name == row["column_name"]), None) if kind else None
        )
        cadence = _cadence(row["cadence"])
        hours = history.offsets.get((partner, row["agreement_id"]), row["cut_off_hours"] or 0.0)
        starts_at = history.first_at.get(relationship, _EVER)
        yield TermColumn(
            agreement_id=row["agreement_id"],
            agreement_version="1",
            partner=partner,
            direction="in",
            kind=row["kind"],
            column_name=row["column_name"],
            is_key=bool(row["is_key"]) or (column is not None and column.key > 0),
            permitted=bool(row["permitted"]),
            classification=_level(row["classification"]),
            witness=column.witness if column else None,
            cadence=cadence,
            # What happens when it happens is due so long after it.
            cut_off_hours=-abs(hours) if cadence == "event" else hours,
            # What was due in the first week was agreed before it.
            starts_at=starts_at - timedelta(days=7) if starts_at < _EVER else _EVER,
            ends_at=_EVER + timedelta(days=1),
        )


def _partner(row: Mapping[str, Any]) -> str:
    return f"{row['relationship_id']}{SEPARATOR}{row['direction']}"


def _level(value: object) -> int:
    text = str(value).strip().lower()
    if text in _LEVELS:
        return _LEVELS[text]
    try:
        level = int(float(text))
    except ValueError:
        level = 0
    if not 1 <= level <= 4:
        raise TableRefused(
            "wrong-type",
            "agreements.parquet: classification",
            expected=f"1 to 4, or {', '.join(_LEVELS)}",
            found=value,
        )
    return level


def _cadence(value: object) -> str:
    text = str(value or "week").strip().lower()
    text = _ALIASES.get(text, text)
    if text not in _CADENCES:
        raise TableRefused(
            "wrong-type",
            "agreements.parquet: cadence",
            expected=", ".join(sorted(_CADENCES)),
            found=value,
        )
    return text


def _by_relationship(scores: Scores, history: History) -> dict[str, Any]:
    parties = {_partner(row): (row["sender_id"], row["receiver_id"]) for row in history.agreements}
    shown = show(replace(scores, party=""))
    grouped: dict[str, list[dict[str, Any]]] = {}
    for direction in shown["directions"]:
        relationship, _, flow = direction["partner"].rpartition(SEPARATOR)
        sender, receiver = parties.get(direction["partner"], (None, None))
        told = {
            **direction,
            "direction": flow,
            "sender": sender,
            "receiver": receiver,
        }
        del told["partner"]
        grouped.setdefault(relationship, []).append(told)
    intervals = _intervals(scores)
    return {
        "definition": shown["definition"],
        "as_of": shown["as_of"],
        "relationships": [
            {
                "relationship_id": name,
                "score": _both(some),
                "score_low": intervals.get(name, (None, None))[0],
                "score_high": intervals.get(name, (None, None))[1],
                "directions": some,
            }
            for name, some in sorted(grouped.items())
        ],
        "findings": shown["findings"],
    }


def _intervals(scores: Scores) -> dict[str, tuple[float, float]]:
    """The interval of each relationship's score, where both directions have one."""
    weeks = {way: list(rows) for way, rows in groupby(scores.directions, key=_way)}
    told = {way: list(rows) for way, rows in groupby(scores.columns, key=_way)}
    drawn: dict[str, list[Resampled]] = {}
    for way, rows in weeks.items():
        columns = groupby(told.get(way, []), key=lambda r: (r["kind"], r["column_name"]))
        found = resampled(rows, [list(some) for _, some in columns])
        if found is not None:
            drawn.setdefault(way.rpartition(SEPARATOR)[0], []).append(found)
    bounds = {
        name: both[0].with_other(both[1])
        for name, both in drawn.items()
        if len(both) == len(FLOWS) and both[0].of.weeks == both[1].of.weeks
    }
    return {name: found for name, found in bounds.items() if found is not None}


def _way(row: Mapping[str, Any]) -> str:
    return str(row["partner"])


def _both(directions: list[dict[str, Any]]) -> float | None:
    """sqrt(T there * T back); None while one of them is not measured."""
    scores = [direction["score"] for direction in directions]
    if len(scores) != 2 or None in scores:
        return None
    return float((scores[0] * scores[1]) ** 0.5)
