"""The independent auditor's report on a home's ledger. I/O: the ledger's database."""

from __future__ import annotations

from tillit.crypto import dsse
from tillit.home import Home
from tillit.ledger.fsck import Report
from tillit.ledger.fsck import verify_ledger as audit
from tillit.ledger.statement import IN_TOTO

__all__ = ["verify_ledger"]


def verify_ledger(home: Home) -> Report:
    """Verify every digest, signature, link and witness; what does not hold is in the report.

    Signatures of all generations of a party's keys count, for a ledger is older than its keys.
    Raises DatabaseUnavailable.
    """

    def verify(envelope: bytes, author: str) -> bytes:
        keys = home.party(author).keys
        return dsse.verify(envelope, {author: keys}, IN_TOTO, required=[author]).payload

    return audit(home.database.engine("ledger"), home.party_id, verify)
