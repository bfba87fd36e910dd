"""The page: one file, nothing from a network, nothing of a stranger's that is run, no false zero."""

from __future__ import annotations

import re
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tillit.report import bars, charts
from tillit.report.compose import compose, direction_of
from tillit.report.content import (
    ColumnBits,
    Content,
    Direction,
    Mark,
    Mover,
    Refused,
    Relationship,
    Sure,
    Week,
)
from tillit.report.page import render, write

MONDAY = date(2026, 1, 5)
EVIL = '<script>alert(\'x\')</script>"><img src=http://evil.example/x onerror="alert(1)">{{ 7*7 }}'
VOID = {"meta", "br", "img", "link", "input", "hr"}


def weeks(count: int, first: float = 20.0) -> tuple[Week, ...]:
    return tuple(
        Week(MONDAY + timedelta(weeks=n), first + n, 0.5, 0.9, 0.8, 1.0) for n in range(count)
    )


BITS = tuple((MONDAY + timedelta(weeks=n), None if n < 2 else 0.25 * n) for n in range(8))
COLUMNS = (
    ColumnBits(
        *("order", "quantity", 2, 1.25, 0.0, 0.5, 52, 50),
        enough=True,
        late=1,
        missing=1,
        history=BITS,
    ),
    ColumnBits("order", "unit_price", 3, -0.5, None, 0.1, 20, 3, enough=False),
    ColumnBits("design_idea", "saving", 4, None, None, None, 0, 0, enough=False),
)
THERE = Direction(
    sender="nordvik",
    receiver="fjordstal",
    score=64.0,
    information=0.51,
    promises=0.92,
    candour=0.83,
    ideas=1.0,
    due=100,
    arrived=90,
    late=7,
    missing=3,
    columns=COLUMNS,
    history=weeks(8),
    moved=(
        Mover(
            "information", 4.25, (Mover("order.quantity", 4.5), Mover("order.unit_price", -0.25))
        ),
        Mover("promises", -1.75),
    ),
    moved_since=MONDAY,
    interval=(58.0, 71.0),
    band=(Sure(MONDAY, 15.0, 30.0), Sure(MONDAY + timedelta(weeks=4), 20.0, 34.0)),
    alarms=(
        Mark(MONDAY + timedelta(weeks=5), stands=True, told=True, says="bits of it fell"),
        Mark(MONDAY + timedelta(weeks=3), stands=True, told=False, says="ideas fell"),
        Mark(MONDAY + timedelta(weeks=1), stands=False, told=False, says="promises fell"),
    ),
    worth="what they told us in time was worth 3.2 bits a week",
    waits=tuple(f"complaint {n} has waited 40 days for us" for n in range(8)),
    beside=("shares more than 75% of 4 measured customers",),
)
BACK = replace(
    THERE,
    sender="fjordstal",
    receiver="nordvik",
    score=36.0,
    history=weeks(8, 10.0),
    moved=(),
    alarms=(),
    interval=None,
)
UNKNOWN = Direction("skogtre", "nordvik", None, None, None, None, None, 0, 0, 0, 0)
PAIR = Relationship("nordvik", "fjordstal", "Nordvik and Fjordstål", THERE, BACK, "keeps its word")
SILENT = Relationship("nordvik", "skogtre", "Nordvik and Skogtre", UNKNOWN, UNKNOWN)
PAGE = Content(
    title="Nordvik and its suppliers",
    as_of=datetime(2026, 3, 1, 6, tzinfo=UTC),
    relationships=(PAIR, SILENT),
    refused=(
        Refused("arrival", "Nordvik", "Fjordstål", "order", "quantity", "is not positive", 12345),
    ),
    facts=(("shipments", "1,234"),),
)


class Seen(HTMLParser):
    """Tags with their attributes, tables as rows of text, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words += data
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render(PAGE)


@pytest.fixture(scope="module")
def seen(page: str) -> Seen:
    return Seen(page)


# ---- one file --------------------------------------------------------------------------------


def test_the_page_is_well_formed_and_whole(seen: Seen) -> None:
    assert seen.open == []
    assert seen.all("html") == [{"lang": "en"}]
    assert seen.all("meta")[0] == {"charset": "utf-8"}


def test_nothing_is_fetched(page: str, seen: Seen) -> None:
    fetching = {"script", "link", "img", "iframe", "object", "embed", "image", "base", "form"}
    assert not fetching & {tag for tag, _ in seen.tags}
    for tag, attributes in seen.tags:
        for name, value in attributes.items():
            if name.rpartition(":")[2] in {"href", "src", "srcset", "data", "action", "poster"}:
                assert (value or "").startswith("#"), (tag, name, value)
            assert not name.startswith("on"), (tag, name)
    assert "@import" not in page
    assert "@font-face" not in page
    assert all(u.startswith("#") for u in re.findall(r"url\(\s*['\"]?([^)'\"]+)", page))
    # What is left of addresses are names of the SVG dialect, which nobody looks up.
    left = set(re.findall(r"[a-z]+://[^\s\"'<>)]+", page))
    assert left <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_browser_is_told_to_fetch_nothing_either(seen: Seen) -> None:
    (policy,) = (
        m["content"] for m in seen.all("meta") if m.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_same_figures_give_the_same_bytes(page: str) -> None:
    assert render(PAGE) == page
    assert render(replace(PAGE, title="Another")) != page


def test_the_page_says_as_of_when(page: str) -> None:
    assert "As of 1 March 2026, 06:00 UTC" in page


def test_a_page_replaces_the_one_before(tmp_path: Path, page: str) -> None:
    path = tmp_path / "a" / "report.html"
    for _ in range(2):
        assert write(PAGE, path) == path
    assert path.read_text(encoding="utf-8") == page
    assert list(path.parent.iterdir()) == [path]


# ---- strangers' words ------------------------------------------------------------------------


def test_what_a_partner_wrote_is_only_shown(seen: Seen) -> None:
    """Every text on the page is hostile: it is all there, and the page has no tag more."""
    evil = render(
        replace(
            PAGE,
            title=EVIL,
            relationships=(
                replace(
                    PAIR,
                    supplier=EVIL,
                    name=EVIL,
                    story=EVIL,
                    there=replace(
                        THERE,
                        sender=EVIL,
                        receiver=EVIL,
                        columns=(replace(COLUMNS[0], kind=EVIL, column=EVIL), *COLUMNS[1:]),
                        moved=(
                            Mover(EVIL, 4.25, (Mover(EVIL, 4.5), Mover(EVIL, -0.25))),
                            THERE.moved[1],
                        ),
                        alarms=tuple(replace(mark, says=EVIL) for mark in THERE.alarms),
                        worth=EVIL,
                        waits=(EVIL,) * 8,
                        beside=(EVIL,),
                    ),
                ),
                SILENT,
            ),
            refused=(Refused(EVIL, EVIL, EVIL, EVIL, EVIL, EVIL, 1),),
            facts=((EVIL, EVIL),),
        )
    )
    hostile = Seen(evil)
    assert sorted(t for t, _ in hostile.tags) == sorted(t for t, _ in seen.tags)
    assert not any(n.startswith("on") for _, attributes in hostile.tags for n in attributes)
    assert "<script" not in evil
    assert hostile.words.count(EVIL) >= 20
    labels = [picture["aria-label"] for picture in hostile.all("svg")]
    assert f"Bits by column, {EVIL} to {EVIL}" in labels


def test_a_dollar_is_a_dollar() -> None:
    column = replace(COLUMNS[0], column="$x_1^2$ & <b>")
    drawn = bars.bits_by_column(replace(THERE, columns=(column,)))
    assert "order.$x_1^2$ &amp; &lt;b&gt;" in drawn


# ---- charts ----------------------------------------------------------------------------------


def test_each_chart_has_words_and_a_table_for_those_who_do_not_see_it(seen: Seen) -> None:
    pictures = seen.all("svg")
    labels = [picture["aria-label"] for picture in pictures]
    there, back = "nordvik to fjordstal", "fjordstal to nordvik"
    assert labels == [
        "Score over time, a line a relationship",
        "What each partner shares, among its peers",
        f"Score with its interval, {there}",
        "What moved the score",
        f"Bits by column, {there}",
        f"Bits by column over time, {there}",
        f"Due cells by column, {there}",
        f"Score with its interval, {back}",
        f"Bits by column, {back}",
        f"Bits by column over time, {back}",
        f"Due cells by column, {back}",
    ]
    assert {picture["role"] for picture in pictures} == {"img"}
    by_head = {tuple(table[0]): table[1:] for table in reversed(seen.tables)}
    scores = by_head["week of", "fjordstal", "skogtre"]
    assert scores[0] == ["2026-01-05", "14", "not measured"]
    assert len(scores) == 8
    assert by_head["week of", "score"][0] == ["2026-01-05", "20"]
    assert by_head["week of", "at least", "at most"][0] == ["2026-01-05", "15", "30"]
    assert by_head["week of", "order.quantity"][1:3] == [
        ["2026-01-12", "not measured"],
        ["2026-01-19", "0.50"],
    ]
    head = ("column", "level", "bits a due cell", "in time", "late", "missing", "evidence")
    assert by_head[head] == [
        ["order.quantity", "internal", "1.25", "50 of 52", "1", "1", "enough"],
        ["order.unit_price", "confidential", "-0.50", "3 of 20", "0", "0", "little"],
        ["design_idea.saving", "restricted", "not measured", "0 of 0", "0", "0", "little"],
    ]
    assert by_head["part", "points of the score"] == [
        ["information", "+4.2"],
        ["of it order.quantity", "+4.5"],
        ["of it order.unit_price", "-0.2"],
        ["promises", "-1.8"],
    ]
    assert by_head["direction", "score", "at least", "at most"] == [
        [there, "64", "58", "71"],
        [back, "36", "not measured", "not measured"],
    ]


def test_alarms_say_whether_they_stand_and_may_be_chance(seen: Seen) -> None:
    (alarms,) = (t for t in seen.tables if t[0][0] == "relationship" and "what" in t[0])
    assert [row[2:] for row in alarms[1:]] == [
        ["2026-02-09", "bits of it fell"],
        ["2026-01-26", "ideas fell (may be chance)"],
        ["2026-01-12", "promises fell (over)"],
    ]
    # Below its own heading only what people are to be told of.
    assert [a for a in seen.all("p") if a.get("class") == "alarm"] == [{"class": "alarm"}]


def test_a_long_list_of_what_waits_is_cut_and_says_so(seen: Seen) -> None:
    assert "complaint 5 has waited" in seen.words
    assert "complaint 6 has waited" not in seen.words
    assert "and 2 more" in seen.words


@pytest.mark.parametrize(
    "drawn",
    [
        charts.score_over_time([PAIR, SILENT]),
        charts.score_over_time([]),
        charts.score_over_time([SILENT]),
        bars.bits_by_column(THERE),
        bars.bits_by_column(UNKNOWN),
        bars.what_moved(THERE.moved),
        bars.what_moved([]),
        bars.due_cells(THERE),
        bars.due_cells(UNKNOWN),
        bars.peers([THERE, BACK]),
        bars.peers([]),
        charts.score_of(THERE),
        charts.score_of(UNKNOWN),
        charts.bits_over_time(THERE),
        charts.bits_over_time(UNKNOWN),
    ],
)
def test_a_chart_is_one_element_that_scales(drawn: str) -> None:
    root = ET.fromstring(drawn)  # noqa: S314 (made here)
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    assert "<!DOCTYPE" not in drawn
    assert "<metadata" not in drawn


def words(drawn: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


def test_text_in_charts_stays_text() -> None:
    said = words(bars.bits_by_column(THERE))
    assert {"order.quantity", "1.25", "-0.50 (little evidence)", "bits a due cell"} <= set(said)
    assert {"+4.2", "-1.8", "information"} <= set(words(bars.what_moved(THERE.moved)))
    assert words(charts.score_over_time([PAIR]))[-1] == "fjordstal 21"


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    many = [
        Relationship("a", f"s{n}", "x", replace(THERE, history=weeks(2)), BACK) for n in range(9)
    ]
    drawn = charts.score_over_time(many)
    ends = re.findall(r'<text [^>]*font-weight: 700[^>]* y="([\d.]+)"', drawn)
    assert len(ends) == 9
    places = sorted(map(float, ends))
    assert min(b - a for a, b in pairwise(places)) > 9  # points: the size of the letters


def test_drawing_leaves_no_figure_and_no_warning() -> None:
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            bars.what_moved(THERE.moved)
    assert plt.get_fignums() == []


# ---- not measured ----------------------------------------------------------------------------


def test_what_is_not_measured_is_never_a_zero() -> None:
    silent = Seen(render(replace(PAGE, relationships=(SILENT,), refused=(), facts=())))
    relationships, _, there, back = silent.tables[:4]
    assert relationships[1][1:4] == ["not measured"] * 3
    assert relationships[1][5] == "not measured / not measured"
    assert there[1] == back[1] == ["not measured"] * 4
    assert "Nothing was refused." in silent.words
    assert len(silent.all("svg")) == 1  # no columns, no movement: no empty charts


def test_a_column_that_is_not_measured_says_so_in_its_chart() -> None:
    said = words(bars.bits_by_column(replace(THERE, columns=(COLUMNS[2],))))
    assert "not measured" in said
    assert "0.00" not in said


def test_a_zero_that_was_measured_is_a_zero() -> None:
    page = Seen(
        render(replace(PAGE, relationships=(replace(PAIR, there=replace(THERE, score=0.0)),)))
    )
    assert page.tables[0][1][1:4] == ["0", "0", "36"]


def test_weeks_without_a_measure_are_not_drawn() -> None:
    gaps = tuple(replace(week, score=None) for week in weeks(8))
    half = replace(PAIR, back=replace(BACK, history=gaps))
    assert charts.score_over_time([half]) == charts.score_over_time([SILENT])
    assert charts.score_by_week([half])[0] == (MONDAY, (None,))


def test_the_score_of_a_relationship_is_of_both_or_none() -> None:
    assert PAIR.score == pytest.approx(48.0)
    assert SILENT.score is None
    assert replace(PAIR, back=UNKNOWN).score is None
    assert replace(PAIR, there=replace(THERE, score=0.0)).score == 0.0


# ---- from the measure ------------------------------------------------------------------------


WHY = {
    "since": (MONDAY + timedelta(weeks=6)).isoformat(),
    "points": 1.5,
    "parts": {"information": 2.0, "promises": -0.5, "candour": 0.0, "ideas": 0.0},
    "columns": {"order.a": 0.01, "order.b": -1.0, "order.quantity": 2.5, "floor": 0.49},
}


def shown(sender: str, receiver: str, score: float | None, count: int = 20) -> dict[str, Any]:
    """A direction as `tillit trust show --json` prints it."""
    return {
        "sender": sender,
        "receiver": receiver,
        "score": score,
        "information": 0.5,
        "promises": 0.9,
        "candour": 0.8,
        "ideas": None,
        "evidence": {"due": 10, "arrived": 8, "late": 1, "missing": 1},
        "interval": {"score": None if score is None else [score - 5, score + 5]},
        "band": [{"week": MONDAY.isoformat(), "low": 40.0, "high": 60.0}],
        "why": WHY if count > 13 else None,
        "alarms": [
            {"week": "2026-02-02", "ended": None, "told": True, "says": "it fell"},
            {"week": "2026-02-02", "ended": "2026-03-02", "told": False, "says": "it fell"},
        ],
        "beside": {
            "worth": {"bits_a_week": 1.0, "says": "it was worth 1.0 bits a week"},
            "neglected": {
                "overdue": [{"column": "order.quantity", "cells": 2}],
                "unanswered": [],
                "reassess": [],
            },
            "role": "supplier",
            "better_than": 0.5,
            "peers": 2,
            "directness": None,
            "transactional": {"share": 0.25, "hours": 12.0},
            "safety_stock": None,
        },
        "columns": [
            {
                "kind": "order",
                "column": "quantity",
                "level": 2,
                "bits_per_cell": 1.5,
                "honesty_gap": 0.1,
                "u": 0.4,
                "due": 10,
                "arrived": 8,
                "late": 1,
                "missing": 1,
                "enough": False,
                "history": [{"week": MONDAY.isoformat(), "bits": 1.0, "bits_per_cell": None}],
            }
        ],
        "columns_not_measured": [
            {"kind": "order", "column_name": "a", "level": 3, "reason": "not measured yet"},
            {"kind": "order", "column_name": "b", "level": 3, "reason": "no witness"},
        ],
        "history": [
            {
                "week": (MONDAY + timedelta(weeks=n)).isoformat(),
                "score": score,
                "information": 0.2 + 0.01 * n,
                "promises": 0.9,
                "candour": 0.8,
                "ideas": 1.0,
            }
            for n in range(count)
        ],
    }


def composed(directions: list[dict[str, Any]], pairs: list[tuple[str, str]]) -> Content:
    return compose(
        title="t",
        measures={
            "nordvik": {"as_of": "2026-03-01T06:00:00Z", "directions": directions[:1]},
            "fjordstal": {"as_of": "2026-03-02T06:00:00Z", "directions": directions[1:]},
        },
        pairs=pairs,
        names={"nordvik": "Nordvik", "fjordstal": "Fjordstål", "skogtre": "Skogtre"},
        stories={"skogtre": "says nothing"},
        refused=[],
        facts=[],
    )


def test_a_direction_keeps_its_figures() -> None:
    found = direction_of(shown("a", "b", 50.0))
    assert (found.score, found.information, found.ideas) == (50.0, 0.5, None)
    assert (found.due, found.arrived, found.late, found.missing) == (10, 8, 1, 1)
    assert [(c.column, c.bits) for c in found.columns] == [("quantity", 1.5), ("a", None)]
    assert len(found.history) == 20


def test_what_moved_is_told_by_part_and_by_column_the_most_first() -> None:
    found = direction_of(shown("a", "b", 50.0))
    assert found.moved_since == MONDAY + timedelta(weeks=6)
    information, *others = found.moved
    assert information == Mover(
        "information",
        2.0,
        (
            Mover("order.quantity", 2.5),
            Mover("order.b", -1.0),
            Mover("least score", 0.49),
        ),
    )
    assert others == [Mover("promises", -0.5), Mover("candour", 0.0), Mover("ideas", 0.0)]


def test_too_short_a_history_moves_nothing() -> None:
    found = direction_of(shown("a", "b", 50.0, 13))
    assert (found.moved, found.moved_since) == ((), None)


def test_how_sure_it_is_and_what_is_alarming_or_waits_is_kept() -> None:
    found = direction_of(shown("a", "b", 50.0))
    assert found.interval == (45.0, 55.0)
    assert found.band == (Sure(MONDAY, 40.0, 60.0),)
    assert [(mark.stands, mark.told) for mark in found.alarms] == [(True, True), (False, False)]
    assert found.waits == ("order.quantity: 2 cells of the last four weeks never came",)
    assert found.beside[0] == "shares more than 50% of 2 measured suppliers"
    assert len(found.beside) == 2
    assert found.worth == "it was worth 1.0 bits a week"


def test_relationships_stand_best_first_and_strangers_to_the_measure_last() -> None:
    content = composed(
        [shown("fjordstal", "nordvik", 49.0), shown("nordvik", "fjordstal", 64.0)],
        [("nordvik", "skogtre"), ("nordvik", "fjordstal")],
    )
    first, last = content.relationships
    assert (first.supplier, first.score) == ("fjordstal", pytest.approx(56.0))
    assert (first.there.sender, first.back.sender) == ("nordvik", "fjordstal")
    assert (last.supplier, last.score, last.story) == ("skogtre", None, "says nothing")
    assert last.there.score is None
    assert last.there.due == 0
    assert content.as_of == datetime(2026, 3, 2, 6, tzinfo=UTC)
    assert "Nordvik and Fjordstål" in render(content)
