"""A folder of history: what it has to hold, what is made of it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.histories import DAY, MONDAY, WEEK, Told, history

from tillit.errors import TableRefused, UsageError
from tillit.trust.folder import score_folder

Folder = dict[str, Any]


def score(told: Told, folder: Path, **how: Any) -> Folder:
    return score_folder(told.write(folder), **how)


def direction(scored: Folder, flow: str) -> dict[str, Any]:
    (relationship,) = scored["relationships"]
    (found,) = [d for d in relationship["directions"] if d["direction"] == flow]
    return dict(found)


def forecast(scored: Folder) -> dict[str, Any]:
    (found,) = direction(scored, "b2s")["columns"]
    return dict(found)


def test_a_history_is_scored_in_both_directions(tmp_path: Path) -> None:
    scored = score(history(), tmp_path)
    assert scored["findings"] == []
    (relationship,) = scored["relationships"]
    assert relationship["relationship_id"] == "fjordstal"
    there, back = (direction(scored, flow) for flow in ("b2s", "s2b"))
    assert (there["sender"], there["receiver"]) == ("nordvik", "fjordstal")
    assert (back["sender"], back["receiver"]) == ("fjordstal", "nordvik")
    assert forecast(scored)["bits_per_cell"] > 0.5
    assert 0.4 < there["information"] < 1
    assert there["evidence"]["troubles_named"] == there["evidence"]["troubles_suffered"] > 5
    assert back["evidence"]["promises_due"] > 80
    assert 0.7 < back["promises"] < 0.9
    assert there["ideas"] == back["ideas"] > 0.5
    assert relationship["score"] == pytest.approx((there["score"] * back["score"]) ** 0.5)
    assert len(there["history"]) >= 70
    assert relationship["score_low"] < relationship["score"] < relationship["score_high"]
    for way in (there, back):
        low, high = way["interval"]["score"]
        assert low < way["score"] < high
        assert sum(way["why"]["parts"].values()) == pytest.approx(way["why"]["points"], abs=1e-9)
        columns = sum(way["why"]["columns"].values())
        assert columns == pytest.approx(way["why"]["parts"]["information"], abs=1e-9)


def test_only_what_is_known_at_the_time_counts(tmp_path: Path) -> None:
    told = history()
    then = score(told, tmp_path, as_of=MONDAY + 50 * WEEK)
    now = score(told, tmp_path)
    assert then["as_of"] == "2024-12-16T00:00:00Z"
    earlier = direction(then, "b2s")["history"]
    later = direction(now, "b2s")["history"]
    assert earlier[:-1] == later[: len(earlier) - 1]


def test_values_that_arrive_after_their_cut_off_are_worth_exactly_nothing(tmp_path: Path) -> None:
    scored = score(history(noise=0.0, arrived=-DAY + timedelta(seconds=1)), tmp_path)
    column = forecast(scored)
    assert column["late"] == column["due"] >= 2 * 50
    assert (column["bits_per_cell"], column["u"]) == (0, 0)


def test_a_late_shipment_earns_nothing_in_later_periods_either(tmp_path: Path) -> None:
    told = history(noise=0.0, arrived=-DAY + timedelta(hours=1))
    orders = {(r["item_id"], r["shipment_id"]): r["quantity"] for r in told.tables["order"]}
    for row in list(told.tables["demand_forecast"]):
        week = int(row["shipment_id"].split("-")[1]) + 1
        if (row["item_id"], f"O-{week}") in orders:
            told.tables["demand_forecast"].append(
                {
                    **row,
                    "period_start": (MONDAY + week * WEEK).date(),
                    "quantity": orders[row["item_id"], f"O-{week}"],
                }
            )
    assert forecast(score(told, tmp_path))["bits_per_cell"] == 0


@pytest.mark.parametrize("hours", [24.0, -24.0, None])
def test_the_arrivals_say_where_a_cut_off_lies(tmp_path: Path, hours: float | None) -> None:
    told = history()
    wanted = forecast(score(told, tmp_path))
    for row in told.tables["agreements"]:
        if row["kind"] == "demand_forecast":
            row["cut_off_hours"] = hours
    assert forecast(score(told, tmp_path)) == wanted


def test_stocks_and_plans_are_read_too(tmp_path: Path) -> None:
    told = history()
    for week in range(70):
        start = MONDAY + week * WEEK
        stock = {"item_id": "item-0", "site_id": "oslo", "as_of": start.date(), "quantity": 5.0}
        told.send(
            *("fjordstal", "b2s", "inventory", f"S-{week}"),
            [{**stock, "direction": "inbound", "blocked": False}],
            arrived=start - DAY,
        )
    for name, is_key in (("item_id", True), ("quantity", False)):
        like = next(r for r in told.tables["agreements"] if r["kind"] == "demand_forecast")
        told.tables["agreements"].append(
            {
                **like,
                "agreement_id": "fjordstal.b2s.inventory",
                "kind": "inventory",
                "column_name": name,
                "is_key": is_key,
                "cut_off_hours": 0.0,
            }
        )
    columns = direction(score(told, tmp_path), "b2s")["columns"]
    (stock,) = [column for column in columns if column["kind"] == "inventory"]
    assert (stock["arrived"], stock["missing"]) == (stock["due"] / 2, stock["due"] / 2)
    assert stock["u"] == 0


def test_nothing_is_measured_without_arrivals_or_agreements(tmp_path: Path) -> None:
    for missing in ("arrivals", "agreements"):
        told = history(weeks=5)
        del told.tables[missing]
        scored = score(told, tmp_path / missing)
        assert [d["score"] for r in scored["relationships"] for d in r["directions"]] in (
            [],
            [None],
        )


def test_a_part_whose_file_is_missing_is_not_measured(tmp_path: Path) -> None:
    told = history()
    for name in ("design_idea", "complaint"):
        del told.tables[name]
    told.tables["agreements"] = [
        row for row in told.tables["agreements"] if row["kind"] not in ("design_idea", "complaint")
    ]
    there = direction(score(told, tmp_path), "b2s")
    assert (there["ideas"], there["candour"]) == (None, None)
    assert {"ideas", "candour"} <= set(there["not_measured"])
    assert there["information"] > 0.4


def test_sending_again_changes_nothing(tmp_path: Path) -> None:
    told = history()
    once = score(told, tmp_path / "once")
    for row in list(told.tables["demand_forecast"]):
        told.tables["demand_forecast"].append({**row, "shipment_id": row["shipment_id"] + "-again"})
    for row in list(told.tables["arrivals"]):
        if row["kind"] == "demand_forecast":
            told.tables["arrivals"].append({**row, "shipment_id": row["shipment_id"] + "-again"})
    again = score(told, tmp_path / "again")
    assert again["relationships"] == once["relationships"]


def test_a_copy_of_a_registered_public_series_is_worth_exactly_nothing(tmp_path: Path) -> None:
    index = {week: 100 + 7 * ((week * 37) % 23) for week in range(-1, 90)}
    told = history(forecast=lambda item, week, quantity: 50 + 2.0 * index[week] + item)
    told.tables["public_index"] = [
        {
            "published_on": (MONDAY + week * WEEK - 4 * DAY).date(),
            "period_start": (MONDAY + week * WEEK).date(),
            "value": float(value),
        }
        for week, value in index.items()
    ]
    column = forecast(score(told, tmp_path))
    assert column["arrived"] == column["due"]
    assert (column["bits_per_cell"], column["evidence_bits"], column["u"]) == (0, 0, 0)


@pytest.mark.parametrize("value", [1e300, -1e300, float("nan"), float("inf"), -5.0, None])
def test_extreme_values_make_no_absurd_score(tmp_path: Path, value: float | None) -> None:
    told = history()
    for row in told.tables["demand_forecast"][::7]:
        row["quantity"] = value
    column = forecast(score(told, tmp_path))
    assert 0 <= column["u"] < 1


def test_one_due_cell_is_not_enough_evidence(tmp_path: Path) -> None:
    there = direction(score(history(weeks=3, items=1), tmp_path), "b2s")
    assert (there["score"], there["information"]) == (None, None)
    assert there["columns"][0]["says"] == "not enough evidence"


def change(table: str, **values: Any) -> Callable[[Told], None]:
    def apply(told: Told) -> None:
        for row in told.tables[table]:
            row.update(values)

    return apply


def drop(table: str, column: str) -> Callable[[Told], None]:
    def apply(told: Told) -> None:
        for row in told.tables[table]:
            del row[column]

    return apply


@pytest.mark.parametrize(
    ("spoil", "code", "named"),
    [
        (drop("demand_forecast", "item_id"), "table.missing-column", "demand_forecast.parquet"),
        (drop("order", "shipment_id"), "table.missing-column", "order.parquet"),
        (drop("arrivals", "arrived_at"), "table.missing-column", "arrivals.parquet"),
        (drop("agreements", "permitted"), "table.missing-column", "agreements.parquet"),
        (change("demand_forecast", quantity="many"), "table.wrong-type", "quantity"),
        (change("demand_forecast", flow="up"), "table.wrong-type", "b2s or s2b"),
        (change("arrivals", direction="up"), "table.wrong-type", "b2s or s2b"),
        (change("arrivals", arrived_at="soon"), "table.wrong-type", "arrived_at"),
        (change("agreements", classification="secret"), "table.wrong-type", "classification"),
        (change("agreements", classification=7), "table.wrong-type", "classification"),
        (change("agreements", cadence="often"), "table.wrong-type", "cadence"),
    ],
)
def test_a_file_that_cannot_be_taken_is_named(
    tmp_path: Path, spoil: Callable[[Told], None], code: str, named: str
) -> None:
    told = history(weeks=3)
    spoil(told)
    with pytest.raises(TableRefused) as raised:
        score(told, tmp_path)
    assert raised.value.code == code
    assert named in str(raised.value)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    history(weeks=3).write(tmp_path)
    (tmp_path / "order.parquet").write_text("order_id,line\n")
    with pytest.raises(TableRefused, match=r"order\.parquet") as raised:
        score_folder(tmp_path)
    assert raised.value.code == "table.source-unreadable"


def test_no_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError) as raised:
            score_folder(folder)
        assert raised.value.code == "usage.not-found"


# ---- lows and highs -----------------------------------------------------------------------------


KINDS = ("withheld", "honest", "noise", "always-the-same")


def with_spread(kind: str, told: Told) -> None:
    """A sender whose error differs from week to week, and what it says of that in low and high."""
    rng = np.random.default_rng(5)
    spread: dict[tuple[str, date], float] = {}

    def forecast(item: int, week: int, quantity: float) -> float:
        size = 4 * float(np.exp(0.8 * rng.standard_normal()))
        spread[f"item-{item}", (MONDAY + week * WEEK).date()] = size
        return quantity + size * float(rng.standard_normal())

    history(kind, weeks=104, items=10, forecast=forecast, told=told)
    noise = np.random.default_rng(6)
    for row in told.tables["demand_forecast"]:
        size = spread[row["item_id"], row["period_start"]]
        if kind == "noise":
            size = 4 * float(np.exp(0.8 * noise.standard_normal()))
        off = 1.2816 * (4.0 if kind == "always-the-same" else size)
        if row["relationship_id"] == kind:
            known = kind != "withheld"
            row["quantity_low"] = row["quantity"] - off if known else None
            row["quantity_high"] = row["quantity"] + off if known else None
    like = next(
        row
        for row in told.tables["agreements"]
        if (row["relationship_id"], row["kind"], row["column_name"])
        == (kind, "demand_forecast", "quantity")
    )
    for name in ("quantity_low", "quantity_high"):
        told.tables["agreements"].append({**like, "column_name": name})


@pytest.fixture(scope="module")
def spreads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The direction of the forecasts, by what is said in low and high."""
    told = Told()
    for kind in KINDS:
        with_spread(kind, told)
    scored = score(told, tmp_path_factory.mktemp("spreads"))
    return {
        relationship["relationship_id"]: next(
            dict(way) for way in relationship["directions"] if way["direction"] == "b2s"
        )
        for relationship in scored["relationships"]
    }


def of(found: dict[str, Any], name: str) -> dict[str, Any]:
    (column,) = [c for c in found["columns"] if c["column"] == name]
    return dict(column)


def test_lows_and_highs_are_measured(spreads: dict[str, dict[str, Any]]) -> None:
    low = of(spreads["honest"], "quantity_low")
    assert low["bits_per_cell"] > 0.1
    assert low["u"] > 0.05
    assert low["honesty_gap"] < 0.1
    # What mirrors the low is told by it.
    assert of(spreads["honest"], "quantity_high")["bits_per_cell"] == pytest.approx(0, abs=0.02)
    for found in spreads.values():
        assert "quantity_low" not in str(found["columns_not_measured"])


def test_opening_low_and_high_honestly_raises_the_score(
    spreads: dict[str, dict[str, Any]],
) -> None:
    assert spreads["honest"]["score"] > spreads["withheld"]["score"]
    for kind in KINDS:
        quantity = of(spreads[kind], "quantity")["bits_per_cell"]
        withheld = of(spreads["withheld"], "quantity")["bits_per_cell"]
        assert quantity == pytest.approx(withheld, rel=1e-12)
        assert quantity > 0.5


@pytest.mark.parametrize("kind", ["noise", "always-the-same"])
def test_low_and_high_that_know_nothing_gain_nothing(
    spreads: dict[str, dict[str, Any]], kind: str
) -> None:
    assert spreads[kind]["score"] == pytest.approx(spreads["withheld"]["score"], abs=1e-9)


def test_lows_and_highs_that_are_withheld_are_due_and_count_as_nothing(
    spreads: dict[str, dict[str, Any]],
) -> None:
    low = of(spreads["withheld"], "quantity_low")
    assert (low["arrived"], low["missing"]) == (0, low["due"])
    assert (low["bits_per_cell"], low["u"]) == (0, 0)
