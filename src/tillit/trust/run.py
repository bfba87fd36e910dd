"""Measure what a home's partners share with it. I/O: the home's ledger and lake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from tillit.agreement.life import revocation
from tillit.exchange.agreements import held
from tillit.exchange.observe import observe_sources
from tillit.exchange.standing import lives
from tillit.home import Home
from tillit.kinds import installed
from tillit.trust.inputs import INPUT, inputs
from tillit.trust.judged import judge
from tillit.trust.records import ALARM, INTERVAL, alarm_rows, interval_rows
from tillit.trust.score import compute, keep, models
from tillit.trust.show import show
from tillit.trust.terms import Held, reassessments, term_columns

__all__ = ["run_trust"]


def run_trust(
    home: Home,
    *,
    now: datetime,
    since: date | None = None,
    kept: bool = True,
    band: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Take in our own records, measure as of ``now``, keep what was found in the lake, and show it.

    Only agreements that both sides signed count, and none from when it was revoked. Running it
    again with the same ``now`` gives the same figures. Scores are compared with the week of
    ``since``, or with a quarter before; a ``band`` is how sure they were over the year. Nothing is
    ``kept`` of a look back at an earlier day: the marts stay those of the newest. Raises
    TableRefused and DatabaseUnavailable.
    """
    # The SQL reads every kind that it knows, whether or not this home exchanges it.
    home.lake.prepare({**installed(), **home.kinds}.values())
    observe_sources(home, now=now)
    connection = home.lake.connection
    agreements = [signed.agreement for signed in held(home) if signed.complete]
    signed, ended = _when(home, now)
    terms = term_columns(
        [Held(a, signed.get(a.digest), ended.get(a.digest)) for a in agreements],
        home.kinds,
        home.party_id,
    )
    made_of: tuple[dict[str, Any], ...] = ()
    with home.lake.at_hand():
        scores = replace(
            compute(
                connection, home.transforms, terms, party=home.party_id, now=now, progress=progress
            ),
            reassessments=reassessments(agreements, home.party_id, now=now),
        )
        if kept:
            queries = models(home.transforms)
            version = scores.version
            made_of = tuple(inputs(connection, queries, terms, as_of=now, definition=version))
    judged = judge(scores.directions, scores.columns, since=since, band=band)
    if kept:
        added = {
            "interval": (INTERVAL, interval_rows(scores, judged)),
            "alarm": (ALARM, alarm_rows(scores, judged)),
            "input": (INPUT, made_of),
        }
        keep(connection, added)
    return show(scores, judged=judged)


def _when(home: Home, now: datetime) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """Since when each text has both signatures, and from when it was taken back, by digest."""
    versions = [
        (digest, version)
        for life in lives(home).values()
        for digest, version in life.versions.items()
    ]
    signed = {
        digest: max(event.at for event in version.signed.values())
        for digest, version in versions
        if version.complete
    }
    ended = {
        digest: event.at
        for digest, version in versions
        for event in [revocation(version, now)]
        if event is not None
    }
    return signed, ended
