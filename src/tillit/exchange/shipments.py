"""A shipment arrives: agreement, payload, judgement, landing, receipt. I/O through the home.

The author is certain already; what is refused here is answered with a receipt, and shipment and
receipt are recorded together. Landing comes first and is idempotent, so a run that is killed
between landing and recording does the rest when it is run again.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from tillit.agreement.agreed import agreed_kind
from tillit.agreement.force import require_parties
from tillit.agreement.terms import require_columns, require_purposes
from tillit.agreement.terms.embargo import require_no_embargo
from tillit.agreement.terms.volume import require_shipments, require_volume
from tillit.errors import Refusal, StatementRefused, TableRefused
from tillit.exchange.collect import Collected
from tillit.exchange.open import open_sealed
from tillit.exchange.receipts import answer
from tillit.exchange.seal import SealedPayload, seal
from tillit.exchange.standing import made_by, require
from tillit.home import Home
from tillit.lake import Landed, Landing, open_payload, refusals, write_refused
from tillit.ledger.bodies import ReasonCount, ReceiptBody, ShipmentBody
from tillit.model import Agreement, Every, Kind, Period

__all__ = ["take"]


def take(home: Home, collected: Collected, *, now: datetime) -> ReceiptBody:
    """Take a shipment: land what is good, keep what is not, and answer. Returns the receipt.

    A refusal of the shipment as a whole is a receipt too. Raises Unavailable when mailbox,
    database or lake cannot be reached; then nothing is recorded and the shipment waits.
    """
    shipment = collected.statement.body
    if not isinstance(shipment, ShipmentBody):
        raise StatementRefused("malformed", "not the body of a shipment")
    try:
        agreement, kind = _entitled(home, collected, shipment, now)
        receipt, returned = _land(home, collected, shipment, agreement, kind, now)
    except Refusal as refusal:
        receipt, returned = _refused(collected, shipment, refusal), None
    answer(home, collected, receipt, now=now, returned=returned)
    return receipt


def _entitled(
    home: Home, collected: Collected, shipment: ShipmentBody, now: datetime
) -> tuple[Agreement, Kind]:
    """The agreement that allows this shipment; AgreementRefused or StatementRefused."""
    agreement, kind = require(
        home,
        shipment.agreement.id,
        now=now,
        digest=shipment.agreement.digest,
        made=made_by(collected.statement),
    )
    require_parties(agreement, provider=collected.statement.author, consumer=home.party_id)
    if (shipment.kind.name, shipment.kind.digest) != (kind.name, kind.digest):
        raise StatementRefused(
            "agreement-mismatch",
            "the shipment is of another kind than its agreement",
            expected=f"{kind.name} {kind.digest}",
            found=f"{shipment.kind.name} {shipment.kind.digest}",
        )
    done = {column.name: column.treatment for column in shipment.columns}
    require_columns(agreement, kind, done)
    require_purposes(agreement, shipment.purposes)
    _require_measure(home, collected, shipment, agreement, now)
    return agreement, kind


def _require_measure(
    home: Home, collected: Collected, shipment: ShipmentBody, agreement: Agreement, now: datetime
) -> None:
    """Not too early, not too much, not too often; AgreementRefused or StatementRefused."""
    period = Period(shipment.period.start, shipment.period.end, shipment.period.cut_off)
    if agreement.cadence.every is not Every.EVENT:
        agreed = agreement.cadence.period_at(period.start)
        if period != agreed:
            raise StatementRefused(
                "agreement-mismatch",
                "the shipment serves no period of the cadence",
                expected=f"{agreed.start} to {agreed.end}, due {agreed.cut_off}",
                found=f"{period.start} to {period.end}, due {period.cut_off}",
            )
        require_no_embargo(agreement, period, now)
    require_volume(agreement, rows=shipment.rows, sealed_bytes=shipment.payload.bytes)
    author, first = collected.statement.author, shipment.shipment_id.rpartition(".")[0]
    before = home.ledger.count_shipments(f"{first}.", author, without=collected.digest)
    require_shipments(agreement, before)


def _land(
    home: Home,
    collected: Collected,
    shipment: ShipmentBody,
    agreement: Agreement,
    kind: Kind,
    now: datetime,
) -> tuple[ReceiptBody, SealedPayload | None]:
    # Three seconds of imports, which nothing but a shipment has to pay for.
    from tillit.quality.expectations import judge

    lake = home.lake
    agreed = agreed_kind(agreement, kind)
    columns = {column.name: column.sql_type for column in agreed.columns}
    with open_sealed(home, collected.statement.author, shipment.payload) as parquet:
        open_payload(
            lake.connection,
            parquet,
            rows=shipment.rows,
            unpacked=shipment.unpacked_bytes,
            columns=columns,
        )
        if shipment.rows == 0:
            raise TableRefused("empty", f"{shipment.shipment_id} holds no rows", found="0 rows")
        judge(lake.connection, "incoming", agreed, agreed.columns)
        landed = lake.land(
            Landing(
                kind=kind,
                partner=collected.statement.author,
                agreement_id=agreement.id,
                shipment_id=shipment.shipment_id,
                seq=collected.statement.seq,
                statement_digest=collected.digest,
                period=Period(shipment.period.start, shipment.period.end, shipment.period.cut_off),
                issued_at=collected.statement.issued_at,
                arrived_at=now,
                payload_bytes=shipment.payload.bytes,
            )
        )
        returned = _returned(home, collected.statement.author) if landed.refused else None
    return _receipt(home, collected, shipment, landed), returned


def _receipt(
    home: Home, collected: Collected, shipment: ShipmentBody, landed: Landed
) -> ReceiptBody:
    outcome = "partly" if landed.refused else "accepted"
    return ReceiptBody(
        shipment_id=shipment.shipment_id,
        statement=collected.digest,
        outcome=outcome if landed.accepted or not landed.refused else "refused",
        code=None if landed.accepted else "table.all-rows-refused",
        reason=None if landed.accepted else "every row breaks a rule",
        accepted=landed.accepted,
        refused=landed.refused,
        reasons=_reasons(home) if landed.refused else (),
        payload=None,
    )


def _reasons(home: Home) -> tuple[ReasonCount, ...]:
    """How many rows broke which rule, from the temporary table that judging and landing left."""
    return tuple(
        ReasonCount(rule=r.rule, reason=r.reason, rows=r.rows) for r in refusals(home.lake)
    )


def _returned(home: Home, provider: str) -> SealedPayload:
    """The refused rows, whole and with their reasons, sealed for their owner."""
    with tempfile.TemporaryDirectory(prefix="return-", dir=home.lake.folder) as folder:
        written = write_refused(home.lake, Path(folder) / "refused.parquet")
        return seal(home, written.path, provider)


def _refused(collected: Collected, shipment: ShipmentBody, refusal: Refusal) -> ReceiptBody:
    return ReceiptBody(
        shipment_id=shipment.shipment_id,
        statement=collected.digest,
        outcome="refused",
        code=refusal.code,
        reason=str(refusal),
        accepted=0,
        refused=shipment.rows,
        reasons=(),
        payload=None,
    )
