"""A good name is earned, and then spent: half a year of old plans or random ones."""

from __future__ import annotations

from collections.abc import Callable

from tests.scenarios.cheats.stage import Stage

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST, dice
from tillit.validation.told import column
from tillit.validation.writing import Scene

LOW, HIGH = (column("demand_forecast", name) for name in ("quantity_low", "quantity_high"))


def turned(scene: Scene) -> int:
    return scene.world.weeks - 26


def opened(scene: Scene) -> Scene:
    return told.opened(scene, FORECAST)


def stopped(scene: Scene) -> Scene:
    return told.stopped_after(opened(scene), FORECAST, turned(scene))


def stale(scene: Scene) -> Scene:
    return told.stale_after(opened(scene), FORECAST, turned(scene))


def noisy(scene: Scene) -> Scene:
    return told.noise_after(opened(scene), FORECAST, turned(scene), dice(scene))


def alone(act: Callable[[Scene], Scene]) -> Callable[[Scene], Scene]:
    """Nothing is told but the quantity: its low and its high would go on telling of the same."""
    return lambda scene: act(told.withheld(told.withheld(scene, LOW), HIGH))


def test_a_good_name_buys_nothing_for_half_a_year_of_nothing(stage: Stage) -> None:
    scored = stage.scored(stopped=stopped, stale=stale, noisy=noisy)
    stopped_at = stage.points(scored, "stopped", "b2s")
    for way in ("stale", "noisy"):
        assert (stage.points(scored, way, "b2s") - stopped_at).max() <= 2.0


def test_who_goes_on_telling_the_truth_is_better_off_than_with_any_of_it(stage: Stage) -> None:
    scored = stage.scored(
        stopped=alone(stopped), stale=alone(stale), noisy=alone(noisy), opened=alone(opened)
    )
    stopped_at = stage.points(scored, "stopped", "b2s")
    for way in ("stale", "noisy"):
        assert (stage.points(scored, way, "b2s") - stopped_at).max() <= 2.0
    assert (stage.points(scored, "opened", "b2s") - stopped_at).mean() > 3.0
