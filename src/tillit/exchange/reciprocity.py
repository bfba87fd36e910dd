"""What is shared in return: whether it is kept, and telling the partner. I/O: ledger, lake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillit.agreement.terms.reciprocity import in_return_for, overdue
from tillit.errors import AgreementRefused
from tillit.exchange.record import note
from tillit.exchange.standing import require
from tillit.home import Home
from tillit.lake import last_cut_off
from tillit.model import Agreement

__all__ = ["Returned", "require_return", "returned"]


@dataclass(frozen=True)
class Returned:
    """How an agreement in return is kept: cut-offs that passed without what was due.

    ``why`` says what is wrong with the agreement itself, where it is not in force.
    """

    agreement_id: str
    overdue: int
    allowed: int
    why: str | None = None

    @property
    def kept(self) -> bool:
        """Whether publishing goes on."""
        return self.why is None and self.overdue <= self.allowed


def returned(home: Home, agreement: Agreement, now: datetime) -> Returned | None:
    """How what is shared in return of an agreement stands; None when nothing is expected."""
    term = in_return_for(agreement)
    if term is None:
        return None
    try:
        other, _ = require(home, term.agreement, now=now)
    except AgreementRefused as refusal:
        return Returned(term.agreement, 0, term.overdue, why=str(refusal))
    if (other.provider, other.consumer) != (agreement.consumer, agreement.provider):
        return Returned(term.agreement, 0, term.overdue, why="it is between others")
    home.lake.prepare([home.kinds[other.kind]])
    since = last_cut_off(home.lake, other.id, other.provider) or other.start
    return Returned(term.agreement, overdue(other, since=since, now=now), term.overdue)


def require_return(home: Home, agreement: Agreement, now: datetime) -> None:
    """What is shared in return is kept; else AgreementRefused, and the partner is told."""
    found = returned(home, agreement, now)
    if found is None or found.kept:
        return
    refusal = AgreementRefused(
        "reciprocity",
        f"{agreement.id} is in return for {found.agreement_id}, which is not kept",
        expected=f"in force, and at most {found.allowed} of its cadences overdue",
        found=found.why or f"{found.overdue} overdue",
    )
    note(
        home,
        home.ledger,
        refusal,
        now=now,
        about=agreement.id,
        digest=agreement.digest,
        recipient=agreement.consumer,
    )
    raise refusal
