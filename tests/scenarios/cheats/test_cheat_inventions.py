"""Goods, promises and rhythms are made so that they can be foretold."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_invented as invented
from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST, dice
from tillit.validation.histories import History
from tillit.validation.writing import Scene


def goods(scene: Scene) -> History:
    return invented.goods_invented(scene, dice(scene))


def every_third_week(scene: Scene) -> Scene:
    return told.withheld(told.rhythmic(scene, 3), FORECAST)


def rhythm(scene: Scene) -> Scene:
    return told.rhythm_echoed(told.rhythmic(scene, 3), FORECAST, 3)


def test_goods_that_nobody_ordered_are_not_received(stage: Stage) -> None:
    assert stage.gain(honest, goods, "s2b").max() <= 0.0


def test_a_promise_made_when_all_is_known_is_not_the_first(stage: Stage) -> None:
    scored = stage.scored(honest=honest, rewritten=invented.promises_rewritten)
    for name in stage.names:
        before, after = (
            scored.direction(f"{name}#{act}", "s2b")["promises"] for act in ("honest", "rewritten")
        )
        assert after <= before + 1e-9


def test_a_rhythm_that_the_receiver_sees_is_no_news(stage: Stage) -> None:
    assert stage.gain(every_third_week, rhythm).max() <= 0.3
