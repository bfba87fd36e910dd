"""Custody: what was received is deleted when its agreement says so, and that is certified. I/O.

A certificate is a promise, signed and in both ledgers: the provider sees that it was given, and
when, not that it is kept. It is given only when rows, files and keys are destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tillit.exchange.collect import Collected
from tillit.exchange.deliver import Delivered, deliver
from tillit.exchange.duties import Duty, certified_to_us, duties
from tillit.exchange.record import send
from tillit.home import Home
from tillit.lake import Source, drop_derived
from tillit.ledger.bodies import AgreementRef, Deleted, DeletionBody
from tillit.ledger.chain import Position
from tillit.ledger.deletion import MAX_DELETED
from tillit.ledger.statement import Body, Subject
from tillit.ledger.store import Entry, Transaction

__all__ = ["Certified", "Custody", "keep_custody", "take"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Certified:
    """A certificate that we gave: to whom, about which shipments, by its statement's digest."""

    provider: str
    agreement_id: str
    shipments: tuple[str, ...]
    rows: int
    statement: str


@dataclass(frozen=True)
class Custody:
    """What one run deleted and certified, and what it could deliver."""

    certificates: tuple[Certified, ...]
    delivered: Delivered
    derived: tuple[str, ...] = ()
    """Derived tables that were dropped, because they may have held some of it."""

    @property
    def rows(self) -> int:
        """Rows that are gone."""
        return sum(certificate.rows for certificate in self.certificates)


def keep_custody(home: Home, *, now: datetime, progress: Progress | None = None) -> Custody:
    """Delete what is due, destroy its keys, certify that to its providers and deliver.

    What was derived of it goes with it: nobody can tell which of its rows a derived table holds.
    A run that was killed is finished by the next one, and nothing is certified twice. ``progress``
    is told how many shipments are done, of how many. Raises DatabaseUnavailable when others write
    too or the lake cannot be reached: then nothing more is certified, and it is to be run again.
    """
    with home.database.lock("custody"):
        due = [duty for duty in duties(home) if duty.state(now) in {"due", "deleted"}]
        dropped: list[str] = []
        for done, duty in enumerate(due):
            if progress is not None:
                progress(done, len(due))
            text, held = duty.agreement, duty.holding
            dropped += drop_derived(home.lake, Source(held.partner, text.id, text.digest))
            home.lake.delete(held, now=now)
        certificates = _certify(home, due, now) if due else ()
        if progress is not None and due:
            progress(len(due), len(due))
    return Custody(certificates, deliver(home, now=now), tuple(dropped))


def take(home: Home, transaction: Transaction, collected: Collected, now: datetime) -> None:
    """Take a partner's certificate; StatementRefused unless it is about shipments of ours to it."""
    del transaction, now
    certified_to_us(home, collected.statement)


def _certify(home: Home, due: Sequence[Duty], now: datetime) -> tuple[Certified, ...]:
    home.lake.destroy_deleted()
    rows = {holding.statement_digest: holding.deleted_rows for holding in home.lake.holdings()}
    grouped: dict[tuple[str, AgreementRef], list[Deleted]] = {}
    for duty in due:
        text = duty.agreement
        ref = AgreementRef(id=text.id, version=text.version, digest=text.digest)
        digest = duty.holding.statement_digest
        gone = Deleted(duty.holding.shipment_id, digest, rows[digest] or 0)
        grouped.setdefault((duty.holding.partner, ref), []).append(gone)
    made = []
    for (provider, ref), every in grouped.items():
        for first in range(0, len(every), MAX_DELETED):
            some = tuple(every[first : first + MAX_DELETED])
            entry = _say(home, provider, DeletionBody(ref, now, some), now)
            made.append(
                Certified(
                    *(provider, ref.id, tuple(gone.shipment_id for gone in some)),
                    rows=sum(gone.rows for gone in some),
                    statement=entry.digest,
                )
            )
    return tuple(made)


def _say(home: Home, provider: str, body: DeletionBody, now: datetime) -> Entry:
    ref = body.agreement

    def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
        return (Subject(name=f"{ref.id}@{ref.version}", sha256=ref.digest),), body

    return send(home, home.ledger, provider, describe, now=now)
