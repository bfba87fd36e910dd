"""One cell's gain against a second implementation, and against closed forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from tests.transforms.trust.reference import Floats, Series, gains
from tests.trusts import MONDAY

from tillit.trust import cells as cells_module
from tillit.trust import gain
from tillit.trust.cells import make_cell_gain
from tillit.trust.gain import Cells


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def score(
    connection: duckdb.DuckDBPyConnection, series: list[Series]
) -> list[tuple[Floats, Floats]]:
    """Bits and used errors of every series, as the measure makes them of its table of cells."""
    parts = [_rows(number, s) for number, s in enumerate(series)]
    connection.register("rows", pa.concat_tables(parts))
    connection.execute(
        "create or replace temp table cell as select * replace ("
        "case when isnan(y) then null else y end as y, "
        "case when isnan(f) then null else f end as f, "
        "case when isnan(last_known) then null else last_known end as last_known, "
        "case when isnan(before_known) then null else before_known end as before_known) from rows"
    )
    make_cell_gain(connection)
    found = connection.execute(
        "select series_no, bits, used_error from cell_gain order by series_no, period_start"
    ).fetchnumpy()
    used = np.ma.filled(found["used_error"].astype(float), np.nan)
    return [
        (found["bits"][found["series_no"] == n], used[found["series_no"] == n])
        for n in range(len(series))
    ]


def _rows(number: int, s: Series) -> pa.Table:
    def times(hours: Floats) -> list[object]:
        return [MONDAY + timedelta(hours=float(h)) if np.isfinite(h) else None for h in hours]

    n = len(s.y)
    return pa.table(
        {
            "series_no": pa.array([number] * n, pa.uint64()),
            "period_start": pa.array(times(s.cut_off), pa.timestamp("us", "UTC")),
            "cell_id": [""] * n,
            "column_no": pa.array([0] * n, pa.uint64()),
            "cut_off_at": pa.array(times(s.cut_off), pa.timestamp("us", "UTC")),
            "y_known_at": pa.array(times(s.known_at), pa.timestamp("us", "UTC")),
            "status": ["missing" if np.isnan(f) else "arrived" for f in s.f],
            "f": pa.array(s.f),
            "y": pa.array(s.y),
            "last_known": pa.array(s.last),
            "before_known": pa.array(np.full(n, np.nan) if s.before is None else s.before),
            "known_already": pa.array(s.known),
            "season": pa.array([s.season] * n, pa.int32()),
            "quantile_level": pa.array([s.level] * n, pa.float64(), from_pandas=True),
            "more": _lists(s.more, n),
            "told_before": _lists(s.earlier, n),
        }
    )


def _lists(columns: Floats, n: int) -> pa.Array:
    told = [[None if np.isnan(v) else v for v in row] for row in columns.T] or [[]] * n
    return pa.array(told, pa.list_(pa.float64()))


def weekly(y: Floats, f: Floats, *, known: Floats | None = None, delay: float = 1.0) -> Series:
    """Weekly cells whose outcome is known ``delay`` weeks after the cut-off."""
    cut_off = np.arange(len(y)) * 168.0
    return Series(
        cut_off=cut_off,
        known_at=cut_off + 168.0 * delay,
        y=y,
        f=f,
        last=np.full(len(y), np.nan),
        known=np.zeros(len(y)) if known is None else known,
    )


def random_series(rng: np.random.Generator) -> Series:
    """Anything that the measure may meet: gaps, delays, trends, seasons, cells without outcome."""
    n = int(rng.integers(30, 160))
    y = rng.uniform(-1e3, 1e3) + rng.uniform(1, 100) * np.cumsum(rng.standard_normal(n)) / 5
    y += rng.standard_normal(n)
    if rng.random() < 0.4:
        y[rng.random(n) < rng.choice([0.1, 0.6])] = 0.0
    f = rng.uniform(-3, 3) * y + rng.uniform(0.1, 3) * rng.standard_normal(n)
    f[rng.random(n) < rng.choice([0.0, 0.3])] = np.nan
    y[rng.random(n) < rng.choice([0.0, 0.05])] = np.nan
    cut_off = np.cumsum(rng.uniform(1, 300, n))
    known_at = cut_off + rng.uniform(0, 1500, n)
    known_at[int(n * 0.95) :] = np.inf
    y[np.isinf(known_at)] = np.nan
    last = np.where(rng.random(n) < 0.5, np.nan, rng.standard_normal(n))
    known = rng.standard_normal(n) if rng.random() < 0.7 else np.full(n, 7.0)
    more = rng.standard_normal((int(rng.integers(0, 3)), n))
    more[rng.random(more.shape) < 0.1] = np.nan
    if len(more) == 2:
        more[1] += f
    season = int(rng.choice([0, 4, 52]))
    shuffled = rng.permutation(np.nan_to_num(y))
    before = np.where(rng.random(n) < 0.3, shuffled, last) if rng.random() < 0.5 else None
    level = float(rng.choice([np.nan, 0.1, 0.9]))
    earlier = 2.0 * y + rng.standard_normal((int(rng.integers(0, 3)), n))
    for column in earlier:
        column[rng.random(n) < rng.choice([0.0, 0.2])] = np.nan
        column[n // 2 :] = np.nan if rng.random() < 0.3 else column[n // 2 :]
    return Series(cut_off, known_at, y, f, last, known, season, more, before, level, earlier)


def test_frames_come_to_the_same_as_a_fit_for_each_cell(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rng = np.random.default_rng(11)
    series = [random_series(rng) for _ in range(40)]
    scored = 0
    for s, (bits, used) in zip(series, score(connection, series), strict=True):
        bits_wanted, used_wanted = gains(s)
        np.testing.assert_allclose(bits, bits_wanted, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(used, used_wanted, rtol=1e-8, atol=1e-8 * np.nanstd(s.y))
        scored += int(np.isfinite(used).sum())
    assert scored > 1000


@pytest.mark.parametrize("at_once", [1, 150, 1_000_000])
def test_cells_come_in_any_order_and_any_number_at_a_time(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Four weeks have one cut-off, as where a month is told at once: their own order counts."""
    rng = np.random.default_rng(5)
    series = []
    for cells in (120, 40, 96):
        y, f = rng.standard_normal((2, cells))
        one = weekly(y, f + y)
        tied = np.floor(one.cut_off / 672) * 672
        series.append(replace(one, cut_off=tied))
    parts = [
        _rows(number, one).set_column(
            1,
            "period_start",
            pa.array(
                [MONDAY + timedelta(weeks=n) for n in range(len(one.y))], pa.timestamp("us", "UTC")
            ),
        )
        for number, one in enumerate(series)
    ]
    rows = pa.concat_tables(parts)
    ordered = _gained(connection, rows)
    monkeypatch.setattr(cells_module, "_AT_ONCE", at_once)
    shuffled = _gained(connection, rows.take(rng.permutation(rows.num_rows)))
    assert shuffled == ordered
    assert len({bits for *_, bits in ordered}) > 100


def _gained(connection: duckdb.DuckDBPyConnection, rows: pa.Table) -> list[tuple[object, ...]]:
    connection.register("rows", rows)
    connection.execute("create or replace temp table cell as from rows")
    make_cell_gain(connection)
    return connection.execute(
        "select series_no, period_start, bits from cell_gain order by series_no, period_start"
    ).fetchall()


@pytest.mark.parametrize(
    ("shift", "scale", "digits"),
    [(0.0, 1e-6, 1e-9), (1e6, 1.0, 1e-6), (-1e9, 1e6, 1e-9), (1e6, 1e6, 1e-9)],
)
def test_units_do_not_matter(
    connection: duckdb.DuckDBPyConnection, shift: float, scale: float, digits: float
) -> None:
    rng = np.random.default_rng(5)
    y = rng.standard_normal(120)
    f = y + rng.standard_normal(120)
    ((plain, _), (other, _)) = score(
        connection, [weekly(y, f), weekly(shift + scale * y, shift + scale * f)]
    )
    np.testing.assert_allclose(plain, other, rtol=digits, atol=digits)
    assert plain.sum() > 10


def ar1(rng: np.random.Generator, n: int, rho: float = 0.6) -> Floats:
    noise = rng.standard_normal(n + 50)
    y = np.zeros(n + 50)
    for t in range(1, n + 50):
        y[t] = rho * y[t - 1] + noise[t]
    return y[50:]


def copies(y: Floats) -> dict[str, Floats]:
    """What a sender can make without knowing anything that we do not know."""
    before = np.concatenate([[0.0], y[:-1]])
    return {
        "a constant": np.full(len(y), 42.0),
        "zero": np.zeros(len(y)),
        "our own last value": before,
        "our own last value, in other units": 1000 - 7.5 * before,
        "a trend": 3.0 * np.arange(len(y)) + 5,
        "last value and trend": 0.4 * before + 0.1 * np.arange(len(y)),
        "our own mean of thirteen weeks": np.array(
            [y[max(0, t - 13) : max(t, 1)].mean() for t in range(len(y))]
        ),
        "rounded to three places": np.round(50 + 20 * before, 3),
    }


@pytest.mark.parametrize("what", sorted(copies(np.zeros(2))))
def test_what_we_could_have_known_is_worth_exactly_nothing(
    connection: duckdb.DuckDBPyConnection, what: str
) -> None:
    y = ar1(np.random.default_rng(3), 150)
    ((bits, _),) = score(connection, [weekly(y, copies(y)[what])])
    assert (bits == 0).all()


def test_a_week_without_an_order_is_known_before_it_is_settled(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    # The sender says again what it ordered last week. Where that was nothing, our newest order is an
    # older one, and its word would be news if our books did not say "nothing so far".
    rng = np.random.default_rng(30)
    y = ar1(rng, 150) * (rng.random(150) > 0.2)
    book = np.concatenate([[y[0]], y[:-1]])
    place = np.maximum.accumulate(np.where(book > 0, np.arange(150), 0))
    echo = replace(weekly(y, book.copy(), delay=1.5), last=book[place])
    ((unaware, _), (aware, _)) = score(connection, [echo, replace(echo, before=book)])
    assert (aware == 0).all()
    assert (unaware != 0).any()


@pytest.mark.parametrize("weeks", [2, 3, 5])
def test_a_rhythm_that_we_see_ourselves_is_worth_exactly_nothing(
    connection: duckdb.DuckDBPyConnection, weeks: int
) -> None:
    """Orders come every so many weeks, and are said to come, as large as the last."""
    rng = np.random.default_rng(31)
    y = np.zeros(160)
    y[::weeks] = 100 + 20 * rng.standard_normal(len(y[::weeks]))
    again = np.concatenate([np.zeros(weeks), y[:-weeks]])
    told = y + 5 * rng.standard_normal(160) * (y > 0)
    ((echo, _), (news, _)) = score(connection, [weekly(y, again), weekly(y, told)])
    assert (echo[-52:] == 0).all()
    assert news[-52:].sum() > 26


def test_a_calendar_is_worth_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    # The wave is true, and anybody who has seen a year or two of it can draw it.
    weeks = np.arange(160)
    wave = np.sin(2 * np.pi * weeks / 52)
    rng = np.random.default_rng(8)
    series = [replace(weekly(wave + rng.standard_normal(160), wave), season=52) for _ in range(30)]
    bits = np.array([bits for bits, _ in score(connection, series)])
    assert bits[:, -52:].mean() < 0.02
    assert (bits[:, -52:].sum(axis=1) > np.log2(400)).mean() <= 0.05


def test_a_copy_of_the_order_book_is_worth_exactly_nothing(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rng = np.random.default_rng(4)
    y = ar1(rng, 150)
    book = 0.5 * y + rng.standard_normal(150)
    ((bits, _),) = score(connection, [weekly(y, 10 + 2 * book, known=book)])
    assert (bits == 0).all()


def test_an_outcome_without_surprise_leaves_nothing_to_tell(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rng = np.random.default_rng(4)
    constant, line = np.full(100, 7.0), 3.0 * np.arange(100)
    noise = rng.standard_normal(100)
    for bits, _ in score(connection, [weekly(constant, noise), weekly(line, noise)]):
        assert (bits == 0).all()


def test_no_credit_while_six_degrees_of_freedom_are_not_left(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    y = ar1(np.random.default_rng(9), 40)
    ((bits, used),) = score(connection, [weekly(y, y.copy())])
    # Constant, last value, mean and trend are fitted, and the mean of thirteen is still the mean;
    # the first cell has no last value.
    first = int(np.flatnonzero(np.isfinite(used))[0])
    assert first == 1 + 4 + 1 + 6
    assert (bits[:first] == 0).all()
    assert bits[first] > 0


def test_extreme_values_do_not_become_extreme_scores(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rng = np.random.default_rng(9)
    y = ar1(rng, 150)
    f = y + rng.standard_normal(150)
    f[70], y[90] = 1e14, -1e14
    ((bits, _),) = score(connection, [weekly(y, f)])
    assert np.isfinite(bits).all()
    assert abs(bits).max() < 250


# ---- closed forms -------------------------------------------------------------------------------


def lee_so_tang(rho: float, retailer: int, maker: int) -> tuple[float, float, float]:
    """V without and V' with shared demand, and the bits between them (sigma = 1)."""
    shared = sum((1 - rho ** (retailer + 1 + i)) ** 2 for i in range(1, maker + 2)) / (1 - rho) ** 2
    told = rho**2 * (1 - rho ** (retailer + 1)) ** 2 * (1 - rho ** (maker + 1)) ** 2
    alone = shared + told / (1 - rho) ** 4
    return alone, shared, 0.5 * float(np.log2(alone / shared))


def supply_chain(
    rng: np.random.Generator, n: int, rho: float, retailer: int, maker: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Lee, So and Tang's chain, once per lead time: order, news, orders to come; and all orders.

    Demand is AR(1); the retailer's order is demand plus the change of its order-up-to level. The
    news is the demand's own innovation, which the maker sees only when it is told.
    """
    step, burn = maker + 1, 50
    total = n * step + burn + step
    news = rng.standard_normal(total)
    demand = np.zeros(total)
    for t in range(1, total):
        demand[t] = rho * demand[t - 1] + news[t]
    order = demand.copy()
    order[1:] += rho * (1 - rho ** (retailer + 1)) / (1 - rho) * np.diff(demand)
    at = burn + step * np.arange(n)
    ahead = sum(order[at + i] for i in range(1, step + 1))
    return order[at], news[at], ahead, order


def test_lee_so_tang_check_value() -> None:
    alone, shared, bits = lee_so_tang(0.7, 2, 2)
    assert alone == pytest.approx(34.028, abs=5e-4)
    assert shared == pytest.approx(22.757, abs=5e-4)
    assert bits == pytest.approx(0.290, abs=5e-4)
    assert 1 - 2**-bits == pytest.approx(0.182, abs=5e-4)


@pytest.mark.parametrize(
    ("cells", "times", "mark"), [(2080, 60, 0.02), (520, 160, 0.06), (104, 500, 0.15)]
)
def test_bits_agree_with_lee_so_tang(cells: int, times: int, mark: float) -> None:
    # The closed form is about known coefficients, so the frame is the whole history. Lee, So and
    # Tang forecast from the last order alone, and take the innovation as not told by it.
    rng = np.random.default_rng(2000 + cells)
    series = []
    for _ in range(times):
        order, news, ahead, _ = supply_chain(rng, cells, 0.7, 2, 2)
        series.append(weekly(ahead - order * sum(0.7**i for i in (1, 2, 3)), news))
    found = only_constant(series, frame=cells).mean(axis=1)
    wanted = lee_so_tang(0.7, 2, 2)[2]
    assert np.mean(found) == pytest.approx(wanted, rel=mark)


def only_constant(series: list[Series], frame: int) -> Floats:
    """Bits, a row a series of equal length, with nothing in Z but the constant."""

    def laid(name: str) -> Floats:
        return np.array([getattr(s, name) for s in series]).T

    cells = Cells(
        cut_off=laid("cut_off").astype(np.int64),
        known_at=laid("known_at").astype(np.int64),
        y=laid("y"),
        f=laid("f"),
        last=laid("last"),
        before=laid("last"),
        already=laid("known"),
        season=np.zeros(len(series), dtype=np.int64),
    )
    return gain.gains(cells, frame=frame, z=[]).bits.T


def test_a_frame_of_a_year_costs_a_twentieth_of_the_bits() -> None:
    # What it costs to learn one slope from 52 cells is 1/(2*52) of a nat a cell: it is the price of
    # noticing when a partner changes, and the same however long the history is.
    rng = np.random.default_rng(77)
    series = []
    for _ in range(60):
        order, news, ahead, _ = supply_chain(rng, 2080, 0.7, 2, 2)
        series.append(weekly(ahead - order * sum(0.7**i for i in (1, 2, 3)), news))
    found = only_constant(series, frame=52).mean()
    wanted = lee_so_tang(0.7, 2, 2)[2]
    assert wanted * 0.92 < found < wanted


def test_raghunathans_zero(connection: duckdb.DuckDBPyConnection) -> None:
    # Who keeps the history of orders can compute the demand that is shared: it is worth nothing.
    rho, grip = 0.7, 0.7 * (1 - 0.7**3) / 0.3
    order, news, ahead, every = supply_chain(np.random.default_rng(12), 700, rho, 2, 2)
    demand = np.zeros(len(every))
    for t in range(1, len(every)):
        demand[t] = (every[t] + grip * demand[t - 1]) / (1 + grip)
    rebuilt = demand[1:] - rho * demand[:-1]
    at = 50 + 3 * np.arange(700)
    assert np.abs(rebuilt[at - 1] - news).max() < 1e-3
    y = ahead - order * sum(rho**i for i in (1, 2, 3))
    with_history = weekly(y, news, known=rebuilt[at - 1])
    (with_it, _), (without, _) = score(connection, [with_history, weekly(y, news)])
    assert (with_it == 0).all()
    assert without.mean() > 0.2


def test_pure_noise_seldom_passes_for_evidence(connection: duckdb.DuckDBPyConnection) -> None:
    # B = log2 of the wealth of one who bets on the sender; it may pass log2(20) ever, by chance,
    # for one sender in twenty.
    rng = np.random.default_rng(8)
    senders, weeks = 400, 156
    series = [weekly(ar1(rng, weeks), rng.standard_normal(weeks)) for _ in range(senders)]
    passed = 0
    for bits, _ in score(connection, series):
        wealth = np.cumsum(bits)
        window = wealth - np.concatenate([np.zeros(52), wealth[:-52]])
        passed += bool(window.max() > np.log2(20))
    assert passed / senders <= 0.05
