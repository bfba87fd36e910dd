"""Rows that may not be kept any longer, the files they lay in and the keys of those. I/O.

To delete rows is a note in the catalog beside a file that still holds them, and the catalog keeps
the file's key for as long as it keeps a snapshot in which they were there. So the files are
written anew without the rows, all older snapshots are given up, and what belonged to them goes:
files from the disk, keys from PostgreSQL. The lake answers as of a time by ``arrived_at`` and never
needs an older snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import duckdb
import psycopg2.extensions

from tillit.engine import quote_identifier, scalar
from tillit.errors import DatabaseUnavailable
from tillit.lake.tables import CATALOG, METADATA, SUMMED, lake_tables

__all__ = ["Holding", "delete_rows", "destroy_files", "forget_values", "holdings"]

# What is deleted or written over in a table stays in its file until the file is written anew.
_VACUUMED = (
    *("ducklake_data_file", "ducklake_delete_file"),
    *("ducklake_file_column_stats", "ducklake_table_column_stats"),
)


@dataclass(frozen=True)
class Holding:
    """A shipment that landed: what stays known of it when its rows are gone.

    ``rows`` is how many it left here, refused ones included; ``deleted_rows`` and ``deleted_at``
    are None while they are there.
    """

    partner: str
    shipment_id: str
    statement_digest: str
    agreement_id: str
    kind: str
    arrived_at: datetime
    rows: int
    deleted_rows: int | None
    deleted_at: datetime | None


def holdings(connection: duckdb.DuckDBPyConnection) -> list[Holding]:
    """Every shipment that landed, in the order in which they arrived."""
    found = connection.execute(
        "select s.partner, s.shipment_id, s.statement_digest, s.agreement_id, s.kind, "
        "s.arrived_at, s.rows_accepted + s.rows_refused, d.rows_deleted, d.deleted_at "
        f"from {CATALOG}.exchange.shipments as s left join {CATALOG}.exchange.deletions as d "
        "on s.partner = d.partner and s.statement_digest = d.statement_digest "
        "order by s.arrived_at, s.partner, s.seq"
    ).fetchall()
    return [Holding(*row) for row in found]


def delete_rows(
    connection: duckdb.DuckDBPyConnection, holding: Holding, *, now: datetime
) -> int | None:
    """Delete a shipment's rows and record that, in the caller's transaction; None if done before.

    The shipment stays in ``exchange.shipments``: it is a record and holds nothing of its rows.
    """
    known = scalar(
        connection,
        f"select count(*) from {CATALOG}.exchange.deletions "
        "where partner = ? and statement_digest = ?",
        *(holding.partner, holding.statement_digest),
    )
    if known:
        return None
    deleted = 0
    for table, more in (
        (f"landed.{quote_identifier(holding.kind)}", ""),
        ("quarantine.refused", " and kind = ?"),
    ):
        values = [holding.partner, holding.shipment_id, *([holding.kind] if more else [])]
        deleted += scalar(
            connection,
            f"delete from {CATALOG}.{table} where partner = ? and shipment_id = ?{more}",
            *values,
        )
    connection.execute(
        f"insert into {CATALOG}.exchange.deletions by name select ? as partner, "
        "? as shipment_id, ? as statement_digest, ? as agreement_id, ? as kind, "
        "?::bigint as rows_deleted, ?::timestamptz as deleted_at",
        [
            *(holding.partner, holding.shipment_id, holding.statement_digest),
            *(holding.agreement_id, holding.kind, deleted, now),
        ],
    )
    return deleted


def destroy_files(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave no file, and no key of a file, that holds rows which were deleted.

    Does nothing when there is none, and the rest when it was killed before. Raises
    DatabaseUnavailable when another process wrote over it meanwhile: it is to be done again.
    """
    run = connection.execute
    for mart in lake_tables(connection, "trust"):
        if mart not in SUMMED:  # the next measurement makes it anew
            run(f"drop table if exists {CATALOG}.trust.{quote_identifier(mart)}")
    run(f"call ducklake_rewrite_data_files('{CATALOG}', delete_threshold => 0)")
    # By number, not by age: the clock that wrote a snapshot may be another machine's.
    older = scalar(
        connection,
        f"select list(snapshot_id order by snapshot_id)[:-2] from ducklake_snapshots('{CATALOG}')",
    )
    if older:
        run(f"call ducklake_expire_snapshots('{CATALOG}', versions => ?)", [older])
    run(f"call ducklake_cleanup_old_files('{CATALOG}', cleanup_all => true)")
    left = scalar(
        connection,
        f"select (select count(*) from {METADATA}.ducklake_delete_file) + (select count(*) "
        f"from {METADATA}.ducklake_data_file as f inner join {METADATA}.ducklake_table as t "
        f"using (table_id) inner join {METADATA}.ducklake_schema as s using (schema_id) "
        "where f.end_snapshot is not null "
        "and s.schema_name in ('landed', 'quarantine', 'derived'))",
    )
    if left:
        raise DatabaseUnavailable(
            "lock-timeout", "others wrote while files were destroyed", expected="none", found=left
        )


# The catalog keeps the least and the greatest value of each column, as text, and keeps them when
# the rows are gone with their whole file. They are found again from the files that are there.
_COLUMNS = f"""
select c.table_id, c.column_id, coalesce(d.data_type, 'VARCHAR')
from {METADATA}.ducklake_column as c
inner join {METADATA}.ducklake_table as t on c.table_id = t.table_id and t.end_snapshot is null
inner join {METADATA}.ducklake_schema as s on t.schema_id = s.schema_id and s.end_snapshot is null
left join duckdb_columns() as d
    on d.database_name = '{CATALOG}' and d.schema_name = s.schema_name
    and d.table_name = t.table_name and d.column_name = c.column_name and c.parent_column is null
where c.end_snapshot is null and s.schema_name in ('landed', 'quarantine')
    and (c.parent_column is null or c.column_type = 'varchar')
"""
_UPDATE = """
update ducklake_table_column_stats set min_value = %(low)s, max_value = %(high)s
where table_id = %(table)s and column_id = %(column)s
    and (min_value, max_value) is distinct from (%(low)s, %(high)s)
"""


def forget_values(
    connection: duckdb.DuckDBPyConnection, postgres: psycopg2.extensions.connection
) -> None:
    """Let the catalog know no extreme value of rows that are gone, and no key, nor in free space.

    ``postgres`` is the catalog's database, with autocommit.
    """
    with postgres.cursor() as cursor:
        cursor.execute("begin")
        try:
            # Whoever commits rows now waits for this, or was before it and is counted.
            cursor.execute("lock table ducklake_table_column_stats in exclusive mode")
            for table, column, low, high in _extremes(connection):
                values = {"table": table, "column": column, "low": low, "high": high}
                cursor.execute(_UPDATE, values)
            cursor.execute("commit")
        except BaseException:
            cursor.execute("rollback")
            raise
        for name in _VACUUMED:
            cursor.execute(f"vacuum (full) {name}")


def _extremes(
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[tuple[int, int, str | None, str | None]]:
    """Table, column, least and greatest value by the files that are there.

    A column of which a file does not say them is left out: what is known of it stays known.
    """
    connection.execute(
        f"create or replace temp table file_extremes as from {METADATA}.ducklake_file_column_stats"
    )
    for table, column, sql_type in connection.execute(_COLUMNS).fetchall():
        low, high = (f"try_cast({name} as {sql_type})" for name in ("min_value", "max_value"))
        found = connection.execute(
            f"select arg_min(min_value, {low}), arg_max(max_value, {high}), "
            f"coalesce(bool_or(value_count is distinct from 0 and ({low} is null or {high} is null)"
            "), false) from file_extremes where table_id = ? and column_id = ?",
            [table, column],
        ).fetchone()
        if found is not None and not found[2]:
            yield table, column, found[0], found[1]
    connection.execute("drop table file_extremes")
