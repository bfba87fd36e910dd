"""Promises that are easy to keep: weeks later than wanted, or half of what was ordered."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_sent as sent
from tillit.validation.writing import write_down


def test_promising_half_gains_nothing_for_more_than_promised_is_not_as_promised(
    stage: Stage,
) -> None:
    gain = stage.gain(honest, lambda scene: sent.promised_less(write_down(scene)), "s2b")
    assert gain.max() <= 0.0


def test_firm_trifles_are_not_promises_kept(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.trifles_promised(write_down(scene)))
    assert gain.max() <= 0.0


def test_promising_three_weeks_later_gains_and_is_a_stated_limit(stage: Stage) -> None:
    # Held to its first promise, not to what was wanted: the buyer sees late promises when it
    # orders, and can refuse them.
    gain = stage.gain(honest, lambda scene: sent.promised_later(write_down(scene)), "s2b")
    assert gain.mean() > 0.0
