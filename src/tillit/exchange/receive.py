"""Receive: collect, verify, open, judge, land, acknowledge, record. I/O through the home.

Everything that waits is taken in the order of its chain. What is refused is recorded and, where
its author is certain, answered: a shipment with a receipt, the rest with a notice, and a notice
with nothing. What only came too early waits; told that something is missing, its author delivers
that again. Nothing leaves the mailbox before it stands in the ledger, so a run that is killed is
simply run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tillit.errors import MailboxUnavailable, Refusal, TillitError
from tillit.exchange import agreements, custody, receipts, shipments
from tillit.exchange.collect import MAX_STATEMENT_BYTES, Collected, collect
from tillit.exchange.deliver import Delivered, deliver, deliver_again, tidy
from tillit.exchange.record import note
from tillit.home import Home
from tillit.ledger.bodies import NoticeBody
from tillit.ledger.store import Transaction
from tillit.mailbox import Waiting

__all__ = ["Outcome", "Received", "receive"]


@dataclass(frozen=True)
class Outcome:
    """What became of one statement.

    ``result`` is ``accepted``, ``partly`` or ``refused`` for a shipment, ``recorded`` for other
    statements, ``turned-away`` for what is in no chain, ``held`` for what waits because it came
    too early or because a mailbox cannot be used. ``code`` and ``reason`` say why, where it
    is not a plain yes.
    """

    sender: str
    seq: int
    type: str
    result: str
    shipment_id: str | None = None
    accepted: int = 0
    refused: int = 0
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Received:
    """What one run took, and what it could deliver in answer."""

    outcomes: tuple[Outcome, ...]
    delivered: Delivered

    @property
    def rows(self) -> int:
        """Rows that landed."""
        return sum(outcome.accepted for outcome in self.outcomes)

    def summary(self) -> dict[str, int]:
        """How many statements came to which result."""
        counts: dict[str, int] = {}
        for outcome in self.outcomes:
            counts[outcome.result] = counts.get(outcome.result, 0) + 1
        return counts


def receive(
    home: Home,
    *,
    now: datetime,
    partner: str | None = None,
    progress: Callable[[Outcome], None] | None = None,
) -> Received:
    """Take everything that waits in our mailbox, or what one partner put there.

    Refusals are outcomes, not exceptions. Raises Unavailable when mailbox, database or lake
    cannot be reached; what was taken until then is recorded, the rest waits.
    """
    outcomes: list[Outcome] = []
    for sender in home.incoming.senders():
        if partner is not None and sender != partner:
            continue
        with home.database.lock(f"receive:{sender}"):
            for outcome in _from_sender(home, sender, now):
                outcomes.append(outcome)
                if progress is not None:
                    progress(outcome)
    delivered = deliver(home, now=now)
    tidy(home)
    return Received(tuple(outcomes), delivered)


def _from_sender(home: Home, sender: str, now: datetime) -> Iterator[Outcome]:
    seq = 0
    try:
        for waiting in home.incoming.waiting(sender):
            seq = waiting.seq
            outcome = _take(home, waiting, now)
            yield outcome
            if outcome.result == "held":
                return  # what follows in the chain cannot be taken either
    except MailboxUnavailable as error:
        # A sender can put there what we may not read; the others must not wait for it.
        if error.code not in {"mailbox.denied", "mailbox.missing-object"}:
            raise
        yield Outcome(sender, seq, "unknown", "held", code=error.code, reason=str(error))


def _take(home: Home, waiting: Waiting, now: datetime) -> Outcome:
    try:
        collected = collect(home, waiting, now=now)
    except Refusal as refusal:
        return _turn_away(home, waiting, refusal, now)
    try:
        home.ledger.check(collected.statement, now=now)
    except Refusal as refusal:
        return _turn_away(home, waiting, refusal, now, collected)
    outcome = _TAKERS[collected.statement.type](home, collected, now)
    if outcome.result != "held":
        home.incoming.remove(waiting.sender, waiting.seq)
    return outcome


def _turn_away(
    home: Home,
    waiting: Waiting,
    refusal: Refusal,
    now: datetime,
    collected: Collected | None = None,
) -> Outcome:
    """Record, once, what cannot be added to any chain; leave only what may still become right."""
    held = refusal.code in {"statement.gap", "statement.future"}
    content = home.incoming.read_statement(waiting, max_bytes=MAX_STATEMENT_BYTES, cut=True)
    digest = hashlib.sha256(content).hexdigest()
    if not home.ledger.knows_refused(digest, refusal.code):
        about = f"{waiting.sender}/{waiting.name}"
        with home.ledger.transaction() as transaction:
            entry = note(home, transaction, refusal, now=now, about=about, digest=digest)
            if collected is not None and _is_answered(collected, refusal):
                _tell(home, transaction, collected, refusal, now)
            transaction.record_refused_object(
                digest=digest,
                sender=waiting.sender,
                name=waiting.name,
                content=content,
                refusal=refusal,
                statement_digest=entry.digest,
                now=now,
            )
    if not held:
        home.incoming.remove(waiting.sender, waiting.seq)
    return Outcome(
        waiting.sender,
        waiting.seq,
        "unknown" if collected is None else collected.statement.type,
        "held" if held else "turned-away",
        code=refusal.code,
        reason=str(refusal),
    )


def _is_answered(collected: Collected, refusal: Refusal) -> bool:
    """Two parties that answer each other's notices would never end; a repetition is nobody's."""
    return collected.statement.type != "notice" and refusal.code != "statement.replayed"


def _tell(
    home: Home, transaction: Transaction, collected: Collected, refusal: Refusal, now: datetime
) -> None:
    statement = collected.statement
    note(
        home,
        transaction,
        refusal,
        now=now,
        about=f"{statement.author}:{statement.seq}",
        digest=collected.digest,
        recipient=statement.author,
    )


def _shipment(home: Home, collected: Collected, now: datetime) -> Outcome:
    statement = collected.statement
    receipt = shipments.take(home, collected, now=now)
    return Outcome(
        statement.author,
        statement.seq,
        "shipment",
        receipt.outcome,
        shipment_id=receipt.shipment_id,
        accepted=receipt.accepted,
        refused=receipt.refused,
        code=receipt.code,
        reason=receipt.reason,
    )


def _recording(
    act: Callable[[Home, Transaction, Collected, datetime], None],
) -> Callable[[Home, Collected, datetime], Outcome]:
    """Take a statement that needs no answer but a record, doing ``act`` in the same transaction."""

    def take(home: Home, collected: Collected, now: datetime) -> Outcome:
        statement = collected.statement
        refusal: TillitError | None = None
        try:
            with home.ledger.transaction() as transaction:
                transaction.append_received(collected.envelope, statement, now=now)
                act(home, transaction, collected, now)
        except Refusal as error:
            # The statement is its author's and stays in its chain; what it asks for is refused.
            refusal = error
            with home.ledger.transaction() as transaction:
                transaction.append_received(collected.envelope, statement, now=now)
                _tell(home, transaction, collected, error, now)
        return Outcome(
            statement.author,
            statement.seq,
            statement.type,
            "recorded" if refusal is None else "refused",
            code=None if refusal is None else refusal.code,
            reason=None if refusal is None else str(refusal),
        )

    return take


def _notice(home: Home, collected: Collected, now: datetime) -> Outcome:
    """Only record it; but where the partner lacks something, see to that first."""
    statement = collected.statement
    if isinstance(statement.body, NoticeBody) and statement.body.code == "statement.gap":
        after = 0 if statement.witnessed is None else statement.witnessed.seq
        again = deliver_again(home, statement.author, after=after, now=now)
        for _, error in again.unreachable:
            return Outcome(
                statement.author,
                statement.seq,
                "notice",
                "held",
                code=error.code,
                reason=str(error),
            )
    return _recording(_nothing_more)(home, collected, now)


def _nothing_more(_: Home, __: Transaction, ___: Collected, ____: datetime) -> None:
    """A notice, or a party's document, only has to stand in the record."""


_TAKERS: dict[str, Callable[[Home, Collected, datetime], Outcome]] = {
    "shipment": _shipment,
    "receipt": _recording(receipts.take),
    "agreement": _recording(agreements.take),
    "deletion": _recording(custody.take),
    "party": _recording(_nothing_more),
    "notice": _notice,
}
