"""Append to the ledger, in PostgreSQL. I/O.

What one side says and what the other side answers are recorded together: every act is one
transaction, and `Ledger.transaction` makes one of several. Acts on one relationship wait for each
other, by a lock that the database frees when its holder is killed, so no number is given twice and
none is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.functions import func

from tillit.crypto import dsse
from tillit.database import advisory_key, translated
from tillit.errors import LedgerBroken, Refusal, StatementRefused
from tillit.ledger.chain import Head, Position, check_next, next_position
from tillit.ledger.reading import (
    AgreementRow,
    Entry,
    Outgoing,
    Reader,
    RefusedObject,
    digest_at,
    head_of,
)
from tillit.ledger.schema import (
    AGREEMENT_SIGNATURE,
    OUTBOX,
    PARTY_DOCUMENT,
    REFUSED_OBJECT,
    STATEMENT,
    migrate,
)
from tillit.ledger.statement import Statement
from tillit.ledger.strict import plain

__all__ = [
    "AgreementRow",
    "Entry",
    "Head",
    "Ledger",
    "Outgoing",
    "Position",
    "RefusedObject",
    "Transaction",
    "Writer",
]

_EVIDENCE_BYTES = 1024 * 1024


class Writer(Reader):
    """Whatever can be added to: a ledger, or one transaction of it."""

    def append_sent(
        self,
        build: Callable[[Position], tuple[bytes, Statement]],
        recipient: str,
        *,
        now: datetime,
        payload_path: Path | None = None,
    ) -> Entry:
        """Append a statement of ours and queue it for delivery, unless it is to ourselves.

        ``build`` is told the place in the chain and gives the signed envelope with the statement
        in it; it runs inside the transaction. Raises LedgerBroken (conflict) when it is a second
        shipment of one id, ValueError when what was built belongs elsewhere.
        """
        local = recipient == self.party_id
        with self._connection() as connection:
            _lock(connection, self.party_id, recipient)
            head = head_of(connection, self.party_id, recipient)
            theirs = None if local else head_of(connection, recipient, self.party_id)
            position = next_position(head, theirs)
            envelope, statement = build(position)
            _require_built_for(statement, position, self.party_id, recipient)
            direction = "local" if local else "sent"
            entry = _insert(connection, envelope, statement, direction, now)
            if not local:
                connection.execute(
                    insert(OUTBOX).values(
                        digest=entry.digest,
                        recipient=recipient,
                        payload_path=None if payload_path is None else str(payload_path),
                        queued_at=now,
                    )
                )
            return entry

    def append_received(self, envelope: bytes, statement: Statement, *, now: datetime) -> Entry:
        """Append a partner's statement, whose signatures the caller has verified.

        Raises StatementRefused as `check_next` does.
        """
        with self._connection() as connection:
            _lock(connection, statement.author, self.party_id)
            self._check(connection, statement, now)
            return _insert(connection, envelope, statement, "received", now)

    def check(self, statement: Statement, *, now: datetime) -> None:
        """Whether `append_received` would take it now; StatementRefused if not."""
        with self._connection() as connection:
            self._check(connection, statement, now)

    def mark_delivered(self, digest: str, now: datetime) -> None:
        """Take a statement from the outbox; one that was delivered already stays as it was."""
        with self._connection() as connection:
            connection.execute(
                update(OUTBOX)
                .where(OUTBOX.c.digest == digest, OUTBOX.c.delivered_at.is_(None))
                .values(delivered_at=now)
            )

    def record_refused_object(
        self,
        *,
        digest: str,
        sender: str,
        name: str,
        content: bytes,
        refusal: Refusal,
        now: datetime,
        statement_digest: str | None = None,
    ) -> None:
        """Keep what was refused, up to a size; the same for the same reason is kept once.

        ``statement_digest`` is that of our statement about it.
        """
        values = {
            "digest": digest,
            "sender": sender,
            "name": plain(name, 300),
            "content": content[:_EVIDENCE_BYTES],
            "code": refusal.code,
            "reason": plain(str(refusal), 1000),
            "recorded_at": now,
            "statement_digest": statement_digest,
        }
        with self._connection() as connection:
            connection.execute(
                postgresql.insert(REFUSED_OBJECT).values(values).on_conflict_do_nothing()
            )

    def add_agreement(  # noqa: PLR0913 (what an agreement is found by)
        self,
        *,
        digest: str,
        agreement_id: str,
        version: str,
        provider: str,
        consumer: str,
        kind: str,
        envelope: bytes,
        complete: bool,
        now: datetime,
    ) -> None:
        """Keep an agreement's envelope with the signatures that it has; the same one once.

        Raises LedgerBroken (conflict) when another text is held under the same id and version.
        """
        values = {
            "digest": digest,
            "agreement_id": agreement_id,
            "version": version,
            "provider": provider,
            "consumer": consumer,
            "kind": kind,
            "envelope": envelope,
            "complete": complete,
            "recorded_at": now,
        }
        table = AGREEMENT_SIGNATURE.c
        with self._connection() as connection:
            connection.execute(
                select(func.pg_advisory_xact_lock(advisory_key(f"agreement:{agreement_id}")))
            )
            other = connection.scalar(
                select(table.digest)
                .where(table.agreement_id == agreement_id, table.version == version)
                .where(table.digest != digest)
                .limit(1)
            )
            if other is not None:
                raise LedgerBroken(
                    "conflict",
                    f"another text is held as {agreement_id} {version}",
                    expected=other,
                    found=digest,
                )
            connection.execute(
                postgresql.insert(AGREEMENT_SIGNATURE).values(values).on_conflict_do_nothing()
            )

    def add_party_document(
        self, party: str, version: int, envelope: bytes, *, now: datetime
    ) -> None:
        """Keep a party's document; the same one once.

        Raises LedgerBroken (conflict) when another one is held under this version.
        """
        table = PARTY_DOCUMENT.c
        with self._connection() as connection:
            connection.execute(
                postgresql.insert(PARTY_DOCUMENT)
                .values(party=party, version=version, envelope=envelope, recorded_at=now)
                .on_conflict_do_nothing()
            )
            held = connection.scalar(
                select(table.envelope).where(table.party == party, table.version == version)
            )
        if held != envelope:
            raise LedgerBroken("conflict", f"another document is held as {party} {version}")

    def _check(self, connection: Connection, statement: Statement, now: datetime) -> None:
        author = statement.author
        if statement.recipient != self.party_id or author == self.party_id:
            raise StatementRefused(
                "wrong-recipient",
                "a statement that was not sent to us",
                expected=f"from a partner to {self.party_id}",
                found=f"{author} to {statement.recipient}",
            )
        check_next(
            statement,
            head=head_of(connection, author, self.party_id),
            held=lambda seq: digest_at(connection, author, self.party_id, seq),
            ours=lambda seq: digest_at(connection, self.party_id, author, seq),
            now=now,
        )


class Transaction(Writer):
    """Several acts that stand in the ledger together, or not at all."""

    def __init__(self, connection: Connection, party_id: str) -> None:
        self.party_id = party_id
        self._open = connection

    def _connection(self) -> AbstractContextManager[Connection]:
        return nullcontext(self._open)


class Ledger(Writer):
    """The record of one party; the tables are made when it is first used."""

    def __init__(self, engine: Engine, party_id: str) -> None:
        self.party_id = party_id
        self._engine = engine
        self._migrated = False

    def __repr__(self) -> str:
        return f"Ledger({self.party_id})"

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Do several acts in one transaction; an exception undoes them all.

        Acts on two relationships lock both: take them in the order of the partners' ids, or two
        processes may wait for each other until PostgreSQL ends one of them.
        """
        with self._connection() as connection:
            yield Transaction(connection, self.party_id)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with translated():
            try:
                if not self._migrated:
                    with self._engine.begin() as connection:
                        migrate(connection, self.party_id)
                    self._migrated = True
                with self._engine.begin() as connection:
                    yield connection
            except IntegrityError as error:
                constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
                raise LedgerBroken(
                    "conflict",
                    "the ledger does not take what contradicts it",
                    found=constraint or str(error.orig).splitlines()[0],
                ) from error


def _lock(connection: Connection, one: str, other: str) -> None:
    """Wait for whoever acts on this relationship, in either direction."""
    first, second = sorted((one, other))
    key = advisory_key(f"chain:{first}:{second}")
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def _require_built_for(
    statement: Statement, position: Position, author: str, recipient: str
) -> None:
    place = Position(statement.seq, statement.previous, statement.witnessed)
    if (statement.author, statement.recipient, place) != (author, recipient, position):
        raise ValueError("the statement was not built for its place in the chain")


def _insert(
    connection: Connection, envelope: bytes, statement: Statement, direction: str, now: datetime
) -> Entry:
    digest = statement.digest
    if hashlib.sha256(dsse.unverified_payload(envelope)).hexdigest() != digest:
        raise ValueError("the envelope holds another statement")
    entry = Entry(
        author=statement.author,
        recipient=statement.recipient,
        seq=statement.seq,
        digest=digest,
        type=statement.type,
        shipment_id=statement.shipment_id,
        agreement_id=statement.agreement_id,
        issued_at=statement.issued_at,
        recorded_at=now,
        direction=direction,
        envelope=envelope,
    )
    values = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    connection.execute(
        insert(STATEMENT).values(
            **values,
            previous=statement.previous,
            witnessed_seq=0 if statement.witnessed is None else statement.witnessed.seq,
        )
    )
    return entry
