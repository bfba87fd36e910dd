"""What holds for every history: no credit without news, and shares that stay shares."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.transforms.trust.test_gain import ar1, score, weekly

COMMON = settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
seeds = st.integers(0, 2**32 - 1)
# Spread of what is sent against that of the outcome: from a grain to a mountain.
sizes = st.floats(1e-3, 1e6).flatmap(lambda s: st.sampled_from([s, -s]))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@COMMON
@given(seed=seeds, of_last=sizes, of_trend=sizes, shift=st.floats(-1e6, 1e6))
def test_no_mixture_of_what_we_knew_is_worth_anything(
    connection: duckdb.DuckDBPyConnection,
    seed: int,
    of_last: float,
    of_trend: float,
    shift: float,
) -> None:
    y = ar1(np.random.default_rng(seed), 90)
    last = np.concatenate([[0.0], y[:-1]])
    told = shift + of_last * last + of_trend * np.arange(90) / 52
    ((bits, _),) = score(connection, [weekly(y, told)])
    assert (bits == 0).all()


@COMMON
@given(seed=seeds, scale=sizes, shift=st.floats(-1e3, 1e3))
def test_what_is_told_in_other_units_is_worth_the_same(
    connection: duckdb.DuckDBPyConnection, seed: int, scale: float, shift: float
) -> None:
    rng = np.random.default_rng(seed)
    y = ar1(rng, 90)
    f = y + rng.standard_normal(90)
    ((plain, _), (other, _)) = score(connection, [weekly(y, f), weekly(y, shift + scale * f)])
    np.testing.assert_allclose(plain, other, rtol=1e-6, atol=1e-6)


@COMMON
@given(seed=seeds, missing=st.lists(st.integers(0, 89), max_size=90))
def test_a_cell_that_is_missing_is_worth_nothing(
    connection: duckdb.DuckDBPyConnection, seed: int, missing: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    y = ar1(rng, 90)
    f = y + rng.standard_normal(90)
    f[missing] = np.nan
    ((bits, used),) = score(connection, [weekly(y, f)])
    assert (bits[missing] == 0).all()
    assert np.isnan(used[missing]).all()


@COMMON
@given(
    seed=seeds,
    f=st.lists(st.floats(-1e15, 1e15, allow_subnormal=False), min_size=60, max_size=60),
)
def test_whatever_is_sent_the_bits_are_numbers(
    connection: duckdb.DuckDBPyConnection, seed: int, f: list[float]
) -> None:
    y = ar1(np.random.default_rng(seed), 60)
    ((bits, _),) = score(connection, [weekly(y, np.array(f))])
    assert np.isfinite(bits).all()


@COMMON
@given(seed=seeds, now=st.integers(30, 89))
def test_what_comes_later_changes_nothing_that_was_scored(
    connection: duckdb.DuckDBPyConnection, seed: int, now: int
) -> None:
    rng = np.random.default_rng(seed)
    y = ar1(rng, 90)
    f = y + rng.standard_normal(90)
    ((short, _), (long, _)) = score(connection, [weekly(y[:now], f[:now]), weekly(y, f)])
    assert (long[:now] == short).all()
