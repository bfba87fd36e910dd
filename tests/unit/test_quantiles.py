"""Forecasts given as quantiles: the density they state, and what a single one tells of spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tillit.trust.gain import Cells, Gains, gains
from tillit.trust.quantiles import (
    KEPT,
    density_bits,
    pinball,
    quantile_bits,
    student_density_bits,
    student_quantile,
)

Floats = NDArray[np.float64]

FEW = np.array([0.1, 0.5, 0.9])
MANY = np.array([0.01, 0.025, *np.arange(1, 20) / 20, 0.975, 0.99])
NORMAL = {0.1: -1.281552, 0.5: 0.0, 0.9: 1.281552}


# ---- the density --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "quantile"), [(0.5, 0.0), (0.9, 1.396815), (0.975, 2.306004), (0.995, 3.355387)]
)
def test_quantiles_are_those_of_the_tables(level: float, quantile: float) -> None:
    assert student_quantile(level) == pytest.approx(quantile, abs=1e-6)
    assert student_quantile(1 - level) == pytest.approx(-quantile, abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 2.0])
def test_there_is_no_quantile_beyond_all(level: float) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        student_quantile(level)


@pytest.mark.parametrize("levels", [[0.5], [0.5, 0.5], [0.9, 0.1]])
def test_a_density_takes_two_rising_levels(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="two levels"):
        density_bits(np.array(levels), np.zeros((1, len(levels))), np.zeros(1), 1.0)


@pytest.mark.parametrize("levels", [FEW, MANY], ids=["three", "twenty-three"])
def test_a_student_t_is_stated_exactly(levels: Floats) -> None:
    at = np.array([student_quantile(level) for level in levels])
    y = np.linspace(-500, 700, 97)
    stated = density_bits(levels, np.tile(100 + 30 * at, (97, 1)), y, 1.0)
    np.testing.assert_allclose(stated, student_density_bits((y - 100) / 30) - np.log2(30))


@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 30.0], [0.0, 0.0, 0.0], [-5.0, 7.0, 7.0], [9.0, 2.0, 4.0]]
)
def test_whatever_is_stated_is_a_density(values: list[float]) -> None:
    # Ties are held apart, and what crosses is put in order.
    y = np.linspace(-400, 400, 1_000_001)
    stated = 2.0 ** density_bits(FEW, np.tile(values, (len(y), 1)), y, 1.0)
    assert np.isfinite(stated).all()
    assert stated.sum() * (y[1] - y[0]) == pytest.approx(1.0, abs=1e-3)


def test_a_point_is_worth_no_more_than_the_unit_of_the_outcome() -> None:
    # A sender that is sure of whole pieces cannot earn more than one that tells which it is.
    sure = density_bits(FEW, np.array([[40.0, 40.0, 40.0]]), np.array([40.0]), 1.0)
    assert -1 < sure[0] <= 0


def test_no_cell_costs_more_than_what_is_kept() -> None:
    wrong = quantile_bits(np.array([-1e6, -np.inf]), np.zeros(2))
    np.testing.assert_allclose(wrong, np.log2(KEPT))


def outcomes(rng: np.random.Generator, shape: str, n: int) -> tuple[Floats, Callable[..., Floats]]:
    """Outcomes of one shape about a middle that the sender knows, and their true quantiles."""
    drawn = {
        "normal": rng.standard_normal(400_000),
        "student": rng.standard_t(8, 400_000),
        "skewed": np.exp(0.6 * rng.standard_normal(400_000)),
        "two humps": rng.choice([-3.0, 3.0], 400_000) + rng.standard_normal(400_000),
    }[shape]
    true = np.quantile(drawn, MANY)
    middle = 10 * rng.standard_normal(n)
    y = middle + rng.choice(drawn, n)

    def stated(scale: float = 1.0, shift: float = 0.0, noise: float = 0.0) -> Floats:
        told = middle + noise * rng.standard_normal(n)
        return np.asarray(told[:, np.newaxis] + shift + scale * true)

    return y, stated


@pytest.mark.parametrize("shape", ["normal", "student", "skewed", "two humps"])
def test_honest_quantiles_earn_the_most(shape: str) -> None:
    y, stated = outcomes(np.random.default_rng(4), shape, 20_000)
    own = student_density_bits(y / 10) - np.log2(10)

    def earned(**how: float) -> float:
        return float(quantile_bits(density_bits(MANY, stated(**how), y, 1e-3), own).mean())

    honest = earned()
    assert honest > 1.0
    for scale in (0.5, 0.7, 1.4, 2.0):
        assert earned(scale=scale) < honest
    for shift in (-1.0, -0.4, 0.4, 1.0):
        assert earned(shift=shift) < honest
    assert earned(noise=0.5) < honest


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_pinball_costs_least_where_the_quantile_is(level: float) -> None:
    y = np.random.default_rng(6).standard_normal(200_000)
    cost = {off: pinball(level, y - NORMAL[level] - off).mean() for off in (-0.2, 0.0, 0.2)}
    assert min(cost, key=lambda off: cost[off]) == 0.0


# ---- a low and a high beside a quantity ---------------------------------------------------------


class Told:
    """Partners (T, S) that know the middle and the spread of what they will order."""

    def __init__(self, seed: int, swing: float = 0.6, series: int = 60) -> None:
        rng = np.random.default_rng(seed)
        shape = (156, series)
        self.rng = rng
        self.quantity = np.asarray(100 + 10 * rng.standard_normal(shape))
        self.spread = np.asarray(3 * np.exp(swing * rng.standard_normal(shape)))
        self.y = np.asarray(self.quantity + self.spread * rng.standard_normal(shape))

    def at(self, level: float, spread: Floats | None = None) -> Floats:
        """The quantile of a normal outcome of this spread."""
        told = self.spread if spread is None else spread
        return np.asarray(self.quantity + NORMAL[level] * told)

    def score(self, f: Floats, *earlier: Floats, level: float = np.nan) -> Gains:
        cells, series = self.y.shape
        week = np.broadcast_to(np.arange(cells)[:, np.newaxis], self.y.shape)
        nothing = np.full_like(self.y, np.nan)
        return gains(
            Cells(
                cut_off=week,
                known_at=week + 1,
                y=self.y,
                f=f,
                last=nothing,
                before=nothing,
                already=np.zeros_like(self.y),
                season=np.zeros(series, dtype=np.int64),
                earlier=earlier,
                level=np.full(series, level),
            )
        )

    def bits(self, f: Floats, *earlier: Floats, level: float) -> float:
        """Bits a cell, once a year is known."""
        return float(self.score(f, *earlier, level=level).bits[52:].mean())


def test_a_low_that_knows_the_spread_adds_to_the_quantity() -> None:
    told = Told(1)
    assert told.bits(told.at(0.1), told.quantity, level=0.1) > 0.1
    assert told.bits(told.at(0.9), told.quantity, level=0.9) > 0.1


def test_what_is_a_fixed_distance_away_adds_exactly_nothing() -> None:
    told = Told(2)
    for level, off in ((0.1, -5.0), (0.9, 4.0)):
        for f in (told.quantity + off, 0.8 * told.quantity, np.full_like(told.y, 50.0)):
            assert (told.score(f, told.quantity, level=level).bits == 0).all()


def test_a_high_that_mirrors_the_low_adds_exactly_nothing() -> None:
    told = Told(3)
    low, high = told.at(0.1), told.at(0.9)
    assert (told.score(high, told.quantity, low, level=0.9).bits == 0).all()


def test_noise_about_the_quantity_gains_nothing() -> None:
    told = Told(4, series=200)
    spread = 3 * np.exp(0.6 * told.rng.standard_normal(told.y.shape))
    found = told.score(told.at(0.1, spread), told.quantity, level=0.1)
    assert found.bits[52:].mean() < 0.0
    wealth = found.bits.cumsum(axis=0)
    window = wealth[52:] - wealth[:-52]
    assert (window.max(axis=0) > np.log2(20)).mean() <= 0.08


def distortions(told: Told) -> dict[str, Floats]:
    rng, spread = told.rng, told.spread
    return {
        "with noise of its own": spread * np.exp(0.5 * rng.standard_normal(spread.shape)),
        "rounded to fives": 5 * np.round(spread / 5),
        "exaggerated": spread**2 / 3,
        "always the same": np.full_like(spread, 3.0),
        "of another week": np.roll(spread, 1, axis=0),
        "the wrong way round": 9 / spread,
    }


@pytest.mark.parametrize("how", distortions(Told(0, series=1)))
def test_an_honest_low_earns_the_most(how: str) -> None:
    told = Told(5, series=150)
    honest = told.bits(told.at(0.1), told.quantity, level=0.1)
    other = told.bits(told.at(0.1, distortions(told)[how]), told.quantity, level=0.1)
    assert other < honest - 0.01


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_low_in_another_measure_earns_the_same_and_shows_in_the_honesty_gap(
    factor: float,
) -> None:
    told = Told(6, series=150)

    def gap(found: Gains) -> float:
        of, used = found.told_error[52:], found.used_error[52:]
        return float(0.5 * np.log2(np.nansum(of**2) / np.nansum(used**2)))

    honest = told.score(told.at(0.1), told.quantity, level=0.1)
    other = told.score(told.at(0.1, factor * told.spread), told.quantity, level=0.1)
    np.testing.assert_allclose(other.bits, honest.bits, atol=1e-6)
    assert gap(other) > gap(honest) + 0.02


def test_a_low_that_is_told_alone_tells_the_place_too() -> None:
    told = Told(7)
    alone = told.bits(told.at(0.1), level=0.1)
    assert alone > 0.5
    # Together they tell what they tell in either order, give or take what a fit costs.
    first = told.bits(told.quantity, level=np.nan)
    both = first + told.bits(told.at(0.1), told.quantity, level=0.1)
    turned = alone + told.bits(told.quantity, told.at(0.1), level=np.nan)
    assert both > alone
    assert turned == pytest.approx(both, abs=0.35)


@pytest.mark.parametrize("swing", [0.0, 0.35, 0.7])
def test_opening_low_and_high_honestly_takes_nothing_from_what_is_told(swing: float) -> None:
    told = Told(8, swing=swing, series=150)
    noisy = [told.at(level, told.spread * 1.1) for level in (0.1, 0.9)]
    low, high = (f + told.rng.standard_normal(f.shape) for f in noisy)
    one = told.bits(told.quantity, level=np.nan)
    two = told.bits(low, told.quantity, level=0.1)
    three = told.bits(high, told.quantity, low, level=0.9)
    assert one > 0.5
    # A share counts nothing below zero; what a fit of nothing costs stays below a thirtieth.
    assert two > -1 / 30
    assert three > -1 / 30
    without_low = told.bits(high, told.quantity, level=0.9)
    assert max(two, 0) + max(three, 0) >= without_low - 1 / 30


def test_a_quantity_that_falls_silent_takes_nothing_from_its_low() -> None:
    told = Told(9)
    stopped = told.quantity.copy()
    stopped[104:] = np.nan
    low = told.at(0.1)
    alone = told.score(low, level=0.1).bits[104:].mean()
    after = told.score(low, stopped, level=0.1).bits[104:].mean()
    assert after > 0.9 * alone > 0.4
