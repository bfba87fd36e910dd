"""A score explained in words, from a history with a known turn in it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.histories import history

from tillit.trust.folder import score_folder
from tillit.trust.words import Section, alarm_line, explained, in_short, neglect_lines


@pytest.fixture(scope="module")
def directions(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = history(weeks=90, items=2).write(tmp_path_factory.mktemp("words"))
    (relationship,) = score_folder(folder)["relationships"]
    return list(relationship["directions"])


def titled(sections: tuple[Section, ...], start: str) -> Section:
    return next(section for section in sections if section.title.startswith(start))


def test_the_points_by_part_and_by_column_are_those_that_it_moved(
    directions: list[dict[str, Any]],
) -> None:
    for direction in directions:
        if direction["why"] is None:
            continue
        moved = titled(explained(direction), "Why it moved")
        points = direction["why"]["points"]
        assert f"{points:+.1f} points" in moved.title
        parts = [float(row[1]) for row in moved.rows if not row[0].startswith("  ")]
        assert sum(parts) == pytest.approx(points, abs=0.25)
        break
    else:
        pytest.fail("no direction has a score")


def test_every_permitted_column_has_its_line_and_too_few_is_said(
    directions: list[dict[str, Any]],
) -> None:
    direction = directions[0]
    columns = titled(explained(direction), "Column by column")
    assert [row[0] for row in columns.rows] == [
        f"{column['kind']}.{column['column']}" for column in direction["columns"]
    ]
    few = {**direction, "columns": [{**direction["columns"][0], "enough": False}]}
    assert "too few" in titled(explained(few), "Column by column").rows[0]


def test_a_part_and_its_interval_are_in_one_unit(directions: list[dict[str, Any]]) -> None:
    # Promises kept are one thing, and what they count as in the score another.
    compared = 0
    for direction in directions:
        for row in titled(explained(direction), "Its four parts").rows:
            if row[2] != "its prior" and row[3] != "-":
                low, high = map(float, row[3].split(" to "))
                assert low - 0.01 <= float(row[2]) <= high + 0.01
                compared += 1
    assert compared >= 2


def test_without_a_score_it_says_of_what_there_is_too_little(
    directions: list[dict[str, Any]],
) -> None:
    unknown = {
        **directions[0],
        "score": None,
        "not_measured": ["candour", "ideas"],
        "ideas": None,
        "why": None,
    }
    sections = explained(unknown)
    parts = {row[0]: row[2] for row in titled(sections, "Its four parts").rows}
    assert parts["ideas taken up"] == "its prior"
    assert sections[0].rows[0] == (
        "no score: not enough evidence of complaints when there is cause, ideas taken up",
    )
    assert not any(section.title.startswith("Why") for section in sections)
    assert all(section.rows for section in sections)


ALARM = {
    "says": "bits a value of x: 1.0 before, 0.1 since the week of 2026-01-05",
    "chance": 0.004,
    "told": True,
    "ended": None,
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "stands; 0.4% by chance in a quiet year"),
        ({"told": False}, "may be chance among so many"),
        ({"ended": "2026-02-02"}, "over since the week of 2026-02-02"),
    ],
)
def test_an_alarm_says_whether_it_stands_and_how_sure_it_is(
    changed: dict[str, Any], words: str
) -> None:
    line = alarm_line({**ALARM, **changed})
    assert line.startswith(ALARM["says"])
    assert words in line


def test_what_waits_is_said_with_for_whom() -> None:
    lines = list(
        neglect_lines(
            {
                "overdue": [{"column": "inventory.quantity", "cells": 3}],
                "unanswered": [
                    {"kind": "complaint", "id": "C-1", "waits_for": "us", "days": 40},
                    {"kind": "design_idea", "id": "I-1", "waits_for": "partner", "days": 1},
                ],
                "reassess": [{"agreement": "a.b", "days": 12}],
            }
        )
    )
    assert lines == [
        "inventory.quantity: 3 cells of the last four weeks never came",
        "complaint C-1 has waited 40 days for us",
        "design_idea I-1 has waited 1 day for them",
        "agreement a.b was to be looked at again 12 days ago",
    ]


QUIET = {
    "score": 28.0,
    "information": 0.07,
    "promises": 0.64,
    "promise_factor": 0.1,
    "candour": 0.5,
    "candour_factor": 0.625,
    "ideas": None,
    "columns": [
        {"kind": "plan", "column": "q", "due": 100, "arrived": 97, "honesty_gap": 0.04},
        {"kind": "plan", "column": "r", "due": 0, "arrived": 0, "honesty_gap": None},
    ],
    "why": None,
}
PARTS = {"information": -15.0, "promises": -1.0, "candour": 0.0, "ideas": -4.0}


def test_what_moved_most_is_said_first_with_whether_the_values_still_came() -> None:
    why = {
        "since": "2025-10-27",
        "points": -20.0,
        "parts": PARTS,
        "columns": {"plan.q": -13.0, "plan.r": -2.0},
    }
    assert in_short({**QUIET, "why": why}) == (
        "fell 20 points to 28 since the week of 2025-10-27, by information most (-15.0), and there "
        "by plan.q (-13.0), of which 97% of the values came in time"
    )
    parts = {**PARTS, "promises": 30.0}
    rose = in_short({**QUIET, "why": {**why, "points": 10.0, "parts": parts}})
    assert rose == "rose 10 points to 28 since the week of 2025-10-27, by promises most (+30.0)"
    floor = {**why, "columns": {"floor": -14.0, "plan.r": -1.0}}
    assert in_short({**QUIET, "why": floor}).endswith("and there by the least score (-14.0)")


def test_what_stands_is_said_with_what_holds_it_down_and_misleads() -> None:
    assert in_short(QUIET) == ("stands at 28, held down by information (0.07), promises (0.64)")
    misleading = {**QUIET["columns"][0], "honesty_gap": 0.62}  # type: ignore[index, dict-item]
    fine = {"information": 0.5, "promise_factor": 0.5}
    assert in_short({**QUIET, **fine, "columns": [misleading]}) == (
        "stands at 28; plan.q taken at its word misleads, by 0.6 bits a value"
    )
    assert in_short({**QUIET, **fine, "columns": []}) == "stands at 28"
    assert in_short({**QUIET, "score": None}) == "there is not enough evidence for a score yet"
