"""What an auditor asks: whether the ledger holds, and what it says. I/O: reads ledger and lake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from tillit.agreement.life import Life
from tillit.crypto import dsse
from tillit.exchange.standing import lives
from tillit.home import Home
from tillit.ledger.fsck import Report
from tillit.ledger.fsck import verify_ledger as audit
from tillit.ledger.statement import IN_TOTO
from tillit.model import Agreement
from tillit.warehouse import open_audit

__all__ = ["VIEWS", "in_their_time", "open_views", "verify_ledger"]

VIEWS = (
    *("deletion", "punctuality", "refusal", "shared_column", "shipment", "turned_away", "use"),
)
"""The auditor's views: what happened, and no row of a partner."""

_DUE = frozenset({"punctuality"})
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def open_views(home: Home, names: Collection[str], *, now: datetime) -> None:
    """Make the auditor's views over ledger and lake, if any of them is asked for.

    What was due is worked out only for those that tell of it: every agreement's signatures are
    verified for that. Raises TableRefused and DatabaseUnavailable.
    """
    if not names:
        return
    due = in_their_time(lives(home).values()) if _DUE & set(names) else ()
    open_audit(home.lake.connection, home.transforms, due, since=_LONG_AGO, until=now)


def in_their_time(found: Iterable[Life]) -> Iterator[Agreement]:
    """Versions that both signed, each ending where a newer one began or somebody revoked it."""
    for life in found:
        signed = [version for version in life.versions.values() if version.complete]
        for version, *newer in (signed[place:] for place in range(len(signed))):
            ends = [
                version.agreement.end,
                *(later.agreement.start for later in newer),
                *(event.at for event in version.revoked),
            ]
            yield replace(version.agreement, end=min(ends))


def verify_ledger(home: Home) -> Report:
    """Verify every digest, signature, link and witness; what does not hold is in the report.

    Signatures of all generations of a party's keys count, for a ledger is older than its keys.
    Raises DatabaseUnavailable.
    """

    def verify(envelope: bytes, author: str) -> bytes:
        keys = home.party(author).keys
        return dsse.verify(envelope, {author: keys}, IN_TOTO, required=[author]).payload

    return audit(home.database.engine("ledger"), home.party_id, verify)
