"""A score explained in words, from a history with a known turn in it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.histories import history

from tillit.trust.folder import score_folder
from tillit.trust.words import Section, alarm_line, explained, neglect_lines


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


def test_without_a_score_it_says_of_what_there_is_too_little(
    directions: list[dict[str, Any]],
) -> None:
    unknown = {
        **directions[0],
        "score": None,
        "not_measured": ["candour", "ideas"],
        "why": None,
    }
    sections = explained(unknown)
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
