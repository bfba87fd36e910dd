from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tillit.demo.model import OWN, World
from tillit.demo.real import flusight_world, real_world, scms_world
from tillit.demo.real_files import (
    FLUSIGHT,
    SCMS,
    STOCK,
    expected_rows,
    party_ids,
    reader,
    teams,
    vendors,
)
from tillit.demo.world_tables import SCHEMAS
from tillit.errors import UsageError
from tillit.model import PARTY_ID, Cadence, Kind
from tillit.quality.queries import cast_query, duplicates_query, judge_query, row_rules
from tillit.quality.rules import load_kind
from tillit.warehouse.models import check_reads, read_model

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
COLUMNS = [
    "ID",
    "Project Code",
    "PO / SO #",
    "ASN/DN #",
    "Country",
    "PO Sent to Vendor Date",
    "Scheduled Delivery Date",
    "Delivered to Client Date",
    "Delivery Recorded Date",
    "Vendor",
    "Item Description",
    "Line Item Quantity",
    "Pack Price",
]
LINES = [
    # id, order, delivery, country, ordered, scheduled, delivered, recorded, vendor, quantity
    (
        "1",
        "PO-1",
        "ASN-1",
        "Vietnam",
        "11/13/06",
        "02-Jan-07",
        "02-Jan-07",
        "04-Jan-07",
        "Big",
        "30",
    ),
    (
        "2",
        "PO-2",
        "ASN-2",
        "Côte d'Ivoire",
        "2003-02-11",
        "25-May-11",
        "26-May-11",
        "26-May-11",
        "Big",
        "5",
    ),
    (
        "3",
        "PO-3",
        "ASN-3",
        "Haiti",
        "Date Not Captured",
        "03-Mar-08",
        "03-Mar-08",
        "03-Mar-08",
        "Small (X)",
        "7",
    ),
    (
        "4",
        "SO-4",
        "DN-4",
        "Haiti",
        "N/A - From RDC",
        "03-Mar-08",
        "03-Mar-08",
        "03-Mar-08",
        STOCK,
        "7",
    ),
    ("5", "PO-5", "ASN-5", "Haiti", "4/1/08", "soon", "03-May-08", "never", "Big", "many"),
    ("6", "PO-6", "ASN-6", "Haiti", "Date Not Captured", "soon", "later", "never", "Tiny", "9"),
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with a few lines of each file, spoilt in every way that the real one is and more."""
    (tmp_path / "scms").mkdir()
    with (tmp_path / SCMS["scms_file"]).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, order, delivery, land, ordered, due, came, noted, vendor, quantity in LINES:
            who = [number, "x", order, delivery, land, ordered, due, came, noted, vendor]
            writer.writerow([*who, "Tablets, 10mg\nbottle", quantity, "1.50"])
    (tmp_path / "flusight").mkdir()
    reference = date(2023, 10, 14)
    forecasts = [
        {
            "reference_date": reference + timedelta(weeks=week),
            "horizon": horizon,
            "target_end_date": reference + timedelta(weeks=week + horizon),
            "location": place,
            "value": 100.0 * quantile + horizon,
            "model": model,
            "quantile": quantile,
        }
        for week in range(3)
        for horizon in (-1, 0, 1)
        for place in ("06", "US")
        for model in ("A_team-One", "B")
        for quantile in (0.1, 0.5, 0.9, 0.975)
        if not (model == "B" and week == 1)
    ]
    pq.write_table(pa.Table.from_pylist(forecasts), tmp_path / FLUSIGHT["flusight_forecast"])
    vintages = [
        {"as_of": as_of, "date": date(2023, 10, 7), "location": "06", "value": value}
        for as_of, value in (
            (date(2023, 10, 7), 10.0),
            (date(2023, 10, 14), 10.0),
            (date(2023, 10, 21), 12.0),
            (date(2023, 10, 28), 10.0),
        )
    ]
    pq.write_table(pa.Table.from_pylist(vintages), tmp_path / FLUSIGHT["flusight_vintage"])
    return tmp_path


@pytest.fixture(scope="module")
def kinds() -> dict[str, Kind]:
    folder = ROOT / "contracts" / "kinds"
    return {k.name: k for p in folder.glob("*.yaml") if (k := load_kind(p.read_bytes()))}


def by_line(world: World, party: str, name: str) -> dict[str, dict]:
    return {str(row["line"]): row for row in world.tables(party)[name].to_pylist()}


def test_days_are_read_and_what_cannot_be_read_keeps_its_words(small: Path) -> None:
    orders = by_line(scms_world(small), "scms", "order")
    assert {number: row["ordered_on"] for number, row in orders.items()} == {
        "1": "2006-11-13",
        "2": "2011-03-02",
        "3": "Date Not Captured",
        "4": "N/A - From RDC",
        "5": "2008-04-01",
        "6": "Date Not Captured",
    }
    assert orders["1"]["requested_date"] == "2007-01-02"
    assert orders["5"]["requested_date"] == "soon"
    assert orders["5"]["quantity"] == "many"
    assert orders["2"]["ship_to"] == "Cote d'Ivoire"


def test_every_line_has_a_moment_at_which_it_is_exchanged(small: Path) -> None:
    world = scms_world(small, largest=1)
    orders = by_line(world, "scms", "order")
    assert orders["1"]["recorded_at"] == datetime(2006, 11, 13, 12, tzinfo=UTC)
    assert orders["3"]["recorded_at"] == datetime(2008, 3, 3, 12, tzinfo=UTC)
    assert orders["6"]["recorded_at"] == datetime(2006, 1, 1, 12, tzinfo=UTC)
    deliveries = by_line(world, "big", "delivery")
    assert deliveries["1"]["recorded_at"] == datetime(2007, 1, 4, 14, tzinfo=UTC)
    assert deliveries["5"]["recorded_at"] == datetime(2008, 5, 3, 14, tzinfo=UTC)
    assert sent(world) == {"order": 6, "delivery_commitment": 5, "delivery": 5}


def test_every_line_belongs_to_somebody(small: Path) -> None:
    world = scms_world(small, largest=1)
    assert [party.id for party in world.parties] == ["scms", "scms-rdc", "big", "other-vendors"]
    owners = {n: row["partner"] for n, row in by_line(world, "scms", "order").items()}
    assert owners == {
        "1": "big",
        "2": "big",
        "3": "other-vendors",
        "4": "scms-rdc",
        "5": "big",
        "6": "other-vendors",
    }
    assert set(world.left_out.values()) == {1}
    assert len(world.left_out) == 2
    behind = {row["name"]: row["party"] for row in world.names.to_pylist()}
    assert behind == {
        "Big": "big",
        "Small (X)": "other-vendors",
        "Tiny": "other-vendors",
        STOCK: "scms-rdc",
    }


def test_rows_of_the_small_file_are_accepted_or_refused(
    small: Path, kinds: dict[str, Kind]
) -> None:
    world = scms_world(small, largest=1)
    refused = {
        (want.kind, row["line"]): rules
        for want in world.wants
        for row, rules in judged(world, want.provider, want.kind, kinds[want.kind], want.consumer)[
            1
        ]
    }
    assert refused["order", "3"] == ["type:ordered_on"]
    assert refused["order", "4"] == ["type:ordered_on"]
    assert set(refused["order", "5"]) == {"type:requested_date", "type:quantity"}
    assert set(refused["order", "6"]) == {"type:ordered_on", "type:requested_date"}
    assert "type:arrived_on" in refused["delivery", "6"]
    assert "type:promised_date" in refused["delivery_commitment", "5"]
    assert not {key for key in refused if key[1] in ("1", "2")}


def test_what_the_buyer_saw_itself_is_typed(small: Path) -> None:
    tables = scms_world(small).tables("scms")
    assert tables[OWN + "order"].schema == SCHEMAS["order"]
    assert tables[OWN + "delivery"].schema == SCHEMAS["delivery"]
    assert tables[OWN + "order"].num_rows == tables[OWN + "delivery"].num_rows == 5
    assert by_line(scms_world(small), "scms", OWN + "order")["5"]["quantity"] is None


def test_forecasts_keep_their_weeks_and_quantiles(small: Path) -> None:
    world = flusight_world(small)
    assert [party.id for party in world.parties] == ["hub", "a-team-one", "b"]
    rows = world.tables("a-team-one")["demand_forecast"].to_pylist()
    first = next(r for r in rows if r["item_id"] == "06" and r["period_start"] == date(2023, 10, 9))
    assert first["recorded_at"] == datetime(2023, 10, 11, 23, tzinfo=UTC)
    assert [float(first[c]) for c in ("quantity_low", "quantity", "quantity_high")] == [10, 50, 90]
    assert all(row["period_start"].weekday() == 0 for row in rows)
    assert world.tables("b")["demand_forecast"].schema == SCHEMAS["demand_forecast"]


def test_a_team_that_missed_a_week_sends_nothing_then(small: Path) -> None:
    world = flusight_world(small)
    assert [[want.provider for want in step.wants] for step in world.steps] == [
        ["a-team-one", "b"],
        ["a-team-one"],
        ["a-team-one", "b"],
    ]
    for step in world.steps:
        for want in step.wants:
            period = Cadence(want.every, want.cut_off_hours).next_due(step.now)
            assert step.receive_at <= period.cut_off
            assert period.start <= step.now < period.end
    assert all(path.is_file() for sql in world.outbound.values() for path in sql.values())


def test_a_teams_own_sql_sends_a_submission_once(small: Path) -> None:
    world = flusight_world(small)
    sql = world.outbound["b"]["demand_forecast"].read_text(encoding="utf-8")
    counts, since = [], datetime(2000, 1, 1, tzinfo=UTC)
    with duckdb.connect() as connection:
        connection.register("source_demand_forecast", world.tables("b")["demand_forecast"])
        for step in world.steps:
            run = {"as_of": step.now, "since": since, "period_start": step.now, "partner": "hub"}
            connection.register("run", pa.Table.from_pylist([run]))
            counts.append(len(connection.execute(sql).fetchall()))
            since = step.now
    assert counts == [6, 0, 6]


def test_actuals_are_known_when_they_were_and_only_changes_are_kept(small: Path) -> None:
    rows = flusight_world(small).tables("hub")[OWN + "order"].to_pylist()
    known = sorted(
        (r["partner"], r["recorded_at"], float(r["quantity"]), r["status"]) for r in rows
    )
    noon = [datetime(2023, 10, 11, 12, tzinfo=UTC) + timedelta(weeks=w) for w in (0, 2, 3)]
    expected = list(zip(noon, (10.0, 12.0, 10.0), ("placed", "changed", "changed"), strict=True))
    assert known == [(team, *one) for team in ("a-team-one", "b") for one in expected]


@pytest.mark.parametrize("file", [*FLUSIGHT.values(), *SCMS.values()])
def test_a_missing_file_is_said(small: Path, file: str) -> None:
    (small / file).unlink()
    with pytest.raises(UsageError, match=re.escape(file)) as caught:
        real_world(small)
    assert caught.value.code == "usage.not-found"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    for ask in (real_world, expected_rows, teams, vendors):
        with pytest.raises(UsageError):
            ask(tmp_path / "nowhere")


def test_both_worlds_run_on_one_clock(small: Path) -> None:
    world = real_world(small)
    times = [step.now for step in world.steps]
    assert times == sorted(times)
    assert len({party.id for party in world.parties}) == len(world.parties) == 8
    assert sent(world) == expected(small)


def test_ids_are_safe_distinct_and_not_taken() -> None:
    names = ["LosAlamos_NAU-CModel_Flu", "Æ & Co. (formerly B)", "3M", "A B", "a-b", "(", "x" * 99]
    ids = party_ids(names, taken=["a-b"])
    assert set(ids) == set(names)
    assert len(set(ids.values())) == len(names)
    assert "a-b" not in ids.values()
    assert all(PARTY_ID.fullmatch(found) for found in ids.values())
    assert ids["LosAlamos_NAU-CModel_Flu"] == "losalamos-nau-cmodel"


def test_sql_reads_and_keeps_what_its_headers_say(small: Path) -> None:
    stems = sorted(path.stem for path in (ROOT / "transforms" / "real").glob("*.sql"))
    models = {stem: read_model(ROOT / "transforms" / "real" / f"{stem}.sql") for stem in stems}
    everybody = [name for name, _ in vendors(small)]
    parties = {"name": everybody, "party": [name[:1] for name in everybody]}
    mapping = pa.table({**parties, "is_stock": [name == STOCK for name in everybody]})
    for files, prefix in ((FLUSIGHT, "flusight"), (SCMS, "scms")):
        with reader(small, files) as found:
            found.give("vendor_party", mapping)
            waiting = [stem for stem in stems if stem.startswith(prefix)]
            while waiting:
                ready = next(s for s in waiting if not set(models[s].reads) & set(waiting))
                waiting.remove(ready)
                check_reads(models[ready])
                rows = found.query(ready).to_pylist()
                keys = {tuple(row[column] for column in models[ready].grain) for row in rows}
                assert len(keys) == len(rows) > 0, ready


# ---- the real folder --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> World:
    if not REAL.is_dir():
        pytest.skip(f"the real data is not there: {REAL.name} beside the project")
    return real_world(REAL)


@pytest.mark.real_data
def test_no_row_of_the_real_files_is_lost(real: World) -> None:
    assert sent(real) == expected(REAL)
    assert expected_rows(REAL) == {
        "flusight/demand_forecast": 14567,
        "scms/order": 5234,
        "scms/delivery_commitment": 2273,
        "scms/delivery": 2273,
    }
    assert set(real.left_out.values()) == {5234 - 2273}


@pytest.mark.real_data
def test_real_rows_are_accepted_or_refused_and_why(real: World, kinds: dict[str, Kind]) -> None:
    accepted: Counter[str] = Counter()
    why: Counter[tuple[str, str]] = Counter()
    for want in real.wants:
        good, refused = judged(real, want.provider, want.kind, kinds[want.kind], want.consumer)
        accepted[want.kind] += good
        why.update((want.kind, rule) for _, rules in refused for rule in rules)
    words = Counter(line["PO Sent to Vendor Date"] for line in lines())
    unread = words["Date Not Captured"] + words["N/A - From RDC"]
    assert why == {
        ("order", "type:ordered_on"): unread,
        ("order", "requested_not_before_ordered"): 1,
    }
    assert accepted == {
        "demand_forecast": 14567,
        "order": 5234 - unread - 1,
        "delivery_commitment": 2273,
        "delivery": 2273,
    }


@pytest.mark.real_data
def test_days_that_a_spreadsheet_turned_round_are_read_the_only_way_that_fits(real: World) -> None:
    turned = {line["ID"] for line in lines() if re.match(r"\d{4}-", line["PO Sent to Vendor Date"])}
    assert len(turned) > 600
    orders = by_line(real, "scms", "order")
    leads = sorted(
        (
            date.fromisoformat(orders[n]["requested_date"])
            - date.fromisoformat(orders[n]["ordered_on"])
        ).days
        for n in turned
    )
    assert leads[0] >= 0
    assert 60 < leads[len(leads) // 2] < 100


def lines() -> list[dict[str, str]]:
    with (REAL / SCMS["scms_file"]).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def expected(folder: Path) -> dict[str, int]:
    return {name.split("/")[1]: count for name, count in expected_rows(folder).items()}


def sent(world: World) -> dict[str, int]:
    """Rows that a want carries in some step, by kind; each at most once."""
    found: Counter[str] = Counter()
    for want in world.wants:
        since = datetime(1, 1, 1, tzinfo=UTC)
        table = world.tables(want.provider)[want.kind].to_pylist()
        for step in world.steps:
            if want in step.wants:
                found[want.kind] += sum(
                    row["partner"] == want.consumer and since <= row["recorded_at"] < step.now
                    for row in table
                )
                since = step.now
    return dict(found)


def judged(
    world: World, party: str, name: str, kind: Kind, partner: str
) -> tuple[int, list[tuple[dict, list[str]]]]:
    """Accepted rows, and the refused with their rules, as both sides' judge has it."""
    table = world.tables(party)[name]
    rows = [row for row in table.to_pylist() if row["partner"] == partner]
    source = pa.Table.from_pylist(rows, schema=table.schema)
    source = source.append_column("row_no", pa.array(range(len(rows)), pa.int64()))
    with duckdb.connect() as connection:
        connection.register("source", source)
        types = [
            (column, sql_type)
            for column, sql_type, *_ in connection.execute("describe source").fetchall()
        ]
        connection.execute(
            "create table incoming as " + cast_query(kind, kind.columns, "source", types)
        )
        broken = connection.execute(
            judge_query(kind, kind.columns, "incoming", unread=True)
        ).fetchall()
        key = next(rule for rule in kind.rules if rule.scope == "key")
        if not name.startswith("demand_forecast"):  # vintages share their keys
            assert not connection.execute(duplicates_query(key, "incoming")).fetchall()
    names = [rule.name for rule in row_rules(kind, kind.columns, unread=True)]
    refused = [(rows[number], [names[code - 1] for code in codes]) for number, codes in broken]
    return len(rows) - len(broken), refused


def test_the_folder_is_read_and_not_written(small: Path) -> None:
    before = {p: p.read_bytes() for p in small.rglob("*") if p.is_file()}
    copy = small.parent / "copy"
    shutil.copytree(small, copy)
    real_world(copy)
    assert {p.relative_to(copy) for p in copy.rglob("*") if p.is_file()} == {
        p.relative_to(small) for p in before
    }
