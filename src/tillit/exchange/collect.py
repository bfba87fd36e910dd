"""Collect: from a mailbox to a verified statement. I/O: the mailbox, the ledger.

The steps stand in the order in which a stranger's bytes earn trust; each raises what it refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillit.crypto import dsse
from tillit.errors import StatementRefused
from tillit.home import Home
from tillit.ledger.statement import IN_TOTO, Statement
from tillit.mailbox import Waiting
from tillit.model import isoformat

__all__ = ["MAX_STATEMENT_BYTES", "Collected", "collect"]

# A statement with four signatures and a hundred columns stays under 64 KiB; an agreement travels
# inside one and may have 256 KiB, a third more in base64.
MAX_STATEMENT_BYTES = 512 * 1024


@dataclass(frozen=True)
class Collected:
    """A statement whose author is certain, with the exact bytes that came."""

    statement: Statement
    envelope: bytes
    digest: str


def collect(home: Home, waiting: Waiting, *, now: datetime) -> Collected:
    """Read and verify the statement that waits; StatementRefused or MailboxUnavailable.

    What is not decided here: its place in the chain, which the ledger checks in the transaction
    that records it.
    """
    del now
    # 1. Read no more than a statement can be.
    envelope = home.incoming.read_statement(waiting, max_bytes=MAX_STATEMENT_BYTES)
    # 2. Both signatures, by a key of the party in whose place it lies.
    sender = home.party(waiting.sender)
    verified = dsse.verify(envelope, {sender.id: sender.keys}, IN_TOTO, required=[sender.id])
    # 3. What was signed has the form of a statement.
    statement = Statement.parse(verified.payload)
    # 4. It is by that party, to us, and lies where its number says.
    if statement.author != waiting.sender:
        raise StatementRefused(
            "wrong-place",
            "the statement lies in another party's place",
            expected=waiting.sender,
            found=statement.author,
        )
    if statement.recipient != home.party_id:
        raise StatementRefused(
            "wrong-recipient",
            "the statement is for somebody else",
            expected=home.party_id,
            found=statement.recipient,
        )
    if statement.seq != waiting.seq:
        raise StatementRefused(
            "wrong-place",
            "the statement's number is not that of its name",
            expected=waiting.seq,
            found=statement.seq,
        )
    # 5. Keys that were given up have signed nothing since.
    if verified.keys[sender.id] != sender.keys[0] and statement.issued_at >= sender.issued_at:
        raise StatementRefused(
            "signature",
            f"{sender.id} has given up the keys that signed this",
            expected=f"keys {sender.fingerprint} since {isoformat(sender.issued_at)}",
            found=f"keys {verified.keys[sender.id].fingerprint}",
        )
    return Collected(statement, envelope, statement.digest)
