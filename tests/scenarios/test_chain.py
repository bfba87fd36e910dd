"""The chain between two companies when the mailbox between them is not to be trusted."""

from __future__ import annotations

from datetime import timedelta

from tests.scenarios.pair import Pair

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


def test_what_was_deleted_is_delivered_again(pair: Pair) -> None:
    """Whoever runs the mailbox deletes a shipment; the next one tells that it is missing."""
    pair.buyer.publish("demand_forecast", now=pair.now)
    for path in pair.supplier.waiting():
        path.unlink()
    second = pair.now + WEEK
    pair.buyer.publish("demand_forecast", now=second)
    (held,) = pair.supplier.receive(now=second + HOUR).outcomes
    assert (held.result, held.code) == ("held", "statement.gap")
    pair.buyer.receive(now=second + 2 * HOUR)
    got = pair.supplier.receive(now=second + 3 * HOUR).outcomes
    assert [o.result for o in got] == ["accepted", "accepted"]
    assert pair.supplier.waiting() == []
