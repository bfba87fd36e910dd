"""The split of a score's change leaves nothing over, whatever changed."""

from __future__ import annotations

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tillit.trust.split import PARTS, factors, split, split_both, split_columns

SHARE = st.floats(0.0, 1.0)
WEEK = st.fixed_dictionaries(
    {"information": SHARE, "promises": SHARE, "candour": st.floats(0.01, 1.0)},
).flatmap(
    lambda week: st.floats(0.05, 1.0).map(lambda ideas: {**week, "ideas": ideas}),
)


def score(week: dict[str, float]) -> float:
    found = factors(week)
    assert found is not None
    return 100 * math.prod(found) ** 0.25


@settings(deadline=None, max_examples=80)
@given(WEEK, WEEK)
def test_the_parts_add_up_to_the_change(before: dict[str, float], after: dict[str, float]) -> None:
    parts = split(before, after)
    assert parts is not None
    change = score(after) - score(before)
    assert math.isclose(sum(parts.values()), change, rel_tol=1e-9, abs_tol=1e-9)


@settings(deadline=None, max_examples=80)
@given(WEEK, WEEK)
def test_the_parts_add_up_in_logarithms_too(
    before: dict[str, float], after: dict[str, float]
) -> None:
    start, end = score(before), score(after)
    assume(abs(math.log(end / start)) > 1e-6)
    parts = split(before, after)
    assert parts is not None
    mean = (end - start) / math.log(end / start)
    logs = [points / mean for points in parts.values()]
    assert math.isclose(sum(logs), math.log(end / start), rel_tol=1e-7)


@settings(deadline=None, max_examples=80)
@given(WEEK, WEEK)
def test_the_way_back_undoes_the_way_there(
    before: dict[str, float], after: dict[str, float]
) -> None:
    there, back = split(before, after), split(after, before)
    assert there is not None
    assert back is not None
    for part in PARTS:
        assert math.isclose(there[part], -back[part], rel_tol=1e-9, abs_tol=1e-9)


@settings(deadline=None, max_examples=80)
@given(WEEK, st.sampled_from(PARTS), st.floats(0.05, 1.0))
def test_only_what_changed_moves_the_score(week: dict[str, float], part: str, value: float) -> None:
    parts = split(week, {**week, part: value})
    assert parts is not None
    assert all(points == 0 for name, points in parts.items() if name != part)
    assert parts[part] * (value - week[part]) >= 0


COLUMNS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.tuples(st.sampled_from([1.0, 2.0, 4.0, 8.0]), SHARE),
    min_size=1,
)
Columns = dict[str, tuple[float, float]]


def rows(columns: Columns) -> list[dict[str, object]]:
    return [
        {"kind": "k", "column_name": name, "weight": weight, "u": u}
        for name, (weight, u) in columns.items()
    ]


def with_columns(week: dict[str, float], columns: Columns) -> dict[str, float]:
    total = sum(weight for weight, _ in columns.values())
    return {**week, "information": sum(w * u for w, u in columns.values()) / total}


@settings(deadline=None, max_examples=150)
@given(WEEK, WEEK, COLUMNS, COLUMNS)
def test_columns_add_up_to_information_whatever_was_opened_or_closed(
    before: dict[str, float], after: dict[str, float], old: Columns, new: Columns
) -> None:
    first, last = with_columns(before, old), with_columns(after, new)
    columns = split_columns(first, last, rows(old), rows(new))
    parts = split(first, last)
    assert columns is not None
    assert parts is not None
    assert math.isclose(sum(columns.values()), parts["information"], abs_tol=1e-9)


@settings(deadline=None, max_examples=80)
@given(WEEK, WEEK, COLUMNS, st.sampled_from([1.0, 2.0, 4.0, 8.0]), SHARE)
def test_a_column_that_stays_adds_nothing(
    before: dict[str, float], after: dict[str, float], old: Columns, weight: float, u: float
) -> None:
    new = {**old, "f": (weight, u)}
    first, last = with_columns(before, old), with_columns(after, new)
    columns = split_columns(first, last, rows(old), rows(new))
    assert columns is not None
    assert all(columns["k", name] == 0 for name in old)


@settings(deadline=None, max_examples=80)
@given(WEEK, WEEK, WEEK, WEEK)
def test_both_ways_add_up_to_the_change_of_the_relationship(
    there: dict[str, float],
    back: dict[str, float],
    there_now: dict[str, float],
    back_now: dict[str, float],
) -> None:
    parts = split_both((there, back), (there_now, back_now))
    assert parts is not None
    change = math.sqrt(score(there_now) * score(back_now)) - math.sqrt(score(there) * score(back))
    total = sum(parts[0].values()) + sum(parts[1].values())
    assert math.isclose(total, change, rel_tol=1e-9, abs_tol=1e-9)
