"""The truth comes when it is too late to plan by it, whatever time the sender writes on it."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage

from tillit.validation import cheats_sent as sent
from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST, dice
from tillit.validation.histories import History
from tillit.validation.marks import EXACT
from tillit.validation.nature import COLUMNS
from tillit.validation.writing import Scene, write_down


def no_forecasts(scene: Scene) -> Scene:
    for column in COLUMNS:
        if column.kind == "demand_forecast":
            scene = told.withheld(scene, column)
    return scene


def noise(scene: Scene) -> Scene:
    return told.noise(scene, FORECAST, dice(scene))


def backdated(scene: Scene) -> History:
    return sent.backdated(write_down(told.late(scene, FORECAST)), FORECAST)


def corrected(scene: Scene) -> History:
    return sent.corrected_late(write_down(noise(scene)), write_down(scene), FORECAST)


def test_two_hours_too_late_is_not_at_all(stage: Stage) -> None:
    gain = stage.gain(no_forecasts, lambda scene: told.late(scene, FORECAST))
    assert abs(gain).max() <= EXACT


def test_the_receivers_clock_counts_and_not_what_the_sender_writes(stage: Stage) -> None:
    assert abs(stage.gain(no_forecasts, backdated)).max() <= EXACT


def test_noise_in_time_is_not_mended_by_the_truth_after_the_cut_off(stage: Stage) -> None:
    assert abs(stage.gain(noise, corrected)).max() <= EXACT
