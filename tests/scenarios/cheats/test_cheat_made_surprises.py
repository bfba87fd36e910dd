"""A limit, not a victory: who makes its own surprises can announce them truly.

A buyer that orders at random more or less than it needs, and says so each time, tells its supplier
something true that it could not have known. The measure pays for it. What stops it is what it
costs: the buyer lives with the erratic orders, and the supplier sees them.
"""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST, dice
from tillit.validation.writing import Scene


def erratic(scene: Scene) -> Scene:
    return told.made_surprises(scene, FORECAST, dice(scene))


def test_announced_surprises_are_information_and_are_paid_as_such(stage: Stage) -> None:
    assert stage.gain(honest, erratic).mean() > 0.0


def test_it_shows_in_the_orders(stage: Stage) -> None:
    before, after = stage.scene.demand.quantity, erratic(stage.scene).demand.quantity
    assert (after.std(axis=1) > 1.2 * before.std(axis=1)).mean() > 0.5
