"""Rows that do not go on: counted, given back, kept. I/O: the lake's connection and tables.

Judging and landing leave the temporary table ``refused (row_no, rules, reasons)`` beside the rows
themselves; everything here reads those two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from tillit.engine import quote_identifier, quote_literal, refused_as_query, scalar, translated
from tillit.lake.payload import (
    Written,
    inspect_parquet,
    measure_payload,
    measured,
    write_parquet,
)
from tillit.lake.store import Lake

__all__ = [
    "Refusals",
    "keep_returned",
    "keep_stopped",
    "quarantine_counts",
    "refusals",
    "take_leaving",
    "write_leaving",
    "write_refused",
]

_RETURNED = {"row_no": "BIGINT", "rules": "VARCHAR", "reasons": "VARCHAR", "row": "VARCHAR"}
# JSON writes a control character in six; names, rules and reasons come with every row.
_ESCAPED, _ROW_BYTES = 6, 1 << 14


@dataclass(frozen=True)
class Refusals:
    """How many rows broke one rule; a row that breaks two counts in both."""

    rule: str
    reason: str
    rows: int


def refusals(lake: Lake) -> tuple[Refusals, ...]:
    """Counts of ``refused`` by rule, most rows first."""
    rows = lake.connection.execute(
        "select rule, any_value(reason), count(*) as rows "
        "from (select unnest(rules) as rule, unnest(reasons) as reason from refused) "
        "group by rule order by rows desc, rule"
    ).fetchall()
    return tuple(Refusals(rule, reason, count) for rule, reason, count in rows)


def write_leaving(
    lake: Lake, columns: Mapping[str, str], path: Path, *, whole: Path | None = None, tail: str = ""
) -> Written:
    """Write rows of ``incoming`` to a file: these columns by name and expression, in this order.

    ``tail`` is SQL after ``from incoming``: joins that leave rows out, and a condition. ``whole``
    is the file behind ``incoming`` where its columns would leave as they are: with no ``tail`` and
    the same columns it is taken as it is, which halves the work of a large shipment.
    """
    if whole is not None and not tail:
        info = inspect_parquet(lake.connection, whole)
        if [name for name, _ in info.columns] == list(columns):
            return take_leaving(lake, whole, path)
    listed = ", ".join(f"{sql} as {quote_identifier(name)}" for name, sql in columns.items())
    return write_parquet(lake.connection, f"select {listed} from incoming{tail}", path)


def take_leaving(lake: Lake, ready: Path, path: Path) -> Written:
    """Take a file of ours that was written to leave as it is; nothing is looked at but its size."""
    path.hardlink_to(ready)
    return measured(lake.connection, path)


def write_refused(lake: Lake, path: Path, *, rows: str = "incoming") -> Written:
    """Write the refused rows whole, every cell as text, with their rules and reasons."""
    cells = _cells(lake.connection, rows)
    query = (
        "select refused.row_no, array_to_string(refused.rules, ', ') as rules, "
        f"array_to_string(refused.reasons, '; ') as reasons, {cells} as \"row\" "
        f"from {quote_identifier(rows)} as whole inner join refused using (row_no) "
        "order by refused.row_no"
    )
    return write_parquet(lake.connection, query, path)


def keep_stopped(
    lake: Lake, *, shipment_id: str, agreement_id: str, kind: str, partner: str, now: datetime
) -> int:
    """Keep the rows that stopped at us before they left; once for a shipment. Returns how many."""
    cells = _cells(lake.connection, "unread")
    with translated("keeping stopped rows", refused_as_query("the stopped rows")):
        known = scalar(
            lake.connection,
            "select count(*) from lake.quarantine.stopped where shipment_id = ?",
            shipment_id,
        )
        if known:
            return 0
        return int(
            scalar(
                lake.connection,
                "insert into lake.quarantine.stopped by name "
                "select ? as shipment_id, ? as agreement_id, ? as kind, ? as partner, "
                "?::timestamptz as arrived_at, refused.row_no, refused.rules, refused.reasons, "
                f'{cells} as "row" from unread as whole inner join refused using (row_no)',
                *(shipment_id, agreement_id, kind, partner, now),
            )
        )


def keep_returned(  # noqa: PLR0913 (where the rows belong, and what they may be)
    lake: Lake,
    parquet: Path,
    *,
    shipment_id: str,
    agreement_id: str,
    kind: str,
    partner: str,
    now: datetime,
    rows: int,
    shipped: int,
) -> int:
    """Keep the rows that a partner refused and sent back; once for a shipment. Returns how many.

    ``rows`` is how many its receipt says, ``shipped`` the unpacked bytes of what it received: the
    file comes from a partner and may be a bomb. Raises PayloadRefused or TableRefused.
    """
    limit = _ESCAPED * shipped + _ROW_BYTES * rows
    measure_payload(lake.connection, parquet, rows=rows, limit=limit, columns=_RETURNED)
    with translated("keeping returned rows", refused_as_query("the returned rows")):
        known = scalar(
            lake.connection,
            "select count(*) from lake.quarantine.returned where shipment_id = ? and partner = ?",
            *(shipment_id, partner),
        )
        if known:
            return 0
        return int(
            scalar(
                lake.connection,
                "insert into lake.quarantine.returned by name "
                "select ? as shipment_id, ? as agreement_id, ? as kind, ? as partner, "
                "?::timestamptz as arrived_at, row_no, string_split(rules, ', ') as rules, "
                "string_split(reasons, '; ') as reasons, \"row\" "
                f"from read_parquet({quote_literal(str(parquet))})",
                *(shipment_id, agreement_id, kind, partner, now),
            )
        )


def quarantine_counts(lake: Lake) -> list[tuple[str, str, str, str, str, int]]:
    """Rows by table (``stopped`` or ``refused``), partner, kind, rule and reason.

    A row that could not leave is tried again with the next shipment: it counts once, however often
    it was stopped; two like rows of one shipment count as two.
    """
    query = " union all ".join(
        f"select '{table}' as kept, partner, kind, shipment_id, row, unnest(rules) as rule, "
        f"unnest(reasons) as reason from lake.quarantine.{table}"
        for table in ("stopped", "refused")
    )
    return lake.connection.execute(
        "with a_shipment as (select kept, partner, kind, rule, row, any_value(reason) as reason, "
        f"count(*) as alike from ({query}) group by kept, partner, kind, rule, row, shipment_id), "
        "a_row as (select kept, partner, kind, rule, any_value(reason) as reason, "
        "max(alike) as alike from a_shipment group by kept, partner, kind, rule, row) "
        "select kept, partner, kind, rule, any_value(reason) as reason, "
        "sum(alike)::bigint as rows from a_row group by kept, partner, kind, rule "
        "order by rows desc, kept, partner, kind, rule"
    ).fetchall()


def _cells(connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    """The cells of a row as one JSON text; texts, because a number in JSON would lose digits."""
    described = connection.execute(f"describe {quote_identifier(rows)}").fetchall()
    names = [name for name, *_ in described if name not in {"row_no", "unread", "raw"}]
    listed = ", ".join(
        f"{quote_identifier(name)} := whole.{quote_identifier(name)}::varchar" for name in names
    )
    return f"to_json(struct_pack({listed}))::varchar"
