"""Intervals: as wide as they say, the same when drawn again, and none where nothing is known."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from tests.flows import flows, partners

from tillit.trust.interval import PARTS, Resampled, resample
from tillit.trust.weekly import Figures, Weekly, figures

WEEKS = 52


def some(seed: int = 1, weeks: int = WEEKS) -> Weekly:
    rng = np.random.default_rng(seed)
    return flows(rng, partners(rng, 1, least=0.5), weeks).weekly(0, weeks)


def drawn(of: Weekly, seed: int = 7, way: int = 0) -> Resampled:
    found = resample(of, seed=seed, way=way)
    assert found is not None
    return found


def expected(of: Weekly) -> Figures:
    """The figures of a partner of whom the mean week is known."""
    mean = replace(
        of,
        columns=np.repeat(of.columns.mean(axis=2, keepdims=True), WEEKS, axis=2),
        parts=np.repeat(of.parts.mean(axis=1, keepdims=True), WEEKS, axis=1),
    )
    return figures(mean, np.ones((1, WEEKS)))


@pytest.fixture(scope="module")
def covered() -> dict[str, list[bool]]:
    """Whether each interval holds what the long run gives: 200 partners, each five times."""
    rng = np.random.default_rng(20)
    of = partners(rng, 200)
    long = flows(rng, of, 1500)
    truth = [expected(long.weekly(n, 1500, 1500)) for n in range(200)]
    hits: dict[str, list[bool]] = {name: [] for name in ("score", *PARTS, "both", "u")}
    for seed in range(5):
        year = flows(rng, of, WEEKS)
        found = [drawn(year.weekly(n, WEEKS), seed, n % 2) for n in range(200)]
        for true, one in zip(truth, found, strict=True):
            for name, bounds in one.parts().items():
                hits[name].append(_holds(bounds, getattr(true, name)[0]))
            for place, bounds in enumerate(one.columns().values()):
                hits["u"].append(_holds(bounds["u"], true.u[0, place]))
        for n in range(0, 200, 2):
            both = np.sqrt(truth[n].score[0] * truth[n + 1].score[0])
            hits["both"].append(_holds(found[n].with_other(found[n + 1]), both))
    return hits


def _holds(bounds: tuple[float, float] | None, value: float) -> bool:
    assert bounds is not None
    return bounds[0] - 1e-9 <= value <= bounds[1] + 1e-9


def test_nine_of_ten_intervals_of_a_score_hold_the_truth(covered: dict[str, list[bool]]) -> None:
    for name in ("score", "both", "information"):
        # The mark is .88 to .92; a hundredth is what chance does to so many histories.
        assert 0.87 <= np.mean(covered[name]) <= 0.93, name


@pytest.mark.parametrize("name", ["promises", "candour", "ideas", "u"])
def test_intervals_of_parts_cover_about_as_much(covered: dict[str, list[bool]], name: str) -> None:
    assert 0.87 <= np.mean(covered[name]) <= 0.94


def test_the_plain_bootstrap_would_cover_too_little() -> None:
    """Why it is not the plain percentile interval; the same truth, weights of Poisson(1)."""
    rng = np.random.default_rng(20)
    of = partners(rng, 100)
    long, hits = flows(rng, of, 1500), []
    for _ in range(3):
        year = flows(rng, of, WEEKS)
        for n in range(100):
            weights = rng.poisson(1.0, (200, 13)).astype(float)[:, np.arange(WEEKS)[::-1] // 4]
            scores = figures(year.weekly(n, WEEKS), weights).score
            low, high = np.nanquantile(scores, [0.05, 0.95])
            hits.append(low <= expected(long.weekly(n, 1500, 1500)).score[0] <= high)
    assert np.mean(hits) < 0.85


def test_the_same_seed_gives_the_same_bounds_and_another_about_the_same() -> None:
    of = some()
    assert drawn(of, 7).parts() == drawn(of, 7).parts()
    one, other = drawn(of, 7).parts()["score"], drawn(of, 8).parts()["score"]
    assert one is not None
    assert other is not None
    assert one != other
    assert one == pytest.approx(other, rel=0.25)


def test_twice_the_cells_are_surer() -> None:
    rng = np.random.default_rng(5)
    few = partners(rng, 60, least=0.5)
    many = replace(few, cells=few.cells * 6, lines=few.lines * 6)
    wide, narrow = (
        np.mean([_width(drawn(f.weekly(n, WEEKS)).parts()["information"]) for n in range(60)])
        for f in (flows(rng, few, WEEKS), flows(rng, many, WEEKS))
    )
    assert narrow < 0.8 * wide


def _width(bounds: tuple[float, float] | None) -> float:
    assert bounds is not None
    return bounds[1] - bounds[0]


def test_no_idea_yet_is_not_known_to_be_none_for_ever() -> None:
    of = some()
    without = replace(of, parts=np.vstack([of.parts[:5], np.zeros(WEEKS)]))
    low, high = drawn(without).parts()["ideas"] or (0.0, 0.0)
    assert low == pytest.approx(figures(without, np.ones((1, WEEKS))).ideas[0])
    assert 0.25 < high < 0.5


def test_what_the_terms_do_not_let_be_shown_is_a_constant() -> None:
    parts = drawn(replace(some(), has=(False, False, False))).parts()
    for name in ("promises", "candour", "ideas"):
        low, high = parts[name] or (0.0, 1.0)
        assert low == high


def test_too_few_weeks_or_no_evidence_have_no_interval() -> None:
    assert resample(some(weeks=15), seed=1) is None
    nothing = replace(some(), enough=np.zeros(4, dtype=bool))
    assert drawn(nothing).parts()["score"] is None
    assert all(bounds["u"] is None for bounds in drawn(nothing).columns().values())


def test_three_hundred_relationships_take_a_moment() -> None:
    rng = np.random.default_rng(1)
    year = flows(rng, partners(rng, 600), WEEKS)
    asked = [year.weekly(n, WEEKS) for n in range(600)]
    start = time.process_time()
    found = [drawn(of, 1, n % 2) for n, of in enumerate(asked)]
    for there, back in zip(found[::2], found[1::2], strict=True):
        there.parts(), back.parts(), there.with_other(back)
    assert time.process_time() - start < 4  # two seconds on a machine that does nothing else
