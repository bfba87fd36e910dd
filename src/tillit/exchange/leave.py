"""Carry out the terms on rows that are ready to leave. I/O: the lake's connection, a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from tillit.agreement.agreed import leaving
from tillit.agreement.terms.groups import suppressed_query
from tillit.errors import TableRefused
from tillit.exchange.prepare import Prepared
from tillit.home import Home
from tillit.lake import Written, write_leaving
from tillit.model import Agreement, Kind
from tillit.sql.text import quote

__all__ = ["write_agreed"]


def write_agreed(
    home: Home, agreement: Agreement, kind: Kind, prepared: Prepared, path: Path
) -> Written:
    """Write what may leave of ``incoming`` under an agreement: its rows, its columns, treated.

    Raises TableRefused ``empty`` when the terms let no row leave.
    """
    connection = home.lake.connection
    terms = leaving(agreement, kind)
    columns = dict(terms.columns)
    joins = []
    for place, name in enumerate(terms.pseudonyms):
        lookup = f"pseudonyms_{place}"
        _make_lookup(home, connection, agreement.consumer, name, lookup)
        columns[name] = f"{lookup}._pseudonym"
        joins.append(f"left join {lookup} on incoming.{quote(name)} = {lookup}._clear")
    without = ["refused"] if prepared.judgement.refused else []
    where = f" where {terms.where}" if terms.where else ""
    if terms.group is not None:
        left = "".join(f" anti join {table} using (row_no)" for table in without)
        connection.execute(f"create or replace temp view agreed as from incoming{left}{where}")
        connection.execute(
            f"create or replace temp table suppressed as {suppressed_query(terms.group, 'agreed')}"
        )
        without.append("suppressed")
    written = write_leaving(
        home.lake,
        columns,
        path,
        whole=prepared.whole if terms.untouched else None,
        tail="".join(
            [
                *(f" anti join {table} using (row_no)" for table in without),
                *(f" {join}" for join in joins),
                where,
            ]
        ),
    )
    if written.rows == 0:
        raise TableRefused(
            "empty",
            f"no row of {kind.name} may leave for {agreement.consumer}",
            expected="rows that the terms let through",
            found=f"{prepared.leaving} that keep the rules",
        )
    return written


def _make_lookup(home: Home, connection: Any, consumer: str, name: str, lookup: str) -> None:
    """A temporary table of each text of a column with its pseudonym.

    Each different text is hashed once, and here: the key does not get into any SQL.
    """
    pseudonyms = home.keys.pseudonyms(consumer)
    # No column of a kind begins with an underscore, so these are never taken for one.
    clear = connection.sql(
        f"select distinct {quote(name)} as _clear from incoming "  # noqa: S608 (quoted)
        f"where {quote(name)} is not null"
    ).to_arrow_table()
    hashed = [pseudonyms.of(name, text) for text in clear.column("_clear").to_pylist()]
    made = clear.append_column("_pseudonym", pa.array(hashed, pa.string()))
    connection.register("hashed", made)
    try:
        connection.execute(f"create or replace temp table {lookup} as from hashed")
    finally:
        connection.unregister("hashed")
