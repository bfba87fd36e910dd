"""The measure on data that nobody here made: FluSight, USDA's vintages. I/O: reads files.

A group whose files are not there says so in one row, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tillit.validation import flusight, flusight_sent, real, wasde
from tillit.validation.flusight import BASELINE, Scored, Season
from tillit.validation.marks import Row
from tillit.validation.ranks import spearman
from tillit.validation.scoring import score

__all__ = ["ORDER", "another_week", "flusight_rows", "wasde_rows", "whole"]

Floats = NDArray[np.float64]

ORDER = 0.9
"""Least rank correlation with the order that the field itself gives."""

# A final value is look-ahead: it has to move what a partner is worth by more than rounding.
_MOVES = 0.005
_SEEDS = (26, 27, 28, 29, 30)
# Of eight things in random order one in a hundred is ranked so well (Spearman, one-sided).
_BY_CHANCE = 0.833


def flusight_rows(folder: Path = real.FOLDER) -> list[Row]:
    """Twelve partners in order, the worst below nothing, and what look-ahead would change."""
    lost = real.missing(folder / "flusight", flusight.FILES)
    if lost:
        return [real.not_tried("flusight", "twelve partners' quantile forecasts", lost)]
    season = flusight.read(folder / "flusight")
    found = flusight.score(season)
    last = flusight.score(flusight.read(folder / "flusight", final=True))
    return [
        *_ordered(found),
        _worse(found),
        _against_team(found),
        _often_but_badly(season, found),
        _wrong_weeks(season, found),
        _looked_ahead(found, last),
        _whole(season, found),
    ]


def _of(found: Mapping[str, Scored], name: str) -> Floats:
    return np.array([getattr(found[team], name) for team in sorted(found)], dtype=np.float64)


def _ordered(found: Mapping[str, Scored]) -> list[Row]:
    """By bits a due cell, against the weighted interval score relative to the baseline team."""
    theirs = -_of(found, "to_team")
    told = _of(found, "bits") / _of(found, "cells")
    rows = []
    for what, values in (
        ("bits over what the hub expected", _of(found, "bits")),
        ("bits over the baseline team", _of(found, "over_team")),
    ):
        value = spearman(values, theirs)
        rows.append(
            Row("flusight", f"order of {len(found)} partners by {what}, Spearman", f"{value:.3f}",
                f">= {ORDER:.2f}", value >= ORDER,
                "with the weighted interval score relative to the baseline team",
                {"spearman": value})
        )  # fmt: skip
    alike = -_of(found, "by_place")
    for what, values, against in (
        ("the same, every place and horizon counting alike", _of(found, "bits"), alike),
        ("the same, of a cell that was sent: silence costs nothing", told, theirs),
        ("the same, of a simple count: cells sent", _of(found, "cells"), theirs),
    ):
        value = spearman(values, against)
        rows.append(Row("flusight", what, f"{value:.3f}", note="shown beside ours",
                        values={"spearman": value}))  # fmt: skip
    return rows


def _worse(found: Mapping[str, Scored]) -> Row:
    """Below nothing are those, and only those, whose interval score is worse than our own."""
    worse = {team for team, of in found.items() if of.to_own > 1}
    negative = {team for team, of in found.items() if of.bits < 0}
    told = ", ".join(f"{team} {found[team].bits:+.2f}" for team in sorted(negative))
    return Row(
        "flusight", "worse than the baseline: negative bits", told or "none",
        "those whose interval score is worse, and only those", bool(worse) and worse == negative,
        "the baseline is what the hub expected by itself",
    )  # fmt: skip


def _against_team(found: Mapping[str, Scored]) -> Row:
    worse = sorted(team for team, of in found.items() if of.to_team > 1)
    negative = [team for team in worse if found[team].over_team < 0]
    told = ", ".join(
        f"{team} {found[team].over_team:+.2f} (interval score x{found[team].to_team:.2f}, "
        f"x{found[team].by_place:.2f} in the mean of places)"
        for team in worse
    )
    return Row(
        "flusight", "the same, held against the baseline team",
        f"{len(negative)} of {len(worse)} negative: {told}",
        note="a sum of interval scores is ruled by the largest place, bits count cells alike",
    )  # fmt: skip


def another_week(season: Season, team: str, seed: int) -> Season:
    """The season with one more partner: it sends what a team sent, each of some other week."""
    weeks = np.flatnonzero(np.isfinite(season.stated[team]).any(axis=(0, 2, 3)))
    order = np.random.default_rng(seed).permutation(weeks)
    stated = season.stated[team].copy()
    stated[:, weeks] = stated[:, order]
    return replace(season, stated={**season.stated, "another week": stated})


def _often_but_badly(season: Season, found: Mapping[str, Scored]) -> Row:
    """Cells are no merit: the worst sends nearly all of them."""
    worst = min(found, key=lambda team: found[team].bits)
    fewest = min(found, key=lambda team: found[team].cells)
    return Row(
        "flusight", "often but badly: the worst, beside the one that sends least",
        f"{worst} {found[worst].bits:+.2f} for {found[worst].cells} cells, "
        f"{fewest} {found[fewest].bits:+.2f} for {found[fewest].cells}",
        "below nothing, and below it", found[worst].bits < 0 < found[fewest].bits,
        f"of {int(season.due.sum())} due cells",
    )  # fmt: skip


def _wrong_weeks(season: Season, found: Mapping[str, Scored]) -> Row:
    """As many cells as the best partner, and nothing in them."""
    best = max(found, key=lambda team: found[team].bits)
    wrong = [flusight.score(another_week(season, best, s))["another week"] for s in _SEEDS]
    team, own = (np.array([getattr(of, name) for of in wrong]) for name in ("over_team", "bits"))
    return Row(
        "flusight", "often but badly: the best partner's words, each of another week",
        f"{team.mean():+.2f} over the baseline team ({team.min():+.2f} to {team.max():+.2f}) "
        f"for {wrong[0].cells} cells",
        "below nothing", bool((team < 0).all()),
        f"in their own week {found[best].over_team:+.2f}; over what the hub expected by itself "
        f"{own.mean():+.2f}: a regression on counts is too sure when an epidemic begins",
        {"over_team": float(team.mean()), "bits": float(own.mean())},
    )  # fmt: skip


def _looked_ahead(found: Mapping[str, Scored], last: Mapping[str, Scored]) -> Row:
    """What scoring against values that nobody knew then would say instead."""
    moved = np.abs(_of(found, "bits") - _of(last, "bits"))
    over = np.abs(_of(found, "over_team") - _of(last, "over_team"))
    ranks = [sorted(of, key=lambda team: -of[team].bits) for of in (found, last)]
    places = sum(a != b for a, b in zip(*ranks, strict=True))
    others = [team != BASELINE for team in sorted(found)]
    return Row(
        "flusight", "scored against final values instead of values as known",
        f"bits differ by {moved.min():.3f} to {moved.max():.3f}, {places} partners change places; "
        f"over the baseline team by {over[others].mean():.3f} in the mean",
        f"each by more than {_MOVES}", bool((moved > _MOVES).all()),
        "a value that was revised later is look-ahead",
        {"least": float(moved.min()), "most": float(moved.max()), "places": float(places)},
    )  # fmt: skip


def whole(season: Season) -> dict[str, float]:
    """Information shared I, by team, as ``tillit trust score`` measures the season."""
    scored = score(flusight_sent.sent(season))
    return {team: float(scored.direction(team, "b2s")["information"]) for team in season.stated}


def _whole(season: Season, found: Mapping[str, Scored]) -> Row:
    shared = whole(season)
    value = spearman(np.array([shared[team] for team in sorted(found)]), -_of(found, "to_team"))
    return Row(
        "flusight", "median, low and high through the whole chain: I, Spearman with interval score",
        f"{value:.3f}", note="shown: one season judges 12 weeks of 30, and corrects what is biased",
        values={"spearman": value},
    )  # fmt: skip


def wasde_rows(folder: Path = real.FOLDER) -> list[Row]:
    """Reports on the corn crop by lead time, and months without one."""
    lost = real.missing(folder / "wasde", wasde.FILES)
    if lost:
        return [real.not_tried("wasde", "monthly vintages of the corn crop", lost)]
    crops = wasde.read(folder / "wasde")
    return [*_by_lead(crops), *_gaps(crops)]


def _by_lead(crops: wasde.Crops) -> list[Row]:
    found = wasde.by_lead(crops)
    leads = np.array(list(found), dtype=np.float64)
    bits = np.array([of.bits for of in found.values()])
    order = spearman(leads, bits)
    told = ", ".join(f"{lead}: {of.bits:.2f}" for lead, of in found.items())
    added = ", ".join(f"{lead}: {of.added:+.2f}" for lead, of in found.items())
    judged = next(iter(found.values()))
    return [
        Row("wasde", "bits by lead time, months before the count", told,
            f"fewer the longer the lead: Spearman < -{_BY_CHANCE}", order < -_BY_CHANCE,
            f"Spearman {order:.3f}; {judged.judged} cells judged of {judged.due} due",
            {"spearman": order}),
        Row("wasde", "what each report adds to the one before", added,
            note="shown: a few years, four attributes; December repeats November and adds 0"),
    ]  # fmt: skip


def _gaps(crops: wasde.Crops) -> list[Row]:
    """Months without a report, and what one is worth: nothing, where no change would be worth."""
    missing = wasde.gaps(crops.months)
    year, lead = 2009, 3
    at = crops.years.index(year)
    said = wasde.scored(crops, lead).bits[at].mean()
    held = replace(crops, told={**crops.told, lead: _carried(crops, year, lead)})
    same = wasde.scored(held, lead).bits[at].mean()
    gap = wasde.scored(wasde.silent(crops, year, lead), lead).bits[at]
    return [
        Row("wasde", "months without a report", ", ".join(f"{m:%B %Y}" for m in missing),
            note="a cell that is missing: due, and worth nothing"),
        Row("wasde", f"a month in which no report had come (October {year})",
            f"{abs(gap).max():.2f} bits", "exactly 0", bool((gap == 0).all()),
            f"as reported {said:.2f}; as if nothing had changed since September {same:.2f}",
            {"gap": float(abs(gap).max()), "carried": float(same)}),
    ]  # fmt: skip


def _carried(crops: wasde.Crops, year: int, lead: int) -> Floats:
    """The report of a month as if nothing had changed since the one before."""
    told = crops.told[lead].copy()
    at = crops.years.index(year)
    told[at] = crops.told[lead + 1][at]
    return told
