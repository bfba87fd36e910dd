"""Deliver: from the outbox to partners' mailboxes. I/O: ledger, mailboxes, the home's outbox.

A statement is queued in the transaction that records it. What a crash or an unreachable mailbox
leaves behind is delivered by the next call, in the order of the chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillit.errors import MailboxUnavailable
from tillit.home import Home

__all__ = ["Delivered", "deliver"]


@dataclass(frozen=True)
class Delivered:
    """How many statements went out, and what each unreachable partner's mailbox said."""

    sent: int
    unreachable: tuple[tuple[str, MailboxUnavailable], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing waits any longer."""
        return not self.unreachable


def deliver(home: Home, *, now: datetime, partner: str | None = None) -> Delivered:
    """Put what waits in the outbox where it belongs; one unreachable partner holds up no other.

    Never raises for a mailbox: what could not be delivered stays queued and is told. Of one
    partner, nothing overtakes what could not be delivered.
    """
    if not home.ledger.pending_outbox(partner):
        return Delivered(0)
    # One at a time: a slower second would put back what the partner has taken already.
    with home.database.lock("deliver"):
        return _deliver(home, now, partner)


def _deliver(home: Home, now: datetime, partner: str | None) -> Delivered:
    sent = 0
    unreachable: dict[str, MailboxUnavailable] = {}
    for waiting in home.ledger.pending_outbox(partner):
        if waiting.recipient in unreachable:
            continue
        try:
            home.outgoing(waiting.recipient).deliver(
                waiting.seq, waiting.envelope, waiting.payload_path
            )
        except MailboxUnavailable as error:
            unreachable[waiting.recipient] = error
            continue
        home.ledger.mark_delivered(waiting.digest, now)
        if waiting.payload_path is not None:
            waiting.payload_path.unlink(missing_ok=True)
        sent += 1
    return Delivered(sent, tuple(unreachable.items()))
