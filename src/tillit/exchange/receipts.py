"""Acknowledge: receipts that we write, and receipts that we get. I/O: ledger, outbox, lake.

A receipt says in the clear how many rows were accepted and refused and by which rule; the refused
rows themselves travel sealed to the provider, for they are as confidential as the others.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tillit.errors import StatementRefused
from tillit.exchange.collect import Collected
from tillit.exchange.open import open_sealed
from tillit.exchange.record import send
from tillit.exchange.seal import SealedPayload
from tillit.home import Home
from tillit.lake import keep_returned
from tillit.ledger.bodies import ReceiptBody, ShipmentBody
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.ledger.store import Transaction

__all__ = ["answer", "take"]


def answer(
    home: Home,
    collected: Collected,
    receipt: ReceiptBody,
    *,
    now: datetime,
    returned: SealedPayload | None = None,
) -> None:
    """Record a shipment and our receipt for it together, and queue the receipt."""

    def describe(position: Position) -> tuple[tuple[Subject, ...], Body]:
        subject = Subject(name=receipt.shipment_id, sha256=collected.digest)
        if returned is None:
            return (subject,), receipt
        ref = returned.reference(position.seq)
        carried = Subject(name=ref.name, sha256=ref.sha256)
        return (subject, carried), replace(receipt, payload=ref)

    with home.ledger.transaction() as transaction:
        transaction.append_received(collected.envelope, collected.statement, now=now)
        send(
            home,
            transaction,
            collected.statement.author,
            describe,
            now=now,
            payload=None if returned is None else returned.path,
        )


def take(home: Home, transaction: Transaction, collected: Collected, now: datetime) -> None:
    """Take a partner's receipt: it must be about a shipment of ours; keep the rows it returns.

    Raises StatementRefused when it is about something that we never sent it, PayloadRefused when
    the returned rows are not what it says.
    """
    del transaction
    body = collected.statement.body
    if not isinstance(body, ReceiptBody):
        raise StatementRefused("malformed", "not the body of a receipt")
    partner = collected.statement.author
    sent = home.ledger.get(body.statement)
    about = None if sent is None else sent.statement
    if (
        about is None
        or about.author != home.party_id
        or about.recipient != partner
        or not isinstance(about.body, ShipmentBody)
        or about.body.shipment_id != body.shipment_id
    ):
        raise StatementRefused(
            "malformed",
            "a receipt for something that was never sent",
            expected=f"a shipment of ours to {partner}",
            found=body.shipment_id,
        )
    if body.accepted + body.refused != about.body.rows:
        raise StatementRefused(
            "malformed",
            "a receipt that counts other rows than were sent",
            expected=about.body.rows,
            found=body.accepted + body.refused,
        )
    if body.payload is not None:
        with open_sealed(home, partner, body.payload) as parquet:
            keep_returned(
                home.lake,
                parquet,
                shipment_id=body.shipment_id,
                agreement_id=about.body.agreement.id,
                kind=about.body.kind.name,
                partner=partner,
                now=now,
                rows=body.refused,
                shipped=about.body.unpacked_bytes,
            )
