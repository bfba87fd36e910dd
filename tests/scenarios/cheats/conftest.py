"""The stage on which every cheat is played."""

from __future__ import annotations

import numpy as np
import pytest
from tests.scenarios.cheats.stage import Stage

from tillit.validation.scoring import played
from tillit.validation.world import make_world


@pytest.fixture(scope="session")
def stage() -> Stage:
    trust = np.array([0.35, 0.55, 0.75, 0.9])
    return Stage(played(make_world(2601, 4, 110, trust=trust, lean=True)))
