"""A column is kept back, and what it would have said is hidden in another."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST
from tillit.validation.told import column
from tillit.validation.writing import Scene

HIGH = column("demand_forecast", "quantity_high")


def plain(scene: Scene) -> Scene:
    return told.withheld(told.opened(scene, FORECAST), HIGH)


def upside_down(scene: Scene) -> Scene:
    return told.hidden(told.opened(scene, FORECAST), FORECAST, HIGH)


def test_hiding_the_truth_gains_nothing_over_telling_it(stage: Stage) -> None:
    assert stage.gain(plain, upside_down).max() <= 0.0
