"""FluSight 2023-24: twelve partners' quantile forecasts, and what was known when. I/O: reads files.

CDC's hub asked every week for the hospital admissions of this week and the three after it, by
place, as 23 quantiles. It is read as a partner's feed: the receiver is the hub, which sees the
admissions of a week for itself on the week's Saturday, and may revise them later. A forecast of a
week that was already reported (horizon -1) can tell nothing and is left out.

What the hub expected by itself is the measure's own baseline, from the same frame, of the values
as they were first known. Before the archive of vintages begins (23 September 2023) a value counts
as known on its Saturday.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tillit.trust.gain import Cells, gains
from tillit.trust.quantiles import (
    density_bits,
    pinball,
    quantile_bits,
    student_density_bits,
    student_quantile,
)

__all__ = ["BASELINE", "FILES", "HORIZONS", "SUBMITTED", "Scored", "Season", "read", "score"]

Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]
Known = NDArray[np.bool_]

FILES = ("forecasts_2023-24.parquet", "target_vintages.parquet", "target_final.csv")
BASELINE = "FluSight-baseline"
"""The team against which the hub compares all others."""
HORIZONS = (0, 1, 2, 3)
SUBMITTED = 3
"""Days before the reference Saturday on which forecasts were due."""

_YEAR = 52
# Admissions are counted in whole persons.
_UNIT = 1.0


@dataclass(frozen=True)
class Season:
    """What was admitted, expected and forecast, by horizon, week and place (H, W, P).

    ``outcome`` (W, P) is by Saturday of ``weeks`` and by place, NaN where it is not known; ``own``
    and ``own_variance`` are what the hub expected by itself. ``stated`` (H, W, P, L) has by team
    its quantiles at ``levels``, NaN where it sent none. A cell is ``due`` where the baseline team
    forecast and the outcome became known.
    """

    levels: Floats
    weeks: Days
    places: tuple[str, ...]
    outcome: Floats
    own: Floats
    own_variance: Floats
    stated: Mapping[str, Floats]
    due: Known

    def sent(self, team: str) -> Known:
        """Due cells that a team forecast."""
        return self.due & np.isfinite(self.stated[team]).all(axis=-1)


@dataclass(frozen=True)
class Scored:
    """One team: bits a due cell over the hub's own expectation, and over the baseline team's.

    ``to_team`` and ``to_own`` are its weighted interval score as a share of that of the baseline
    team and of the hub's own expectation, on the cells that both have; ``by_place`` is the mean of
    ``to_team`` over places and horizons, each counting alike.
    """

    cells: int
    bits: float
    over_team: float
    to_team: float
    to_own: float
    by_place: float


def read(folder: Path, *, final: bool = False) -> Season:
    """The season with outcomes as first known; or as known at last, which is look-ahead."""
    weeks, places, outcome = _outcomes(folder, final=final)
    told = pq.read_table(folder / FILES[0])
    wanted = pc.and_(pc.greater_equal(told["horizon"], 0), _on(told["target_end_date"], weeks))
    told = told.filter(wanted)
    levels = np.unique(told["quantile"].to_numpy())
    index = (
        told["horizon"].to_numpy(),
        np.searchsorted(weeks, told["target_end_date"].to_numpy()),
        np.searchsorted(places, np.array(told["location"].to_pylist())),
        np.searchsorted(levels, told["quantile"].to_numpy()),
    )
    names = np.array(told["model"].to_pylist())
    stated = {}
    for team in np.unique(names).tolist():
        those = names == team
        laid = np.full((len(HORIZONS), *outcome.shape, len(levels)), np.nan)
        laid[tuple(place[those] for place in index)] = told["value"].to_numpy()[those]
        stated[team] = laid
    own, variance = _expected(weeks, outcome)
    return Season(
        levels=levels,
        weeks=weeks,
        places=tuple(places.tolist()),
        outcome=outcome,
        own=own,
        own_variance=variance,
        stated=stated,
        due=np.isfinite(stated[BASELINE]).all(axis=-1) & np.isfinite(outcome) & np.isfinite(own),
    )


def _on(days: pa.ChunkedArray, weeks: Days) -> pa.ChunkedArray:
    return pc.is_in(days, value_set=pa.array(weeks))


def _outcomes(folder: Path, *, final: bool) -> tuple[Days, NDArray[np.str_], Floats]:
    """Weeks, places, and outcomes (W, P) of all weeks of which anything was known."""
    seen = pq.read_table(folder / FILES[1])
    first = seen.group_by(["date", "location"]).aggregate([("as_of", "min")])
    keys = ["date", "location", "as_of"]
    seen = first.rename_columns(keys).join(seen, keys=keys)
    weeks = np.unique(seen["date"].to_numpy())
    places = np.unique(np.array(seen["location"].to_pylist()))
    if final:
        text = pcsv.ConvertOptions(column_types={"location": pa.string(), "date": pa.date32()})
        seen = pcsv.read_csv(folder / FILES[2], convert_options=text)
        of_places = pc.is_in(seen["location"], value_set=pa.array(places))
        seen = seen.filter(pc.and_(of_places, _on(seen["date"], weeks)))
    outcome = np.full((len(weeks), len(places)), np.nan)
    at = np.searchsorted(places, np.array(seen["location"].to_pylist()))
    outcome[np.searchsorted(weeks, seen["date"].to_numpy()), at] = seen["value"].to_numpy()
    return weeks, places, outcome


def _expected(weeks: Days, outcome: Floats) -> tuple[Floats, Floats]:
    """What the measure's baseline expects of each horizon, week and place, and its variance."""
    day = weeks.astype("datetime64[D]").astype(np.int64)[:, np.newaxis]
    known = np.where(np.isfinite(outcome), day, np.iinfo(np.int64).max)
    nothing = np.full_like(outcome, np.nan)
    found = [
        gains(
            Cells(
                cut_off=np.broadcast_to(day - 7 * horizon - SUBMITTED, outcome.shape),
                known_at=known,
                y=outcome,
                # A word that never varies tells nothing: what is left is our own expectation.
                f=np.zeros_like(outcome),
                last=nothing,
                before=nothing,
                already=np.zeros_like(outcome),
                season=np.full(outcome.shape[1], _YEAR),
            )
        )
        for horizon in HORIZONS
    ]
    return np.stack([g.own for g in found]), np.stack([g.own_variance for g in found])


def score(season: Season) -> dict[str, Scored]:
    """All teams, by name."""
    due = season.due
    y = np.broadcast_to(season.outcome, due.shape)
    deviation = np.sqrt(season.own_variance)
    own = student_density_bits((y - season.own) / deviation) - np.log2(deviation)
    at = np.array([student_quantile(float(level)) for level in season.levels])
    alone = season.own[..., np.newaxis] + deviation[..., np.newaxis] * at
    own_loss = _interval_score(season.levels, alone, y)
    team = _density(season, BASELINE, y)
    team_loss = _interval_score(season.levels, season.stated[BASELINE], y)
    found = {}
    for name in season.stated:
        sent = season.sent(name)
        density = _density(season, name, y)
        loss = _interval_score(season.levels, season.stated[name], y)
        by_place = [
            loss[h, :, p][there].sum() / team_loss[h, :, p][there].sum()
            for h, p in np.ndindex(sent.shape[0], sent.shape[2])
            if (there := sent[h, :, p]).any()
        ]
        found[name] = Scored(
            cells=int(sent.sum()),
            bits=float(quantile_bits(density[sent], own[sent]).sum() / due.sum()),
            over_team=float(quantile_bits(density[sent], team[sent]).sum() / due.sum()),
            to_team=float(loss[sent].sum() / team_loss[sent].sum()),
            to_own=float(loss[sent].sum() / own_loss[sent].sum()),
            by_place=float(np.mean(by_place)),
        )
    return found


def _density(season: Season, team: str, y: Floats) -> Floats:
    """log2 of the density that a team stated, at the outcome; NaN where it sent none."""
    found = np.full(y.shape, np.nan)
    sent = season.sent(team)
    found[sent] = density_bits(season.levels, season.stated[team][sent], y[sent], _UNIT)
    return found


def _interval_score(levels: Floats, values: Floats, y: Floats) -> Floats:
    """The weighted interval score (Bracher and others 2021): twice the mean pinball."""
    off = y[..., np.newaxis] - values
    return np.asarray(2 * pinball(levels, off).mean(axis=-1))
