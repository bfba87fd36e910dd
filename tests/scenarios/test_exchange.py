"""A week between two companies that trust each other."""

from __future__ import annotations

from datetime import timedelta

from tests.scenarios.pair import Pair

LATER = timedelta(hours=1)


def test_a_forecast_arrives_is_answered_and_stands_in_both_ledgers(pair: Pair) -> None:
    made = pair.buyer.publish("demand_forecast", now=pair.now)
    assert made.delivered
    assert made.rows > 0

    (outcome,) = pair.supplier.receive(now=pair.now + LATER).outcomes
    assert outcome.code is None
    assert outcome.result == "accepted"
    assert outcome.accepted == made.rows
    assert pair.supplier.waiting() == []

    (answer,) = pair.buyer.receive(now=pair.now + 2 * LATER).outcomes
    assert answer.type == "receipt"
    landed = pair.supplier.rows(
        "select count(*), any_value(shipment_id), any_value(partner) from landed.demand_forecast"
    )
    assert landed == [(made.rows, made.shipment_id, "nordvik")]
