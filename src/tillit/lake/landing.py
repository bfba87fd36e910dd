"""What one landing does to the tables, inside the transaction of its caller. I/O: DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from tillit.engine import quote_identifier, scalar
from tillit.errors import TableRefused
from tillit.lake.tables import ADDED, CATALOG, OWN, kind_table
from tillit.model import Column, Kind, Period

__all__ = [
    "Landed",
    "Landing",
    "heard_before",
    "incoming_columns",
    "land_rows",
    "observe_rows",
    "register_values",
]


@dataclass(frozen=True)
class Landing:
    """A shipment that is about to land: what its statement says, and when it arrived.

    ``partner`` is the sender; ``arrived_at`` is the time of our own ledger. The shipment is known
    by ``partner``, ``shipment_id`` and ``statement_digest`` together.
    """

    kind: Kind
    partner: str
    agreement_id: str
    shipment_id: str
    seq: int
    statement_digest: str
    period: Period
    issued_at: datetime
    arrived_at: datetime
    payload_bytes: int


@dataclass(frozen=True)
class Landed:
    """How a landing went; ``fresh`` is False when it had landed before and nothing was done."""

    accepted: int
    refused: int
    fresh: bool


def heard_before(
    connection: duckdb.DuckDBPyConnection, landing: Landing
) -> tuple[Landed | None, bool]:
    """What was recorded of this shipment, and whether the partner said more at the same time.

    The second is about other shipments of the same kind and ``issued_at``. One question for both:
    what the catalog holds inline is read from PostgreSQL, 12 ms each time.
    """
    known, more = None, False
    for shipment_id, digest, accepted, refused in connection.execute(
        "select shipment_id, statement_digest, rows_accepted, rows_refused "
        f"from {CATALOG}.exchange.shipments where partner = ? "
        "and ((shipment_id = ? and statement_digest = ?) or (kind = ? and issued_at = ?))",
        [
            landing.partner,
            landing.shipment_id,
            landing.statement_digest,
            landing.kind.name,
            landing.issued_at,
        ],
    ).fetchall():
        if (shipment_id, digest) == (landing.shipment_id, landing.statement_digest):
            known = Landed(accepted, refused, fresh=False)
        else:
            more = True
    return known, more


def land_rows(
    connection: duckdb.DuckDBPyConnection, landing: Landing, unread: str = "incoming"
) -> Landed:
    """Insert accepted rows, refused rows and the shipment; ``repeated`` rows are stored already."""
    columns = incoming_columns(connection, landing.kind)
    listed = ", ".join(f"incoming.{quote_identifier(name)}" for name in columns)
    refused = scalar(connection, "select count(*) from refused")
    repeated = scalar(connection, "select count(*) from repeated")
    # An anti-join costs 5 to 10 % on ten million rows; most shipments need none.
    without = "".join(
        f" anti join {table} using (row_no)"
        for table, rows in (("refused", refused), ("repeated", repeated))
        if rows
    )
    added = {
        "partner": landing.partner,
        "agreement_id": landing.agreement_id,
        "shipment_id": landing.shipment_id,
        "issued_at": landing.issued_at,
        "arrived_at": landing.arrived_at,
    }
    stored = scalar(
        connection,
        f"insert into {kind_table('landed', landing.kind)} by name "
        f"select {listed}, {_given(added)} from incoming{without}",
        *added.values(),
    )
    kept = _quarantine(connection, landing, unread) if refused else 0
    if kept != refused:
        raise TableRefused(
            "query", "a refused row is not among the incoming ones", expected=refused, found=kept
        )
    landed = Landed(stored + repeated, refused, fresh=True)
    _record(connection, landing, landed)
    return landed


def _quarantine(connection: duckdb.DuckDBPyConnection, landing: Landing, unread: str) -> int:
    """Keep the refused rows whole, as JSON of texts: a number in JSON would lose digits."""
    source = quote_identifier(unread)
    names = [name for name, *_ in connection.execute(f"describe {source}").fetchall()]
    cells = ", ".join(
        f"{quote_identifier(name)} := whole.{quote_identifier(name)}::varchar"
        for name in names
        if name != "row_no"
    )
    added = {
        "shipment_id": landing.shipment_id,
        "agreement_id": landing.agreement_id,
        "kind": landing.kind.name,
        "partner": landing.partner,
        "arrived_at": landing.arrived_at,
    }
    count = scalar(
        connection,
        f"insert into {CATALOG}.quarantine.refused by name "
        f"select {_given(added)}, refused.row_no, refused.rules, refused.reasons, "
        f'to_json(struct_pack({cells}))::varchar as "row" '
        f"from {source} as whole inner join refused using (row_no)",
        *added.values(),
    )
    return int(count)


def _record(connection: duckdb.DuckDBPyConnection, landing: Landing, landed: Landed) -> None:
    row = {
        "shipment_id": landing.shipment_id,
        "agreement_id": landing.agreement_id,
        "kind": landing.kind.name,
        "partner": landing.partner,
        "seq": landing.seq,
        "statement_digest": landing.statement_digest,
        "period_start": landing.period.start,
        "period_end": landing.period.end,
        "cut_off_at": landing.period.cut_off,
        "issued_at": landing.issued_at,
        "arrived_at": landing.arrived_at,
        "rows_accepted": landed.accepted,
        "rows_refused": landed.refused,
        "payload_bytes": landing.payload_bytes,
    }
    connection.execute(
        f"insert into {CATALOG}.exchange.shipments by name select {_given(row)}",
        list(row.values()),
    )


def observe_rows(
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    source: str,
    *,
    batch: str,
    since: datetime,
    until: datetime,
) -> int:
    """Insert a batch of our own observations, unless it is there."""
    table = kind_table("own", kind)
    before = scalar(
        connection,
        f"select count(*) from {table} where agreement_id = ? and shipment_id = ?",
        OWN,
        batch,
    )
    if before:
        return 0
    held = {
        name for name, *_ in connection.execute(f"describe {quote_identifier(source)}").fetchall()
    }
    if missing := [c.name for c in kind.columns if c.required and c.name not in held]:
        raise TableRefused(
            "missing-column", f"{kind.name} lacks a column", expected=missing[0], found="none"
        )
    columns = [column for column in kind.columns if column.name in held]
    # A value of ours that cannot be read is unknown; a row without its key is about nothing.
    listed = ", ".join(_read(column) for column in columns)
    keyed = " and ".join(f"{_cast(column)} is not null" for column in columns if column.key)
    count = scalar(
        connection,
        f"insert into {table} by name "
        f"select {listed}, partner, ? as agreement_id, ? as shipment_id, "
        "recorded_at::timestamptz as issued_at, recorded_at::timestamptz as arrived_at "
        f"from {quote_identifier(source)} "
        f"where {keyed} "
        "and recorded_at::timestamptz >= ? and recorded_at::timestamptz < ?",
        *(OWN, batch, since, until),
    )
    return int(count)


def _read(column: Column) -> str:
    return f"{_cast(column)} as {quote_identifier(column.name)}"


def _cast(column: Column) -> str:
    return f"try_cast({quote_identifier(column.name)} as {column.sql_type})"


def incoming_columns(connection: duckdb.DuckDBPyConnection, kind: Kind) -> tuple[str, ...]:
    """The columns of ``incoming`` but ``row_no``; TableRefused for one that the kind has not."""
    described = connection.execute("describe incoming").fetchall()
    names = tuple(name for name, *_ in described if name != "row_no")
    known = {column.name for column in kind.columns}
    if extra := [name for name in names if name not in known or name in ADDED]:
        raise TableRefused(
            "extra-column", f"{kind.name} has no such column", expected=sorted(known), found=extra
        )
    return names


def _given(values: dict[str, object]) -> str:
    """``? as name`` for each: values travel beside the SQL, never in it."""
    return ", ".join(f"? as {quote_identifier(name)}" for name in values)


def register_values(connection: duckdb.DuckDBPyConnection, series: str, source: str) -> int:
    """Add the values of a public series that are not there yet; their number."""
    given = quote_identifier(source)
    connection.execute(
        "insert into lake.own.public_index by name select distinct $series as series, "
        "published_on::date as published_on, period_start::date as period_start, "
        f"value::double as value from {given} "
        "except select series, published_on, period_start, value from lake.own.public_index",
        {"series": series},
    )
    return int(connection.fetchall()[0][0])
