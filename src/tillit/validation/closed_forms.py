"""What theory says information is worth, and the series on which it says so. Pure.

Lee, So and Tang (2000), "The value of information sharing in a two-level supply chain",
Management Science 46(5): a retailer with AR(1) demand orders up to a level; the manufacturer
either sees its orders alone or its demand too. Raghunathan (2001), Management Science 47(4):
who uses the whole history of orders knows the demand already. Chen, Drezner, Ryan and
Simchi-Levi (2000), Management Science 46(3): what a moving average does to the variance of orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Chain",
    "Shared",
    "bullwhip",
    "bullwhip_of",
    "shared_value",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A retailer and its manufacturer: demand D_t = rho D_(t-1) + e_t about its mean.

    ``retailer`` and ``manufacturer`` are the lead times l and L in periods. The mean of demand
    changes nothing and is zero.
    """

    rho: float = 0.7
    retailer: int = 2
    manufacturer: int = 2
    sigma: float = 1.0

    @property
    def with_sharing(self) -> float:
        """V': variance of the orders over the manufacturer's lead time, demand known."""
        terms = range(1, self.manufacturer + 2)
        total = sum((1 - self.rho ** (self.retailer + 1 + i)) ** 2 for i in terms)
        variance: float = self.sigma**2 / (1 - self.rho) ** 2 * total
        return variance

    @property
    def without_sharing(self) -> float:
        """V: the same, for a manufacturer that takes the newest order for an AR(1) of its own."""
        return self.with_sharing + self._lost**2 * self.sigma**2

    @property
    def with_regression(self) -> float:
        """The same, for one that regresses on the newest order: most of an order is news."""
        up, before = 1 + self._swing, (1 + self._swing) * self.rho - self._swing
        past = before**2 / (1 - self.rho**2)
        unseen = past / (up**2 + past)
        return self.with_sharing + self._lost**2 * self.sigma**2 * unseen

    @property
    def bits(self) -> float:
        """What sharing demand is worth to the manufacturer of Lee, So and Tang."""
        return 0.5 * log2(self.without_sharing / self.with_sharing)

    @property
    def bits_over_regression(self) -> float:
        """What it is worth to one that regresses on the newest order."""
        return 0.5 * log2(self.with_regression / self.with_sharing)

    @property
    def stock_saved(self) -> float:
        """Share of the safety stock that sharing saves: it is proportional to the deviation."""
        saved: float = 1 - 2.0**-self.bits
        return saved

    @property
    def _swing(self) -> float:
        """By how much an order answers to a change of demand: Y_t = D_t + c (D_t - D_(t-1))."""
        return self.rho * (1 - self.rho ** (self.retailer + 1)) / (1 - self.rho)

    @property
    def _lost(self) -> float:
        """Weight of the newest news of demand in what the order alone does not tell."""
        ahead = (1 - self.rho ** (self.retailer + 1)) * (1 - self.rho ** (self.manufacturer + 1))
        return self.rho * ahead / (1 - self.rho) ** 2


@dataclass(frozen=True)
class Shared:
    """A played chain, a row a series and a column a period t (N, T).

    ``outcome`` is what is ordered over the manufacturer's lead time after t, ``expected`` what
    Lee, So and Tang's manufacturer expects of it, ``orders`` the orders of t and ``demand`` the
    demand of t, which is what may be shared.
    """

    outcome: Floats
    expected: Floats
    orders: Floats
    demand: Floats


def shared_value(chain: Chain, series: int, periods: int, rng: np.random.Generator) -> Shared:
    """Play a chain for so many periods after its beginnings have died away."""
    run_in = 60
    reach = chain.manufacturer + 1
    total = run_in + periods + reach
    news = chain.sigma * rng.standard_normal((series, total))
    demand = np.zeros((series, total))
    for at in range(1, total):
        demand[:, at] = chain.rho * demand[:, at - 1] + news[:, at]
    swing = chain.rho * (1 - chain.rho ** (chain.retailer + 1)) / (1 - chain.rho)
    orders = demand.copy()
    orders[:, 1:] += swing * np.diff(demand, axis=1)
    span = slice(run_in, run_in + periods)
    ahead = [orders[:, run_in + i : run_in + i + periods] for i in range(1, reach + 1)]
    weight = sum(chain.rho**i for i in range(1, reach + 1))
    return Shared(
        outcome=np.sum(ahead, axis=0),
        expected=weight * orders[:, span],
        orders=orders[:, span],
        demand=demand[:, span],
    )


def bullwhip(lead_time: int, window: int, rho: float) -> float:
    """Variance of orders over variance of demand, with a moving average of ``window`` periods."""
    share = lead_time / window
    return 1 + (2 * share + 2 * share**2) * (1 - rho**window)


def bullwhip_of(demand: Floats, lead_time: int, window: int) -> float:
    """The same, of a series (T,): orders that keep the level that the moving average asks for."""
    average = np.convolve(demand, np.ones(window) / window, mode="valid")
    orders = demand[window:] + lead_time * np.diff(average)
    return float(orders.var() / demand[window:].var())
