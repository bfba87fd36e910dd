"""What has to be deleted by when: what we hold of others, what others hold of us. I/O: reads.

The clause that counts is that of the very text a shipment was made under, which the shipment's
statement names by its digest: an agreement that has ended, was revoked or has a newer version
still asks for what it asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tillit.agreement.terms.retention import delete_by
from tillit.errors import StatementRefused
from tillit.exchange.standing import held
from tillit.home import Home
from tillit.lake import Holding
from tillit.ledger.bodies import Deleted, DeletionBody, ReceiptBody, ShipmentBody
from tillit.ledger.chain import CLOCK_SKEW
from tillit.ledger.reading import Entry
from tillit.ledger.statement import Statement
from tillit.model import Agreement

__all__ = ["GRACE", "Duty", "Expected", "certified", "certified_to_us", "duties", "expected"]

GRACE = timedelta(days=1)
"""How long after its date a deletion counts as in time: it is carried out once a day."""

# A shipment of which every row was refused is kept as well, in quarantine.
_ALL_REFUSED = "table.all-rows-refused"


@dataclass(frozen=True)
class Duty:
    """A shipment that we hold under a clause of retention; ``certified`` once that is over."""

    holding: Holding
    agreement: Agreement
    delete_by: datetime
    certified: bool

    def state(self, now: datetime) -> str:
        """``kept``, ``due``, ``deleted`` while the certificate is still to come, ``certified``."""
        if self.certified:
            return "certified"
        if self.holding.deleted_at is not None:
            return "deleted"
        return "due" if self.delete_by <= now else "kept"


@dataclass(frozen=True)
class Expected:
    """A shipment of ours that a partner may keep only until ``delete_by``, and what it said.

    ``arrived_at`` is when the partner took it, by its receipt; None while there is none.
    """

    consumer: str
    agreement: Agreement
    shipment_id: str
    rows: int
    arrived_at: datetime | None
    delete_by: datetime | None
    deleted_at: datetime | None = None
    rows_deleted: int | None = None
    certificate: str | None = None

    def state(self, now: datetime) -> str:
        """``unanswered``, ``held``, ``due``, ``overdue``, ``deleted`` or ``deleted late``."""
        if self.delete_by is None:
            return "unanswered"
        if self.deleted_at is not None:
            return "deleted" if self.deleted_at <= self.delete_by + GRACE else "deleted late"
        if now < self.delete_by:
            return "held"
        return "due" if now <= self.delete_by + GRACE else "overdue"


def duties(home: Home, *, all_: bool = False) -> list[Duty]:
    """What we hold and may not keep for ever, the oldest first; ``all_`` also what is over."""
    texts = _texts(home, consumer=home.party_id)
    ids = {agreement.id for agreement in texts.values()}
    if not ids:
        return []
    done = certified(home)
    held_ = [
        holding
        for holding in home.lake.holdings()
        if holding.agreement_id in ids and (all_ or holding.statement_digest not in done)
    ]
    digests = [holding.statement_digest for holding in held_]
    entries = {entry.digest: entry for entry in home.ledger.with_digests(digests)}
    found = []
    for holding in held_:
        # What has landed and is not recorded yet waits in the mailbox and comes again.
        entry = entries.get(holding.statement_digest)
        body = None if entry is None else entry.statement.body
        agreement = texts.get(body.agreement.digest) if isinstance(body, ShipmentBody) else None
        until = None if agreement is None else delete_by(agreement, holding.arrived_at)
        if agreement is not None and until is not None:
            over = holding.statement_digest in done
            found.append(Duty(holding, agreement, until, certified=over))
    return sorted(found, key=lambda duty: (duty.delete_by, duty.holding.shipment_id))


def certified(home: Home) -> frozenset[str]:
    """Digests of the shipments of which we have certified that they are deleted."""
    return frozenset(
        gone.statement
        for entry in home.ledger.entries(type="deletion")
        if entry.author == home.party_id and isinstance(entry.statement.body, DeletionBody)
        for gone in entry.statement.body.shipments
    )


def expected(home: Home) -> list[Expected]:
    """Our shipments under a clause of retention, and what their holders certified of them."""
    texts = _texts(home, provider=home.party_id)
    found = []
    for agreement_id in sorted({agreement.id for agreement in texts.values()}):
        receipts = _receipts(home, agreement_id)
        deleted = _certificates(home, agreement_id)
        for entry in home.ledger.entries(type="shipment", agreement=agreement_id):
            body = entry.statement.body
            if entry.author != home.party_id or not isinstance(body, ShipmentBody):
                continue
            agreement = texts.get(body.agreement.digest)
            receipt = receipts.get(entry.digest)
            if agreement is None or not _is_held(receipt):
                continue
            arrived = None if receipt is None else receipt.issued_at
            gone, when, certificate = deleted.get(entry.digest, (None, None, None))
            found.append(
                Expected(
                    *(entry.recipient, agreement, body.shipment_id, body.rows, arrived),
                    delete_by=None if arrived is None else delete_by(agreement, arrived),
                    deleted_at=when,
                    rows_deleted=None if gone is None else gone.rows,
                    certificate=certificate,
                )
            )
    return found


def certified_to_us(home: Home, statement: Statement) -> DeletionBody:
    """What a partner certifies; StatementRefused when it cannot be about shipments of ours to it.

    The same is asked when it comes and whenever it is read: what was refused stays in its chain.
    """
    body = statement.body
    if not isinstance(body, DeletionBody):
        raise StatementRefused("malformed", "not the body of a certificate of deletion")
    if body.deleted_at > statement.issued_at + CLOCK_SKEW:
        raise StatementRefused(
            "malformed",
            "a certificate of what is still to be deleted",
            expected=f"at most {statement.issued_at}",
            found=body.deleted_at,
        )
    digests = [gone.statement for gone in body.shipments]
    sent = {
        entry.digest: entry
        for entry in home.ledger.with_digests(digests)
        if (entry.author, entry.recipient) == (home.party_id, statement.author)
    }
    for gone in body.shipments:
        _require_sent(sent.get(gone.statement), gone, body, statement.author)
    return body


# ---- how ----------------------------------------------------------------------------------------


def _require_sent(entry: Entry | None, gone: Deleted, body: DeletionBody, partner: str) -> None:
    shipment = None if entry is None else entry.statement.body
    if (
        entry is None
        or not isinstance(shipment, ShipmentBody)
        or shipment.shipment_id != gone.shipment_id
        or shipment.agreement != body.agreement
    ):
        raise StatementRefused(
            "malformed",
            "a certificate about something that was never sent",
            expected=f"a shipment of ours to {partner} under {body.agreement.id}",
            found=f"{gone.shipment_id} {gone.statement}",
        )
    if gone.rows > shipment.rows:
        raise StatementRefused(
            "malformed",
            f"a certificate of more rows than {gone.shipment_id} had",
            expected=f"at most {shipment.rows}",
            found=gone.rows,
        )
    if body.deleted_at < entry.issued_at:
        raise StatementRefused(
            "malformed",
            f"{gone.shipment_id} is certified as deleted before it was made",
            expected=f"after {entry.issued_at}",
            found=body.deleted_at,
        )


def _texts(
    home: Home, *, provider: str | None = None, consumer: str | None = None
) -> Mapping[str, Agreement]:
    """The agreements with such a clause, by the digest of their text."""
    return {
        signed.agreement.digest: signed.agreement
        for signed in held(home)
        if "retention" in signed.agreement.terms
        and provider in {None, signed.agreement.provider}
        and consumer in {None, signed.agreement.consumer}
    }


def _receipts(home: Home, agreement_id: str) -> dict[str, Entry]:
    """Receipts of our shipments by the digest of the shipment; the first one counts."""
    found: dict[str, Entry] = {}
    for entry in home.ledger.entries(type="receipt", agreement=agreement_id):
        body = entry.statement.body
        if entry.recipient == home.party_id and isinstance(body, ReceiptBody):
            found.setdefault(body.statement, entry)
    return found


def _is_held(receipt: Entry | None) -> bool:
    """Whether something was kept of it; without an answer that is not known, and it is listed."""
    body = None if receipt is None else receipt.statement.body
    return not isinstance(body, ReceiptBody) or body.code in {None, _ALL_REFUSED}


def _certificates(home: Home, agreement_id: str) -> dict[str, tuple[Deleted, datetime, str]]:
    """What was certified to us by the digest of the shipment; the first word counts."""
    found: dict[str, tuple[Deleted, datetime, str]] = {}
    for body, digest in _valid(home, agreement_id):
        for gone in body.shipments:
            found.setdefault(gone.statement, (gone, body.deleted_at, digest))
    return found


def _valid(home: Home, agreement_id: str) -> Iterator[tuple[DeletionBody, str]]:
    for entry in home.ledger.entries(type="deletion", agreement=agreement_id):
        if entry.recipient == home.party_id:
            try:
                yield certified_to_us(home, entry.statement), entry.digest
            except StatementRefused:  # and it was refused when it came
                continue
