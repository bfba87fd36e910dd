"""What is judged, and what stands beside it, as plain values for `tillit.trust.show`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillit.trust.beside import (
    better_than,
    directness,
    neglected,
    role,
    safety_stock,
    transactional,
    worth,
)
from tillit.trust.judged import TOLD, Found
from tillit.trust.notice import Alarm
from tillit.trust.score import Row, Scores
from tillit.trust.ways import Way, by_way, way_of

__all__ = ["Around", "alarms_of", "bounds"]


def bounds(interval: tuple[float, float] | None) -> list[float] | None:
    """A list, as JSON has no tuples."""
    return None if interval is None else list(interval)


def alarms_of(found: Found) -> list[dict[str, Any]]:
    """Every alarm of a direction's history; ``told`` are those that people are to be told of now.

    They stand, and of all that are as sure no more than a tenth is false.
    """
    return [_alarm(alarm, rate) for alarm, rate in found.alarms]


def _alarm(alarm: Alarm, rate: float | None) -> dict[str, Any]:
    return {
        "week": alarm.week.isoformat(),
        "kind": alarm.kind,
        "what": alarm.what,
        "since": alarm.since.isoformat(),
        "ended": None if alarm.ended is None else alarm.ended.isoformat(),
        "before": alarm.before,
        "after": alarm.after,
        "size": alarm.size,
        "chance": alarm.chance,
        "false_discovery": rate,
        "told": rate is not None and rate <= TOLD,
        "says": alarm.says,
    }


@dataclass(frozen=True)
class Around:
    """What stands beside scores, by direction, and who is compared with whom."""

    scores: Scores
    roles: Mapping[Way, str]
    latest: Mapping[Way, float | None]
    unanswered: Mapping[Way, list[Row]]
    lags: Mapping[Way, list[Row]]
    meetings: Mapping[Way, list[Row]]
    reassessments: Mapping[str, list[Row]]

    @classmethod
    def of(cls, scores: Scores) -> Around:
        """Lay the rows out by direction."""
        kinds: dict[Way, set[str]] = {}
        for row in (*scores.columns, *scores.not_measured):
            kinds.setdefault(way_of(row), set()).add(row["kind"])
        latest = {way_of(row): row["score"] for row in scores.directions}
        agreements: dict[str, list[Row]] = {}
        for row in scores.reassessments:
            agreements.setdefault(row["partner"], []).append(row)
        return cls(
            scores=scores,
            roles={way: role(kinds.get(way, ())) for way in latest},
            latest=latest,
            unanswered=by_way(scores.unanswered),
            lags=by_way(scores.lags),
            meetings=by_way(scores.meetings),
            reassessments=agreements,
        )

    def beside(
        self, way: Way, weeks: Sequence[Row], columns: Sequence[Sequence[Row]]
    ) -> dict[str, Any]:
        """What is shown beside the score of one direction."""
        mine = self.roles[way]
        peers = [
            s for other, s in self.latest.items() if other != way and self.roles[other] == mine
        ]
        return {
            "role": mine,
            "better_than": better_than(self.latest[way], peers),
            "peers": sum(score is not None for score in peers),
            "neglected": neglected(
                columns,
                self.unanswered.get(way, ()),
                self.reassessments.get(way[0], ()),
                as_of=self.scores.as_of,
            ),
            "directness": directness(self.lags.get(way, ())),
            "transactional": transactional(self.meetings.get(way, ()), until=weeks[-1]["week"]),
            "safety_stock": safety_stock(rows[-1] for rows in columns),
            "worth": worth(weeks),
        }
