"""Complaints are made to look candid: of what was good, and of nothing in particular."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_sent as sent
from tillit.validation.marks import EXACT
from tillit.validation.writing import write_down


def test_complaining_of_every_good_delivery_is_not_candour(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.complained_of_everything(write_down(scene)))
    assert gain.max() <= 0.0


def test_who_complains_of_every_line_tells_of_no_trouble(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.complained_of_every_line(write_down(scene)))
    assert gain.max() <= 0.0


def test_complaining_of_nothing_in_particular_is_not_candour(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.complained_vaguely(write_down(scene)))
    assert abs(gain).max() <= EXACT
