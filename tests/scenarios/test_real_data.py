"""Data that nobody here made goes the same way: every row lands, or is refused with a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tillit.demo.model import Step, Want, World
from tillit.demo.run import Played, play

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
# A hub with two of its twelve forecasting partners, a buyer with two of its vendors.
PARTIES = ("hub", "umass-flusion", "flusight-baseline", "scms", "cipla-limited", "orgenics-ltd")
STEPS = 14

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


class Quiet:
    """Nobody watches."""

    def stage(self, what: str, steps: int) -> None:
        """Say nothing."""

    def step(self) -> None:
        """Say nothing."""


def part(world: World) -> World:
    """A few parties of a world, for its first busy steps."""

    def among(wants: tuple[Want, ...]) -> tuple[Want, ...]:
        return tuple(w for w in wants if {w.provider, w.consumer} <= set(PARTIES))

    steps: list[Step] = [replace(step, wants=among(step.wants)) for step in world.steps]
    busy = [step for step in steps if step.wants]
    return replace(
        world,
        parties=tuple(p for p in world.parties if p.id in PARTIES),
        wants=among(world.wants),
        steps=tuple(busy[:STEPS]),
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    if not (REAL / "flusight").is_dir():
        pytest.skip(f"the folder of real data is not there: {REAL.name}")
    from tillit.demo.real import real_world

    return play(part(real_world(REAL)), tmp_path_factory.mktemp("real"), Quiet(), airflow=False)


def test_forecasts_orders_and_deliveries_of_others_land(played: Played) -> None:
    assert played.counts["published shipments"] > 20
    assert played.counts["received rows"] > 300
    assert played.counts["received rows"] == played.counts["published rows"]


def test_what_is_refused_has_a_reason_and_everything_is_accounted_for(played: Played) -> None:
    """What left has landed; what did not leave stands in its owner's quarantine, rule and reason."""
    stopped = Counter[str]()
    for found in played.refused:
        assert found["where"] == "sender"  # whoever judges before it sends is refused nothing
        assert found["reason"]
        stopped[found["rule"]] += found["rows"]
    assert played.counts["received refused"] == 0
    # Some dates of this file say "see other document", or nothing that is a date.
    assert stopped["type:ordered_on"] > 0


def test_both_sides_ledgers_hold(played: Played) -> None:
    assert set(played.audits) == set(PARTIES)
    for audit in played.audits.values():
        assert audit["findings"] == []
        assert audit["statements"] > 0
