"""Newer wins: what a receiver does with a row whose key it has seen before. I/O: DuckDB.

======================================================  =========================================
unknown key                                             new
known key, later ``issued_at``                          new vintage
same ``issued_at``, same content                        nothing: accepted, stored already
same ``issued_at``, other content                       refused as ``contradictory``
``issued_at`` before the newest                         late vintage: stored, never current
======================================================  =========================================

Only the third and fourth need the lake's rows, and only when the partner has issued something
else at the very same time, which `heard_before` knows.
"""

from __future__ import annotations

import duckdb

from tillit.engine import quote_identifier, scalar
from tillit.lake.landing import Landing, incoming_columns
from tillit.lake.tables import kind_table

__all__ = ["CONTRADICTORY", "find_repeated", "nothing_repeated", "refuse_contradictions"]

CONTRADICTORY = "contradictory"
_REASON = "says something else than was said at the same time about the same key"


def refuse_contradictions(connection: duckdb.DuckDBPyConnection, landing: Landing) -> int:
    """Add to ``refused`` the rows that contradict what landed; the number of such rows."""
    matched, same = _matched(connection, landing)
    connection.execute(
        "create or replace temp table contradicting as "
        f"select distinct incoming.row_no {matched} where not ({same})",
        [landing.partner, landing.issued_at],
    )
    connection.execute(
        "update refused set rules = list_append(rules, ?), reasons = list_append(reasons, ?) "
        "where row_no in (select row_no from contradicting) and not list_contains(rules, ?)",
        [CONTRADICTORY, _REASON, CONTRADICTORY],
    )
    connection.execute(
        "insert into refused by name select row_no, [?] as rules, [?] as reasons "
        "from contradicting anti join refused using (row_no)",
        [CONTRADICTORY, _REASON],
    )
    return int(scalar(connection, "select count(*) from contradicting"))


def find_repeated(connection: duckdb.DuckDBPyConnection, landing: Landing) -> None:
    """Make the temporary table ``repeated(row_no)``: accepted rows that are stored already."""
    matched, same = _matched(connection, landing)
    connection.execute(
        "create or replace temp table repeated as "
        f"select distinct incoming.row_no {matched} anti join refused "
        f"on incoming.row_no = refused.row_no where {same}",
        [landing.partner, landing.issued_at],
    )


def nothing_repeated(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``repeated(row_no)`` without rows."""
    connection.execute("create or replace temp table repeated (row_no bigint)")


def _matched(connection: duckdb.DuckDBPyConnection, landing: Landing) -> tuple[str, str]:
    """A join of incoming rows with those landed of the same key and time, and "same content".

    Columns that this shipment does not have are not compared: another agreement may share fewer.
    """
    columns = incoming_columns(connection, landing.kind)
    key = [name for name in landing.kind.key if name in columns]
    on = " and ".join(f"incoming.{q} = landed.{q}" for q in map(quote_identifier, key))
    rest = [quote_identifier(name) for name in columns if name not in key]
    same = " and ".join(f"incoming.{q} is not distinct from landed.{q}" for q in rest)
    matched = (
        f"from incoming inner join {kind_table('landed', landing.kind)} as landed "
        f"on {on} and landed.partner = ? and landed.issued_at = ?"
    )
    return matched, same or "true"
