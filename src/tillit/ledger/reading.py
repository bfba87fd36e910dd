"""Questions to the ledger. I/O: reads PostgreSQL."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, exists, or_, select, tuple_
from sqlalchemy.sql.functions import func

from tillit.crypto import dsse
from tillit.errors import UsageError
from tillit.ledger.bodies import ReceiptBody, ShipmentBody
from tillit.ledger.chain import Head
from tillit.ledger.schema import (
    AGREEMENT_SIGNATURE,
    OUTBOX,
    PARTY_DOCUMENT,
    REFUSED_OBJECT,
    STATEMENT,
)
from tillit.ledger.statement import Statement

__all__ = ["AgreementRow", "Entry", "Outgoing", "Reader", "RefusedObject", "Step"]

_PREFIX = re.compile(r"[0-9a-f]{4,64}")
_BATCH = 500


@dataclass(frozen=True)
class Entry:
    """A statement as it stands in the record; ``direction`` is sent, received or local."""

    author: str
    recipient: str
    seq: int
    digest: str
    type: str
    shipment_id: str | None
    agreement_id: str | None
    issued_at: datetime
    recorded_at: datetime
    direction: str
    envelope: bytes = field(repr=False)

    @cached_property
    def statement(self) -> Statement:
        """The statement, read from its envelope; its signatures were verified when it came."""
        return Statement.parse(dsse.unverified_payload(self.envelope))

    @property
    def rows(self) -> int:
        """Rows of a shipment, or rows that a receipt says were accepted."""
        body = self.statement.body
        if isinstance(body, ShipmentBody):
            return body.rows
        return body.accepted if isinstance(body, ReceiptBody) else 0


class Step(NamedTuple):
    """Where a statement about an agreement stands in the record, without the statement."""

    author: str
    recipient: str
    seq: int
    digest: str
    agreement_id: str
    recorded_at: datetime


@dataclass(frozen=True)
class Outgoing:
    """A statement that waits to be delivered, with the payload that must go first."""

    digest: str
    recipient: str
    seq: int
    envelope: bytes = field(repr=False)
    payload_path: Path | None
    queued_at: datetime


@dataclass(frozen=True)
class RefusedObject:
    """What was found in the mailbox and could be added to no chain, as evidence."""

    digest: str
    sender: str
    name: str
    content: bytes = field(repr=False)
    code: str
    reason: str
    recorded_at: datetime
    statement_digest: str | None


@dataclass(frozen=True)
class AgreementRow:
    """An agreement's envelope with the signatures that it had when it was recorded."""

    digest: str
    agreement_id: str
    version: str
    provider: str
    consumer: str
    kind: str
    envelope: bytes = field(repr=False)
    complete: bool
    recorded_at: datetime


class Reader(ABC):
    """Whatever can be asked: a ledger, or one transaction of it."""

    party_id: str

    @abstractmethod
    def _connection(self) -> AbstractContextManager[Connection]:
        """A connection for the length of one question or act."""

    # ---- statements -------------------------------------------------------------------------

    def head(self, author: str, recipient: str) -> Head | None:
        """The newest statement of a chain; None when there is none."""
        with self._connection() as connection:
            return head_of(connection, author, recipient)

    def heads(self) -> list[Entry]:
        """The newest statement of every chain."""
        table = STATEMENT.c
        ends = select(table.author, table.recipient, func.max(table.seq)).group_by(
            table.author, table.recipient
        )
        newest = (
            _entries()
            .where(tuple_(table.author, table.recipient, table.seq).in_(ends))
            .order_by(table.author, table.recipient)
        )
        return self._all(newest)

    def get(self, digest: str) -> Entry | None:
        """A statement by the beginning of its digest, four characters or more; None if none.

        Raises UsageError when several begin so.
        """
        if not _PREFIX.fullmatch(digest):
            return None
        # "g" sorts after every digit of a digest.
        within = STATEMENT.c.digest.between(digest, digest + "g")
        found = self._all(_entries().where(within).limit(2))
        if len(found) > 1:
            raise UsageError("argument", "several statements begin so", found=digest)
        return found[0] if found else None

    def entries(
        self,
        *,
        partner: str | None = None,
        type: str | None = None,  # noqa: A002 (the word that the record uses)
        agreement: str | None = None,
        shipment: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Entry]:
        """Statements in the order in which they were recorded, oldest first.

        With a limit the oldest of them, or with ``newest`` the newest of them.
        """
        table = STATEMENT.c
        wanted = _entries()
        if partner is not None:
            wanted = wanted.where(or_(table.author == partner, table.recipient == partner))
        for column, value in (
            (table.type, type),
            (table.agreement_id, agreement),
            (table.shipment_id, shipment),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        if since is not None:
            wanted = wanted.where(table.recorded_at >= since)
        found = self._all(wanted.order_by(table.id.desc() if newest else table.id).limit(limit))
        return found[::-1] if newest else found

    def steps(self) -> list[Step]:
        """The steps of all agreements in the order in which they were recorded."""
        table = STATEMENT.c
        wanted = (
            select(*(table[name] for name in Step._fields))
            .where(table.type == "agreement", table.agreement_id.is_not(None))
            .order_by(table.id)
        )
        with self._connection() as connection:
            return [Step(*row) for row in connection.execute(wanted)]

    def with_digests(self, digests: Sequence[str]) -> list[Entry]:
        """The statements with these digests, in the order in which they were recorded."""
        return self._all(_entries().where(STATEMENT.c.digest.in_(digests)).order_by(STATEMENT.c.id))

    def find_shipment(self, shipment_id: str, *, author: str) -> Entry | None:
        """The first statement by which an author made a shipment known; None if it has not."""
        table = STATEMENT.c
        wanted = _entries().where(
            table.type == "shipment", table.shipment_id == shipment_id, table.author == author
        )
        return next(iter(self._all(wanted.order_by(table.id).limit(1))), None)

    def last_shipment(self, agreement_id: str, *, before: datetime | None = None) -> Entry | None:
        """Our newest shipment under an agreement, issued before a time where one is given."""
        table = STATEMENT.c
        wanted = _entries().where(
            table.type == "shipment",
            table.agreement_id == agreement_id,
            table.author == self.party_id,
        )
        if before is not None:
            wanted = wanted.where(table.issued_at < before)
        return next(iter(self._all(wanted.order_by(table.id.desc()).limit(1))), None)

    def count_shipments(self, beginning: str, author: str, *, without: str | None = None) -> int:
        """How many shipments of an author have an id that begins so, one statement left out."""
        table = STATEMENT.c
        wanted = select(func.count()).where(
            table.type == "shipment",
            table.author == author,
            table.shipment_id.startswith(beginning, autoescape=True),
        )
        if without is not None:
            wanted = wanted.where(table.digest != without)
        with self._connection() as connection:
            return int(connection.scalar(wanted) or 0)

    def export_chain(self, partner: str) -> Iterator[bytes]:
        """Both chains between a partner and us as lines of JSON, an envelope each, for auditors.

        The signed bytes inside are those that were signed; the JSON around them may be spaced
        differently from what came.
        """
        import json

        table = STATEMENT.c
        between = or_(
            (table.author == self.party_id) & (table.recipient == partner),
            (table.author == partner) & (table.recipient == self.party_id),
        )
        wanted = select(table.envelope).where(between).order_by(table.id)
        with self._connection() as connection:
            for envelope in connection.execution_options(yield_per=_BATCH).scalars(wanted):
                yield json.dumps(json.loads(envelope), separators=(",", ":")).encode() + b"\n"

    # ---- what waits, what was refused, what was agreed --------------------------------------

    def pending_outbox(self, recipient: str | None = None) -> list[Outgoing]:
        """What waits to be delivered, to each recipient in the order of its chain."""
        wanted = _outgoing().where(OUTBOX.c.delivered_at.is_(None))
        if recipient is not None:
            wanted = wanted.where(OUTBOX.c.recipient == recipient)
        return [Outgoing(**_located(row)) for row in self._mappings(wanted)]

    def delivered(self, recipient: str, *, after: int) -> list[Outgoing]:
        """What was delivered to a recipient with a number above ``after``, in that order."""
        wanted = _outgoing().where(
            OUTBOX.c.delivered_at.is_not(None),
            OUTBOX.c.recipient == recipient,
            STATEMENT.c.seq > after,
        )
        return [Outgoing(**_located(row)) for row in self._mappings(wanted)]

    def acknowledged(self, payloads: Sequence[str]) -> list[Path]:
        """Of these payloads, those whose statement its recipient says, signed, that it holds."""
        answer = STATEMENT.alias()
        seen = (
            select(func.max(answer.c.witnessed_seq))
            .where(
                answer.c.author == STATEMENT.c.recipient, answer.c.recipient == STATEMENT.c.author
            )
            .scalar_subquery()
        )
        wanted = _outgoing().where(
            OUTBOX.c.delivered_at.is_not(None),
            OUTBOX.c.payload_path.in_(payloads),
            STATEMENT.c.seq <= seen,
        )
        return [Path(row["payload_path"]) for row in self._mappings(wanted)]

    def knows_refused(self, digest: str, code: str) -> bool:
        """Whether this object is recorded as refused for this reason."""
        table = REFUSED_OBJECT.c
        known = select(exists().where(table.digest == digest, table.code == code))
        with self._connection() as connection:
            return bool(connection.scalar(known))

    def refused_objects(self, *, sender: str | None = None) -> list[RefusedObject]:
        """Objects that were refused, oldest first."""
        wanted = _without_id(REFUSED_OBJECT).order_by(REFUSED_OBJECT.c.id)
        if sender is not None:
            wanted = wanted.where(REFUSED_OBJECT.c.sender == sender)
        return [RefusedObject(**row) for row in self._mappings(wanted)]

    def agreement_envelopes(self) -> list[bytes]:
        """Every signed form of every agreement, in the order in which we came to hold them."""
        return [row.envelope for row in self.agreements()]

    def agreements(
        self, agreement_id: str | None = None, *, complete: bool | None = None
    ) -> list[AgreementRow]:
        """Agreements as recorded, oldest first; with ``complete`` only those (not) fully signed."""
        table = AGREEMENT_SIGNATURE.c
        wanted = _without_id(AGREEMENT_SIGNATURE).order_by(table.id)
        if agreement_id is not None:
            wanted = wanted.where(table.agreement_id == agreement_id)
        if complete is not None:
            wanted = wanted.where(table.complete == complete)
        return [AgreementRow(**row) for row in self._mappings(wanted)]

    def signed_ids(self) -> list[str]:
        """The ids of all agreements that somebody has signed."""
        table = AGREEMENT_SIGNATURE.c
        wanted = select(table.agreement_id).distinct().order_by(table.agreement_id)
        with self._connection() as connection:
            return list(connection.scalars(wanted))

    def party_documents(self, party: str) -> list[bytes]:
        """A party's documents by version, oldest first."""
        table = PARTY_DOCUMENT.c
        wanted = select(table.envelope).where(table.party == party).order_by(table.version)
        return [row["envelope"] for row in self._mappings(wanted)]

    # ---- how --------------------------------------------------------------------------------

    def _mappings(self, wanted: Select[Any]) -> list[dict[str, Any]]:
        with self._connection() as connection:
            return [_plain(row) for row in connection.execute(wanted).mappings()]

    def _all(self, wanted: Select[Any]) -> list[Entry]:
        return [Entry(**row) for row in self._mappings(wanted)]


def head_of(connection: Connection, author: str, recipient: str) -> Head | None:
    """The newest statement of a chain; None when there is none."""
    table = STATEMENT.c
    row = connection.execute(
        select(table.seq, table.digest, table.witnessed_seq)
        .where(table.author == author, table.recipient == recipient)
        .order_by(table.seq.desc())
        .limit(1)
    ).first()
    return None if row is None else Head(*row)


def digest_at(connection: Connection, author: str, recipient: str, seq: int) -> str | None:
    """The digest at a number of a chain; None when it is not there."""
    table = STATEMENT.c
    digest: str | None = connection.scalar(
        select(table.digest).where(
            table.author == author, table.recipient == recipient, table.seq == seq
        )
    )
    return digest


_ENTRY = tuple(STATEMENT.c[name] for name in Entry.__dataclass_fields__)


def _entries() -> Select[Any]:
    return select(*_ENTRY)


def _outgoing() -> Select[Any]:
    return (
        select(
            OUTBOX.c.digest,
            OUTBOX.c.recipient,
            STATEMENT.c.seq,
            STATEMENT.c.envelope,
            OUTBOX.c.payload_path,
            OUTBOX.c.queued_at,
        )
        .join(STATEMENT, STATEMENT.c.digest == OUTBOX.c.digest)
        .order_by(OUTBOX.c.recipient, STATEMENT.c.seq)
    )


def _without_id(table: Any) -> Select[Any]:
    return select(*(column for column in table.c if column.name != "id"))


def _plain(row: RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _located(row: Mapping[str, Any]) -> dict[str, Any]:
    path = row["payload_path"]
    return {**row, "payload_path": None if path is None else Path(path)}
