"""What lands stays, twice is as good as once, and nothing is lost on the way."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.lakes import MONDAY, PLAN, Server, incoming, landing, open_lake, server

from tillit import places
from tillit.errors import ContractRefused, DatabaseUnavailable, TableRefused
from tillit.kinds import installed
from tillit.lake import Lake, Landed, write_leaving, write_parquet
from tillit.model import Column, Kind
from tillit.warehouse import Transforms, run_checks

WEEK = date(2026, 1, 12)
ROWS: list[tuple[object, ...]] = [("a", WEEK, 1), ("b", WEEK, 2), ("c", WEEK, 3)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def shared(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with open_lake(postgres.libpq(), tmp_path_factory.mktemp("home")) as lake:
        yield lake


@pytest.fixture
def lake(shared: Lake) -> Lake:
    """The module's lake, emptied: opening one costs a second."""
    for table in ("exchange.shipments", "quarantine.refused"):
        shared.connection.execute(f"delete from lake.{table}")
    shared.prepare([PLAN])
    shared.connection.execute("delete from lake.landed.plan")
    shared.connection.execute("delete from lake.own.plan")
    return shared


def rows(lake: Lake, query: str) -> list[tuple[object, ...]]:
    return lake.connection.execute(query).fetchall()


def test_rows_land_with_where_they_came_from(lake: Lake) -> None:
    incoming(lake.connection, ROWS)
    assert lake.land(landing(1)) == Landed(accepted=3, refused=0, fresh=True)
    assert rows(lake, "select item, partner, shipment_id, issued_at from landed.plan order by 1")[
        0
    ] == ("a", "nordvik", landing(1).shipment_id, MONDAY)


def test_good_rows_land_and_refused_ones_are_kept_whole(lake: Lake) -> None:
    incoming(lake.connection, [*ROWS, ("d", WEEK, "12345678901234.567", "é\n'")], {1: "x", 3: "y"})
    assert lake.land(landing(1)) == Landed(accepted=2, refused=2, fresh=True)
    assert rows(lake, "select item from landed.plan order by 1") == [("a",), ("c",)]
    kept = rows(lake, 'select row_no, rules, reasons, "row" from quarantine.refused order by 1')
    assert kept[0][:3] == (1, ["x"], ["because"])
    # As text: as a JSON number it would come back as 12345678901234.566.
    assert json.loads(str(kept[1][3])) == {
        "item": "d",
        "week": "2026-01-12",
        "quantity": "12345678901234.567",
        "note": "é\n'",
    }


def test_rows_are_kept_as_they_came_when_they_could_not_be_read(lake: Lake) -> None:
    incoming(lake.connection, ROWS, {0: "type"})
    lake.connection.execute(
        "create or replace temp table unread as "
        "select row_no, item, week, 'twelve' as quantity from incoming"
    )
    lake.land(landing(1), unread="unread")
    kept = rows(lake, 'select "row" from quarantine.refused')
    assert json.loads(str(kept[0][0]))["quantity"] == "twelve"


def test_landing_twice_is_landing_once(lake: Lake) -> None:
    incoming(lake.connection, ROWS, {2: "x"})
    first = lake.land(landing(1))
    incoming(lake.connection, [("z", WEEK, 9)])
    assert lake.land(landing(1)) == replace(first, fresh=False)
    assert rows(lake, "select count(*) from landed.plan") == [(2,)]
    assert rows(lake, "select count(*) from quarantine.refused") == [(1,)]
    assert lake.landed(landing(1)) == replace(first, fresh=False)
    assert lake.landed(landing(2)) is None


def test_a_landing_that_fails_leaves_nothing(lake: Lake) -> None:
    incoming(lake.connection, ROWS, {7: "there is no row 7"})
    with pytest.raises(TableRefused) as refused:
        lake.land(landing(1))
    assert refused.value.code == "table.query"
    assert rows(lake, "select count(*) from landed.plan") == [(0,)]
    assert rows(lake, "select count(*) from exchange.shipments") == [(0,)]
    incoming(lake.connection, ROWS)
    assert lake.land(landing(1)).fresh


def test_a_text_where_a_number_belongs_is_refused_as_a_type(lake: Lake) -> None:
    incoming(lake.connection, [])
    lake.connection.execute(
        "create or replace temp table incoming as select 0::bigint as row_no, 'a' as item, "
        "date '2026-01-12' as week, 'many' as quantity"
    )
    with pytest.raises(TableRefused) as refused:
        lake.land(landing(1))
    assert refused.value.code == "table.wrong-type"


@pytest.mark.parametrize("name", ["partner", "shipment_id", "surprise"])
def test_a_column_that_the_kind_has_not_is_refused(lake: Lake, name: str) -> None:
    incoming(lake.connection, ROWS)
    lake.connection.execute(f"alter table incoming add column {name} varchar")
    with pytest.raises(TableRefused) as refused:
        lake.land(landing(1))
    assert refused.value.code == "table.extra-column"


# ---- newer wins ------------------------------------------------------------------------------


def test_saying_the_same_again_at_the_same_time_is_accepted_and_stored_once(lake: Lake) -> None:
    incoming(lake.connection, ROWS)
    lake.land(landing(1))
    incoming(lake.connection, [*ROWS, ("d", WEEK, 4)])
    assert lake.land(landing(2)) == Landed(accepted=4, refused=0, fresh=True)
    assert rows(lake, "select count(*) from landed.plan") == [(4,)]


def test_saying_something_else_at_the_same_time_is_refused(lake: Lake) -> None:
    incoming(lake.connection, ROWS)
    lake.land(landing(1))
    changed = [("a", WEEK, 1), ("b", WEEK, 99), ("c", WEEK, None)]
    incoming(lake.connection, changed, {2: "x"})
    assert lake.land(landing(2)) == Landed(accepted=1, refused=2, fresh=True)
    assert rows(lake, "select row_no, rules from refused order by 1") == [
        (1, ["contradictory"]),
        (2, ["x", "contradictory"]),
    ]
    assert rows(lake, "select quantity from landed.plan where item = 'b'")[0][0] == 2


def test_another_partner_cannot_contradict(lake: Lake) -> None:
    incoming(lake.connection, ROWS)
    lake.land(landing(1))
    incoming(lake.connection, [("a", WEEK, 99)])
    assert lake.land(landing(2, partner="havglass")).refused == 0


def test_a_late_vintage_is_stored_and_never_current(lake: Lake) -> None:
    incoming(lake.connection, ROWS)
    lake.land(landing(1, issued_at=MONDAY, arrived_at=MONDAY))
    incoming(lake.connection, [("a", WEEK, 77)])
    lake.land(landing(2, issued_at=MONDAY - timedelta(1), arrived_at=MONDAY + timedelta(1)))
    assert rows(lake, "select count(*) from landed.plan where item = 'a'") == [(2,)]
    assert rows(lake, "select quantity from current.plan where item = 'a'")[0][0] == 1


def test_what_did_we_know_then(lake: Lake) -> None:
    for day, quantity in ((0, 10), (7, 20), (14, 30)):
        incoming(lake.connection, [("a", WEEK, quantity)])
        when = MONDAY + timedelta(days=day)
        lake.land(landing(day, issued_at=when, arrived_at=when + timedelta(hours=6)))
    answers = [
        lake.as_of(PLAN, MONDAY + timedelta(days=day)).project("quantity").fetchall()
        for day in (0, 1, 7, 8, 30)
    ]
    assert [[int(q) for (q,) in rows] for rows in answers] == [[], [10], [10], [20], [30]]


# ---- own observations ------------------------------------------------------------------------


def test_what_we_saw_ourselves_is_taken_once_a_batch(lake: Lake) -> None:
    lake.connection.execute(
        "create or replace temp table seen as select 'a' as item, date '2026-01-12' as week, "
        "1 as quantity, null as note, 'nordvik' as partner, '2026-01-05T03:00:00Z' as recorded_at "
        "union all select 'b', date '2026-01-12', 2, null, 'nordvik', '2026-01-06T00:00:00Z'"
    )
    week = {"since": MONDAY, "until": MONDAY + timedelta(days=1)}
    assert lake.observe(PLAN, "seen", batch="week 2", **week) == 1
    assert lake.observe(PLAN, "seen", batch="week 2", **week) == 0
    assert rows(lake, "select item, partner, agreement_id, arrived_at from own.plan") == [
        ("a", "nordvik", "own", MONDAY + timedelta(hours=3))
    ]
    with pytest.raises(TableRefused):
        lake.observe(PLAN, "nothing of that name", batch="week 3", **week)


# ---- kinds -----------------------------------------------------------------------------------


def versions(name: str) -> tuple[Kind, Kind]:
    old = replace(PLAN, name=name, columns=PLAN.columns[:3])
    wider = Column("quantity", "DECIMAL(24,3)")
    new = replace(
        old, version="1.1.0", columns=(*PLAN.columns[:2], wider, Column("reason", "VARCHAR"))
    )
    return old, new


def test_a_newer_kind_adds_columns_and_widens_types(lake: Lake) -> None:
    old, new = versions("growing")
    lake.prepare([old])
    incoming(lake.connection, ROWS)
    lake.connection.execute("alter table incoming drop column note")
    lake.land(landing(1, kind=old))
    lake.prepare([new])
    assert rows(lake, "select item, quantity, reason, partner from current.growing order by 1") == [
        (item, quantity, None, "nordvik") for item, _, quantity in ROWS
    ]
    assert rows(
        lake, "select typeof(quantity) from as_of.growing(timestamptz '2030-01-01') limit 1"
    ) == [("DECIMAL(24,3)",)]


def test_a_kind_that_would_lose_values_is_refused(lake: Lake) -> None:
    old, _ = versions("shrinking")
    lake.prepare([old])
    text = replace(old, version="2", columns=(*old.columns[:2], Column("quantity", "DATE")))
    with pytest.raises(TableRefused) as refused:
        lake.prepare([text])
    assert refused.value.code in {"table.query", "table.wrong-type"}


@pytest.mark.parametrize(
    "wrong",
    [
        replace(PLAN, name='x"; drop table y; --'),
        replace(PLAN, columns=(*PLAN.columns, Column("Upper", "VARCHAR"))),
        replace(PLAN, columns=(*PLAN.columns, Column("partner", "VARCHAR"))),
        replace(PLAN, columns=(*PLAN.columns, Column("c", "VARCHAR); drop table x; --"))),
        replace(PLAN, columns=PLAN.columns[2:]),
    ],
    ids=["name", "column", "reserved", "type", "no-key"],
)
def test_a_kind_that_no_lake_can_hold_is_refused(lake: Lake, wrong: Kind) -> None:
    with pytest.raises(ContractRefused):
        lake.prepare([wrong])


# ---- the lake itself -------------------------------------------------------------------------


def test_nothing_outside_the_lake_and_the_named_files_can_be_touched(
    postgres: Server, tmp_path: Path
) -> None:
    named, other = tmp_path / "named.csv", tmp_path / "other.csv"
    named.write_text("a\n1\n")
    other.write_text("a\n1\n")
    with open_lake(postgres.libpq(), tmp_path, readable=[str(named)]) as lake:
        run = lake.connection.execute
        assert run(f"select count(*) from '{named}'").fetchall() == [(1,)]
        for statement in (
            f"from '{other}'",
            "from read_text('/etc/passwd')",
            "from glob('/etc/*')",
            "from 'https://example.com/x.parquet'",
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            f"attach '{tmp_path / 'x.duckdb'}'",
            "attach 'host=/tmp dbname=x' as p (type postgres)",
            "install spatial",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
            "set memory_limit = '1TB'",
        ):
            with pytest.raises(Exception, match=r"(?i)disabled|locked|cannot"):
                run(statement)


def test_files_are_encrypted_and_their_folder_can_be_moved(
    postgres: Server, tmp_path: Path
) -> None:
    libpq = postgres.libpq()
    marked = "MARK" * 20
    with open_lake(libpq, tmp_path) as lake:
        incoming(lake.connection, [(marked, WEEK, 1)])
        lake.land(landing(1))
    files = [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
    assert files
    assert not any(marked[:8].encode() in path.read_bytes() for path in files)
    assert all(path.read_bytes()[-4:] == b"PARE" for path in files)  # encrypted footer
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "lake").rename(moved / "lake")
    with open_lake(libpq, moved) as lake:
        assert rows(lake, "select item from landed.plan") == [(marked,)]
        assert not list((tmp_path / "spool").iterdir())


def test_a_lake_that_was_used_keeps_its_own_checks(lake: Lake) -> None:
    lake.prepare(installed().values())
    orders = installed()["order"]
    incoming(lake.connection, [])
    lake.connection.execute(
        "create or replace temp table incoming as "
        "select 1::bigint as row_no, 'PO-1' as order_id, 1 as line"
    )
    lake.land(landing(1, kind=orders))
    incoming(lake.connection, ROWS, {1: "x"})
    lake.land(landing(2))
    checks = [
        check
        for check in Transforms.checks(places.transforms() / "checks")
        if check.model.name.startswith("lake_")
    ]
    assert len(checks) >= 4
    assert run_checks(lake.connection, checks) == ()


def test_a_file_that_may_leave_whole_is_not_written_again(lake: Lake) -> None:
    whole, taken = lake.folder / "whole.parquet", lake.folder / "taken.parquet"
    written = write_parquet(lake.connection, "select 'a' as item, 1 as quantity", whole)
    incoming(lake.connection, [("a", WEEK, 1), ("b", WEEK, 2)])
    item, quantity = {"item": "incoming.item"}, {"quantity": "incoming.quantity"}
    assert write_leaving(lake, item | quantity, taken, whole=whole) == replace(written, path=taken)
    taken.unlink()
    # A column less, another order or a row that stays, and the rows are written anew.
    assert write_leaving(lake, item, taken, whole=whole).rows == 2
    assert write_leaving(lake, quantity | item, taken, whole=whole).rows == 2
    incoming(lake.connection, [("a", WEEK, 1), ("b", WEEK, 2)], {1: "x"})
    left = " anti join refused using (row_no)"
    assert write_leaving(lake, item | quantity, taken, whole=whole, tail=left).rows == 1


def test_compacting_changes_no_answer(lake: Lake) -> None:
    for number in range(5):
        incoming(lake.connection, [(f"i{number}", WEEK, number)])
        lake.land(landing(number, issued_at=MONDAY + timedelta(hours=number)))
    before = rows(lake, "from landed.plan order by item")
    lake.compact()
    assert rows(lake, "from landed.plan order by item") == before
    assert len(before) == 5


def test_what_is_at_hand_is_of_one_moment_and_gone_afterwards(lake: Lake) -> None:
    landed = "select item, arrived_at from landed.plan order by item"
    incoming(lake.connection, ROWS)
    lake.land(landing(1))
    before = rows(lake, landed)
    with lake.at_hand():
        incoming(lake.connection, [("z", WEEK, 9)])
        assert lake.land(landing(2, issued_at=MONDAY + timedelta(hours=1))).accepted == 1
        assert rows(lake, landed) == before
        assert rows(lake, "from own.plan") == []
        (plan,) = rows(lake, f"explain {landed}")
        assert "ducklake" not in str(plan).lower()
    assert [item for item, _ in rows(lake, landed)] == ["a", "b", "c", "z"]
    with pytest.raises(KeyError), lake.at_hand():
        raise KeyError
    assert rows(lake, "from duckdb_tables() where database_name = 'memory'") == []


def test_a_large_lake_is_left_where_it_is(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tillit.lake.at_hand._MOST_ROWS", 2)
    incoming(lake.connection, ROWS)
    lake.land(landing(1))
    with lake.at_hand():
        assert rows(lake, "from duckdb_tables() where database_name = 'memory'") == []
        assert len(rows(lake, "from landed.plan")) == 3


def test_a_password_never_stands_in_an_error(tmp_path: Path) -> None:
    libpq = "host=/nowhere dbname=lake user=u password=hunter2 connect_timeout=1"
    with pytest.raises(DatabaseUnavailable) as unavailable:
        open_lake(libpq, tmp_path)
    told = f"{unavailable.value!r} {unavailable.value} {unavailable.value.__cause__}"
    assert "hunter2" not in told
    assert unavailable.value.code == "database.unreachable"
    assert pickle.loads(pickle.dumps(unavailable.value)).code == unavailable.value.code  # noqa: S301
    assert not list((tmp_path / "spool").iterdir())


def _land_in_a_process(libpq: str, folder: str, number: int) -> tuple[int, bool]:
    with open_lake(libpq, Path(folder)) as lake:
        incoming(lake.connection, ROWS)
        landed = lake.land(landing(number))
        return landed.accepted, landed.fresh


def test_processes_that_land_the_same_shipment_land_it_once(
    postgres: Server, tmp_path: Path
) -> None:
    libpq = postgres.libpq()
    with open_lake(libpq, tmp_path) as lake:
        lake.prepare([PLAN])
        context = multiprocessing.get_context("spawn")
        with context.Pool(2) as pool:
            done = pool.starmap(_land_in_a_process, [(libpq, str(tmp_path), 1)] * 2)
        assert [accepted for accepted, _ in done] == [3, 3]
        assert sorted(fresh for _, fresh in done) == [False, True]
        assert rows(lake, "select count(*) from landed.plan") == [(3,)]
