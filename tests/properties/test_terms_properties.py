"""No agreement that is accepted lets more through than it says, whatever it says.

Agreements are made at random out of the language; what leaves is looked for in the opened bytes.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.agreements import DIGEST, document, written

from tillit.agreement.agreed import agreed_kind
from tillit.agreement.diff import diff
from tillit.agreement.language import read, require_kind
from tillit.agreement.terms import Direction, shared_columns
from tillit.agreement.terms.ceiling import CLASSES
from tillit.crypto.pseudonym import Pseudonyms
from tillit.errors import ContractRefused, TableRefused
from tillit.exchange.leave import write_agreed
from tillit.exchange.prepare import Prepared
from tillit.exchange.treat import treating_at_once
from tillit.home import Home
from tillit.model import Agreement, Column, Kind, Rule, Treatment
from tillit.quality.expectations import Judgement, judge
from tillit.warehouse import KEPT_BACK

KIND = Kind(
    name="order",
    version="1.0.0",
    digest=DIGEST,
    columns=(
        Column("site", "VARCHAR", required=True, key=1, level=2),
        Column("line", "INTEGER", required=True, key=2, level=1),
        Column("amount", "DECIMAL(18,3)", level=3),
        Column("share", "DOUBLE", level=3),
        Column("due", "DATE", level=2),
        Column("note", "VARCHAR", level=4),
        Column("members", "INTEGER", level=2),
    ),
    rules=(
        Rule("required:site", "site is missing", '"site" is null', ("site",)),
        Rule("key", "twice", "", ("site", "line"), scope="key"),
        Rule("site", "no site", "not regexp_full_match(\"site\", 'S-[a-z]+-\\d+')", ("site",)),
        Rule("positive", "not positive", '"amount" < -1000', ("amount",)),
    ),
)
WORDS = ("ask", "kari", "today", "about", "that", "x9", "a@b.no", "www.b.no")


@dataclass(frozen=True)
class Row:
    site: str
    line: int
    amount: Decimal | None
    share: float | None
    due: str | None
    note: str | None
    members: int | None


# Every text of a row is like no other row's, so that it can be looked for.
def _row(number: int, parts: tuple[Any, ...]) -> Row:
    amount, share, due, words, members, site = parts
    note = (
        None
        if words is None
        else f"note{'abcdefghij'[number % 10] * 3}q{number}z {' '.join(words)}"
    )
    return Row(f"S-{site}-{number}", number, amount, share, due, note, members)


tables = st.lists(
    st.tuples(
        st.none() | st.decimals(-999, 99_999, places=3),
        st.none() | st.floats(-1e6, 1e6, allow_nan=False),
        st.none() | st.dates(date(1990, 1, 1), date(2089, 12, 31)).map(str),
        st.none() | st.lists(st.sampled_from(WORDS), max_size=4),
        st.none() | st.integers(0, 30),
        st.sampled_from(("oslo", "bergen", "raufoss")),
    ),
    min_size=1,
    max_size=14,
).map(lambda rows: [_row(number, parts) for number, parts in enumerate(rows, 1)])

steps = st.sampled_from([1, 2, 10, 25, 0.5, 0.125, 1000])
calendar = st.sampled_from(["day", "week", "month", "quarter", "year"])
edges = st.lists(st.integers(-100, 2000), min_size=1, max_size=5, unique=True).map(sorted)
numbers = (
    st.sampled_from(["clear", "withheld"])
    | steps.map(lambda step: {"rounded": step})
    | edges.map(lambda values: {"banded": values})
)
texts = st.sampled_from(["clear", "withheld", "pseudonym", "text-redacted"])
columns = st.fixed_dictionaries(
    {"site": st.sampled_from(["clear", "pseudonym"]), "line": st.just("clear")},
    optional={
        "amount": numbers,
        "share": numbers,
        "due": st.sampled_from(["clear", "withheld"]) | calendar.map(lambda s: {"rounded": s}),
        "note": texts,
        "members": st.sampled_from(["clear", "withheld"]),
    },
)

# A condition and what it comes to, by SQL's logic of three values.
Condition = tuple[str, Callable[[Row], bool | None]]


def _compared(name: str, sign: str, value: int) -> Condition:
    def holds(row: Row) -> bool | None:
        found = getattr(row, name)
        if found is None:
            return None
        return bool({"<": found < value, ">=": found >= value, "<>": found != value}[sign])

    return f"{name} {sign} {value}", holds


def _absent(name: str) -> Condition:
    return f"{name} is null", lambda row: getattr(row, name) is None


def _both(a: Condition, b: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        one, other = a[1](row), b[1](row)
        if one is False or other is False:
            return False
        return None if one is None or other is None else True

    return f"({a[0]}) and ({b[0]})", holds


def _not(a: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        one = a[1](row)
        return None if one is None else not one

    return f"not ({a[0]})", holds


def _either(a: Condition, b: Condition) -> Condition:
    sql = f"({a[0]}) or ({b[0]})"
    return sql, _not(_both(_not(a), _not(b)))[1]


conditions = st.recursive(
    st.builds(
        _compared,
        st.sampled_from(["line", "amount", "members"]),
        st.sampled_from(["<", ">=", "<>"]),
        st.integers(-5, 40),
    )
    | st.builds(_absent, st.sampled_from(["amount", "due", "note", "members"])),
    lambda inner: (
        st.builds(_both, inner, inner) | st.builds(_either, inner, inner) | inner.map(_not)
    ),
    max_leaves=5,
)
groups = st.fixed_dictionaries(
    {"size": st.integers(2, 25)},
    optional={
        "count": st.just("members"),
        "by": st.sampled_from([["site"], ["line"], ["site", "line"], ["due"]]),
    },
)
ceilings = st.sampled_from(["internal", "confidential", "restricted"])


@dataclass(frozen=True)
class Made:
    agreement: Agreement
    holds: Callable[[Row], bool | None] | None


@st.composite
def agreements(draw: st.DrawFn) -> Made:
    terms: dict[str, Any] = {
        "columns": draw(columns),
        "purposes": ["plan"],
        "cadence": {"every": "week", "cutOffHours": 0},
    }
    read_by_terms: set[str] = set()
    condition = draw(st.none() | conditions)
    if condition is not None:
        terms["rows"] = condition[0]
        read_by_terms = {c.name for c in KIND.columns if c.name in condition[0]}
    group = draw(st.none() | groups)
    if group is not None and {"count", "by"} & group.keys():
        terms["minimumGroup"] = group
        read_by_terms |= {"members"} if "count" in group else set()
        read_by_terms |= set(group.get("by", ())) - {"site", "line"}
    # What a term reads is clear and under the ceiling, or it would be no agreement.
    terms["columns"] |= dict.fromkeys(read_by_terms, "clear")
    ceiling = draw(st.none() | ceilings)
    if ceiling is not None and all(
        KIND.column(name).level <= CLASSES.index(ceiling) + 1 for name in read_by_terms
    ):
        terms["classificationCeiling"] = ceiling
    agreement = read(written(document(terms=terms)))
    require_kind(agreement, KIND)
    return Made(agreement, None if condition is None else condition[1])


@pytest.fixture(scope="module")
def lake() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set temp_directory = '{folder}/spill'")
        yield SimpleNamespace(connection=connection, folder=Path(folder))


NUMBERS = itertools.count()
SECRET = Pseudonyms.derive(b"s" * 32, "fjordstal")


def home_of(lake: Any) -> Home:
    """As much of a home as leaving needs."""
    keys = SimpleNamespace(pseudonyms=lambda _: SECRET)
    return cast("Home", SimpleNamespace(lake=lake, keys=keys))


def leave(lake: Any, agreement: Agreement, rows: list[Row]) -> Path | None:
    """What leaves of these rows, as a file; None when nothing does."""
    connection = lake.connection
    connection.execute("drop view if exists incoming")
    listed = ", ".join(f"{c.name} {c.sql_type}" for c in KIND.columns)
    connection.execute(f"create or replace temp table given (row_no BIGINT, {listed})")
    connection.executemany(
        "insert into given values (?, ?, ?, ?, ?, ?, ?, ?)",
        [[number, *vars(row).values()] for number, row in enumerate(rows, 1)],
    )
    connection.execute("create temp view incoming as from given")
    connection.execute("create or replace temp table refused (row_no BIGINT)")
    prepared = Prepared(len(rows), Judgement(len(rows), 0, (), {}))
    path = lake.folder / f"{next(NUMBERS)}.parquet"
    try:
        write_agreed(home_of(lake), agreement, KIND, prepared, path)
    except TableRefused as refusal:
        assert refusal.code == "table.empty"  # noqa: PT017
        return None
    return Path(path)


def bytes_of(path: Path) -> bytes:
    """The file, and its rows again as they stand there without compression and dictionaries."""
    plain = path.with_suffix(".plain")
    pq.write_table(pq.read_table(path), plain, compression="none", use_dictionary=False)
    return path.read_bytes() + plain.read_bytes()


@settings(derandomize=True, deadline=None, max_examples=100)
@given(made=agreements(), rows=tables)
def test_nothing_withheld_and_no_row_outside_is_in_the_payload(
    lake: Any, made: Made, rows: list[Row]
) -> None:
    agreement = made.agreement
    path = leave(lake, agreement, rows)
    if path is None:
        return
    table = pq.read_table(path)
    # 1. The columns that are shared, and no other.
    shared = shared_columns(agreement, KIND)
    assert tuple(table.column_names) == shared
    assert not {n for n, t in agreement.columns.items() if t is Treatment.WITHHELD} & set(shared)
    content = bytes_of(path)
    left = set(table.column("line").to_pylist())
    for row in rows:
        # 2. No row outside the filter, and nothing of one.
        outside = made.holds is not None and made.holds(row) is not True
        assert not (outside and row.line in left)
        gone = row.line not in left
        if gone:
            assert not re.search(re.escape(row.site).encode() + rb"(?!\d)", content)
        if row.note is not None and (gone or agreement.columns.get("note") != "clear"):
            assert f"q{row.line}z".encode() not in content
        # 3. No name behind a pseudonym.
        if agreement.columns["site"] is Treatment.PSEUDONYM:
            assert row.site not in table.column("site").to_pylist()
            assert f"S-{row.site.split('-')[1]}".encode() not in content
    # 4. No group that is too small.
    group = agreement.terms.get("minimumGroup")
    if group is not None:
        counted: dict[Any, int] = {}
        for row in table.to_pylist():
            cell = tuple(row[name] for name in group.by) or row["line"]
            counted[cell] = counted.get(cell, 0) + ((row["members"] or 0) if group.count else 1)
        assert all(members >= group.size for members in counted.values())


@settings(derandomize=True, deadline=None, max_examples=100)
@given(made=agreements(), rows=tables, bad=st.none() | st.integers(0, 13))
def test_rows_treated_while_they_are_judged_leave_as_they_would_later(
    lake: Any, made: Made, rows: list[Row], bad: int | None
) -> None:
    later = leave(lake, made.agreement, rows)
    names = ", ".join(column.name for column in KIND.columns)
    query = f"select {names} from given"
    if bad is not None:  # below what a rule allows, in a column that may leave or not
        line = rows[bad % len(rows)].line
        lake.connection.execute("update given set amount = -1001 where line = ?", [line])
    with treating_at_once(home_of(lake), made.agreement, KIND) as change:
        if change is None:
            assert {"rows", "minimumGroup"} & made.agreement.terms.keys()
            return
        at_once = lake.folder / f"{next(NUMBERS)}.parquet"
        copy = f"copy ({change(query)}) to '{at_once}' (format parquet)"
        if bad is not None:
            with pytest.raises(duckdb.InvalidInputException, match=KEPT_BACK):
                lake.connection.execute(copy)
            return
        lake.connection.execute(copy)
    assert later is not None
    assert pq.read_table(at_once).equals(pq.read_table(later))


@settings(derandomize=True, deadline=None, max_examples=40)
@given(made=agreements(), rows=tables)
def test_what_an_honest_provider_sends_is_never_refused(
    lake: Any, made: Made, rows: list[Row]
) -> None:
    path = leave(lake, made.agreement, rows)
    if path is None:
        return
    connection = lake.connection
    kind = agreed_kind(made.agreement, KIND)
    connection.execute("drop view incoming")
    connection.execute(
        "create temp view incoming as select file_row_number + 1 as row_no, * exclude "
        f"(file_row_number) from read_parquet('{path}', file_row_number = true)"
    )
    found = judge(connection, "incoming", kind, kind.columns)
    assert found.refused == 0, found.reasons


@settings(derandomize=True, deadline=None, max_examples=40)
@given(made=agreements(), rows=tables, more=st.sampled_from(["rows", "minimumGroup", "ceiling"]))
def test_more_terms_never_reveal_more(lake: Any, made: Made, rows: list[Row], more: str) -> None:
    added = {
        "rows": ("rows", "line >= 3"),
        "minimumGroup": ("minimumGroup", {"size": 2, "by": ["line"]}),
        "ceiling": ("classificationCeiling", "internal"),
    }[more]
    terms = yaml_terms(made.agreement)
    terms.pop(added[0], None)
    looser = read(written(document(terms=terms)))
    stricter = read(written(document(version="2.0.0", terms={**terms, added[0]: added[1]})))
    try:
        require_kind(stricter, KIND)
    except ContractRefused:
        assume(False)
    changes = diff(looser, stricter)
    assert {c.direction for c in changes} <= {Direction.NARROWING, Direction.NEITHER}
    before, after = (shown(leave(lake, a, rows)) for a in (looser, stricter))
    assert after <= before


def yaml_terms(agreement: Agreement) -> dict[str, Any]:
    from tillit import safe_yaml

    terms: dict[str, Any] = safe_yaml.load(agreement.text, what="it")["terms"]
    return terms


def shown(path: Path | None) -> set[tuple[int, str, Any]]:
    """Every cell that left."""
    if path is None:
        return set()
    table: pa.Table = pq.read_table(path)
    return {(row["line"], name, value) for row in table.to_pylist() for name, value in row.items()}
