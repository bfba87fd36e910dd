"""Signs of change by hand, and silence by the clock of troubles."""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from tests.flows import autoregression, flows, partners

from tillit.trust.change import (
    Excursion,
    Sign,
    above,
    cusum,
    excursions,
    falling,
    false_discovery,
    mann_kendall,
)
from tillit.trust.closed import closings, steps
from tillit.trust.flow import Flow, flow, reference, standardised, together
from tillit.trust.silence import LEVEL, silence

# ---- CUSUM ------------------------------------------------------------------------------------


def test_a_cusum_never_goes_below_zero_and_takes_no_note_of_gaps() -> None:
    z = np.array([1.0, -1.5, -2.0, np.nan, 0.0, 3.0, -1.0])
    assert cusum(falling(z)).tolist() == [0.0, 1.0, 2.5, 2.5, 2.0, 0.0, 0.5]


def test_a_fall_is_told_once_from_its_first_week_to_its_end() -> None:
    steps = np.array([-1.0, 2.0, 2.0, 2.0, 2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 2.0])
    assert excursions(steps, 5.0) == [Excursion(since=1, raised=3, ended=10, peak=8.0)]
    assert excursions(steps, 9.0) == []


def test_what_is_over_is_not_carried_along_for_years() -> None:
    steps = np.concatenate([np.full(100, 2.0), np.full(30, -0.5), np.full(10, 2.0)])
    first, second = excursions(steps, 8.0)
    # It is a new fall when the old one had come down to half.
    assert (first.since, first.raised, first.ended) == (0, 4, 116)
    assert second.ended is None
    assert first.peak == 200.0


def test_a_sign_that_passes_a_level_began_as_far_back_as_it_looked() -> None:
    sign = np.array([0.0, 0.0, 5.0, 9.0, 4.0, 2.0, 6.0])
    found = above(sign, 4.5, looked_back=2)
    assert found == [Excursion(1, 2, 5, 9.0), Excursion(5, 6, None, 6.0)]


@pytest.mark.parametrize("sign", list(Sign))
def test_chance_and_threshold_are_inverse(sign: Sign) -> None:
    for chance in (0.02, 0.001):
        assert sign.chance(sign.threshold(chance)) == pytest.approx(chance)
    assert sign.chance(0.0) <= 1.0


# ---- Mann-Kendall -----------------------------------------------------------------------------


def windows(values: np.ndarray) -> np.ndarray:
    return values[np.newaxis]


def test_the_slope_is_the_median_of_all_pairs_whatever_a_few_weeks_say() -> None:
    line = 3.0 - 0.2 * np.arange(26)
    line[[3, 15]] = 40.0, -70.0
    _, slope = mann_kendall(windows(line))
    assert slope[0] == pytest.approx(-0.2, abs=0.02)


def test_the_score_is_kendalls_where_nothing_is_autocorrelated() -> None:
    """What is left of a falling line is as unlike one another as can be; all pairs agree."""
    rng = np.random.default_rng(1)
    values = -np.arange(26.0) + 0.01 * rng.standard_normal(26)
    (score,), _ = mann_kendall(windows(values))
    pairs, n = 25 * 24 / 2, 25
    assert score == pytest.approx(-(pairs - 1) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18))


def test_a_window_with_few_known_weeks_has_no_trend() -> None:
    values = -np.arange(26.0)
    values[:8] = np.nan
    score, slope = mann_kendall(np.stack([values, -np.arange(26.0)]))
    assert np.isnan([score[0], slope[0]]).all()
    assert score[1] < -5


def test_a_slow_mood_does_not_pass_for_a_trend() -> None:
    """Autocorrelation of .5: without freeing it a fifth of all windows would have a trend at .05."""
    rng = np.random.default_rng(2)
    series = np.zeros((2000, 40))
    for week in range(1, 40):
        series[:, week] = 0.5 * series[:, week - 1] + rng.standard_normal(2000)
    score, _ = mann_kendall(series[:, 14:])
    assert np.mean(score < -1.645) < 0.10


# ---- false discovery --------------------------------------------------------------------------


def test_benjamini_and_hochberg_by_hand() -> None:
    assert false_discovery([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.04 * 4 / 3] * 1
        + [0.04 * 4 / 3, 0.5])  # fmt: skip
    assert false_discovery([]) == []
    assert false_discovery([1.0, 1.0]) == [1.0, 1.0]


def test_among_those_told_no_more_than_a_tenth_are_false() -> None:
    rng = np.random.default_rng(30)
    shares = []
    for _ in range(200):
        false, true = rng.random(180), rng.random(20) * 1e-3
        rates = np.array(false_discovery([*false.tolist(), *true.tolist()]))
        told = rates <= 0.10
        shares.append(told[:180].sum() / max(told.sum(), 1))
        assert told[180:].mean() > 0.9
    assert 0.08 <= np.mean(shares) <= 0.10  # a tenth of 180 in 200


# ---- what is usual ----------------------------------------------------------------------------


def test_a_week_is_compared_with_weeks_that_ended_a_quarter_before() -> None:
    value = np.arange(60.0)
    usual = reference(value, np.ones(60))
    assert np.isnan(usual.mean[12])
    assert usual.mean[13] == 0.0
    assert usual.mean[50] == pytest.approx(np.arange(38).mean())
    assert usual.weeks[50] == 38
    assert np.isnan(standardised(value, np.ones(60))[:38]).all()


def test_a_week_with_more_in_it_is_surer() -> None:
    rng = np.random.default_rng(4)
    value, count = rng.standard_normal(80), np.ones(80)
    value[79], count[79] = -1.0, 4.0
    z = standardised(value, count)
    usual = reference(value, count)
    deviation = math.sqrt(usual.variance[79] * (1 + 1 / usual.weeks[79]))
    assert z[79] == pytest.approx(2 * (-1 - usual.mean[79]) / deviation)


def test_one_week_is_never_worth_more_than_three_and_a_half_deviations() -> None:
    value = np.concatenate([np.random.default_rng(5).standard_normal(79), [-1e30]])
    assert standardised(value, np.ones(80))[79] == -3.5


def test_the_rows_of_the_marts_make_the_same_flow() -> None:
    rng = np.random.default_rng(6)
    drawn = flows(rng, partners(rng, 1), 60)
    one, other = flow(*drawn.rows(0)), drawn.flow(0)
    assert (one.weeks, one.names) == (other.weeks, other.names)
    for name in ("value", "count", "answered", "asked", "bits", "scored", "troubles", "told"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name


def test_the_common_flow_has_a_mean_of_nought_and_a_variance_of_about_one() -> None:
    rng = np.random.default_rng(7)
    drawn = flows(rng, partners(rng, 60), 150)
    found = np.array([together(drawn.flow(n))[0][60:] for n in range(60)])
    assert abs(found.mean()) < 0.1
    assert 0.85 < found.std() < 1.2


# ---- closed columns ---------------------------------------------------------------------------

WEEKS = 100


def arrivals(**came: np.ndarray) -> Flow:
    """Columns of one kind, all else unknown."""
    nothing = np.full((5, WEEKS), np.nan)
    share = np.stack(list(came.values()))
    return Flow(
        weeks=tuple(date(2024, 1, 1) + timedelta(weeks=n) for n in range(WEEKS)),
        names=tuple(("plan", name) for name in came),
        value=nothing,
        count=np.zeros((5, WEEKS)),
        answered=share,
        asked=np.ones_like(share),
        bits=np.full_like(share, np.nan),
        scored=np.zeros_like(share),
        troubles=np.zeros(WEEKS),
        told=np.zeros(WEEKS),
    )


def test_a_late_shipment_takes_all_columns_and_accuses_none() -> None:
    came = np.ones(WEEKS)
    came[[40, 60, 80, 81, 82]] = 0.0
    found = {w.what: cusum(s).max() for w, s in closings(arrivals(a=came, b=came), 0)}
    assert found["plan.a"] < 0.1
    assert found["plan"] > 5


def test_a_column_left_out_of_what_comes_is_seen_in_five_weeks() -> None:
    came, left = np.ones(WEEKS), np.ones(WEEKS)
    left[80:] = 0.0
    threshold = Sign.CLOSED.threshold(0.0005)
    found = {w.what: excursions(s, threshold) for w, s in closings(arrivals(a=came, b=left), 0)}
    assert [fall.raised <= 84 for fall in found["plan.b"]] == [True]
    assert found["plan"] == found["plan.a"] == []


def test_who_is_often_late_in_a_row_is_not_taken_for_closed() -> None:
    """Two of five shipments late: six missing weeks in a row are what chance gives."""
    late = np.random.default_rng(8).random(WEEKS) < 0.4
    came = 1.0 - (late & np.concatenate([[False], late[:-1]]))
    usual = came.copy()
    usual[80:86] = 0.0
    assert cusum(steps(usual, 0.3))[85] < Sign.CLOSED.threshold(0.0005)


def test_what_never_came_cannot_be_closed() -> None:
    assert not steps(np.zeros(WEEKS), 0.3).any()
    assert not steps(np.full(WEEKS, np.nan), 0.3).any()


# ---- silence ----------------------------------------------------------------------------------


def exact_tail(seen: int, of: int, a: int, b: int) -> float:
    """Mid-p of a beta-binomial in whole numbers."""

    def rising(x: int, n: int) -> int:
        return math.prod(range(x, x + n))

    def chance(k: int) -> Fraction:
        ways = Fraction(rising(a, k) * rising(b, of - k), rising(a + b, of))
        return math.comb(of, k) * ways

    return float(sum(chance(k) for k in range(seen)) + chance(seen) / 2)


def test_the_tail_is_that_of_whole_numbers() -> None:
    troubles = np.concatenate([np.full(40, 2.0), np.full(13, 1.0)])
    told = np.concatenate([np.full(40, 1.0), np.zeros(13)])
    told[45] = 1.0
    found = silence(troubles, told)
    assert found.tail[-1] == pytest.approx(exact_tail(1, 13, 41, 41), rel=1e-9)
    assert (found.troubles[-1], found.told[-1]) == (13, 1)
    assert found.usual[-1] == pytest.approx(0.5)


def test_while_nothing_is_wrong_silence_is_fine() -> None:
    troubles, told = np.zeros(120), np.zeros(120)
    troubles[:60] = told[:60] = 1.0
    found = silence(troubles, told)
    assert found.clock[-1] == 0
    assert found.tail[60:].min() > LEVEL
    assert found.tail[-1] == 1.0


def test_the_clock_runs_with_troubles() -> None:
    troubles, told = np.zeros(30), np.zeros(30)
    troubles[:10], told[:10] = 2.0, 2.0
    troubles[20:25] = 3.0
    found = silence(troubles, told)
    assert found.clock[[9, 19, 20, 24, 29]].tolist() == [0, 0, 3, 15, 15]
    assert found.tail[24] < 0.01


def test_silence_is_called_as_often_as_it_says() -> None:
    """Stable partners with moods: .05 and .01 within a fifth."""
    rng = np.random.default_rng(9)
    tails = []
    for base in rng.uniform(0.1, 0.95, 900):
        rate = np.clip(0.05 + 0.9 * (base + autoregression(rng, (156,))), 0.0, 1.0)
        troubles = rng.poisson(rng.uniform(0.2, 3.0), 156)
        found = silence(troubles.astype(float), rng.binomial(troubles, rate).astype(float))
        weeks = np.arange(80, 156, 13)
        tails.append(found.tail[weeks][found.troubles[weeks] > 0])
    every = np.concatenate(tails)
    assert 0.04 <= np.mean(every < 0.05) <= 0.06
    assert 0.008 <= np.mean(every < 0.01) <= 0.012
