"""Four partners, from reserved to open, who may be tempted; and what a temptation gains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tillit.validation.histories import History, together
from tillit.validation.scoring import Scored, score
from tillit.validation.writing import Scene, names_of, write_down

Act = Callable[[Scene], History | Scene]


@dataclass(frozen=True)
class Stage:
    """One past, which can be told in several ways."""

    scene: Scene

    @property
    def names(self) -> list[str]:
        return names_of(self.scene.world).to_pylist()

    def scored(self, **acts: Act) -> Scored:
        """All ways of telling it, measured side by side; the act's name follows the partner's."""
        parts = []
        for name, act in acts.items():
            told = act(self.scene)
            history = write_down(told) if isinstance(told, Scene) else told
            parts.append(history.named(f"#{name}"))
        return score(together(parts))

    def points(self, scored: Scored, name: str, flow: str) -> NDArray[np.float64]:
        return np.array([scored.points(f"{partner}#{name}", flow) for partner in self.names])

    def gain(self, instead: Act, act: Act, flow: str = "b2s") -> NDArray[np.float64]:
        """Points that the act is worth to each partner, over what it does instead."""
        scored = self.scored(instead=instead, act=act)
        return self.points(scored, "act", flow) - self.points(scored, "instead", flow)


def honest(scene: Scene) -> Scene:
    """What each says when it is not tempted."""
    return scene
