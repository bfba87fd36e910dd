"""Each term by itself: what it reads, what it does to values, what a change of it means."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import duckdb
import pytest
from tests.agreements import KIND, document, text, written

from tillit.agreement.diff import diff
from tillit.agreement.language import read, require_kind
from tillit.agreement.life import Event, replay, told
from tillit.agreement.terms import Direction, shared_columns
from tillit.agreement.terms.embargo import not_before
from tillit.agreement.terms.groups import MinimumGroup, suppressed_query
from tillit.agreement.terms.notice import warnings_at
from tillit.agreement.terms.onward import onward_parties, require_onward
from tillit.agreement.terms.reciprocity import overdue
from tillit.agreement.terms.retention import delete_by
from tillit.agreement.terms.treatments import Treated, breaks, expression
from tillit.crypto.pseudonym import Pseudonyms
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import Column, Treatment

ROUNDED, BANDED, REDACTED = Treatment.ROUNDED, Treatment.BANDED, Treatment.REDACTED


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set timezone = 'UTC'")
        yield opened


# ---- treatments -----------------------------------------------------------------------------


VALUES: list[tuple[str, Treated, str, str]] = [
    ("DECIMAL(18,3)", Treated(ROUNDED, ("10",)), "14.999", "10.000"),
    ("DECIMAL(18,3)", Treated(ROUNDED, ("10",)), "15", "20.000"),
    ("DECIMAL(18,3)", Treated(ROUNDED, ("10",)), "-15", "-20.000"),
    ("DECIMAL(18,3)", Treated(ROUNDED, ("0.5",)), "2.74", "2.500"),
    ("DECIMAL(18,3)", Treated(ROUNDED, ("0.5",)), "2.75", "3.000"),
    # Exact where a division would not be, and no more than the type holds.
    ("DECIMAL(18,3)", Treated(ROUNDED, ("10",)), "999999999999994.999", "999999999999990.000"),
    ("INTEGER", Treated(ROUNDED, ("100",)), "149", "100"),
    ("BIGINT", Treated(ROUNDED, ("10",)), "9223372036854775801", "9223372036854775800"),
    ("DOUBLE", Treated(ROUNDED, ("0.25",)), "0.4", "0.5"),
    ("DATE", Treated(ROUNDED, ("month",)), "2026-03-17", "2026-03-01"),
    ("DATE", Treated(ROUNDED, ("week",)), "2026-03-15", "2026-03-09"),
    ("DATE", Treated(ROUNDED, ("quarter",)), "2026-03-15", "2026-01-01"),
    (
        "TIMESTAMP WITH TIME ZONE",
        Treated(ROUNDED, ("day",)),
        "2026-03-15 23:59:00+00",
        "2026-03-15 00:00:00+00",
    ),
    ("DECIMAL(18,3)", Treated(BANDED, ("0", "100", "1000")), "99.999", "0.000"),
    ("DECIMAL(18,3)", Treated(BANDED, ("0", "100", "1000")), "100", "100.000"),
    ("DECIMAL(18,3)", Treated(BANDED, ("0", "100", "1000")), "5000", "1000.000"),
    ("DECIMAL(18,3)", Treated(BANDED, ("0", "100", "1000")), "-5", "0.000"),
    ("INTEGER", Treated(BANDED, ("7",)), "3", "7"),
    (
        "VARCHAR",
        Treated(REDACTED),
        "Call Kari on 22 33 44 55",
        "Call Kari on " + "[redacted] " * 3 + "[redacted]",
    ),
    ("VARCHAR", Treated(REDACTED), "mail kari@nordvik.no today", "mail [redacted] today"),
    (
        "VARCHAR",
        Treated(REDACTED),
        "see https://x.no/a or www.x.no",
        "see [redacted] or [redacted]",
    ),
    ("VARCHAR", Treated(REDACTED), "v\u0968-\u0967x", "[redacted]"),  # digits of other scripts
    ("VARCHAR", Treated(REDACTED), "nothing to hide", "nothing to hide"),
]


@pytest.mark.parametrize(("sql_type", "what", "value", "becomes"), VALUES)
def test_what_a_treatment_makes_of_a_value(
    connection: duckdb.DuckDBPyConnection, sql_type: str, what: Treated, value: str, becomes: str
) -> None:
    column = Column("c", sql_type)
    made, again, made_type, kept, broken = connection.execute(
        f"with v as (select ?::{sql_type} as v), m as (select {expression(what, column, 'v')} as c "
        f"from v) select c::varchar, ({expression(what, column, 'c')})::varchar, typeof(c), "
        f"{breaks(what, column)}, (select {breaks(what, column)} from (select v as c from v)) from m",
        [value],
    ).fetchall()[0]
    assert made == becomes
    assert again == becomes  # twice is as good as once
    assert made_type == sql_type
    assert kept is False
    # A value that was changed is one that a receiver recognises as not treated.
    assert broken is (value != becomes and Decimal_or_text(value) != Decimal_or_text(becomes))


def Decimal_or_text(value: str) -> Any:
    try:
        return Decimal(value)
    except ArithmeticError:
        return value


@pytest.mark.parametrize("what", [Treated(ROUNDED, ("10",)), Treated(BANDED, ("0", "9"))])
def test_nulls_stay_and_break_nothing(connection: duckdb.DuckDBPyConnection, what: Treated) -> None:
    column = Column("c", "DECIMAL(18,3)")
    found = connection.execute(
        f"select {expression(what, column, 'c')}, {breaks(what, column)} "
        "from (select null::DECIMAL(18,3) as c)"
    ).fetchall()
    assert found == [(None, None)]


def test_what_rounds_out_of_its_type_is_null(connection: duckdb.DuckDBPyConnection) -> None:
    column = Column("c", "BIGINT")
    sql = expression(Treated(ROUNDED, ("10",)), column, "9223372036854775807::BIGINT")
    assert connection.execute(f"select {sql}").fetchall() == [(None,)]


def test_a_pseudonym_is_an_hmac_that_only_its_maker_can_repeat() -> None:
    ours, other = (Pseudonyms.derive(b"k" * 32, party) for party in ("fjordstal", "havglass"))
    alias = ours.of("site", "4711")
    assert alias == ours.of("site", "4711")
    assert alias.startswith("p-")
    assert len(alias) == 28
    assert alias not in {
        other.of("site", "4711"),
        ours.of("place", "4711"),
        ours.of("site", "4712"),
    }
    assert alias != Pseudonyms.derive(b"l" * 32, "fjordstal").of("site", "4711")
    # HMAC-SHA256 over column, NUL, text, as RFC 2104 has it; the first 128 bits in base 32.
    import base64

    digest = hmac.new(ours._key, b"site\x004711", sha256).digest()[:16]
    assert alias == "p-" + base64.b32encode(digest).decode().strip("=").lower()
    assert "k" * 8 not in repr(ours)


# ---- what reads, what does not --------------------------------------------------------------


GOOD: list[dict[str, Any]] = [
    {"columns": {"order_id": "pseudonym", "line": "clear"}},
    {"columns": {"order_id": "clear", "line": "clear", "quantity": {"rounded": 0.001}}},
    {"columns": {"order_id": "clear", "line": "clear", "unit_price": {"banded": [0, 1.5, 20]}}},
    {"classificationCeiling": "internal"},
    {"rows": "quantity > 0 and line in (1, 2)"},
    {"minimumGroup": {"size": 5, "by": ["order_id"]}},
    {"minimumGroup": {"size": 5, "count": "quantity", "within": ["line"]}},
    {"embargo": {"hoursBeforeCutOff": 12}},
    {"volume": {"rowsPerShipment": 10, "shipmentsPerPeriod": 2}},
    {"retention": {"days": 30}},
    {"onwardSharing": "none"},
    {"onwardSharing": ["havglass"]},
    {"reciprocity": {"inReturnFor": "fjordstal--nordvik.delivery", "overdueCadences": 2}},
    {"noticePeriod": {"days": 30}},
]


@pytest.mark.parametrize("terms", GOOD, ids=str)
def test_a_term_reads_and_fits(terms: dict[str, Any]) -> None:
    require_kind(read(text(**{f"terms__{key}": value for key, value in terms.items()})), KIND)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"columns__quantity": {"rounded": 0}}, "a step above 0"),
    ({"columns__quantity": {"rounded": -1}}, "a step above 0"),
    ({"columns__quantity": {"rounded": 0.0001}}, "at most 3 decimals"),
    ({"columns__quantity": {"rounded": "month"}}, "days or times"),
    ({"columns__quantity": {"rounded": "fortnight"}}, "day or week"),
    ({"columns__quantity": {"rounded": True}}, "a number"),
    ({"columns__quantity": {"banded": []}}, "a list of 1"),
    ({"columns__quantity": {"banded": [1, 1]}}, "numbers that rise"),
    ({"columns__quantity": {"rounded": 1, "banded": [1]}}, "one treatment"),
    ({"columns__quantity": {"shuffled": 1}}, "shuffled"),
    ({"columns__quantity": "pseudonym"}, "a column of text"),
    ({"columns__quantity": "text-redacted"}, "a column of text"),
    ({"columns__line": "pseudonym"}, "a column of text"),
    ({"columns__order_id": "text-redacted"}, "clear or pseudonym"),
    ({"columns__line": "withheld"}, "clear or pseudonym"),
    ({"classificationCeiling": "public"}, "of the key"),
    ({"classificationCeiling": "secret"}, "public or internal"),
    ({"rows": ""}, "a condition"),
    ({"rows": "unit_price > 1"}, "does not have as it is"),
    ({"rows": "secret_cost > 1"}, "does not have as it is"),
    ({"rows": "nothing = 1"}, "not there"),
    ({"rows": "1 = 1"}, "columns of this contract"),
    ({"rows": ["quantity > 1"]}, "a condition"),
    ({"rows": "quantity >"}, "not SQL"),
    ({"minimumGroup": {"size": 5}}, "count, or by"),
    ({"minimumGroup": {"size": 1, "by": ["line"]}}, "from 2"),
    ({"minimumGroup": {"size": 5, "by": ["nothing"]}}, "cannot count by"),
    ({"minimumGroup": {"size": 5, "count": "order_id"}}, "a column of numbers"),
    ({"minimumGroup": {"size": 5, "count": "unit_price"}}, "cannot count by"),
    ({"minimumGroup": {"size": 5, "by": ["line"], "within": ["order_id"]}}, "of line"),
    ({"minimumGroup": {"size": 5, "by": ["line", "line"]}}, "each once"),
    ({"embargo": {"hoursBeforeCutOff": -1}}, "from 0"),
    ({"embargo": {"hours": 1}}, "hours is not known"),
    ({"volume": {}}, "rowsPerShipment or"),
    ({"volume": {"rowsPerShipment": 0}}, "from 1"),
    ({"volume": {"rowsPerShipment": 1.5}}, "a whole number"),
    ({"retention": {"days": 0}}, "from 1"),
    ({"onwardSharing": []}, "a list of 1"),
    ({"onwardSharing": ["Havglass"]}, "parties' ids"),
    ({"onwardSharing": "everybody"}, "none, or a list"),
    ({"reciprocity": {"inReturnFor": "x y", "overdueCadences": 1}}, "an agreement's id"),
    ({"reciprocity": {"inReturnFor": "nordvik--fjordstal.order", "overdueCadences": 1}}, "itself"),
    ({"noticePeriod": {"days": "ten"}}, "a whole number"),
]


@pytest.mark.parametrize(("terms", "said"), WRONG, ids=str)
def test_a_term_that_cannot_be_enforced_is_no_agreement(terms: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractRefused, match=said) as refused:
        require_kind(read(text(**{f"terms__{key}": value for key, value in terms.items()})), KIND)
    at = next(iter(terms)).split("__")[0]
    assert f"terms.{at}" in str(refused.value)


def test_events_have_no_embargo_and_no_period() -> None:
    event = {"terms__cadence": {"every": "event", "cutOffHours": 0}}
    for term in ({"embargo": {"hoursBeforeCutOff": 1}}, {"volume": {"shipmentsPerPeriod": 1}}):
        [(name, value)] = term.items()
        with pytest.raises(ContractRefused, match="a cadence of hours"):
            require_kind(read(text(**event, **{f"terms__{name}": value})), KIND)


def test_above_the_ceiling_nothing_is_shared_whatever_columns_say() -> None:
    every = {c.name: "clear" for c in KIND.columns}
    for ceiling, most in (("internal", 2), ("confidential", 3), ("restricted", 4)):
        agreement = read(text(terms__columns=every, terms__classificationCeiling=ceiling))
        assert set(shared_columns(agreement, KIND)) == {
            c.name for c in KIND.columns if c.level <= most
        }


# ---- groups ---------------------------------------------------------------------------------


def suppressed(
    connection: duckdb.DuckDBPyConnection, term: MinimumGroup, rows: list[tuple[Any, ...]]
) -> set[int]:
    """Row numbers, from 1, of rows (place, week, members) that may not leave."""
    connection.execute(
        "create or replace temp table t (row_no INTEGER, place VARCHAR, week VARCHAR, n INTEGER)"
    )
    for number, row in enumerate(rows, 1):
        connection.execute("insert into t values (?, ?, ?, ?)", [number, *row])
    return {n for (n,) in connection.execute(suppressed_query(term, "t")).fetchall()}


def test_a_single_small_cell_takes_the_next_smallest_with_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = [("a", "w1", 3), ("b", "w1", 40), ("c", "w1", 12), ("a", "w2", 30), ("b", "w2", 9)]
    term = MinimumGroup(5, count="n", within=("week",))
    # Without the second, 3 would be the week's total less the others.
    assert suppressed(connection, term, rows) == {1, 3}
    assert suppressed(connection, MinimumGroup(2, count="n", within=("week",)), rows) == set()


def test_what_is_suppressed_together_is_large_enough_itself(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Two cells of 1 and 1 would still be known to be small: their sum is."""
    rows = [("a", "w", 1), ("b", "w", 1), ("c", "w", 2), ("d", "w", 7), ("e", "w", 50)]
    assert suppressed(connection, MinimumGroup(5, count="n", within=("week",)), rows) == {
        1,
        2,
        3,
        4,
    }


def test_a_total_of_one_cell_goes_as_a_whole(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("a", "w1", 3), ("b", "w2", 30)]
    assert suppressed(connection, MinimumGroup(5, count="n", within=("week",)), rows) == {1}
    assert suppressed(connection, MinimumGroup(5, count="n"), rows) == {1, 2}


def test_cells_of_rows_alike(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        ("a", "w", 1),
        ("a", "w", 1),
        ("b", "w", 1),
        ("c", "w", 9),
        ("c", "w", 9),
        ("c", "w", 9),
    ]
    assert suppressed(connection, MinimumGroup(2, by=("place",)), rows) == {1, 2, 3}
    assert suppressed(connection, MinimumGroup(2, by=("place",), count="n"), rows) == {1, 2, 3}
    assert suppressed(connection, MinimumGroup(3, by=("place", "week")), rows) == {1, 2, 3}
    assert suppressed(connection, MinimumGroup(3, by=("week",)), rows) == set()


def test_what_is_not_known_is_small(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [("a", None, None), ("b", None, 50), (None, "w", 50), ("c", "w", 60)]
    assert suppressed(connection, MinimumGroup(5, count="n", within=("week",)), rows) == {1, 2}


# ---- time -----------------------------------------------------------------------------------


def test_not_before_so_many_hours_before_it_is_due() -> None:
    agreement = read(text(terms__embargo={"hoursBeforeCutOff": 12}))
    period = agreement.cadence.period_at(datetime(2026, 3, 4, tzinfo=UTC))
    assert not_before(agreement, period) == period.cut_off - timedelta(hours=12)
    assert not_before(read(text()), period) is None


def test_kept_for_so_many_days_and_for_ever_without_the_term() -> None:
    arrived = datetime(2026, 3, 4, 12, tzinfo=UTC)
    agreement = read(text(terms__retention={"days": 30}))
    assert delete_by(agreement, arrived) == datetime(2026, 4, 3, 12, tzinfo=UTC)
    assert delete_by(read(text()), arrived) is None


def test_how_many_cadences_are_overdue() -> None:
    weekly = read(text(terms__cadence={"every": "week", "cutOffHours": 0}))
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for since, now, count in (
        (monday, monday + timedelta(days=6), 0),
        (monday, monday + timedelta(days=7, hours=1), 1),
        (monday, monday + timedelta(days=22), 3),
        (weekly.start, weekly.start + timedelta(days=3), 0),
        (monday, datetime(2030, 1, 1, tzinfo=UTC), 43),  # and none after its end
    ):
        assert overdue(weekly, since=since, now=now) == count
    event = read(text(terms__cadence={"every": "event", "cutOffHours": 0}))
    assert overdue(event, since=monday, now=monday + timedelta(days=99)) == 0


def test_both_are_told_before_a_date_and_when_it_has_come() -> None:
    again, end = datetime(2026, 7, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    plain = document(nextReassessmentTimestamp="2026-07-01T00:00:00Z")
    plain["terms"]["noticePeriod"] = {"days": 30}
    agreement = read(written(plain))
    assert warnings_at(agreement, again - timedelta(days=31)) == []
    assert warnings_at(agreement, again - timedelta(days=10)) == ["reassessment in 10 days"]
    assert warnings_at(agreement, again) == ["reassessment due"]
    assert warnings_at(agreement, end - timedelta(hours=1)) == [
        "reassessment due",
        "ends within 1 days",
    ]
    assert warnings_at(read(text()), end - timedelta(hours=1)) == []
    events = [
        Event("signed", party, 1, again, agreement.id, "1.0.0", agreement.digest, agreement)
        for party in ("nordvik", "fjordstal")
    ]
    life = replay(events)
    (version,) = life.newest_first
    said = told(life, version, again - timedelta(days=10), "nordvik")
    assert said == "in force, reassessment in 10 days"


# ---- others ---------------------------------------------------------------------------------


def test_nobody_else_may_have_it_unless_named() -> None:
    named = read(text(terms__onwardSharing=["havglass"]))
    assert onward_parties(named) == ("havglass",)
    require_onward(named, "havglass")
    require_onward(named, "nordvik")  # whose it is
    for agreement in (named, read(text()), read(text(terms__onwardSharing="none"))):
        with pytest.raises(AgreementRefused) as refused:
            require_onward(agreement, "skogtre")
        assert refused.value.code == "agreement.onward-sharing"


# ---- what a change means --------------------------------------------------------------------


WIDER, NARROWER, NEITHER = Direction.WIDENING, Direction.NARROWING, Direction.NEITHER
CHANGES: list[tuple[str, Any, Any, Direction, str]] = [
    ("columns__quantity", "clear", {"rounded": 10}, NARROWER, "is rounded to 10"),
    ("columns__quantity", {"rounded": 10}, {"rounded": 5}, WIDER, "is rounded to 5"),
    ("columns__quantity", {"rounded": 5}, {"rounded": 10}, NARROWER, "was rounded to 5"),
    ("columns__quantity", {"rounded": 10}, {"rounded": 15}, WIDER, "is rounded to 15"),
    ("columns__quantity", {"rounded": 10}, {"banded": [0]}, WIDER, "is banded at 0"),
    ("columns__quantity", {"banded": [0, 5, 9]}, {"banded": [0, 9]}, NARROWER, "banded at 0, 9"),
    ("columns__quantity", {"banded": [0, 9]}, {"banded": [0, 5]}, WIDER, "banded at 0, 5"),
    ("columns__unit_price", "withheld", {"rounded": 10}, WIDER, "was withheld"),
    ("classificationCeiling", None, "internal", NARROWER, "nothing above internal leaves"),
    ("classificationCeiling", "internal", None, WIDER, "no longer the ceiling"),
    ("classificationCeiling", None, "restricted", NEITHER, "restricted"),
    ("rows", None, "quantity > 0", NARROWER, "only rows where quantity > 0"),
    ("rows", "quantity > 0", None, WIDER, "all rows"),
    ("rows", "quantity > 0", "quantity > 9", WIDER, "quantity > 9"),
    ("minimumGroup", None, {"size": 5, "by": ["line"]}, NARROWER, "fewer than 5"),
    (
        "minimumGroup",
        {"size": 5, "by": ["line"]},
        {"size": 4, "by": ["line"]},
        WIDER,
        "groups of 4",
    ),
    (
        "minimumGroup",
        {"size": 4, "by": ["line"]},
        {"size": 5, "by": ["order_id"]},
        WIDER,
        "changed",
    ),
    ("embargo", None, {"hoursBeforeCutOff": 5}, NARROWER, "at the earliest 5 h"),
    ("embargo", {"hoursBeforeCutOff": 5}, {"hoursBeforeCutOff": 9}, WIDER, "9 h"),
    ("volume", {"rowsPerShipment": 5}, {"rowsPerShipment": 9}, WIDER, "at most 9"),
    ("volume", None, {"rowsPerShipment": 9}, NARROWER, "without limit"),
    ("volume", {"rowsPerShipment": 9}, None, WIDER, "no limit"),
    ("retention", {"days": 5}, {"days": 9}, WIDER, "9 days after"),
    ("retention", {"days": 5}, None, WIDER, "may be kept"),
    ("onwardSharing", None, ["havglass"], WIDER, "may be passed on to havglass"),
    ("onwardSharing", ["havglass"], "none", NARROWER, "may no longer be passed on"),
    ("reciprocity", {"inReturnFor": "a.b", "overdueCadences": 1}, None, WIDER, "in return"),
    ("noticePeriod", None, {"days": 9}, NEITHER, "told 9 days before"),
]


@pytest.mark.parametrize(("term", "old", "new", "direction", "said"), CHANGES, ids=str)
def test_a_change_is_told_in_words_and_marked(
    term: str, old: Any, new: Any, direction: Direction, said: str
) -> None:
    before, after = (read(text(**{f"terms__{term}": value})) for value in (old, new))
    changes = diff(before, after)
    assert [change.direction for change in changes] == [direction]
    assert changes[0].at.startswith(f"terms.{term.replace('__', '.')}")
    assert said in changes[0].says
