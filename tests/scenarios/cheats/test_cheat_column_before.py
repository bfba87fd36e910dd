"""A column that tells nothing is filled for what it does to the one after it, or says that again."""

from __future__ import annotations

import pytest
from tests.scenarios.cheats.stage import Stage

from tillit.validation import cheats_told as told
from tillit.validation.cheats import PLAN, dice
from tillit.validation.scoring import played
from tillit.validation.told import column
from tillit.validation.world import make_world
from tillit.validation.writing import Scene

CAPACITY = column("production_plan", "capacity_quantity")


def silent(scene: Scene) -> Scene:
    return told.withheld(scene, PLAN)


def guessing(scene: Scene) -> Scene:
    return told.calendar(scene, PLAN)


@pytest.mark.parametrize(("seed", "once"), [(2607, 3.38), (2615, 4.98)])
def test_a_guess_at_the_season_hardly_raises_what_comes_after_it(seed: int, once: float) -> None:
    """Worlds in which it raised somebody by so much, for it made our own expectation worse."""
    stage = Stage(played(make_world(seed, 12, 110, lean=True)))
    gain = stage.gain(silent, guessing, "s2b")
    assert gain.mean() <= 0.3
    assert gain.max() <= once / 2


def test_what_is_said_twice_is_told_once(stage: Stage) -> None:
    def once(scene: Scene) -> Scene:
        return told.withheld(told.opened(scene, PLAN), CAPACITY)

    def twice(scene: Scene) -> Scene:
        return told.repeated(told.opened(scene, PLAN), PLAN, CAPACITY, dice(scene))

    assert stage.gain(once, twice, "s2b").max() <= 0.1
