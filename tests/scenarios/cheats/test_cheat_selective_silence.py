"""Silent about what is hard: the items that nobody foresees, the weeks that are not sure."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST


def test_dropping_the_hard_items_gains_nothing_for_they_stay_due(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: told.hard_items_dropped(scene, FORECAST))
    assert gain.mean() <= 0.3
    assert gain.max() <= 2.0


def test_dropping_the_unsure_weeks_gains_nothing_for_they_stay_due(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: told.uncertain_weeks_dropped(scene, FORECAST))
    assert gain.mean() <= 0.3
    assert gain.max() <= 2.0
