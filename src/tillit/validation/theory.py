"""The measure's own arithmetic against closed forms. Pure.

What is tried here is the kernel that gives a cell its bits, with the baseline that each theory
assumes in place of the measure's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tillit.trust.gain import Cells, gains
from tillit.validation.closed_forms import Chain, Shared, bullwhip, bullwhip_of, shared_value
from tillit.validation.marks import Row

__all__ = ["measured_bits", "theory_rows"]

Floats = NDArray[np.float64]

_LENGTHS = {2080: 0.02, 520: 0.06, 104: 0.15}
_CELLS = 520_000
"""Cells played for each length: so many that chance is far below the mark."""
_LAGS = 13
"""Orders that tell demand: what is older has a weight of less than two in a thousand."""


def theory_rows(seed: int, cells: int = _CELLS) -> list[Row]:
    """Lee, So and Tang at each length; the baseline that makes it nothing; the bullwhip."""
    chain = Chain()
    rows = [_check(chain)]
    for number, (length, within) in enumerate(_LENGTHS.items()):
        rng = np.random.default_rng([seed, number])
        played = shared_value(chain, cells // length, length, rng)
        rows += _agreement(chain, played, length, within)
    rng = np.random.default_rng([seed, 9])
    rows += _baselines(chain, shared_value(chain, max(cells // 2080, 2), 2080, rng))
    return [*rows, _bullwhip(np.random.default_rng([seed, 10]), cells)]


def _check(chain: Chain) -> Row:
    ours = (chain.without_sharing, chain.with_sharing, chain.bits, chain.stock_saved)
    told = "V {:.3f}, V' {:.3f}, {:.3f} bits, {:.1%} of stock".format(*ours)
    met = np.allclose(ours, (34.028, 22.757, 0.290, 0.182), atol=6e-4)
    return Row(
        "theory", "Lee-So-Tang, rho .7, l = L = 2", told, "34.028, 22.757, .290, 18.2 %", met
    )


def measured_bits(
    outcome: Floats, told: Floats, known: Sequence[Floats], reach: int, frame: int
) -> Floats:
    """The kernel's bits of every cell (N, T), with a baseline of what is known.

    An outcome is known ``reach`` periods after its cell is due.
    """
    periods, series = outcome.shape[1], outcome.shape[0]
    # The kernel has a column a series.
    cut_off = 10 * np.arange(periods)[:, None] + np.zeros((1, series), dtype=np.int64)
    nothing = np.full((periods, series), np.nan)
    cells = Cells(
        cut_off=cut_off,
        known_at=cut_off + 10 * reach - 1,
        y=_turned(outcome),
        f=_turned(told),
        last=nothing,
        before=nothing,
        already=np.zeros((periods, series)),
        season=np.zeros(series, dtype=np.int64),
    )
    return _turned(gains(cells, frame=frame, z=[_turned(z) for z in known]).bits)


def _turned(values: Floats) -> Floats:
    return np.ascontiguousarray(values.T)


def _agreement(chain: Chain, played: Shared, length: int, within: float) -> list[Row]:
    """What is told is the news of demand; the receiver expects what the theory's expects.

    The first half of a series is for learning. The frame is all that there is, as in the theory;
    with the measure's own frame of a year the cost of learning stays.
    """
    error, reach = played.outcome - played.expected, chain.manufacturer + 1
    news = _news(chain, played)
    rows = []
    for frame, words in ((length, ""), (52, ", in a frame of 52")):
        bits = measured_bits(error, news, [], reach, frame)[:, length // 2 :]
        mean, off = float(np.mean(bits)), float(abs(np.mean(bits) / chain.bits - 1))
        spread = float(np.std(np.mean(bits, axis=1)) / np.sqrt(len(bits)) / chain.bits)
        own = frame == length
        rows.append(
            Row(
                "theory",
                f"agreement with Lee-So-Tang, {length:,} periods{words}",
                f"{mean:.4f} bits, {off:.1%} off (chance {spread:.1%})",
                f"within {within:.0%}" if own else "",
                off <= within if own else None,
                "" if own else "shown: what a frame of a year costs",
                {"bits": mean, "off": off},
            )
        )
    return rows


def _news(chain: Chain, played: Shared) -> Floats:
    before = np.concatenate([played.demand[:, :1], played.demand[:, :-1]], axis=1)
    return played.demand - chain.rho * before


def _baselines(chain: Chain, played: Shared) -> list[Row]:
    """The same demand, told to receivers that use more of what they have."""
    reach, length = chain.manufacturer + 1, played.outcome.shape[1]
    past = [
        np.concatenate([np.zeros((len(played.orders), lag)), played.orders[:, : length - lag]], 1)
        for lag in range(_LAGS)
    ]
    rows = []
    for words, known, theory in (
        ("a regression on the newest order", past[:1], chain.bits_over_regression),
        ("the whole history of orders (Raghunathan)", past, 0.0),
    ):
        bits = measured_bits(played.outcome, played.demand, known, reach, length)
        mean = float(np.mean(bits[:, length // 2 :]))
        rows.append(
            Row(
                "theory", f"the same demand, to one who uses {words}", f"{mean:+.4f} bits",
                f"{theory:.3f}, give or take .005", abs(mean - theory) <= 0.005,
                values={"bits": mean},
            )
        )  # fmt: skip
    return rows


def _bullwhip(rng: np.random.Generator, periods: int) -> Row:
    """Orders of a simulated moving-average policy against the formula."""
    worst = 0.0
    for lead_time, window, rho in ((1, 4, 0.0), (3, 8, 0.7), (2, 5, -0.4)):
        news = rng.standard_normal(periods)
        demand = np.zeros(periods)
        for at in range(1, periods):
            demand[at] = rho * demand[at - 1] + news[at]
        formula = bullwhip(lead_time, window, rho)
        worst = max(worst, abs(bullwhip_of(demand, lead_time, window) / formula - 1))
    return Row(
        "theory", "bullwhip of a moving average (Chen et al.)", f"{worst:.1%} off at most",
        "within 2 %", worst <= 0.02, values={"off": worst},
    )  # fmt: skip
