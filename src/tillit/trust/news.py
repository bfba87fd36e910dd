"""Alarms that nobody has been told of yet. I/O: reads the lake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tillit.home import Home
from tillit.trust.words import alarm_line

__all__ = ["new_alarms"]


def new_alarms(home: Home, shown: Mapping[str, Any], *, before: datetime) -> list[str]:
    """Lines about alarms in ``shown``, which `run_trust` kept, that no run ``before`` had told.

    An alarm that stands is told once; one that ended and comes again is told again.
    """
    told = home.lake.connection.execute(
        "select partner, direction, kind, what from trust.alarm where told and as_of = "
        "(select max(as_of) from trust.input where as_of < $1)",
        [before],
    ).fetchall()
    known = set(told)
    return [
        f"{direction['sender']} to {direction['receiver']}: {alarm_line(alarm)}"
        for direction in shown["directions"]
        for alarm in direction["alarms"]
        if alarm["told"]
        and (direction["partner"], direction["direction"], alarm["kind"], alarm["what"])
        not in known
    ]
