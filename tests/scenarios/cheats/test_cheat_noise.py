"""Columns that are kept back are filled with random numbers, once or until it pays."""

from __future__ import annotations

import numpy as np
from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST, dice
from tillit.validation.writing import Scene


def silent(scene: Scene) -> Scene:
    return told.withheld(scene, FORECAST)


def test_padding_what_is_kept_back_gains_no_more_than_chance(stage: Stage) -> None:
    everybody = np.ones(len(stage.names), dtype=bool)
    gain = stage.gain(honest, lambda scene: told.padded(scene, everybody, dice(scene)))
    assert gain.mean() <= 0.3
    assert gain.max() <= 2.0


def test_six_tries_with_feedback_gain_no_more_than_chance(stage: Stage) -> None:
    tries = {
        f"try-{number}": lambda scene, number=number: told.noise(
            scene, FORECAST, dice(scene, number)
        )
        for number in range(6)
    }
    scored = stage.scored(silent=silent, **tries)
    best = np.max([stage.points(scored, name, "b2s") for name in tries], axis=0)
    assert (best - stage.points(scored, "silent", "b2s")).max() <= 2.0
