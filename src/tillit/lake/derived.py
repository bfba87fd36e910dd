"""Tables that were made of what partners sent, and whose rows they may hold. I/O: the lake.

A derived table is the answer to a question, kept. Where it came from is kept beside it: without
that nobody could say later for what it may be used, to whom it may go, and when it has to go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tillit.engine import quote_identifier, refused_as_query, translated
from tillit.errors import UsageError
from tillit.lake.payload import Written, write_parquet
from tillit.lake.store import Lake
from tillit.lake.tables import lake_tables
from tillit.model import NAME

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Source",
    "derive",
    "derived_sources",
    "drop_derived",
    "require_free",
    "write_derived",
]

_TABLE = "lake.exchange.derivations"


@dataclass(frozen=True, order=True)
class Source:
    """A version of an agreement under which rows came that a derived table may hold.

    By its partner, its id and the digest of its text: another version may allow something else.
    """

    partner: str
    agreement_id: str
    digest: str


def derive(
    lake: Lake,
    name: str,
    rows: pa.Table,
    sources: Iterable[Source],
    *,
    purpose: str | None,
    now: datetime,
    replace: bool = False,
) -> int:
    """Keep rows as ``derived.<name>`` with where they came from; how many.

    Raises UsageError for a name that is none, or is taken and not to be replaced.
    """
    require_free(lake, name, replace=replace)
    connection = lake.connection
    with translated(f"keeping {name}", refused_as_query(name)):
        _prepare(lake)
        connection.register("given_rows", rows)
        connection.begin()
        try:
            quoted = f"lake.derived.{quote_identifier(name)}"
            connection.execute(f"create or replace table {quoted} as from given_rows")
            connection.execute(f"delete from {_TABLE} where name = ?", [name])
            for source in sorted(set(sources)):
                connection.execute(
                    f"insert into {_TABLE} by name select ? as name, ?::timestamptz as made_at, "
                    "? as purpose, ? as partner, ? as agreement_id, ? as agreement_digest",
                    [name, now, purpose, source.partner, source.agreement_id, source.digest],
                )
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.unregister("given_rows")
    return int(rows.num_rows)


def require_free(lake: Lake, name: str, *, replace: bool = False) -> None:
    """A derived table of that name may be made; UsageError otherwise."""
    if not NAME.fullmatch(name):
        raise UsageError("argument", "a table's name", expected=NAME.pattern, found=name)
    with translated("the lake", refused_as_query("derived tables")):
        if not replace and name in lake_tables(lake.connection, "derived"):
            raise UsageError("exists", f"there is a table derived.{name}", expected="--replace")


def derived_sources(lake: Lake) -> dict[str, frozenset[Source]]:
    """Every derived table with that under which the rows came which it may hold."""
    with translated("the lake", refused_as_query("derived tables")):
        tables = lake_tables(lake.connection, "derived")
        if not tables:
            return {}
        found: dict[str, set[Source]] = {name: set() for name in tables}
        for name, *source in lake.connection.execute(
            f"select name, partner, agreement_id, agreement_digest from {_TABLE}"
        ).fetchall():
            if name in found:
                found[name].add(Source(*source))
    return {name: frozenset(sources) for name, sources in found.items()}


def drop_derived(lake: Lake, source: Source) -> list[str]:
    """Drop every derived table that may hold rows which came so; their names."""
    dropped = sorted(name for name, held in derived_sources(lake).items() if source in held)
    for name in dropped:
        with translated(f"dropping {name}", refused_as_query(name)):
            lake.connection.execute(f"drop table lake.derived.{quote_identifier(name)}")
            lake.connection.execute(f"delete from {_TABLE} where name = ?", [name])
    return dropped


def write_derived(lake: Lake, name: str, path: Path) -> Written:
    """Write a derived table to a Parquet file."""
    query = f"from lake.derived.{quote_identifier(name)}"
    return write_parquet(lake.connection, query, path)


def _prepare(lake: Lake) -> None:
    run = lake.connection.execute
    run("create schema if not exists lake.derived")
    run(
        f"create table if not exists {_TABLE} (name VARCHAR, made_at TIMESTAMPTZ, purpose VARCHAR, "
        "partner VARCHAR, agreement_id VARCHAR, agreement_digest VARCHAR)"
    )
