"""More is asked for than is needed, to be first in line when there is not enough."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_told as told
from tillit.validation.cheats import FORECAST
from tillit.validation.marks import EXACT


def test_a_third_more_than_is_expected_never_gains(stage: Stage) -> None:
    scored = stage.scored(honest=honest, inflated=lambda scene: told.inflated(scene, FORECAST))
    gain = stage.points(scored, "inflated", "b2s") - stage.points(scored, "honest", "b2s")
    assert gain.max() <= EXACT
    assert gain.min() < -0.5


def test_the_gap_between_word_and_deed_is_shown(stage: Stage) -> None:
    scored = stage.scored(twice=lambda scene: told.inflated(scene, FORECAST, 2.0))
    columns = scored.direction(f"{stage.names[-1]}#twice", "b2s")["columns"]
    gap = next(c["honesty_gap"] for c in columns if c["column"] == "quantity")
    assert gap > 0.5
