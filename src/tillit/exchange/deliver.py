"""Deliver: from the outbox to partners' mailboxes. I/O: ledger, mailboxes, the home's outbox.

A statement is queued in the transaction that records it. What a crash or an unreachable mailbox
leaves behind is delivered by the next call, in the order of the chain. A sealed payload stays in
the outbox until the partner has said, signed, that it holds its statement: whoever runs the mailbox
may lose things, and then they are delivered again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tillit.errors import MailboxUnavailable
from tillit.home import Home
from tillit.ledger.store import Outgoing

__all__ = ["Delivered", "deliver", "deliver_again", "tidy"]


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
        return _put(home, home.ledger.pending_outbox(partner), now)


def deliver_again(home: Home, partner: str, *, after: int, now: datetime) -> Delivered:
    """Put back what a partner was sent with a number above ``after``, as far as it is gone.

    Like `deliver`, it never raises for a mailbox; what never went out stays in the queue.
    """
    with home.database.lock("deliver"):
        return _put(home, map(_as_kept, home.ledger.delivered(partner, after=after)), now)


def tidy(home: Home) -> None:
    """Remove the sealed payloads that partners hold by now."""
    kept = [str(path) for path in home.place("outbox").glob("*.age")]
    for path in home.ledger.acknowledged(kept) if kept else ():
        path.unlink(missing_ok=True)


def _as_kept(sent: Outgoing) -> Outgoing:
    """Without its payload, where that is kept no more: the partner answers that it is missing."""
    kept = sent.payload_path is not None and sent.payload_path.exists()
    return sent if kept else replace(sent, payload_path=None)


def _put(home: Home, outgoing: Iterable[Outgoing], now: datetime) -> Delivered:
    sent = 0
    unreachable: dict[str, MailboxUnavailable] = {}
    for waiting in outgoing:
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
        sent += 1
    return Delivered(sent, tuple(unreachable.items()))
