"""A partner that does harm with keys of its own, and what has to be so after any harm was done."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.scenarios.pair import Company, Pair, agreement_id

from tillit.agreement.terms import shared_columns
from tillit.exchange.agreements import require
from tillit.exchange.deliver import deliver
from tillit.exchange.prepare import prepare
from tillit.exchange.receive import Outcome
from tillit.exchange.record import send
from tillit.exchange.seal import SealedPayload, seal
from tillit.lake import write_leaving
from tillit.ledger.bodies import AgreementRef, ColumnRef, KindRef, PeriodRef, ShipmentBody
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject

__all__ = [
    "FORECAST",
    "REVISIONS",
    "all_goes_on",
    "forecast",
    "receipt_of",
    "ship",
    "take_one",
    "under",
    "with_a_bad_row",
]

FORECAST = "demand_forecast"
# Every shipment of a story is another revision, so that none is a repetition of an honest one.
REVISIONS = itertools.count(1_000)


def forecast(pair: Pair) -> str:
    """The buyer publishes an honest forecast; its shipment's id."""
    made = pair.buyer.publish(FORECAST, now=pair.later(), revision=next(REVISIONS))
    assert made.shipment_id is not None
    return made.shipment_id


def ship(
    pair: Pair,
    *,
    spoil: Callable[[Path], None] | None = None,
    wrap: Callable[[SealedPayload], SealedPayload] | None = None,
    lie: Callable[[ShipmentBody], ShipmentBody] | None = None,
    sealed_for: str | None = None,
    agreed: str | None = None,
) -> str:
    """The buyer ships its forecast after doing something to it; the shipment's id.

    All rows leave, and every shared column as it is, whatever the terms of ``agreed`` (by default
    the agreement about forecasts) ask for. ``spoil`` changes the Parquet file, ``wrap`` the sealed one, ``lie`` what the statement says.
    """
    home, now = pair.buyer.home, pair.later()
    partner = pair.supplier.home.party_id
    agreement, kind = require(home, agreed or agreement_id(home.party_id, FORECAST), now=now)
    period = agreement.cadence.next_due(now)
    prepared = prepare(home, agreement, kind, period, since=agreement.start, now=now)
    shared = shared_columns(agreement, kind)
    with tempfile.TemporaryDirectory(dir=home.lake.folder) as folder:
        parquet = Path(folder, "shipment.parquet")
        columns = {name: f'incoming."{name}"' for name in shared}
        written = write_leaving(home.lake, columns, parquet, whole=prepared.whole)
        if spoil is not None:
            spoil(parquet)
        sealed = seal(home, parquet, sealed_for or partner)
    if wrap is not None:
        sealed = wrap(sealed)
    shipment_id = f"{agreement.id}.{period.start:%Y%m%dT%H%M%S}.{next(REVISIONS)}"

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
        )
        if lie is not None:
            body = lie(body)
        return (Subject(name=payload.name, sha256=payload.sha256),), body

    entry = send(home, home.ledger, partner, describe, now=now, payload=sealed.path)
    assert deliver(home, now=now, partner=partner).complete
    assert entry.shipment_id is not None
    return entry.shipment_id


def with_a_bad_row(path: Path) -> None:
    """A row that the supplier refuses and sends back."""
    table = pq.read_table(path)
    column = table.schema.get_field_index("quantity")
    values = table.column(column).to_pylist()
    changed = pa.array([-abs(values[0]) - 1, *values[1:]], table.schema.field(column).type)
    pq.write_table(table.set_column(column, "quantity", changed), path)


def under(body: ShipmentBody, ref: AgreementRef) -> ShipmentBody:
    """The same shipment under another agreement, with the id that belongs to it."""
    _, _, rest = body.shipment_id.partition(body.agreement.id)
    return replace(body, agreement=ref, shipment_id=ref.id + rest)


def take_one(company: Company, pair: Pair) -> Outcome:
    """What became of the one thing that waits."""
    (outcome,) = company.receive(now=pair.later()).outcomes
    return outcome


def receipt_of(company: Company, shipment_id: str) -> str | None:
    """The code by which a shipment was refused, from the receipt in a company's ledger."""
    (receipt,) = company.statements(type="receipt", shipment=shipment_id)
    code: str | None = receipt.statement.body.code
    return code


def all_goes_on(pair: Pair) -> None:
    """An honest forecast lands, once and whole; nothing waits anywhere.

    That both ledgers hold is asked once a file, when its last test is over.
    """
    before = pair.supplier.landed()
    shipment_id = forecast(pair)
    # What has to be told and delivered again takes a turn or two.
    while any(company.home.incoming.is_anything_waiting() for company in pair.both):
        pair.supplier.receive(now=pair.later())
        pair.buyer.receive(now=pair.later())
    (landed,) = pair.supplier.rows(
        "select rows_accepted, rows_refused from exchange.shipments where shipment_id = ?",
        [shipment_id],
    )
    (sent,) = pair.buyer.statements(type="shipment", shipment=shipment_id)
    assert landed == (sent.rows, 0)
    assert pair.supplier.landed() >= before + sent.rows
    assert receipt_of(pair.buyer, shipment_id) is None
    for company in pair.both:
        assert company.waiting() == []
        assert company.home.ledger.pending_outbox() == []
