"""What stands beside a score, from plain rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillit.trust.beside import (
    CONDITIONS,
    balance,
    better_than,
    directness,
    neglected,
    role,
    safety_stock,
    transactional,
    worth,
)
from tillit.trust.terms import reassessments

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kinds", "what"),
    [
        (["demand_forecast", "order", "inventory"], "customer"),
        (["delivery_commitment", "production_plan"], "supplier"),
        (["demand_forecast", "delivery_commitment"], "partner"),
        (["complaint"], "partner"),
    ],
)
def test_peers_are_those_who_are_the_same_to_us(kinds: list[str], what: str) -> None:
    assert role(kinds) == what


def test_better_than_the_measured_ones_and_half_of_the_equal() -> None:
    assert better_than(50.0, [10.0, 50.0, 70.0, None, 20.0]) == 0.625
    assert better_than(50.0, [None]) is None
    assert better_than(None, [10.0]) is None


SCORES = st.lists(st.floats(0, 100), min_size=2, max_size=12)


@given(SCORES)
def test_places_among_peers_are_one_half_on_average(scores: list[float]) -> None:
    places = [
        better_than(score, [*scores[:at], *scores[at + 1 :]]) for at, score in enumerate(scores)
    ]
    assert sum(place or 0.0 for place in places) / len(places) == pytest.approx(0.5)
    assert better_than(max(scores), scores) == max(
        better_than(score, scores) or 0.0 for score in scores
    )


def test_balance_is_even_at_one_and_does_not_know_who_gives() -> None:
    assert balance(0.2, 0.4) == balance(0.4, 0.2) == 0.5
    assert balance(0.0, 0.0) == 1.0
    assert balance(0.0, 0.3) == 0.0
    assert balance(None, 0.3) is None


def week(asked: int, answered: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "plan",
        "column_name": "quantity",
        "week_asked": asked,
        "week_answered": answered,
        **more,
    }


def test_neglected_is_what_waits_the_longest_first() -> None:
    columns = [
        [week(5, 0), week(5, 5), week(5, 4), week(5, 5), week(5, 3)],
        [week(1, 1, column_name="all_here")] * 5,
        [week(2, 0, column_name="note")] * 5,
    ]
    waiting = [
        {"kind": "complaint", "subject_id": "new", "waits_for": "us", "raised_at": NOW - 20 * DAY},
        {"kind": "complaint", "subject_id": "b", "waits_for": "us", "raised_at": NOW - 30 * DAY},
        {"kind": "design_idea", "subject_id": "a", "waits_for": "partner",
         "raised_at": NOW - 99 * DAY},
    ]  # fmt: skip
    again = [
        {"agreement_id": "old", "reassess": NOW - 10 * DAY},
        {"agreement_id": "later", "reassess": NOW + DAY},
    ]
    found = neglected(columns, waiting, again, as_of=NOW)
    assert found["overdue"] == [
        {"column": "plan.note", "cells": 8},
        {"column": "plan.quantity", "cells": 3},
    ]
    assert [(row["id"], row["waits_for"], row["days"]) for row in found["unanswered"]] == [
        ("a", "partner", 99),
        ("b", "us", 30),
    ]
    assert found["reassess"] == [{"agreement": "old", "days": 10}]


def test_directness_is_hours_before_the_cut_off() -> None:
    lags = [
        {"kind": "", "shipments": 10, "late": 1, "median_hours": -3.5},
        {"kind": "order", "shipments": 6, "late": 1, "median_hours": -2},
        {"kind": "inventory", "shipments": 4, "late": 0, "median_hours": -12},
    ]
    assert directness(lags) == {
        "median_hours": -3.5,
        "late_share": 0.1,
        "by_kind": {"inventory": -12.0, "order": -2.0},
    }
    assert directness([]) is None


def test_time_on_price_and_contracts_as_a_share_of_a_year() -> None:
    def met(weeks_ago: int, minutes: int, *, about_price: bool) -> dict[str, Any]:
        day = date(2026, 3, 2) - timedelta(weeks=weeks_ago)
        return {"week": day, "minutes": minutes, "is_transactional": about_price}

    held = [met(0, 60, about_price=True), met(51, 180, about_price=False)]
    old = met(52, 999, about_price=True)
    assert transactional([*held, old], until=date(2026, 3, 2)) == {"share": 0.25, "hours": 4.0}
    assert transactional([old], until=date(2026, 3, 2)) is None


def test_safety_stock_is_that_of_lee_so_and_tang() -> None:
    """rho .7, lead times 2 and 2: .290 bits are 18.2 %; what is no forecast of orders is not."""
    columns = [
        {"kind": "demand_forecast", "bits_per_cell": 0.29},
        {"kind": "production_plan", "bits_per_cell": 5.0},
        {"kind": "demand_forecast", "bits_per_cell": None},
    ]
    found = safety_stock(columns)
    assert found is not None
    assert found["share"] == pytest.approx(0.182, abs=5e-4)
    assert found["where"] == list(CONDITIONS)
    assert safety_stock(columns[1:]) is None
    assert safety_stock([{"kind": "demand_forecast", "bits_per_cell": -0.1}]) is None


def test_worth_is_bits_a_week_over_a_quarter() -> None:
    weeks = [{"week_bits": 100.0}] * 5 + [{"week_bits": 6.0}] * 13
    assert worth(weeks)["says"] == "what they told us in time was worth 6.0 bits a week"
    assert worth([{"week_bits": -2.0}])["says"].endswith("worth nothing to us")


def test_the_newest_version_says_when_to_look_again() -> None:
    from tests.unit.test_trust import AGREEMENT, END, START

    from tillit.model import Agreement

    def version(number: int, start: datetime, again: datetime | None) -> Agreement:
        from dataclasses import replace

        return replace(AGREEMENT, version=f"{number}.0.0", start=start, reassess=again)

    first, second = START + 30 * DAY, START + 90 * DAY
    old = version(1, START, first)
    asked = {"now": START + 60 * DAY}
    (found,) = reassessments([old], "us", **asked)
    assert found == {"partner": "p", "agreement_id": "a", "reassess": first}
    (found,) = reassessments([old], "p", **asked)
    assert found["partner"] == "us"
    (found,) = reassessments([version(2, START + 50 * DAY, second), old], "us", **asked)
    assert found["reassess"] == second
    assert reassessments([old], "us", now=END) == ()
    assert reassessments([version(1, START, None)], "us", **asked) == ()
