"""A partner is measured by what is agreed at the time; a score says of what it was made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.pair import BUYER, SUPPLIER, Pair, agreement_id
from tests.scenarios.test_terms import agreed, wording

from tillit.exchange.agreements import revoke
from tillit.trust.run import run_trust
from tillit.trust.words import explained

WEEK = timedelta(weeks=1)
FORECAST = agreement_id(BUYER, "demand_forecast")


def shared(pair: Pair) -> None:
    pair.buyer.publish("demand_forecast", now=pair.later())
    pair.supplier.receive(now=pair.later())


def measured(pair: Pair, now: datetime, **how: Any) -> dict[str, Any]:
    (direction,) = run_trust(pair.supplier.home, now=now, **how)["directions"]
    return dict(direction)


def due(direction: dict[str, Any]) -> int:
    return sum(c["due"] for c in direction["columns"] if c["kind"] == "demand_forecast")


def made_of(pair: Pair) -> dict[datetime, dict[str, tuple[int, str]]]:
    found: dict[datetime, dict[str, tuple[int, str]]] = {}
    for as_of, source, rows, digest in pair.supplier.rows(
        "select as_of, source, rows_read, digest from trust.input"
    ):
        found.setdefault(as_of, {})[source] = (rows, digest)
    return found


def test_nothing_is_due_under_what_was_revoked(partners: Pair) -> None:
    shared(partners)
    the_end, long_after = partners.now + 10 * WEEK, partners.now + 18 * WEEK
    before = due(measured(partners, the_end, kept=False))
    unrevoked = due(measured(partners, long_after, kept=False))

    revoke(partners.supplier.home, FORECAST, "Our board has decided so.", now=the_end)
    owed = due(measured(partners, long_after, kept=False))
    assert before < owed < unrevoked  # of some weeks the forecast was due before, and then never


def test_nothing_was_due_before_both_had_signed(partners: Pair) -> None:
    """An agreement may say that it began in 2020; nothing could be shared under it till today."""
    shared(partners)
    agreement = agreed(partners, wording(partners, "from.2020"))
    signed = max(
        entry.recorded_at
        for entry in partners.supplier.statements(type="agreement", agreement=agreement.id)
    )
    assert agreement.start.year == 2020
    measured(partners, partners.later(), kept=False)
    begins = partners.supplier.rows(
        "select distinct starts_at from agreement_columns where agreement_id = ?", [agreement.id]
    )
    assert begins == [(signed,)]


def test_a_run_says_of_what_it_was_made(partners: Pair) -> None:
    shared(partners)
    first = partners.later()
    measured(partners, first)
    second = partners.later()
    measured(partners, second)
    kept = made_of(partners)
    assert kept[first] == kept[second]
    assert kept[first]["landed.demand_forecast"][0] == partners.supplier.landed()
    assert {"queries", "terms", "exchange.shipments"} <= set(kept[first])

    partners.buyer.publish("demand_forecast", now=partners.later(WEEK))
    partners.supplier.receive(now=partners.later())
    third = partners.later()
    young = measured(partners, third)
    changed = {name for name, told in made_of(partners)[third].items() if told != kept[first][name]}
    assert {"landed.demand_forecast", "exchange.shipments"} <= changed
    assert not changed & {"queries", "terms", "landed.order"}

    sections = explained(young)
    assert sections[0].title.startswith(f"{BUYER} to {SUPPLIER}")
    columns = next(s for s in sections if s.title.startswith("Column by column"))
    quantity = next(row for row in columns.rows if row[0] == "demand_forecast.quantity")
    assert dict(zip(columns.head, quantity, strict=True))["bits a cell"] == "too few"
