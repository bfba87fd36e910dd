"""Whatever arrives in whatever order: nothing is lost, twice is once, and the past is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lakes import MONDAY, PLAN, incoming, landing, open_lake, server

from tillit.lake import Lake, Landed

WEEK = date(2026, 1, 12)
PARTNERS = ("nordvik", "havglass")


@dataclass(frozen=True)
class Shipment:
    """What one partner says at one time; ``rows`` are item to quantity, ``bad`` are refused."""

    partner: str
    issued_at: datetime
    rows: dict[str, int | None]
    bad: frozenset[str]


@dataclass
class Model:
    """The same rules, by brute force over a list."""

    stored: list[tuple[str, str, int | None, datetime, datetime]] = field(default_factory=list)

    def land(self, shipment: Shipment, arrived_at: datetime) -> Landed:
        accepted = refused = 0
        before = list(self.stored)
        for item, quantity in shipment.rows.items():
            said = [
                q
                for partner, i, q, issued, _ in before
                if (partner, i, issued) == (shipment.partner, item, shipment.issued_at)
            ]
            if item in shipment.bad or any(q != quantity for q in said):
                refused += 1
                continue
            accepted += 1
            if not said:
                self.stored.append(
                    (shipment.partner, item, quantity, shipment.issued_at, arrived_at)
                )
        return Landed(accepted, refused, fresh=True)

    def as_of(self, when: datetime) -> set[tuple[str, str, int | None]]:
        known = [row for row in self.stored if row[4] <= when]
        return {
            (partner, item, quantity)
            for partner, item, quantity, issued, _ in known
            if issued == max(i for p, it, _, i, _ in known if (p, it) == (partner, item))
        }


hours = st.integers(0, 5).map(lambda n: MONDAY + timedelta(hours=n))
items = st.sampled_from("abc")
shipments = st.builds(
    Shipment,
    partner=st.sampled_from(PARTNERS),
    issued_at=hours,
    rows=st.dictionaries(items, st.one_of(st.none(), st.integers(0, 2)), min_size=1, max_size=3),
    bad=st.frozensets(items, max_size=1),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with server() as running, open_lake(running.libpq(), tmp_path_factory.mktemp("home")) as opened:
        opened.prepare([PLAN])
        yield opened


def emptied(lake: Lake) -> None:
    for table in ("landed.plan", "exchange.shipments", "quarantine.refused"):
        lake.connection.execute(f"delete from lake.{table}")


def offer(lake: Lake, shipment: Shipment) -> None:
    rows = [(item, WEEK, quantity) for item, quantity in shipment.rows.items()]
    bad = {n: "bad" for n, (item, *_) in enumerate(rows) if item in shipment.bad}
    incoming(lake.connection, rows, bad)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(shipments, min_size=1, max_size=5))
def test_the_lake_agrees_with_brute_force(lake: Lake, sent: list[Shipment]) -> None:
    emptied(lake)
    model = Model()
    for number, shipment in enumerate(sent):
        arrived_at = MONDAY + timedelta(hours=10 + number)
        parts = landing(
            number,
            issued_at=shipment.issued_at,
            arrived_at=arrived_at,
            partner=shipment.partner,
        )
        offer(lake, shipment)
        landed = lake.land(parts)
        assert landed == model.land(shipment, arrived_at)
        assert landed.accepted + landed.refused == len(shipment.rows)
        offer(lake, shipment)
        again = lake.land(parts)
        assert (again.accepted, again.refused, again.fresh) == (
            landed.accepted,
            landed.refused,
            False,
        )
    count = "select count(*) from landed.plan"
    assert lake.connection.execute(count).fetchall() == [(len(model.stored),)]
    for number in range(-1, len(sent) + 1):
        when = MONDAY + timedelta(hours=10 + number)
        known = lake.as_of(PLAN, when).project("partner, item, quantity").fetchall()
        assert len(known) == len(set(known))
        assert {(p, i, q if q is None else int(q)) for p, i, q in known} == model.as_of(when)
    current = lake.connection.execute("select partner, item, quantity from current.plan").fetchall()
    last = MONDAY + timedelta(days=99)
    assert {(p, i, q if q is None else int(Decimal(q))) for p, i, q in current} == model.as_of(last)
