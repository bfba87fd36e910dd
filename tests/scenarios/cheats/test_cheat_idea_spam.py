"""Two hundred ideas that nobody takes up."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_sent as sent
from tillit.validation.marks import EXACT
from tillit.validation.writing import write_down


def test_ideas_count_when_they_are_taken_up(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.ideas_spammed(write_down(scene), "s2b"), "s2b")
    assert abs(gain).max() <= EXACT
