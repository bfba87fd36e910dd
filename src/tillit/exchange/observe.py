"""Observe: what a party saw itself becomes a witness in its own lake. I/O: the lake.

Observations pass the same rules as a partner's rows; what breaks one is not taken.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tillit.home import Home
from tillit.kinds import kind_of
from tillit.warehouse import observed_source

__all__ = ["observe"]

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
    with observed_source(home.lake.connection, str(file.resolve())) as source:
        return home.lake.observe(kind, source, batch=batch, since=since, until=now)
