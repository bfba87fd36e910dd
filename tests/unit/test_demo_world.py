from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tillit.demo.model import OWN, World, write_tables
from tillit.demo.world import simulate
from tillit.demo.world_cast import BUYER, DEFAULT_CAST
from tillit.demo.world_clock import LEAD_WEEKS
from tillit.demo.world_planted import KEYS
from tillit.demo.world_tables import SCHEMAS
from tillit.errors import ConfigError
from tillit.model import Cadence, Kind
from tillit.quality.queries import judge_query, row_rules
from tillit.quality.rules import load_kind

SEED = 7
KINDS = Path(__file__).resolve().parents[2] / "contracts" / "kinds"
SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.int32(): "INTEGER",
    pa.date32(): "DATE",
    pa.decimal128(18, 3): "DECIMAL(18,3)",
    pa.decimal128(18, 4): "DECIMAL(18,4)",
}


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(seed=SEED)


@pytest.fixture(scope="module")
def kinds() -> dict[str, Kind]:
    return {
        k.name: k for p in KINDS.glob("*.yaml") if (k := load_kind(p.read_bytes())).name in KEYS
    }


def rows(world: World, party: str, name: str, partner: str | None = None) -> list[dict]:
    table = world.tables(party)[name]
    if partner is not None:
        table = table.filter(pc.equal(table["partner"], partner))
    return table.to_pylist()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for run in ("a", "b", "c"):
        folder = tmp_path / run
        folder.mkdir()
        again = simulate(seed=SEED + (run == "c"), weeks=12)
        for party in again.parties:
            (folder / party.id).mkdir()
            write_tables(again, party.id, folder / party.id)
        written.append(
            {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}
        )
    assert written[0] == written[1]
    assert written[0] != written[2]
    assert pq.read_table(tmp_path / "a" / "nordvik" / "order.parquet").num_rows > 0


def test_one_supplier_less_does_not_change_the_others() -> None:
    all_of_them = simulate(seed=SEED, weeks=12)
    without = simulate(seed=SEED, weeks=12, suppliers=DEFAULT_CAST[:2])
    for supplier in DEFAULT_CAST[:2]:
        assert dict(all_of_them.tables(supplier.id)) == dict(without.tables(supplier.id))


def test_what_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(ConfigError):
        simulate(seed=1, weeks=7)
    with pytest.raises(ConfigError):
        simulate(seed=1, suppliers=(DEFAULT_CAST[0], DEFAULT_CAST[0]))


def test_schemas_are_those_of_the_contracts(kinds: dict[str, Kind]) -> None:
    assert set(SCHEMAS) == set(kinds)
    for name, kind in kinds.items():
        ours = [(f.name, SQL_TYPES.get(f.type)) for f in SCHEMAS[name]]
        assert [column for column, _ in ours[-2:]] == ["partner", "recorded_at"]
        ours = ours[:-2]
        assert sorted(ours) == sorted((c.name, c.sql_type) for c in kind.columns)
        assert KEYS[name] == kind.key


def test_only_planted_rows_break_rules_and_all_of_them_do(
    world: World, kinds: dict[str, Kind]
) -> None:
    broken: Counter[tuple] = Counter()
    for party in world.parties:
        for name, table in world.tables(party.id).items():
            kind = kinds[name.removeprefix(OWN)]
            found = judged(table, kind)
            if name.startswith(OWN):
                assert not found
            for row, rules in found:
                key = "|".join(str(row[column]) for column in kind.key)
                for rule in rules:
                    broken[party.id, name, key, row["recorded_at"], rule] += 1
    planted = {
        (p["party"], p["kind"], p["key"], p["recorded_at"], p["rule"])
        for p in world.planted.to_pylist()
    }
    assert len(planted) >= 8 * len(DEFAULT_CAST)
    assert {p for p in planted if p[4] != "key"} <= set(broken)
    assert {b[:4] for b in broken} <= {p[:4] for p in planted}
    kinds_spoilt = {p["kind"] for p in world.planted.to_pylist()}
    assert kinds_spoilt == set(SCHEMAS)


def judged(table: pa.Table, kind: Kind) -> list[tuple[dict, list[str]]]:
    numbered = table.append_column("row_no", pa.array(range(len(table)), pa.int64()))
    with duckdb.connect() as connection:
        connection.register("judged", numbered)
        found = connection.execute(judge_query(kind, kind.columns, "judged")).fetchall()
    everything = table.to_pylist()
    names = [rule.name for rule in row_rules(kind, kind.columns)]
    return [(everything[number], [names[code - 1] for code in codes]) for number, codes in found]


def test_two_rows_claim_a_key_in_one_shipment_only_where_planted(world: World) -> None:
    twice = {
        (p["party"], p["partner"], p["kind"], p["key"])
        for p in world.planted.to_pylist()
        if p["rule"] == "key"
    }
    assert len(twice) == len(DEFAULT_CAST)
    found = set()
    for want in world.wants:
        if want.kind == "demand_forecast" or want.kind not in world.tables(want.provider):
            continue
        since = datetime.min.replace(tzinfo=world.start.tzinfo)
        sent = rows(world, want.provider, want.kind, want.consumer)
        for step in world.steps:
            if want not in step.wants:
                continue
            count = Counter(
                "|".join(str(row[column]) for column in KEYS[want.kind])
                for row in sent
                if since <= row["recorded_at"] < step.now
            )
            since = step.now
            found |= {
                (want.provider, want.consumer, want.kind, k) for k, n in count.items() if n > 1
            }
    assert found == twice


def test_every_step_serves_a_period_of_its_own_before_the_cut_off(world: World) -> None:
    assert len(world.steps) == 56
    served: set[tuple] = set()
    for step in world.steps:
        assert len(set(step.wants)) == len(step.wants)
        for want in step.wants:
            period = Cadence(want.every, want.cut_off_hours).next_due(step.now)
            assert period.cut_off >= step.receive_at
            assert (want, period.start) not in served
            served.add((want, period.start))
            if want.kind == "demand_forecast":
                ordering = period.start - timedelta(weeks=LEAD_WEEKS)
                assert step.receive_at < ordering
            else:
                assert period.start <= step.now < period.end


def test_nothing_is_recorded_after_the_end_and_everything_is_sent(world: World) -> None:
    last: dict = {}
    for step in world.steps:
        for want in step.wants:
            last[want] = step.now
    for want in world.wants:
        for row in rows(world, want.provider, want.kind, want.consumer):
            assert row["recorded_at"] < last[want] <= world.end


def test_forecasts_come_before_the_orders_that_they_foresee(world: World) -> None:
    placed = {
        (
            row["item_id"],
            row["requested_date"] - timedelta(days=row["requested_date"].weekday()),
        ): row["recorded_at"]
        for row in rows(world, BUYER.id, OWN + "order")
    }
    for row in rows(world, BUYER.id, "demand_forecast"):
        order = placed.get((row["item_id"], row["period_start"]))
        assert order is None or row["recorded_at"] < order


def test_commitments_follow_orders_and_working_hours_are_kept(world: World) -> None:
    placed = {
        (row["order_id"], row["line"]): row["recorded_at"]
        for row in rows(world, BUYER.id, OWN + "order")
    }
    for supplier in DEFAULT_CAST:
        for row in rows(world, supplier.id, "delivery_commitment"):
            assert placed[row["order_id"], row["line"]] < row["recorded_at"]
    for party in world.parties:
        for name, table in world.tables(party.id).items():
            for when in table["recorded_at"].to_pylist():
                assert when.weekday() < 5, (party.id, name)
                assert 7 <= when.hour <= 15, (party.id, name)


def error_of_forecasts(world: World, supplier: str, half: int) -> float:
    """Root mean square of relative error of the nearest forecast that was in time."""
    ordered = {
        (
            row["item_id"],
            row["requested_date"] - timedelta(days=row["requested_date"].weekday()),
        ): float(row["quantity"])
        for row in rows(world, BUYER.id, OWN + "order", supplier)
    }
    told = {
        (row["item_id"], row["period_start"]): float(row["quantity"])
        for row in rows(world, BUYER.id, "demand_forecast", supplier)
        if row["quantity"] > 0 and row["unit"] != "BOX"
    }
    middle = sorted(day for _, day in ordered)[len(ordered) // 2]
    errors = [
        told[key] / ordered[key] - 1
        for key in ordered
        if key in told and (key[1] >= middle) == half
    ]
    return float(np.sqrt(np.mean(np.square(errors))))


def kept(world: World, supplier: str, half: int) -> float:
    """Order lines that came in time and in full against the first promise."""
    first: dict = {}
    for row in rows(world, supplier, "delivery_commitment"):
        if row["promised_date"] and row["promised_quantity"] > 0:
            first.setdefault((row["order_id"], row["line"]), row)
    came = rows(world, BUYER.id, OWN + "delivery", supplier)
    middle = sorted(row["order_id"] for row in came)[len(came) // 2]
    good = []
    for row in came:
        if (row["order_id"] >= middle) != half:
            continue
        promise = first.get((row["order_id"], row["line"]))
        good.append(
            promise is not None
            and row["arrived_on"] <= promise["promised_date"]
            and row["accepted_quantity"] >= promise["promised_quantity"]
        )
    return sum(good) / len(good)


def raised(world: World, party: str, partner: str, half: int) -> int:
    middle = world.steps[len(world.steps) // 2].now
    return sum(
        row["status_no"] == 1 and (row["recorded_at"] >= middle) == half
        for row in rows(world, party, "complaint", partner)
    )


def promises(world: World, supplier: str, half: int) -> dict[tuple[str, int], list[Any]]:
    """Promises by order line, of lines ordered in that half, with the weeks at its edges left out."""
    weeks = len(world.steps)
    first, last = half * weeks // 2, (half + 1) * weeks // 2 - 4
    numbers = range(10_000 + first, 10_000 + last)
    found: dict[tuple[str, int], list[Any]] = {
        (row["order_id"], row["line"]): []
        for row in rows(world, "nordvik", OWN + "order", supplier)
        if int(row["order_id"].rpartition("-")[2]) in numbers
    }
    for row in rows(world, supplier, "delivery_commitment"):
        if (row["order_id"], row["line"]) in found:
            found[row["order_id"], row["line"]].append(row)
    return found


def answered(world: World, supplier: str, half: int) -> float:
    """The share of order lines that got a promise."""
    made = promises(world, supplier, half)
    return sum(bool(some) for some in made.values()) / len(made)


def spoken_of(world: World, supplier: str, half: int) -> float:
    """The share of order lines of which a trouble was told before it hurt."""
    made = promises(world, supplier, half)
    told = (any(row["status"] == "changed" for row in some) for some in made.values())
    return sum(told) / len(made)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_stories_are_in_the_data(seed: int) -> None:
    world = simulate(seed=seed)
    opens, quiet, inflates, milks = "fjordstal", "havglass", "brattplast", "elvkabel"

    assert error_of_forecasts(world, quiet, 1) > 1.4 * error_of_forecasts(world, quiet, 0)
    assert kept(world, quiet, 0) > kept(world, quiet, 1) + 0.25
    assert raised(world, "nordvik", quiet, 0) > 0 == raised(world, "nordvik", quiet, 1)
    assert raised(world, quiet, "nordvik", 1) == 0

    assert error_of_forecasts(world, opens, 1) < 0.7 * error_of_forecasts(world, opens, 0)
    assert spoken_of(world, opens, 1) > spoken_of(world, opens, 0) + 0.05
    # As punctual as before, and nothing in it.
    assert min(answered(world, milks, 0), answered(world, milks, 1)) > 0.95
    assert spoken_of(world, milks, 0) > 0.1
    assert spoken_of(world, milks, 1) == 0

    assert max(kept(world, inflates, 0), kept(world, inflates, 1)) < 0.4
    promised = {
        (row["order_id"], row["line"]): row["promised_quantity"]
        for row in rows(world, inflates, "delivery_commitment")
        if row["promised_quantity"] and row["promised_quantity"] > 0
    }
    over = [
        float(promised[key] / row["quantity"])
        for row in rows(world, "nordvik", OWN + "delivery", inflates)
        if (key := (row["order_id"], row["line"])) in promised
    ]
    assert np.mean(over) > 1.2
    assert {fact.who for fact in world.story} == {s.id for s in DEFAULT_CAST}


def test_the_plan_knows_what_history_does_not(world: World) -> None:
    """A forecast in time beats the last order known when it was due."""
    for supplier in ("fjordstal", "elvkabel", "brattplast"):
        ordered: dict = {}
        for row in rows(world, BUYER.id, OWN + "order", supplier):
            ordered.setdefault(row["item_id"], []).append(float(row["quantity"]))
        naive = np.concatenate([np.diff(q) / np.array(q[1:]) for q in ordered.values()])
        errors = [error_of_forecasts(world, supplier, half) for half in (0, 1)]
        assert max(errors) < 0.8 * np.sqrt(np.mean(naive**2))
