"""Silent about what is hard: the items that nobody foresees, the weeks that are not sure."""

from __future__ import annotations

import numpy as np
from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST
from tillit.validation.writing import Scene


def hard_items(scene: Scene) -> Scene:
    return told.throughout(scene, FORECAST, told.hard_items_dropped)


def unsure_weeks(scene: Scene) -> Scene:
    return told.throughout(scene, FORECAST, told.uncertain_weeks_dropped)


def test_dropping_the_hard_items_gains_nothing_for_they_stay_due(stage: Stage) -> None:
    gain = stage.gain(honest, hard_items)
    assert gain.mean() <= 0.3
    assert gain.max() <= 2.0


def test_dropping_the_unsure_weeks_tells_less_for_they_stay_due(stage: Stage) -> None:
    scored = stage.scored(all=honest, sure=unsure_weeks)
    gain = stage.points(scored, "sure", "b2s") - stage.points(scored, "all", "b2s")
    assert gain.mean() <= 0.3
    for partner, points in zip(stage.names, gain, strict=True):
        every, sure = (
            next(
                column
                for column in scored.direction(f"{partner}#{name}", "b2s")["columns"]
                if (column["kind"], column["column"]) == ("demand_forecast", "quantity")
            )
            for name in ("all", "sure")
        )
        assert sure["bits_per_cell"] < every["bits_per_cell"]
        # Who is seldom sure may prove sooner that its word is worth something. It gains nothing
        # once that is proven.
        if every["evidence_bits"] > np.log2(20):
            assert points < 0
