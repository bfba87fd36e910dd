"""What is deleted is gone: no row, no file that held one, no key of such a file, no trace."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import psycopg2
import pytest
from tests.lakes import MONDAY, PLAN, Server, incoming, landing, open_lake, server

from tillit import places
from tillit.errors import DatabaseUnavailable
from tillit.lake import Holding, store
from tillit.lake import deletion as module
from tillit.warehouse import Transforms, run_checks

WEEK = date(2026, 1, 12)
LATER = MONDAY + timedelta(days=400)


class Home:
    """A lake with its catalog and its files, looked at from outside as well."""

    def __init__(self, libpq: str, folder: Path) -> None:
        self.libpq, self.folder = libpq, folder
        self.lake = open_lake(libpq, folder)

    def land(self, number: int, *, odd: bool = True) -> None:
        """Ten good rows and, unless not ``odd``, one that is refused, all telling their number."""
        rows: list[tuple[object, ...]] = [
            (f"item-{number}-{i}", WEEK, 1000 * number + i, f"note-{number}") for i in range(10)
        ]
        rows.append((f"item-{number}-bad", WEEK, -number, f"note-{number}"))
        incoming(self.lake.connection, rows if odd else rows[:-1], {10: "rule"} if odd else {})
        self.lake.land(landing(number, issued_at=MONDAY + timedelta(days=number)))

    def holding(self, number: int) -> Holding:
        wanted = landing(number).shipment_id
        (found,) = [h for h in self.lake.holdings() if h.shipment_id == wanted]
        return found

    def delete(self, *numbers: int) -> list[int | None]:
        return [self.lake.delete(self.holding(number), now=LATER) for number in numbers]

    def left(self) -> set[str]:
        """Shipments of which something can be asked."""
        found = self.lake.connection.execute(
            "select shipment_id from landed.plan union select shipment_id from quarantine.refused"
        ).fetchall()
        return {str(shipment_id).rpartition(".")[2] for (shipment_id,) in found}

    def files(self) -> set[Path]:
        return set(self.folder.joinpath("lake").rglob("*.parquet"))

    def catalog(self, query: str) -> list[tuple[object, ...]]:
        connection = psycopg2.connect(self.libpq)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        finally:
            connection.close()

    def keys(self) -> dict[str, str]:
        """The key of each file that the catalog knows, with the name of the file."""
        found = self.catalog(
            "select encryption_key, path from ducklake_data_file "
            "union all select encryption_key, path from ducklake_delete_file"
        )
        return {str(key): str(path) for key, path in found}

    def told(self) -> str:
        """All that the catalog says in the clear, as one text."""
        tables = self.catalog(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
        return "\n".join(
            str(row) for (table,) in tables for row in self.catalog(f'select * from "{table}"')
        )


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture
def home(postgres: Server, tmp_path: Path) -> Iterator[Home]:
    made = Home(postgres.libpq(), tmp_path)
    yield made
    made.lake.close()


def assert_gone(home: Home, number: int, keys: dict[str, str]) -> None:
    """Nothing of a shipment is left but the record that it was there; ``keys`` are from before."""
    assert str(number) not in home.left()
    assert home.lake.connection.execute(
        "select count(*) from landed.plan where item like ?", [f"item-{number}-%"]
    ).fetchall() == [(0,)]
    known = home.keys()
    assert not (keys.keys() & known.keys())
    on_disk = {path.name for path in home.files()}
    assert not (set(keys.values()) & on_disk)
    # Every file on the disk is one that the catalog knows, and the other way round.
    assert on_disk == {name.rpartition("/")[2] for name in known.values()}
    assert f"item-{number}-" not in home.told()
    assert f"note-{number}" not in home.told()
    assert len(home.catalog("select * from ducklake_snapshot")) == 1
    assert home.catalog("select * from ducklake_files_scheduled_for_deletion") == []


# The third is an extreme of its columns; the second is in the middle of its file.
@pytest.mark.parametrize(("which", "compacted"), [(3, False), (3, True), (2, True)])
def test_a_shipment_is_deleted_and_the_others_stay(home: Home, which: int, compacted: bool) -> None:
    for number in (1, 2, 3):
        home.land(number)
    # One file for all rows, or one for each shipment, which goes with its file.
    if compacted:
        home.lake.compact()
        held = home.keys()
    else:
        before = home.keys()
        names = home.lake.connection.execute(
            "select distinct filename from landed.plan where shipment_id = ? union all "
            "select distinct filename from quarantine.refused where shipment_id = ?",
            [landing(which).shipment_id] * 2,
        ).fetchall()
        files = {str(name).rpartition("/")[2] for (name,) in names}
        held = {key: name for key, name in before.items() if name in files}
    assert len(held) == 2
    assert which == 2 or f"note-{which}" in home.told()  # the catalog knows it, in the clear

    assert home.delete(which) == [11]
    home.lake.destroy_deleted()

    assert_gone(home, which, held)
    others = {1, 2, 3} - {which}
    assert home.left() == {str(number) for number in others}
    counted = home.lake.connection.execute(
        "select shipment_id[-1:], count(*), min(quantity), max(item), count(distinct note) "
        "from landed.plan group by all order by all"
    ).fetchall()
    assert counted == [
        (str(number), 10, 1000 * number, f"item-{number}-9", 1) for number in sorted(others)
    ]


def test_what_stays_known_is_a_record(home: Home) -> None:
    home.land(1)
    before = home.holding(1)
    assert (before.rows, before.deleted_rows, before.deleted_at) == (11, None, None)
    home.delete(1)
    home.lake.destroy_deleted()
    after = home.holding(1)
    assert (after.rows, after.deleted_rows, after.deleted_at) == (11, 11, LATER)
    assert home.lake.landed(landing(1)) is not None
    assert home.left() == set()
    # Rows are refused and none is in quarantine: that is as agreed, and no finding.
    checks = [
        check
        for check in Transforms.checks(places.transforms() / "checks")
        if check.model.name == "lake_every_refused_row_is_kept"
    ]
    assert run_checks(home.lake.connection, checks) == ()
    # What lands is found, also by a condition: the extremes that are known are the right ones.
    home.land(2)
    assert home.lake.connection.execute(
        "select count(*) from landed.plan where item = 'item-2-3' and quantity > 2000"
    ).fetchall() == [(1,)]


def test_a_shipment_that_was_deleted_does_not_land_again(home: Home) -> None:
    home.land(1)
    home.delete(1)
    home.lake.destroy_deleted()
    home.land(1)
    assert home.left() == set()
    assert home.delete(1) == [None]


def test_it_is_not_there_as_of_any_time(home: Home) -> None:
    for number in (1, 2):
        home.land(number)
    between = MONDAY + timedelta(days=1, hours=1)
    assert len(home.lake.as_of(PLAN, between).fetchall()) == 10
    (version,) = home.lake.connection.execute(
        "select max(snapshot_id) from ducklake_snapshots('lake')"
    ).fetchall()[0]
    home.delete(1)
    assert len(home.lake.as_of(PLAN, between).fetchall()) == 0
    travel = f"select count(*) from landed.plan at (version => {version})"
    assert home.lake.connection.execute(travel).fetchall() == [(20,)]
    home.lake.destroy_deleted()
    with pytest.raises(Exception, match="No snapshot found"):
        home.lake.connection.execute(travel)


def test_single_values_in_marts_go_too(home: Home) -> None:
    home.land(1)
    home.lake.connection.execute("create table lake.trust.cell as select 'note-1' as f")
    home.lake.connection.execute("create table lake.trust.direction_week as select 7 as score")
    held = {key: name for key, name in home.keys().items() if "direction" not in name}
    home.delete(1)
    home.lake.destroy_deleted()
    assert "note-1" not in home.told()
    assert len(held.keys() & home.keys().keys()) == 1  # that of the score
    assert home.lake.connection.execute("from trust.direction_week").fetchall() == [(7,)]


def test_another_process_lands_meanwhile(home: Home) -> None:
    for number in (1, 2, 3):
        home.land(number)
    home.lake.compact()
    with open_lake(home.libpq, home.folder) as other:
        other.prepare([PLAN])
        other.connection.begin()
        other.connection.execute(
            "insert into lake.landed.plan (item, week, quantity, partner, shipment_id) "
            "values ('zzz', '2026-01-12', 99999, 'havglass', 'x.9')"
        )
        home.delete(2)
        module.destroy_files(home.lake.connection)
        other.connection.commit()
        home.lake.destroy_deleted()
    assert home.left() == {"1", "3", "9"}
    assert home.lake.connection.execute(
        "select item from landed.plan where quantity > 50000"
    ).fetchall() == [("zzz",)]


def test_a_question_whose_files_vanish_is_to_be_asked_again(home: Home) -> None:
    home.land(1)
    home.land(2)
    home.lake.compact()
    with open_lake(home.libpq, home.folder) as other:
        other.prepare([PLAN])
        asked = 0

        def ask() -> list[tuple[object, ...]]:
            nonlocal asked
            asked += 1
            other.connection.execute("select count(*) from ducklake_snapshots('lake')")
            if asked == 1:
                home.delete(1)
                home.lake.destroy_deleted()
            return other.connection.execute("select distinct note from landed.plan").fetchall()

        # Its transaction began before; the second attempt sees what there is.
        assert other._transact("asking", ask) == [("note-2",)]
        assert asked == 2


def test_somebody_who_reads_the_catalog_for_long_delays_it(home: Home) -> None:
    home.land(1)
    home.delete(1)
    reader = psycopg2.connect(home.libpq)
    try:
        reader.cursor().execute("select * from ducklake_data_file")
        with pytest.raises(DatabaseUnavailable) as busy:
            home.lake.destroy_deleted()
        assert busy.value.code == "database.lock-timeout"
    finally:
        reader.close()
    home.lake.destroy_deleted()


def _delete_until(libpq: str, folder: Path, step: str) -> None:
    """Delete shipment 2 and die just before a step."""

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module if step == "_extremes" else store, step, die)
    home = Home(libpq, folder)
    home.delete(2)
    home.lake.destroy_deleted()


@pytest.mark.parametrize("step", ["delete_rows", "destroy_files", "_extremes"])
def test_killed_anywhere_it_is_finished_the_next_time(home: Home, step: str) -> None:
    for number in (1, 2, 3):
        home.land(number)
    home.lake.compact()
    held = home.keys()
    process = multiprocessing.get_context("spawn").Process(
        target=_delete_until, args=(home.libpq, home.folder, step)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert home.delete(2) == [11 if step == "delete_rows" else None]
    home.lake.destroy_deleted()
    assert_gone(home, 2, held)
    assert home.left() == {"1", "3"}


def test_a_lake_of_before_learns_to_remember_what_it_deleted(home: Home) -> None:
    home.land(1)
    run = home.lake.connection.execute
    run("drop table lake.exchange.deletions")
    home.lake.close()
    connection = psycopg2.connect(home.libpq)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "delete from ducklake_metadata where scope = 'table' and scope_id not in "
            "(select table_id from ducklake_table where table_name = 'shipments')"
        )
    connection.close()
    home.lake = open_lake(home.libpq, home.folder)
    assert home.delete(1) == [11]
