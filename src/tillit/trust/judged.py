"""What the marts cannot say: how sure each score is, what is alarming, why it moved. Pure.

Every figure of it follows from the rows of the marts, the seed and the day, so that an old score
can be explained again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from tillit.trust.alarms import alarms
from tillit.trust.change import false_discovery
from tillit.trust.flow import flow
from tillit.trust.interval import BLOCK_WEEKS, PARTS, Resampled, resample
from tillit.trust.notice import Alarm
from tillit.trust.split import FLOOR, split, split_both, split_columns
from tillit.trust.ways import Row, Way, column_of, way_of
from tillit.trust.weekly import weekly

__all__ = ["SEED", "TOLD", "Both", "Found", "Judged", "judge"]

Bounds = tuple[float, float]

SEED = 1
TOLD = 0.10
"""The share of false alarms to expect among those that people are told of."""

_QUARTER = 13
_YEAR = 52


@dataclass(frozen=True)
class Found:
    """Of one direction: ``alarms`` each with the false discovery rate of it and what is as sure.

    The rate is None for an alarm that no longer stands. ``why`` is points by part and by column,
    None where the score was not measured then. ``band`` is the interval of the score in every
    fourth week of the last year, where it was asked for.
    """

    interval: Mapping[str, Bounds | None]
    columns: Mapping[tuple[str, str], Mapping[str, Bounds | None]]
    alarms: tuple[tuple[Alarm, float | None], ...] = ()
    why: Mapping[str, Any] | None = None
    band: tuple[tuple[date, Bounds], ...] = ()


@dataclass(frozen=True)
class Both:
    """Of a relationship: None where not both of its directions are measured."""

    interval: Bounds | None = None
    why: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Judged:
    """What is judged by direction and by relationship, with the seed of the intervals."""

    seed: int
    ways: Mapping[Way, Found]
    both: Mapping[str, Both]


def judge(
    directions: Iterable[Row],
    columns: Iterable[Row],
    *,
    relationship: Callable[[str], str] = str,
    seed: int = SEED,
    since: date | None = None,
    band: bool = False,
) -> Judged:
    """Judge every direction of ``direction_week`` and ``column_week``.

    ``relationship`` names the one that a partner's direction belongs to: where both directions are
    measured they are watched together. Scores are compared with the week of ``since``, or with
    thirteen weeks before. A ``band`` costs as many intervals as it has weeks.
    """
    weeks = {way: list(rows) for way, rows in groupby(directions, key=way_of)}
    told: dict[Way, list[list[Row]]] = {way: [] for way in weeks}
    for (way, _), rows in groupby(columns, key=lambda row: (way_of(row), column_of(row))):
        told[way].append(list(rows))
    named: dict[str, list[Way]] = {}
    for way in sorted(weeks):
        named.setdefault(relationship(way[0]), []).append(way)
    drawn = {
        way: resample(weekly(weeks[way], told[way]), seed=seed, way=number)
        for ways in named.values()
        for number, way in enumerate(ways)
    }
    seen = {
        name: alarms([flow(weeks[way], told[way]) for way in ways]) for name, ways in named.items()
    }
    rates = _rates(seen)
    return Judged(
        seed=seed,
        ways={
            way: Found(
                *_intervals(drawn[way]),
                alarms=tuple(pair for pair in rates[name] if pair[0].way == number),
                why=_why(weeks[way], told[way], since),
                band=_band(weeks[way], told[way], seed, number) if band else (),
            )
            for name, ways in named.items()
            for number, way in enumerate(ways)
        },
        both={
            name: _both([drawn[way] for way in ways], [weeks[way] for way in ways], since)
            for name, ways in named.items()
        },
    )


def _intervals(
    drawn: Resampled | None,
) -> tuple[dict[str, Bounds | None], Mapping[tuple[str, str], dict[str, Bounds | None]]]:
    if drawn is None:
        return dict.fromkeys(("score", *PARTS)), {}
    return drawn.parts(), drawn.columns()


def _band(
    weeks: Sequence[Row], told: Sequence[Sequence[Row]], seed: int, number: int
) -> tuple[tuple[date, Bounds], ...]:
    """The interval of the score as it was in every fourth week of the last year."""
    found = []
    for end in range(len(weeks), max(len(weeks) - _YEAR, 0), -BLOCK_WEEKS):
        then = resample(weekly(weeks[:end], [rows[:end] for rows in told]), seed=seed, way=number)
        bounds = None if then is None else then.parts()["score"]
        if bounds is not None:
            found.append((weeks[end - 1]["week"], bounds))
    return tuple(reversed(found))


def _both(
    drawn: Sequence[Resampled | None], weeks: Sequence[Sequence[Row]], since: date | None
) -> Both:
    """The interval and the split of the score of both directions together."""
    if len(drawn) != len(("there", "back")):
        return Both()
    there, back = drawn
    interval = None if there is None or back is None else there.with_other(back)
    at = [_earlier(rows, since) for rows in weeks]
    if None in at:
        return Both(interval)
    before, before_back = (rows[n or 0] for rows, n in zip(weeks, at, strict=True))
    parts = split_both((before, before_back), (weeks[0][-1], weeks[1][-1]))
    if parts is None:
        return Both(interval)
    names = [rows[-1]["partner"] for rows in weeks]
    return Both(
        interval,
        {
            "since": max(before["week"], before_back["week"]).isoformat(),
            "points": sum(sum(way.values()) for way in parts),
            "parts": dict(zip(names, parts, strict=True)),
        },
    )


def _rates(
    seen: Mapping[str, Sequence[Alarm]],
) -> dict[str, list[tuple[Alarm, float | None]]]:
    """False discovery rates over all relationships: of change, and of silence by itself."""
    found: dict[str, dict[bool, float]] = {name: {} for name in seen}
    for silent in (False, True):
        chances = [
            min(
                (a.chance for a in some if a.ended is None and (a.kind == "silence") is silent),
                default=1.0,
            )
            for some in seen.values()
        ]
        for name, rate in zip(seen, false_discovery(chances), strict=True):
            found[name][silent] = rate
    return {
        name: [(a, found[name][a.kind == "silence"] if a.ended is None else None) for a in some]
        for name, some in seen.items()
    }


def _why(
    weeks: Sequence[Row], told: Sequence[Sequence[Row]], since: date | None
) -> dict[str, Any] | None:
    """Points by part and by column since a week; None where a score was not measured."""
    at = _earlier(weeks, since)
    if at is None:
        return None
    before, after = weeks[at], weeks[-1]
    parts = split(before, after)
    columns = split_columns(before, after, (rows[at] for rows in told), (rows[-1] for rows in told))
    if parts is None or columns is None:
        return None
    return {
        "since": before["week"].isoformat(),
        "points": sum(parts.values()),
        "parts": parts,
        "columns": {"floor" if n == FLOOR else ".".join(n): v for n, v in columns.items()},
    }


def _earlier(weeks: Sequence[Row], since: date | None) -> int | None:
    """The week that the last one is compared with."""
    if since is None:
        at = len(weeks) - 1 - _QUARTER
    else:
        at = max((n for n, row in enumerate(weeks) if row["week"] <= since), default=-1)
    return at if at >= 0 else None
