"""A word says what the receiver's own figures say: firm after a large order, else not."""

from __future__ import annotations

import numpy as np
from tests.scenarios.cheats.stage import Stage, honest

from tillit.validation.cheats_sent import commitment_echoed
from tillit.validation.histories import History
from tillit.validation.scoring import played
from tillit.validation.world import make_world
from tillit.validation.writing import Scene, write_down


def echoing(scene: Scene) -> History:
    return commitment_echoed(write_down(scene), scene.demand.quantity)


def test_a_word_for_what_we_have_seen_gains_nothing() -> None:
    """After a large order a smaller one is likelier, and the receiver has seen the large one."""
    stage = Stage(played(make_world(11, 8, 110, trust=np.linspace(0.3, 0.9, 8), lean=True)))
    assert stage.gain(honest, echoing).max() <= 0.1
