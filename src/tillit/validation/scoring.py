"""The measure, called through its one door for a folder. I/O: a temporary folder.

Nothing else here imports the measure, but for the pure functions whose calibration is a mark.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tillit.trust.folder import score_folder
from tillit.validation.demand import make_demand
from tillit.validation.histories import History
from tillit.validation.told import make_told
from tillit.validation.trade import make_trade
from tillit.validation.voice import make_voice
from tillit.validation.world import World
from tillit.validation.writing import Scene

__all__ = ["Scored", "played", "score"]


@dataclass(frozen=True)
class Scored:
    """What the measure says of the relationships of a history, by name."""

    told: dict[str, dict[str, Any]]

    def score(self, name: str) -> float:
        """The score of a relationship; not measured counts as nothing."""
        return float(self.told[name]["score"] or 0.0)

    def direction(self, name: str, flow: str) -> dict[str, Any]:
        """What is said of one direction; nothing where it is not measured."""
        for direction in self.told[name]["directions"]:
            if direction["direction"] == flow:
                found: dict[str, Any] = direction
                return found
        return {}

    def points(self, name: str, flow: str) -> float:
        """The score of one direction."""
        return float(self.direction(name, flow).get("score") or 0.0)


def played(world: World) -> Scene:
    """Let a world happen: demand, trade, what is told, what is said."""
    demand = make_demand(world)
    trade = make_trade(world, demand)
    return Scene(world, demand, trade, make_told(world, demand, trade), make_voice(world, trade))


def score(history: History) -> Scored:
    """Measure a history as any company would measure its own."""
    with tempfile.TemporaryDirectory(prefix="validate-") as name:
        result = score_folder(history.write(Path(name)))
    return Scored({told["relationship_id"]: told for told in result["relationships"]})
