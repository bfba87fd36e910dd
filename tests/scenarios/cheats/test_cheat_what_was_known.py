"""Columns are filled with what the receiver knows anyway: constants, its own figures, the news."""

from __future__ import annotations

import numpy as np
import pytest
from tests.scenarios.cheats.stage import Act, Stage

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST, PLAN
from tillit.validation.marks import EXACT
from tillit.validation.writing import Scene

WAYS: dict[str, Act] = {
    "one number for every week": lambda scene: told.constant(scene, FORECAST),
    "your own order of last week": lambda scene: told.echoed(scene, FORECAST),
    "a published index, scaled": lambda scene: told.copied_public(scene, FORECAST),
}

NEARLY: dict[str, Act] = {
    "your own orders, smoothed": lambda scene: told.smoothed(scene, FORECAST),
    "the course of a year": lambda scene: told.calendar(scene, FORECAST),
}


BACK: dict[str, Act] = {
    "one number for every week": lambda scene: told.constant(scene, PLAN),
    "what came to you last week": lambda scene: told.echoed(scene, PLAN),
    "a published index, scaled": lambda scene: told.copied_public(scene, PLAN),
}


def silent(scene: Scene) -> Scene:
    return told.withheld(scene, FORECAST)


def no_plan(scene: Scene) -> Scene:
    return told.withheld(scene, PLAN)


@pytest.fixture(scope="module")
def gains(stage: Stage) -> dict[str, np.ndarray]:
    scored = stage.scored(silent=silent, **WAYS, **NEARLY)
    before = stage.points(scored, "silent", "b2s")
    return {way: stage.points(scored, way, "b2s") - before for way in (*WAYS, *NEARLY)}


@pytest.fixture(scope="module")
def gains_back(stage: Stage) -> dict[str, np.ndarray]:
    scored = stage.scored(no_plan=no_plan, **BACK)
    before = stage.points(scored, "no_plan", "s2b")
    return {way: stage.points(scored, way, "s2b") - before for way in BACK}


@pytest.mark.parametrize("way", BACK)
def test_a_plan_of_what_we_have_seen_is_worth_exactly_nothing(
    gains_back: dict[str, np.ndarray], way: str
) -> None:
    """Of the week before, goods that came are known apart from those that are still expected."""
    assert abs(gains_back[way]).max() <= EXACT


@pytest.mark.parametrize("way", WAYS)
def test_what_we_knew_is_worth_exactly_nothing(gains: dict[str, np.ndarray], way: str) -> None:
    assert abs(gains[way]).max() <= EXACT


@pytest.mark.parametrize("way", NEARLY)
def test_what_we_nearly_knew_gains_no_more_than_chance(
    gains: dict[str, np.ndarray], way: str
) -> None:
    # Who knows a year's course better than our fit of it tells us a little; it is not a plan. And
    # what is in the quantity is in what its low and its high are judged by.
    assert gains[way].max() <= 2.0
