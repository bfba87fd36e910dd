"""Measure what a home's partners share with it. I/O: the home's ledger and lake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from tillit.exchange.agreements import held
from tillit.exchange.observe import observe_sources
from tillit.home import Home
from tillit.kinds import installed
from tillit.trust.judged import judge
from tillit.trust.records import ALARM, INTERVAL, alarm_rows, interval_rows
from tillit.trust.score import compute, keep
from tillit.trust.show import show
from tillit.trust.terms import Held, reassessments, term_columns

__all__ = ["run_trust"]


def run_trust(
    home: Home, *, now: datetime, progress: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """Take in our own records, measure as of ``now``, keep what was found in the lake, and show it.

    Only agreements that both sides signed count. Running it again with the same ``now`` gives the
    same figures. Raises TableRefused and DatabaseUnavailable.
    """
    # The SQL reads every kind that it knows, whether or not this home exchanges it.
    home.lake.prepare({**installed(), **home.kinds}.values())
    observe_sources(home, now=now)
    agreements = [signed.agreement for signed in held(home) if signed.complete]
    terms = term_columns(map(Held, agreements), home.kinds, home.party_id)
    scores = replace(
        compute(
            home.lake.connection,
            home.transforms,
            terms,
            party=home.party_id,
            now=now,
            progress=progress,
        ),
        reassessments=reassessments(agreements, home.party_id, now=now),
    )
    judged = judge(scores.directions, scores.columns)
    kept = {
        "interval": (INTERVAL, interval_rows(scores, judged)),
        "alarm": (ALARM, alarm_rows(scores, judged)),
    }
    keep(home.lake.connection, kept)
    return show(scores, judged=judged)
