"""What stands in the ledger when something is sent, refused or stopped. I/O: the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tillit.crypto import dsse
from tillit.errors import Refusal
from tillit.home import Home
from tillit.ledger.chain import Position
from tillit.ledger.statement import IN_TOTO, Body, NoticeBody, Statement, Subject
from tillit.ledger.store import Entry

__all__ = ["Appender", "note", "send"]


class Appender(Protocol):
    """A ledger, or one transaction of it: whatever can append a statement of ours."""

    def append_sent(
        self,
        build: Callable[[Position], tuple[bytes, Statement]],
        recipient: str,
        *,
        now: datetime,
        payload_path: Path | None = None,
    ) -> Entry:
        """Append a statement of ours and queue it for delivery."""


def send(
    home: Home,
    into: Appender,
    recipient: str,
    describe: Callable[[Position], tuple[tuple[Subject, ...], Body]],
    *,
    now: datetime,
    payload: Path | None = None,
) -> Entry:
    """Sign a statement of ours at the end of its chain and queue it for delivery.

    ``describe`` is told the place in the chain, because a payload is named after it, and gives
    subjects and body. The statement is signed and stored in one transaction.
    """

    def build(position: Position) -> tuple[bytes, Statement]:
        subjects, body = describe(position)
        statement = Statement(
            author=home.party_id,
            recipient=recipient,
            seq=position.seq,
            previous=position.previous,
            witnessed=position.witnessed,
            issued_at=now,
            subjects=subjects,
            body=body,
        )
        return dsse.sign(statement.to_bytes(), IN_TOTO, [home.keys.signing]), statement

    return into.append_sent(build, recipient, now=now, payload_path=payload)


def note(
    home: Home,
    into: Appender,
    refusal: Refusal,
    *,
    now: datetime,
    about: str,
    digest: str | None,
    recipient: str | None = None,
) -> Entry:
    """Record a refusal in our own chain, or in that to a ``recipient``, who is so told of it.

    ``about`` names what was refused; ``digest`` is of its bytes where there are any.
    """

    def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
        subject = Subject(name=about, sha256=digest) if digest else None
        return ((subject,) if subject else ()), NoticeBody(
            code=refusal.code, reason=str(refusal), about=digest
        )

    return send(home, into, recipient or home.party_id, describe, now=now)
