"""Why a score moved, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tillit.trust.split import FLOOR, PARTS, factors, split, split_both, split_columns

GOOD = {"information": 0.5, "promises": 1.0, "candour": 0.8, "ideas": 1.0}


def test_factors_are_what_the_definition_multiplies() -> None:
    assert factors(GOOD) == (0.5, 1.0, 1.0, 1.0)
    assert factors({**GOOD, "promises": 0.8}) == pytest.approx((0.5, 0.5, 1.0, 1.0))
    assert factors({**GOOD, "candour": 0.4}) == pytest.approx((0.5, 1.0, 0.5, 1.0))
    assert factors({**GOOD, "candour": 1.0}) == (0.5, 1.0, 1.0, 1.0)


def test_factors_have_floors_so_that_one_bad_part_does_not_end_it() -> None:
    assert factors({**GOOD, "information": 0.0, "promises": 0.2}) == (0.01, 0.02, 1.0, 1.0)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_not_measured_is_not_counted_as_zero(part: str) -> None:
    missing: dict[str, Any] = {**GOOD, part: None}
    assert factors(missing) is None
    assert split(missing, GOOD) is None
    assert split(GOOD, missing) is None


def test_nothing_moved() -> None:
    assert split(GOOD, GOOD) == dict.fromkeys(PARTS, 0.0)


def test_one_part_has_the_whole_change() -> None:
    half = {**GOOD, "information": 0.25}
    found = split(GOOD, half)
    assert found is not None
    assert found["information"] == pytest.approx(100 * (0.25**0.25 - 0.5**0.25))
    assert found["information"] < 0
    assert found["promises"] == found["candour"] == found["ideas"] == 0


def test_parts_that_cancel_are_both_told() -> None:
    """The score stands still, and two things happened: both are shown."""
    other = {**GOOD, "information": 1.0, "promises": 0.8}
    found = split(GOOD, other)
    assert found is not None
    assert found["information"] == pytest.approx(100 * 0.5**0.25 / 4 * math.log(2))
    assert found["promises"] == pytest.approx(-found["information"])


# ---- what the terms do not let be shown -------------------------------------------------------


def test_a_row_of_the_mart_says_what_it_multiplied() -> None:
    """Without terms for ideas the score counts its prior, and the change can still be split."""
    before = {**GOOD, "ideas": None, "counted_information": 0.5, "counted_promises": 1.0}
    before |= {"counted_candour": 0.625, "counted_ideas": 0.2}
    assert factors(before) == (0.5, 1.0, 0.625, 0.2)
    found = split(before, {**before, "counted_information": 0.25})
    assert found is not None
    assert [part for part, points in found.items() if points] == ["information"]


# ---- columns ----------------------------------------------------------------------------------


def column(name: str, weight: float, u: float | None) -> dict[str, Any]:
    return {"kind": "plan", "column_name": name, "weight": weight, "u": u}


def by_column(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> tuple[dict[tuple[str, str], float], float]:
    """Points by column, and the points of information that they are to add up to."""

    def week(columns: list[dict[str, Any]]) -> dict[str, Any]:
        known = [c for c in columns if c["u"] is not None]
        total = sum(c["weight"] for c in known)
        return {**GOOD, "information": sum(c["weight"] * c["u"] for c in known) / total}

    found = split_columns(week(before), week(after), before, after)
    parts = split(week(before), week(after))
    assert found is not None
    assert parts is not None
    return found, parts["information"]


def test_the_column_that_went_stale_has_the_loss() -> None:
    before = [column("a", 4, 0.5), column("b", 4, 0.3)]
    found, points = by_column(before, [column("a", 4, 0.1), column("b", 4, 0.3)])
    assert found["plan", "b"] == 0
    assert found["plan", "a"] == pytest.approx(points)
    assert points < -5


def test_a_column_newly_permitted_adds_what_it_is_better_than_the_rest() -> None:
    before = [column("a", 4, 0.3), column("b", 4, None)]
    better, points = by_column(before, [column("a", 4, 0.3), column("b", 4, 0.7)])
    assert better["plan", "b"] == pytest.approx(points)
    assert points > 0
    same, nothing = by_column(before, [column("a", 4, 0.3), column("b", 4, 0.3)])
    assert same == {("plan", "a"): 0.0, ("plan", "b"): 0.0}
    assert nothing == 0


def test_columns_that_cancel_are_both_told() -> None:
    before = [column("a", 4, 0.5), column("b", 4, 0.3)]
    found, points = by_column(before, [column("a", 4, 0.3), column("b", 4, 0.5)])
    assert points == pytest.approx(0)
    assert found["plan", "a"] == pytest.approx(-found["plan", "b"])
    assert found["plan", "b"] > 4


def test_what_the_floor_holds_up_is_told_by_itself() -> None:
    found, points = by_column([column("a", 4, 0.3)], [column("a", 4, 0.001)])
    assert found[FLOOR] > 0
    assert sum(found.values()) == pytest.approx(points, abs=1e-12)


def test_no_columns_where_a_score_is_not_measured() -> None:
    assert split_columns({**GOOD, "candour": None}, GOOD, [], []) is None


# ---- both ways --------------------------------------------------------------------------------


def test_a_relationship_moves_by_both_its_ways() -> None:
    found = split_both((GOOD, GOOD), ({**GOOD, "information": 0.25}, {**GOOD, "promises": 0.9}))
    assert found is not None
    there, back = found
    assert [part for part, points in there.items() if points] == ["information"]
    assert [part for part, points in back.items() if points] == ["promises"]
    start = 100 * 0.5**0.25
    end = math.sqrt(100 * 0.25**0.25 * 100 * (0.5 * 0.75) ** 0.25)
    assert sum(there.values()) + sum(back.values()) == pytest.approx(end - start)


def test_a_relationship_of_which_one_way_is_not_measured_has_no_split() -> None:
    assert split_both((GOOD, {**GOOD, "ideas": None}), (GOOD, GOOD)) is None
