"""What is judged of the marts' rows: intervals, reasons and alarms, by direction and together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.flows import flows, partners
from tests.transforms.trust.test_weekly_sums import marts, rows

from tillit.trust.judged import Judged, judge
from tillit.trust.records import ALARM, INTERVAL, alarm_rows, interval_rows
from tillit.trust.score import Scores
from tillit.trust.show import show

__all__ = ["marts"]

Row = dict[str, Any]


def together(partner: str) -> str:
    """Two of the partners are the two sides of one relationship."""
    return "r" if partner in {"all", "some"} else partner


@pytest.fixture(scope="module")
def scores(marts: duckdb.DuckDBPyConnection) -> Scores:
    return Scores(
        party="us",
        as_of=datetime(2024, 6, 1, tzinfo=UTC),
        version="v",
        directions=tuple(rows(marts, "from direction_week order by partner, direction, week")),
        columns=tuple(
            rows(marts, "from column_week order by partner, direction, kind, column_name, week")
        ),
        not_measured=(),
    )


@pytest.fixture(scope="module")
def judged(scores: Scores) -> Judged:
    return judge(scores.directions, scores.columns, relationship=together)


def weeks(scores: Scores, partner: str) -> list[Row]:
    return [row for row in scores.directions if row["partner"] == partner]


def test_every_interval_holds_its_figure(scores: Scores, judged: Judged) -> None:
    for partner in ("all", "some", "little"):
        last, found = weeks(scores, partner)[-1], judged.ways[partner, "in"]
        low, high = found.interval["score"] or (0.0, 0.0)
        assert low <= last["score"] <= high
        assert high - low > 1
        assert found.columns["plan", "c1"]["u"] is None
        assert found.columns["plan", "c0"]["u"] is not None


def test_nothing_is_sure_of_what_is_not_measured(judged: Judged) -> None:
    found = judged.ways["new", "in"]
    assert found.interval["score"] is found.interval["information"] is None
    assert found.interval["promises"] is not None
    assert found.why is None


def test_why_adds_up_to_the_change_of_a_quarter(scores: Scores, judged: Judged) -> None:
    history, why = weeks(scores, "all"), judged.ways["all", "in"].why
    assert why is not None
    change = history[-1]["score"] - history[-14]["score"]
    assert why["since"] == history[-14]["week"].isoformat()
    assert why["points"] == pytest.approx(change, abs=1e-9)
    assert sum(why["parts"].values()) == pytest.approx(change, abs=1e-9)
    assert sum(why["columns"].values()) == pytest.approx(why["parts"]["information"], abs=1e-9)


def test_why_may_be_asked_since_another_day(scores: Scores) -> None:
    history = weeks(scores, "all")
    since = history[-30]["week"]
    found = judge(scores.directions, scores.columns, since=since)
    why = found.ways["all", "in"].why
    assert why is not None
    assert why["since"] == since.isoformat()
    assert why["points"] == pytest.approx(history[-1]["score"] - history[-30]["score"])


def test_a_relationship_is_judged_by_both_its_ways(scores: Scores, judged: Judged) -> None:
    both = judged.both["r"]
    now, then = (
        np.sqrt(weeks(scores, "all")[at]["score"] * weeks(scores, "some")[at]["score"])
        for at in (-1, -14)
    )
    assert both.interval is not None
    assert both.interval[0] <= now <= both.interval[1]
    assert both.why is not None
    assert both.why["points"] == pytest.approx(now - then, abs=1e-9)
    assert set(both.why["parts"]) == {"all", "some"}
    assert judged.both["little"].interval is judged.both["little"].why is None


def test_the_same_seed_judges_the_same(scores: Scores, judged: Judged) -> None:
    again = judge(scores.directions, scores.columns, relationship=together)
    assert again == judged
    other = judge(scores.directions, scores.columns, relationship=together, seed=2)
    assert other.ways["all", "in"].interval != judged.ways["all", "in"].interval
    assert other.ways["all", "in"].why == judged.ways["all", "in"].why


def test_what_is_shown_is_plain(scores: Scores, judged: Judged) -> None:
    shown = show(scores, judged=judged)
    assert json.loads(json.dumps(shown)) == shown
    assert "NaN" not in json.dumps(shown)
    one = next(d for d in shown["directions"] if d["partner"] == "all")
    assert one["interval"]["score"] == list(judged.ways["all", "in"].interval["score"] or ())
    assert one["columns"][0]["interval"]["u"][0] <= one["columns"][0]["u"]
    assert one["why"]["points"] == judged.ways["all", "in"].why["points"]  # type: ignore[index]
    assert one["beside"]["role"] == "partner"
    assert one["beside"]["peers"] == 2
    assert one["beside"]["worth"]["bits_a_week"] != 0
    assert one["not_measured"] == []


def test_records_say_run_definition_and_seed(scores: Scores, judged: Judged) -> None:
    kept = list(interval_rows(scores, judged))
    assert all(set(row) == set(INTERVAL) for row in kept)
    assert all(row["low"] <= row["value"] <= row["high"] for row in kept)
    assert {(row["as_of"], row["definition"], row["seed"]) for row in kept} == {
        (scores.as_of, "v", judged.seed)
    }
    figures = {row["figure"] for row in kept if row["partner"] == "all"}
    assert figures == {
        *("score", "information", "promises", "candour", "ideas", "u", "bits_per_cell")
    }
    assert all(set(row) == set(ALARM) for row in alarm_rows(scores, judged))


# ---- many that are watched --------------------------------------------------------------------


def watched(falls: dict[int, int], count: int = 12) -> Judged:
    """Partners of whom only flows are known; of some no promise is kept any more."""
    rng = np.random.default_rng(4)
    drawn = flows(rng, partners(rng, count, least=0.7), 120)
    for at, week in falls.items():
        drawn.parts["kept_value"][at, week:] *= 0.2
    unknown = dict.fromkeys(
        ("score", "information", "promises", "candour", "ideas", "u", "bits_per_cell")
    )
    unknown |= {f"counted_{name}": None for name in ("information", "promises", "candour", "ideas")}
    directions, columns = [], []
    for at in range(count):
        parts, cells = drawn.rows(at)
        way = {"partner": f"p{at:02}", "direction": "in"}
        directions += [{**unknown, **row, **way} for row in parts]
        columns += [{**unknown, **row, **way} for rows_ in cells for row in rows_]
    return judge(directions, columns)


def test_a_fall_is_told_with_its_rate_of_false_discovery() -> None:
    found = watched({3: 100}).ways["p03", "in"].alarms
    alarm, rate = next(pair for pair in found if pair[0].what == "promises")
    assert alarm.ended is None
    assert rate is not None
    assert rate <= 0.10
    assert rate >= alarm.chance


def test_one_sign_among_many_is_worth_less_than_one_among_few() -> None:
    few, many = (watched({3: 105}, count).ways["p03", "in"].alarms for count in (4, 12))
    rates = [next(r for a, r in some if a.what == "promises") or 0.0 for some in (few, many)]
    chances = [next(a.chance for a, _ in some if a.what == "promises") for some in (few, many)]
    assert rates[0] <= chances[0] * 4
    assert rates[1] <= chances[1] * 12
