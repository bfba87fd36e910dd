"""Why a score moved, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tillit.trust.split import PARTS, factors, split

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
