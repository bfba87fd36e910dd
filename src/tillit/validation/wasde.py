"""USDA's corn balance, month by month: a plan with a long history of revisions. I/O: reads a file.

From May on every monthly report says what this year's crop will be, until in January it has been
counted. A cell is one attribute of one marketing year, told of in one month; what January says is
the outcome. A month in which no report came out is a cell that is missing.

A marketing year is none of the periods that the kinds know (day, week, month), so cells are laid
out here and given to the measure's arrays (baseline, frame, gain), which are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tillit.trust.gain import Cells, Gains, gains

__all__ = ["CROP", "FILES", "LEADS", "Crops", "Lead", "by_lead", "gaps", "read", "scored", "silent"]

Floats = NDArray[np.float64]

FILES = ("corn_vintages_to_2011_12.parquet",)
CROP = ("production", "yield_per_harvested_acre", "area_harvested", "area_planted")
"""What the harvest decides; exports, stocks and use are settled a year later."""
LEADS = tuple(range(8, 0, -1))
"""Months before the January in which the crop has been counted: May is 8, December 1."""

_FIRST_MONTH = 5
_FIRST_YEAR, _LAST_YEAR = 1995, 2011


@dataclass(frozen=True)
class Crops:
    """By lead time what was said (Y, A) of a marketing year and attribute, and what was counted.

    ``months`` are those of which there is a report, in order.
    """

    years: tuple[int, ...]
    told: Mapping[int, Floats]
    counted: Floats
    months: tuple[date, ...]


@dataclass(frozen=True)
class Lead:
    """One lead time: bits a cell that was judged, of the report alone and beyond the one before."""

    bits: float
    added: float
    judged: int
    due: int


def read(folder: Path) -> Crops:
    """The vintages; of a month that was released twice the later release stands."""
    rows = pq.read_table(folder / FILES[0]).to_pylist()
    said: dict[tuple[str, str, date], float] = {}
    for row in rows:
        # In the order of their release: a second one of a month follows the first.
        said[row["attribute"], row["marketing_year"], row["report_month"]] = row["value"]
    years = tuple(range(_FIRST_YEAR, _LAST_YEAR + 1))

    def month(lead: int) -> Floats:
        return np.array(
            [[said.get((name, _named(y), _month(y, lead)), np.nan) for name in CROP] for y in years]
        )

    return Crops(
        years=years,
        told={lead: month(lead) for lead in LEADS},
        counted=month(0),
        months=tuple(sorted({row["report_month"] for row in rows})),
    )


def _named(year: int) -> str:
    return f"{year}/{(year + 1) % 100:02d}"


def _month(year: int, lead: int) -> date:
    """The month so long before the January after the harvest."""
    return date(year, 13 - lead, 1) if lead else date(year + 1, 1, 1)


def gaps(months: Sequence[date]) -> list[date]:
    """Months between the first report and the last that have none."""
    numbers = {12 * m.year + m.month - 1 for m in months}
    missing = sorted(set(range(min(numbers), max(numbers))) - numbers)
    return [date(n // 12, n % 12 + 1, 1) for n in missing]


def silent(crops: Crops, year: int, lead: int) -> Crops:
    """The same, as if no report had come out in one month."""
    told = crops.told[lead].copy()
    told[crops.years.index(year)] = np.nan
    return replace(crops, told={**crops.told, lead: told})


def scored(crops: Crops, lead: int, *, beyond: bool = False) -> Gains:
    """What the report of a month told of the crop; ``beyond`` what the one before had told."""
    years = 12 * np.array(crops.years)[:, np.newaxis]
    shape = crops.counted.shape
    before = crops.told.get(lead + 1)
    nothing = np.full(shape, np.nan)
    return gains(
        Cells(
            cut_off=np.broadcast_to(years - lead, shape),
            known_at=np.broadcast_to(years, shape),
            y=crops.counted,
            f=crops.told[lead],
            last=nothing,
            before=nothing,
            already=np.zeros(shape),
            season=np.zeros(shape[1], dtype=np.int64),
            earlier=() if before is None or not beyond else (before,),
        )
    )


def by_lead(crops: Crops) -> dict[int, Lead]:
    """Every lead time, the longest first."""
    found = {}
    for lead in LEADS:
        alone, beyond = scored(crops, lead), scored(crops, lead, beyond=True)
        judged = np.isfinite(alone.used_error)
        after = np.isfinite(beyond.used_error)
        found[lead] = Lead(
            bits=float(alone.bits[judged].mean()),
            added=float(beyond.bits[after].mean()),
            judged=int(judged.sum()),
            due=int(np.isfinite(crops.counted).sum()),
        )
    return found
