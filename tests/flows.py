"""Weekly sums of simulated directions whose trust is known, for tests of intervals and alarms.

Quick on purpose: sums are drawn, no lake is filled. Trust is followed by everything a partner does,
each behaviour with a slow mood of its own (an autoregression of .9 a week, sd .03): what is quiet
from week to week is not what is stable. Columns are opened where trust passes their cut; cells of a
kind come or fail together with its shipment, and a forecast is missing only where two shipments in a
row are late, because the older one told of it too. Bits are those of the measure's own log score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tillit.trust.flow import Flow
from tillit.trust.weekly import Weekly

Floats = NDArray[np.float64]

NU = 8.0
COLUMNS = 4
_MOOD, _SLOW = 0.03, 0.9
_NAMES = (
    ("demand_forecast", "quantity"),
    ("demand_forecast", "quantity_low"),
    ("production_plan", "planned_quantity"),
    ("production_plan", "capacity_quantity"),
)
_MONDAY = date(2023, 1, 2)


@dataclass(frozen=True)
class Flows:
    """Of N directions, K columns and W weeks: counts and sums by week, named as in the marts.

    ``cells`` holds what is counted by column (N, K, W), ``parts`` what is not (N, W).
    """

    weight: Floats
    cells: dict[str, Floats]
    parts: dict[str, Floats]

    def weekly(self, direction: int, end: int, weeks: int = 52) -> Weekly:
        """The sums of one direction up to a week."""
        window = slice(max(end - weeks, 0), end)
        names = ("due", "bits", "told_square", "used_square")
        cells = np.stack([self.cells[name][direction, :, window] for name in names])
        return Weekly(
            names=_NAMES,
            weight=self.weight[direction],
            enough=cells[0].sum(axis=1) >= 26,
            columns=cells,
            parts=np.stack(
                [
                    values[direction, window]
                    for name, values in self.parts.items()
                    if name != "troubles_told"
                ]
            ),
            has=(True, True, True),
        )

    def flow(self, direction: int) -> Flow:
        """All weeks of one direction, as the alarms watch them."""
        cells = {name: values[direction] for name, values in self.cells.items()}
        parts = {name: values[direction] for name, values in self.parts.items()}
        weight = self.weight[direction][:, np.newaxis]
        answered = _over(cells["answered"], cells["asked"])
        asked = cells["asked"] > 0
        every = np.ones_like(parts["promises"])
        return Flow(
            weeks=tuple(_MONDAY + timedelta(weeks=n) for n in range(len(every))),
            names=_NAMES,
            value=np.stack(
                [
                    (weight * answered).sum(axis=0) / (weight * asked).sum(axis=0),
                    _over(cells["bits"].sum(axis=0), cells["scored"].sum(axis=0)),
                    _over(parts["kept_value"], parts["promised_value"]),
                    _over(parts["troubles_told"], parts["troubles"]),
                    parts["ideas_accepted"],
                ]
            ),
            count=np.stack(
                [
                    asked.any(axis=0).astype(np.float64),
                    cells["scored"].sum(axis=0),
                    parts["promises"],
                    parts["troubles"],
                    every,
                ]
            ),
            answered=answered,
            asked=cells["asked"],
            bits=_over(cells["bits"], cells["scored"]),
            scored=cells["scored"],
            troubles=parts["troubles"],
            told=parts["troubles_told"],
        )

    def rows(self, direction: int) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
        """The weekly sums of one direction as rows of the marts, and of each of its columns."""
        weeks = self.parts["promises"].shape[1]
        mondays = [_MONDAY + timedelta(weeks=n) for n in range(weeks)]
        parts = [
            {"week": day}
            | {f"week_{name}": float(v[direction, n]) for name, v in self.parts.items()}
            | {"has_promises": True, "has_candour": True, "has_ideas": True}
            for n, day in enumerate(mondays)
        ]
        columns = [
            [
                {"week": day, "kind": name[0], "column_name": name[1], "is_enough": True}
                | {"weight": float(self.weight[direction, k])}
                | {f"week_{what}": float(v[direction, k, n]) for what, v in self.cells.items()}
                for n, day in enumerate(mondays)
            ]
            for k, name in enumerate(_NAMES)
        ]
        return parts, columns


def _over(above: Floats, below: Floats) -> Floats:
    return np.where(below > 0, above / np.maximum(below, 1e-300), np.nan)


def autoregression(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """A mood along the last axis, begun in its stationary state."""
    shocks = rng.standard_normal(shape)
    path = np.empty(shape)
    path[..., 0] = shocks[..., 0]
    for week in range(1, shape[-1]):
        path[..., week] = _SLOW * path[..., week - 1] + np.sqrt(1 - _SLOW**2) * shocks[..., week]
    return _MOOD * path


@dataclass(frozen=True)
class Partners:
    """What stays the same of N directions, whatever week it is."""

    trust: Floats
    cut: Floats
    known: Floats
    cells: NDArray[np.int64]
    lines: Floats
    rejects: Floats
    inflates: Floats
    weight: Floats


def partners(rng: np.random.Generator, count: int, *, least: float = 0.1) -> Partners:
    """Draw directions: trust uniform, size and trouble apart from it."""
    cut = rng.uniform(0.05, 0.75, (count, COLUMNS))
    cut[:, 0] = 0.0
    return Partners(
        trust=rng.uniform(least, 0.95, count),
        cut=cut,
        known=rng.uniform(0.3, 0.75, (count, COLUMNS)),
        cells=np.clip(np.round(rng.lognormal(1.2, 0.6, count)), 1, 12).astype(np.int64),
        lines=rng.uniform(2, 10, count),
        rejects=rng.beta(2, 30, count),
        inflates=np.maximum(0.0, rng.normal(0.1, 0.15, count)),
        weight=2.0 ** rng.integers(1, 4, (count, COLUMNS)),
    )


def flows(
    rng: np.random.Generator,
    of: Partners,
    weeks: int,
    *,
    course: Floats | float = 0.0,
    stale_from: int | None = None,
) -> Flows:
    """Draw the weeks of directions; ``course`` is added to trust, week by week.

    From ``stale_from`` on what is sent tells nothing, and is taken at face value less and less.
    """
    count = len(of.trust)
    path = of.trust[:, np.newaxis] + course + np.zeros(weeks)
    felt = np.clip(path + autoregression(rng, (5, count, weeks)), 0.01, 0.99)
    cells = _cells(rng, of, felt, path, stale_from)
    parts = _parts(rng, of, felt)
    return Flows(of.weight, cells, parts)


def _cells(
    rng: np.random.Generator, of: Partners, felt: Floats, path: Floats, stale_from: int | None
) -> dict[str, Floats]:
    count, weeks = path.shape
    shape = (count, COLUMNS, weeks)
    due = np.broadcast_to(of.cells[:, np.newaxis, np.newaxis], shape)
    is_open = path[:, np.newaxis] > of.cut[:, :, np.newaxis]
    late = rng.random((count, 2, weeks + 1)) < np.pad(
        (0.01 + 0.3 * (1 - felt[0]) ** 2)[:, np.newaxis], ((0, 0), (0, 0), (1, 0)), mode="edge"
    )
    missing = np.stack([late[:, 0, 1:] & late[:, 0, :-1], late[:, 1, 1:]], axis=1)
    whole = rng.binomial(due, 0.99)
    arrived = whole * is_open * ~np.repeat(missing, 2, axis=1)
    share = np.clip(of.known[:, :, np.newaxis] * (0.1 + 0.9 * felt[1])[:, np.newaxis], 0.01, 0.95)
    most = int(of.cells.max())
    there = np.arange(most) < arrived[..., np.newaxis]
    wide = np.exp(0.3 * rng.standard_normal((*shape, 1)))
    z1 = wide * np.sqrt(1 - share)[..., np.newaxis] * rng.standard_normal((*shape, most))
    z0 = z1 + wide * np.sqrt(share)[..., np.newaxis] * rng.standard_normal((*shape, most))
    v1 = (1 - share)[..., np.newaxis]
    if stale_from is not None:
        z1, v1 = _stale(rng, z0, z1, v1, share, stale_from)
    bits = -0.5 * np.log2(v1) - (NU + 1) / 2 * (
        np.log2(1 + z1**2 / (NU * v1)) - np.log2(1 + z0**2 / NU)
    )
    told = (1 + of.inflates)[:, np.newaxis, np.newaxis, np.newaxis] * z1
    told = told + of.inflates[:, np.newaxis, np.newaxis, np.newaxis] * wide
    return {
        "asked": due.astype(np.float64),
        "answered": arrived.astype(np.float64),
        "due": due.astype(np.float64),
        "arrived": arrived.astype(np.float64),
        "scored": arrived.astype(np.float64),
        "bits": (bits * there).sum(axis=-1),
        "told_square": (told**2 * there).sum(axis=-1),
        "used_square": (z1**2 * there).sum(axis=-1),
    }


def _stale(
    rng: np.random.Generator,
    z0: Floats,
    z1: Floats,
    v1: Floats,
    share: Floats,
    start: int,
) -> tuple[Floats, Floats]:
    """News that has nothing to do with the outcome: the slope on it is unlearned in a year."""
    weeks = z0.shape[2]
    trusted = np.clip(1 - (np.arange(weeks) - start) / 52, 0.0, 1.0)[np.newaxis, np.newaxis, :]
    slope = (trusted * np.sqrt(share))[..., np.newaxis]
    wrong = z0 + slope * rng.standard_normal(z0.shape)
    expected = 1 - share[..., np.newaxis] * trusted[..., np.newaxis] ** 2
    stale = np.arange(weeks)[np.newaxis, np.newaxis, :, np.newaxis] >= start
    return np.where(stale, wrong, z1), np.where(stale, expected, np.broadcast_to(v1, z0.shape))


def _parts(rng: np.random.Generator, of: Partners, felt: Floats) -> dict[str, Floats]:
    promises = rng.poisson(np.broadcast_to(of.lines[:, np.newaxis], felt[2].shape))
    kept = rng.binomial(promises, 0.6 + 0.38 * felt[2])
    # Values of lines differ, so that weeks with the same count do not weigh the same.
    price = rng.lognormal(0.0, 0.4, (2, *promises.shape))
    broken = promises - kept
    troubles = broken + rng.binomial(kept, of.rejects[:, np.newaxis])
    told = rng.binomial(troubles, 0.05 + 0.9 * felt[3])
    return {
        "promises": promises.astype(np.float64),
        "promised_value": kept * price[0] + broken * price[1],
        "kept_value": kept * price[0],
        "troubles": troubles.astype(np.float64),
        "troubles_told": told.astype(np.float64),
        "told_beyond": told.astype(np.float64),
        "ideas_accepted": rng.poisson(0.01 + 0.2 * felt[4] ** 2).astype(np.float64),
    }
