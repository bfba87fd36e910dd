"""Carry out the terms on rows that are ready to leave. I/O: the lake's connection, a file."""

from __future__ import annotations

from pathlib import Path

from tillit.agreement.agreed import leaving
from tillit.agreement.terms.groups import suppressed_query
from tillit.errors import TableRefused
from tillit.exchange.prepare import Prepared
from tillit.exchange.treat import treated
from tillit.home import Home
from tillit.lake import Written, take_leaving, write_leaving
from tillit.model import Agreement, Kind

__all__ = ["write_agreed"]


def write_agreed(
    home: Home, agreement: Agreement, kind: Kind, prepared: Prepared, path: Path
) -> Written:
    """Write what may leave of ``incoming`` under an agreement: its rows, its columns, treated.

    Raises TableRefused ``empty`` when the terms let no row leave.
    """
    if prepared.treated is not None:
        return take_leaving(home.lake, prepared.treated, path)
    connection = home.lake.connection
    terms = leaving(agreement, kind)
    without = ["refused"] if prepared.judgement.refused else []
    where = f" where {terms.where}" if terms.where else ""
    if terms.group is not None:
        left = "".join(f" anti join {table} using (row_no)" for table in without)
        connection.execute(f"create or replace temp view agreed as from incoming{left}{where}")
        connection.execute(
            f"create or replace temp table suppressed as {suppressed_query(terms.group, 'agreed')}"
        )
        without.append("suppressed")
    with treated(home, agreement, terms) as columns:
        written = write_leaving(
            home.lake,
            columns,
            path,
            whole=prepared.whole if terms.untouched else None,
            tail="".join(f" anti join {table} using (row_no)" for table in without) + where,
        )
    if written.rows == 0:
        raise TableRefused(
            "empty",
            f"no row of {kind.name} may leave for {agreement.consumer}",
            expected="rows that the terms let through",
            found=f"{prepared.leaving} that keep the rules",
        )
    return written
