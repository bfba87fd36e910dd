"""Observe: what a party saw itself becomes a witness in its own lake. I/O: the lake.

They are facts of our own, so no agreement and no rule stands between them and the lake.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tillit.home import Home
from tillit.kinds import kind_of
from tillit.lake import observed_until
from tillit.model import isoformat
from tillit.warehouse.sources import PREFIX, register_sources, release_sources

__all__ = ["observe", "observe_sources"]

OWN = "own_"
"""Sources named so are what we recorded ourselves, and are sent to nobody."""

# What we said or did ourselves is known to us too: partners' plans, promises, complaints, ideas and
# records of meetings are measured against it.
_OUR_WORD = frozenset(
    {
        *("complaint", "delivery", "delivery_commitment", "demand_forecast", "design_idea"),
        *("interaction", "order", "process_idea"),
    }
)
_NAME = "observed"
PUBLIC = "public_"
"""Sources named so are public series: what only repeats them is no news from a partner."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def observe(
    home: Home,
    kind_name: str,
    file: Path,
    *,
    batch: str,
    now: datetime,
    since: datetime = _BEGINNING,
) -> int:
    """Take rows of a kind that we recorded ourselves, from a Parquet or CSV file.

    The file has the kind's columns, ``partner`` and ``recorded_at``; rows with since <=
    recorded_at < now are taken. The same batch is taken once. Returns the number of rows.
    """
    kind = kind_of(home.kinds, kind_name)
    connection = home.lake.connection
    register_sources(connection, {_NAME: _where(file)}, [_NAME])
    try:
        return home.lake.observe(kind, PREFIX + _NAME, batch=batch, since=since, until=now)
    finally:
        release_sources(connection, [_NAME])


def observe_sources(home: Home, *, now: datetime) -> int:
    """Take from the configured sources what we recorded since the last time; the rows taken.

    A source ``own_<kind>`` is what we saw ourselves. Where there is none, what we state to
    partners of a kind stands for it. One named ``public_<series>`` is a public series, with
    published_on, period_start and value: what a partner's word repeats of it earns nothing.
    """
    rows = 0
    for name in sorted(home.config.sources):
        if name.startswith(PUBLIC):
            rows += _register(home, name)
            continue
        kind_name = name.removeprefix(OWN)
        ours = name == kind_name and name in _OUR_WORD
        if kind_name not in home.kinds or not (name.startswith(OWN) or ours):
            continue
        if ours and OWN + name in home.config.sources:
            continue
        last = observed_until(home.lake, home.kinds[kind_name], f"source {name} ")
        rows += observe(
            home,
            kind_name,
            Path(home.config.sources[name]),
            batch=f"source {name} {isoformat(now)}",
            since=_BEGINNING if last is None else last + timedelta(microseconds=1),
            now=now,
        )
    return rows


def _register(home: Home, name: str) -> int:
    connection = home.lake.connection
    register_sources(connection, {_NAME: _where(Path(home.config.sources[name]))}, [_NAME])
    try:
        return home.lake.register_public(name.removeprefix(PUBLIC), PREFIX + _NAME)
    finally:
        release_sources(connection, [_NAME])


def _where(file: Path) -> str:
    """The file's full path; what follows ``#`` names a table in a DuckDB file."""
    path, mark, table = str(file).partition("#")
    return f"{Path(path).resolve()}{mark}{table}"
