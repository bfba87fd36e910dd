"""Terms by column, and figures as they are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tillit.model import Agreement, Cadence, Column, Every, Kind, Treatment
from tillit.trust.score import Scores
from tillit.trust.show import NAMES, show, table
from tillit.trust.terms import Held, term_columns

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
KIND = Kind(
    name="plan",
    version="1.0.0",
    digest="d",
    columns=(
        Column("item", "VARCHAR", key=1),
        Column("quantity", "DOUBLE", level=3, witness="order.quantity"),
        Column("note", "VARCHAR", level=4),
        Column("added", "VARCHAR"),
    ),
    rules=(),
)
AGREEMENT = Agreement(
    id="a",
    version="1.0.0",
    digest="x",
    provider="p",
    consumer="us",
    kind="plan",
    kind_version="1.0.0",
    kind_digest="d",
    start=START,
    end=END,
    purposes=("planning",),
    columns={
        "item": Treatment.CLEAR,
        "quantity": Treatment.CLEAR,
        "note": Treatment.WITHHELD,
    },
    cadence=Cadence(Every.WEEK, 48),
)


def test_each_column_with_what_the_terms_say() -> None:
    rows = term_columns([Held(AGREEMENT)], {"plan": KIND}, "us")
    assert [(r.column_name, r.is_key, r.permitted, r.classification, r.witness) for r in rows] == [
        ("item", True, True, 2, None),
        ("quantity", False, True, 3, "order.quantity"),
        ("note", False, False, 4, None),
        ("added", False, False, 2, None),
    ]
    assert {(r.partner, r.direction, r.cadence, r.cut_off_hours) for r in rows} == {
        ("p", "in", "week", 48)
    }
    assert {(r.starts_at, r.ends_at) for r in rows} == {(START, END)}


def test_what_was_taken_back_ends_then() -> None:
    ended = datetime(2026, 6, 1, tzinfo=UTC)
    (row, *_) = term_columns([Held(AGREEMENT, ended=ended)], {"plan": KIND}, "us")
    assert row.ends_at == ended
    never = datetime(2030, 1, 1, tzinfo=UTC)
    (row, *_) = term_columns([Held(AGREEMENT, ended=never)], {"plan": KIND}, "us")
    assert row.ends_at == END


def test_what_was_signed_late_begins_then() -> None:
    signed = START + timedelta(days=40)
    (row, *_) = term_columns([Held(AGREEMENT, signed)], {"plan": KIND}, "us")
    assert row.starts_at == signed
    (row, *_) = term_columns([Held(AGREEMENT, START - timedelta(days=40))], {"plan": KIND}, "us")
    assert row.starts_at == START


@pytest.mark.parametrize(("older", "newer"), [("1.0.0", "1.1.0"), ("1.9.0", "1.10.0")])
def test_an_older_text_that_was_signed_late_takes_nothing_back(older: str, newer: str) -> None:
    first, second = (
        replace(AGREEMENT, version=version, digest=version * 8) for version in (older, newer)
    )
    signed = START + timedelta(days=10)
    for late in (timedelta(0), timedelta(days=40)):
        rows = term_columns(
            [Held(first, signed + late), Held(second, signed)], {"plan": KIND}, "us"
        )
        assert {(r.agreement_version, r.starts_at, r.ends_at) for r in rows} == {
            (newer, signed, END)
        }
    # Signed in their order, the older one holds until the newer one begins.
    rows = term_columns(
        [Held(first, signed), Held(second, signed + timedelta(days=40))], {"plan": KIND}, "us"
    )
    assert {(r.agreement_version, r.starts_at, r.ends_at) for r in rows} == {
        (older, signed, signed + timedelta(days=40)),
        (newer, signed + timedelta(days=40), END),
    }


@pytest.mark.parametrize(
    ("agreement", "kinds"),
    [
        (replace(AGREEMENT, consumer="other"), {"plan": KIND}),
        (AGREEMENT, {}),
        (AGREEMENT, {"plan": replace(KIND, digest="changed")}),
    ],
    ids=["not about us", "kind not installed", "another text of the kind"],
)
def test_what_cannot_be_read_is_not_measured(agreement: Agreement, kinds: dict[str, Kind]) -> None:
    assert term_columns([Held(agreement)], kinds, "us") == ()


def direction(week: date, **given: object) -> dict[str, object]:
    parts = ("information", "promises", "candour", "ideas", "score", "promise_factor")
    counts = (
        *("due", "arrived", "late", "missing", "columns_measured", "columns_enough"),
        *("promises_due", "promises_never_made", "troubles_suffered", "troubles_named"),
        *("ideas_offered", "ideas_taken"),
    )
    row: dict[str, object] = {"partner": "p", "direction": "in", "week": week, "week_bits": 0.0}
    row |= dict.fromkeys((*parts, "candour_factor", "information_and_promises_only"))
    sums = ("promises", "promised_value", "kept_value", "troubles", "troubles_told", "told_beyond")
    row |= {f"week_{name}": 0.0 for name in (*sums, "ideas_accepted")}
    row |= {f"has_{name}": True for name in ("promises", "candour", "ideas")}
    return row | dict.fromkeys(counts, 0) | given


def column(week: date, **given: object) -> dict[str, object]:
    row: dict[str, object] = {
        "partner": "p",
        "direction": "in",
        "kind": "plan",
        "column_name": "quantity",
        "week": week,
        "level": 3,
        "weight": 4.0,
        "is_enough": False,
        "week_due": 1,
        "week_asked": 1,
        "week_answered": 0,
        "week_scored": 0,
        "week_told_square": 0.0,
        "week_used_square": 0.0,
    }
    row |= dict.fromkeys(("due", "arrived", "late", "missing", "scored", "week_bits"), 0)
    row |= dict.fromkeys(("bits_per_cell", "evidence_bits", "honesty_gap", "u"))
    return row | given


def scores(*, enough: bool) -> Scores:
    first, last = date(2026, 1, 5), date(2026, 1, 12)
    told = {"is_enough": True, "bits_per_cell": 0.5, "u": 0.4} if enough else {}
    part = {"information": 0.4, "score": 33.3} if enough else {}
    missing = {"kind": "plan", "column_name": "note", "level": 4, "reason": "not measured yet"}
    return Scores(
        party="us",
        as_of=datetime(2026, 1, 14, tzinfo=UTC),
        version="v",
        directions=(direction(first), direction(last, arrived=30, due=40, **part)),
        columns=(column(first), column(last, due=40, **told)),
        not_measured=({"partner": "p", "direction": "in", **missing},),
    )


def test_shown_is_the_last_week_and_the_history() -> None:
    shown = show(scores(enough=True))
    (one,) = shown["directions"]
    assert (one["sender"], one["receiver"], one["week"]) == ("p", "us", "2026-01-12")
    assert one["score"] == 33.3
    assert [w["week"] for w in one["history"]] == ["2026-01-05", "2026-01-12"]
    assert one["columns"][0]["says"] == "measured"
    assert one["columns"][0]["bits_per_cell"] == 0.5
    assert len(one["columns"][0]["history"]) == 2
    assert one["columns_not_measured"][0]["column_name"] == "note"
    assert json.loads(json.dumps(shown)) == shown


def test_what_is_not_measured_is_named_and_never_zero() -> None:
    (one,) = show(scores(enough=False))["directions"]
    assert one["score"] is None
    assert set(one["not_measured"]) >= {"information", "promises", "candour", "ideas"}
    assert one["interval"]["score"] is None
    assert one["why"] is None
    assert one["columns"][0]["says"] == "not enough evidence"
    assert one["columns"][0]["u"] is None


def test_a_line_for_a_terminal() -> None:
    (line,) = table(show(scores(enough=True)))
    assert len(line) == len(NAMES)
    assert line[:4] == ("p", "us", "33", "0.40")
    assert line[4:7] == ("-", "-", "-")
    assert "30 of 40" in line[8]
