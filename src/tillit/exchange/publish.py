"""Publish: prepare, judge, seal, deliver, record. I/O through the home.

A shipment is known by its agreement, its period and its revision: publishing the same again
finds it in the ledger and only sees to it that it is delivered. So a task may be killed anywhere
and run again.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tillit.agreement.force import require_parties
from tillit.agreement.terms import shared_columns
from tillit.agreement.terms.embargo import require_no_embargo
from tillit.agreement.terms.volume import require_shipments, require_volume
from tillit.errors import AgreementRefused, Refusal, TableRefused
from tillit.exchange.agreements import require
from tillit.exchange.deliver import deliver
from tillit.exchange.leave import write_agreed
from tillit.exchange.prepare import Prepared, prepare
from tillit.exchange.reciprocity import require_return
from tillit.exchange.record import note, send
from tillit.exchange.seal import SealedPayload, seal
from tillit.home import Home
from tillit.lake import Written, keep_stopped, refusals
from tillit.ledger.bodies import (
    AgreementRef,
    ColumnRef,
    KindRef,
    PeriodRef,
    ReasonCount,
    ShipmentBody,
    Stopped,
)
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.ledger.store import Entry
from tillit.model import Agreement, Every, Kind, Period, counted

__all__ = ["Published", "publish"]


@dataclass(frozen=True)
class Published:
    """What became of a publication.

    ``rows`` left, ``stopped`` broke a rule and stayed. ``repeated`` says that the shipment had
    been made before, ``nothing`` that there was nothing to tell (only for agreements without a
    cadence), ``delivered`` that nothing waits for this partner any more.
    """

    agreement_id: str
    shipment_id: str | None
    rows: int = 0
    stopped: int = 0
    reasons: tuple[ReasonCount, ...] = ()
    delivered: bool = False
    repeated: bool = False
    nothing: bool = False


def publish(
    home: Home,
    agreement_id: str,
    *,
    now: datetime,
    revision: int = 1,
    due_at: datetime | None = None,
) -> Published:
    """Publish what is due next under an agreement.

    A correction of a period is its next ``revision``. What is due next is asked as of ``due_at``,
    or of ``now``: a run that starts late serves the period that it was meant for, late, and not
    the one after it, early. Raises Refusal (recorded in our own chain)
    when no agreement allows it or nothing can leave, and Unavailable when the database cannot be
    reached; a mailbox that cannot be reached leaves the shipment in the outbox.
    """
    with home.database.lock(f"publish:{agreement_id}"):
        try:
            published, consumer = _publish(home, agreement_id, now, revision, due_at or now)
        except Refusal as refusal:
            note(home, home.ledger, refusal, now=now, about=agreement_id, digest=None)
            raise
    if published.nothing:
        return published
    outcome = deliver(home, now=now, partner=consumer)
    return replace(published, delivered=outcome.complete)


def _publish(
    home: Home, agreement_id: str, now: datetime, revision: int, due_at: datetime
) -> tuple[Published, str]:
    """What was published, and to whom."""
    # 1. Nothing leaves without an agreement in force, and only from its provider.
    agreement, kind = require(home, agreement_id, now=now)
    require_parties(agreement, provider=home.party_id, consumer=agreement.consumer)
    # 2. The same period and revision are the same shipment.
    due = _due(home, agreement, now, due_at)
    period = due.period
    shipment_id = f"{agreement.id}.{period.start:%Y%m%dT%H%M%S}.{revision}"
    before = home.ledger.find_shipment(shipment_id, author=home.party_id)
    if before is not None:
        done = Published(agreement.id, shipment_id, rows=_rows(before), repeated=True)
        return done, agreement.consumer
    # 3. It is time, it is not too often, and what is shared in return is kept.
    require_no_embargo(agreement, period, now)
    first = shipment_id.rpartition(".")[0]
    require_shipments(agreement, home.ledger.count_shipments(f"{first}.", home.party_id))
    require_return(home, agreement, now)
    # 4. Prepare and judge; what breaks a rule stops here, not at the partner.
    try:
        prepared = prepare(home, agreement, kind, period, since=due.since, now=now, clean=due.clean)
        made = _seal_and_record(home, agreement, kind, period, prepared, shipment_id, now)
    except TableRefused as refusal:
        if agreement.cadence.every is Every.EVENT and refusal.code == "table.empty":
            return Published(agreement.id, None, nothing=True), agreement.consumer
        raise
    return made, agreement.consumer


@dataclass(frozen=True)
class _Due:
    """The period to serve, and since when rows are new to the partner.

    ``clean`` says that no row had to stay the last time.
    """

    period: Period
    since: datetime
    clean: bool


def _due(home: Home, agreement: Agreement, now: datetime, due_at: datetime) -> _Due:
    """What is due next.

    Rows are new since the last shipment under this agreement was made, whatever its version; a
    revision covers again what the shipments of its own period covered.
    """
    period = agreement.cadence.next_due(due_at)
    last = home.ledger.last_shipment(agreement.id)
    since = agreement.start if last is None else last.issued_at
    if agreement.cadence.every is Every.EVENT:
        period = Period(since, now, now)
    return _Due(period, since, clean=last is None or _stopped(last) == 0)


def _sealed(
    home: Home, agreement: Agreement, kind: Kind, prepared: Prepared
) -> tuple[Written, SealedPayload]:
    """What leaves, treated as agreed and sealed; AgreementRefused when it is too much."""
    with tempfile.TemporaryDirectory(prefix="seal-", dir=home.lake.folder) as folder:
        parquet = Path(folder, "shipment.parquet")
        written = write_agreed(home, agreement, kind, prepared, parquet)
        require_volume(agreement, rows=written.rows, sealed_bytes=0)
        sealed = seal(home, written.path, agreement.consumer)
    try:
        require_volume(agreement, rows=written.rows, sealed_bytes=sealed.bytes)
    except AgreementRefused:
        sealed.path.unlink()
        raise
    return written, sealed


def _seal_and_record(
    home: Home,
    agreement: Agreement,
    kind: Kind,
    period: Period,
    prepared: Prepared,
    shipment_id: str,
    now: datetime,
) -> Published:
    stopped = tuple(ReasonCount(r.rule, r.reason, r.rows) for r in refusals(home.lake))
    if prepared.judgement.refused:
        keep_stopped(
            home.lake,
            shipment_id=shipment_id,
            agreement_id=agreement.id,
            kind=kind.name,
            partner=agreement.consumer,
            now=now,
        )
    if prepared.leaving == 0:
        raise TableRefused(
            "all-rows-refused",
            f"no row of {shipment_id} may leave",
            expected="rows that keep the rules of the kind",
            found="; ".join(f"{r.reason} ({counted(r.rows, 'row')})" for r in stopped),
        )
    shared = shared_columns(agreement, kind)
    written, sealed = _sealed(home, agreement, kind, prepared)

    def describe(position: Position) -> tuple[tuple[Subject, ...], Body]:
        payload = sealed.reference(position.seq)
        body = ShipmentBody(
            shipment_id=shipment_id,
            agreement=AgreementRef(agreement.id, agreement.version, agreement.digest),
            kind=KindRef(kind.name, kind.version, kind.digest),
            purposes=agreement.purposes,
            period=PeriodRef(period.start, period.end, period.cut_off),
            columns=tuple(
                ColumnRef(name, kind.column(name).sql_type, agreement.columns[name].value)
                for name in shared
            ),
            rows=written.rows,
            unpacked_bytes=written.unpacked_bytes,
            payload=payload,
            stopped=Stopped(prepared.judgement.refused, stopped),
        )
        return (Subject(name=payload.name, sha256=payload.sha256),), body

    send(home, home.ledger, agreement.consumer, describe, now=now, payload=sealed.path)
    refused = prepared.judgement.refused
    return Published(agreement.id, shipment_id, written.rows, refused, stopped)


def _rows(entry: Entry) -> int:
    body = entry.statement.body
    return body.rows if isinstance(body, ShipmentBody) else 0


def _stopped(entry: Entry) -> int:
    body = entry.statement.body
    return body.stopped.rows if isinstance(body, ShipmentBody) else 0
