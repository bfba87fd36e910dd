"""The measure on real data, where the folder is there; and what is said where it is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tillit.validation import flusight, real, wasde
from tillit.validation.flusight import BASELINE, Scored, Season
from tillit.validation.flusight_sent import sent
from tillit.validation.plan import GROUPS, HELD_OUT, Sizes
from tillit.validation.ranks import spearman
from tillit.validation.real_marks import ORDER, another_week, flusight_rows, wasde_rows, whole

WORST = "LosAlamos_NAU-CModel_Flu"
BEST = "UMass-flusion"


@pytest.mark.parametrize("rows", [flusight_rows, wasde_rows])
def test_without_the_data_a_group_says_so_and_judges_nothing(rows: object, tmp_path: Path) -> None:
    assert callable(rows)
    (row,) = rows(tmp_path)
    assert row.met is None
    assert row.note.startswith("skipped: not in ../shared/data/")


def test_months_without_a_report_are_found() -> None:
    months = [date(2013, 8, 1), date(2013, 9, 1), date(2013, 11, 1), date(2014, 2, 1)]
    assert wasde.gaps(months) == [date(2013, 10, 1), date(2013, 12, 1), date(2014, 1, 1)]


# ---- FluSight -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def season() -> Season:
    if real.missing(real.FOLDER / "flusight", flusight.FILES):
        pytest.skip("the folder of real data is not there: ../shared/data/flusight")
    return flusight.read(real.FOLDER / "flusight")


@pytest.fixture(scope="module")
def scored(season: Season) -> dict[str, Scored]:
    return flusight.score(season)


def of(scored: dict[str, Scored], name: str) -> np.ndarray:
    return np.array([getattr(scored[team], name) for team in sorted(scored)])


@pytest.mark.real_data
def test_an_outcome_is_what_was_known_first(season: Season) -> None:
    # California, first week of 2024: 1404 on its Saturday, 1407 a week later, 1470 in the end.
    week = int(np.searchsorted(season.weeks, np.datetime64("2024-01-06")))
    assert season.outcome[week, season.places.index("06")] == 1404
    last = flusight.read(real.FOLDER / "flusight", final=True)
    assert last.outcome[week, last.places.index("06")] == 1470


@pytest.mark.real_data
def test_due_is_what_the_hub_asked_for_and_saw(season: Season) -> None:
    assert int(season.due.sum()) == 10 * (29 + 28 + 27 + 26)
    assert len(season.stated) == 12


@pytest.mark.real_data
@pytest.mark.parametrize("bits", ["bits", "over_team"])
def test_bits_order_partners_as_their_interval_score_does(
    scored: dict[str, Scored], bits: str
) -> None:
    assert spearman(of(scored, bits), -of(scored, "to_team")) >= ORDER
    # How much they send does not.
    assert spearman(of(scored, "cells"), -of(scored, "to_team")) < 0.6


@pytest.mark.real_data
def test_a_partner_worse_than_the_baseline_gets_negative_bits(scored: dict[str, Scored]) -> None:
    for team, found in scored.items():
        assert (found.bits < 0) == (found.to_own > 1), team
    assert scored[WORST].bits < 0
    assert scored[WORST].over_team < 0
    assert scored[BASELINE].over_team == pytest.approx(0, abs=1e-12)


@pytest.mark.real_data
def test_who_shares_often_but_badly_is_not_rewarded(
    season: Season, scored: dict[str, Scored]
) -> None:
    assert scored[WORST].cells > 0.9 * season.due.sum()
    assert min(scored, key=lambda team: scored[team].bits) == WORST
    wrong = flusight.score(another_week(season, BEST, 26))["another week"]
    assert wrong.cells > 0.9 * season.due.sum()
    assert wrong.over_team < 0
    assert scored[BEST].over_team > 1


@pytest.mark.real_data
def test_final_values_would_say_something_else(scored: dict[str, Scored]) -> None:
    last = flusight.score(flusight.read(real.FOLDER / "flusight", final=True))
    assert (np.abs(of(scored, "bits") - of(last, "bits")) > 0.005).all()
    ranked = [sorted(found, key=lambda team: -found[team].bits) for found in (scored, last)]
    assert ranked[0] != ranked[1]


@pytest.mark.real_data
def test_the_whole_chain_measures_the_season_as_any_history(
    season: Season, scored: dict[str, Scored]
) -> None:
    shared = whole(another_week(season, BEST, 26))
    order = np.array([shared[team] for team in sorted(scored)])
    # A season of thirty weeks is evidence of some only: the score of all others is nothing yet.
    assert spearman(order, -of(scored, "to_team")) > 0.5
    assert spearman(order[order > 0], -of(scored, "to_team")[order > 0]) > 0.5
    assert max(shared, key=lambda team: shared[team]) == BEST
    assert shared[WORST] == 0
    assert shared["another week"] < 0.25 * shared[BEST]


@pytest.mark.real_data
def test_every_forecast_is_sent_once_and_in_time(season: Season) -> None:
    told = sent(season)
    rows = told.tables["demand_forecast"]
    assert len(rows) == sum(
        int(np.isfinite(stated).all(axis=-1).sum()) for stated in season.stated.values()
    )
    keys = [rows[name].to_pylist() for name in ("shipment_id", "item_id", "period_start")]
    named = rows["relationship_id"].to_pylist()
    assert len(set(zip(named, *keys, strict=True))) == len(rows)


# ---- WASDE --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crops() -> wasde.Crops:
    if real.missing(real.FOLDER / "wasde", wasde.FILES):
        pytest.skip("the folder of real data is not there: ../shared/data/wasde")
    return wasde.read(real.FOLDER / "wasde")


@pytest.mark.real_data
def test_of_a_month_that_was_released_twice_the_later_release_stands(crops: wasde.Crops) -> None:
    at = crops.years.index(2008), wasde.CROP.index("production")
    assert crops.told[4][at] == 12072
    assert crops.told[3][at] == 12033


@pytest.mark.real_data
def test_the_longer_the_lead_the_fewer_bits(crops: wasde.Crops) -> None:
    found = wasde.by_lead(crops)
    bits = [of.bits for of in found.values()]
    assert spearman(np.array(list(found), dtype=np.float64), np.array(bits)) < -0.833
    assert bits[-1] > bits[0] + 1


@pytest.mark.real_data
def test_a_report_that_repeats_the_one_before_adds_exactly_nothing(crops: wasde.Crops) -> None:
    # December carries over what November said of the crop.
    assert (crops.told[1] == crops.told[2]).all()
    assert (wasde.scored(crops, 1, beyond=True).bits == 0).all()


@pytest.mark.real_data
@pytest.mark.parametrize("lead", wasde.LEADS)
def test_a_month_without_a_report_is_a_gap(crops: wasde.Crops, lead: int) -> None:
    assert wasde.gaps(crops.months) == [date(1995, 3, 1), date(2013, 10, 1)]
    year = crops.years.index(2009)
    silent = wasde.scored(wasde.silent(crops, 2009, lead), lead)
    assert (silent.bits[year] == 0).all()
    assert np.isnan(silent.used_error[year]).all()
    # It is no report of no change, and it was due all the same.
    assert wasde.scored(crops, lead).bits[year].sum() > 1
    assert (
        wasde.by_lead(wasde.silent(crops, 2009, lead))[lead].due == wasde.by_lead(crops)[lead].due
    )


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["flusight", "wasde"])
def test_the_table_of_marks_has_the_group_and_meets_it(
    name: str, season: Season, crops: wasde.Crops
) -> None:
    assert season.due.any()
    assert len(crops.years) == 17
    rows = GROUPS[name].rows({}, Sizes.quick(), HELD_OUT)
    judged = [row for row in rows if row.met is not None]
    assert judged
    assert [row.what for row in judged if not row.met] == []
