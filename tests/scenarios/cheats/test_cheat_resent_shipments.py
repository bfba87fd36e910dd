"""Much is sent, little is said: copies, crumbs, and the same goods under two agreements."""

from __future__ import annotations

from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation import cheats_sent as sent
from tillit.validation.cheats import FORECAST
from tillit.validation.marks import EXACT
from tillit.validation.writing import write_down


def test_ten_copies_of_every_shipment_tell_no_more_than_one(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.resent(write_down(scene), FORECAST))
    assert abs(gain).max() <= EXACT


def test_a_shipment_for_each_item_tells_no_more_than_one_for_all(stage: Stage) -> None:
    gain = stage.gain(honest, lambda scene: sent.split(write_down(scene), FORECAST))
    assert abs(gain).max() <= EXACT


def test_a_second_agreement_with_the_same_terms_is_due_as_well_and_gains_nothing(
    stage: Stage,
) -> None:
    gain = stage.gain(honest, lambda scene: sent.agreements_split(write_down(scene), FORECAST))
    assert gain.max() <= EXACT
