"""What is true of something else: another partner's plan, or another item's."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST
from tillit.validation.writing import Scene


def silent(scene: Scene) -> Scene:
    return told.withheld(scene, FORECAST)


def test_another_partners_forecast_says_nothing_of_our_orders(stage: Stage) -> None:
    gain = stage.gain(silent, lambda scene: told.copied_partner(scene, FORECAST))
    assert gain.max() <= 2.0


def test_the_truth_about_one_item_is_not_the_truth_about_the_next(stage: Stage) -> None:
    gain = stage.gain(silent, lambda scene: told.shifted(scene, FORECAST))
    assert gain.max() <= 2.0
