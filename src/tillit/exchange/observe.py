"""Observe: what a party saw itself becomes a witness in its own lake. I/O: the lake.

They are facts of our own, so no agreement and no rule stands between them and the lake.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tillit.home import Home
from tillit.kinds import kind_of
from tillit.warehouse.sources import PREFIX, register_sources, release_sources

__all__ = ["observe"]

_NAME = "observed"
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
    register_sources(connection, {_NAME: str(file.resolve())}, [_NAME])
    try:
        return home.lake.observe(kind, PREFIX + _NAME, batch=batch, since=since, until=now)
    finally:
        release_sources(connection, [_NAME])
