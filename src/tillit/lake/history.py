"""A history that was exchanged by other means, laid into a lake's tables. I/O: DuckDB, Parquet.

The folder has a Parquet file a kind, with what was sent in both directions, and
``arrivals.parquet`` with when it was here. Of each relationship that makes two receivers: the
supplier, to whom flows ``b2s``, and the buyer, to whom flows ``s2b``. What flows to a receiver is
landed with it; what it sent itself is its own record. So the measure reads this lake as it reads
any other: ``partner`` stands for one direction of one relationship.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tillit.engine import quote_identifier, quote_literal, refused_as_query, scalar, translated
from tillit.errors import TableRefused
from tillit.lake.tables import empty_lake, kind_table
from tillit.model import Kind

__all__ = ["FLOWS", "SEPARATOR", "History", "lay_history"]

FLOWS = ("b2s", "s2b")
SEPARATOR = "|"
"""Between a relationship and a flow, in the name of a partner."""

_PREFIX = ("relationship_id", "flow", "agreement_id", "shipment_id", "issued_at")
_ARRIVALS = {
    "relationship_id": "VARCHAR",
    "direction": "VARCHAR",
    "agreement_id": "VARCHAR",
    "shipment_id": "VARCHAR",
    "kind": "VARCHAR",
    "arrived_at": "TIMESTAMP WITH TIME ZONE",
    "cut_off_at": "TIMESTAMP WITH TIME ZONE",
}
_AGREEMENTS = {
    "agreement_id": "VARCHAR",
    "relationship_id": "VARCHAR",
    "direction": "VARCHAR",
    "sender_id": "VARCHAR",
    "receiver_id": "VARCHAR",
    "kind": "VARCHAR",
    "column_name": "VARCHAR",
    "is_key": "BOOLEAN",
    "permitted": "BOOLEAN",
    "classification": "VARCHAR",
    "cadence": "VARCHAR",
    "cut_off_hours": "DOUBLE",
}
_PUBLIC = {"published_on": "DATE", "period_start": "DATE", "value": "DOUBLE"}
_STATUSES = ("accepted", "implemented")

# What a column's type may be made of. Numbers of another width are converted; text is not a number.
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT")
_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "number": (*_NUMBERS, "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL"),
    "time": ("DATE", "TIMESTAMP", "VARCHAR"),
    "truth": ("BOOLEAN",),
    "text": ("VARCHAR", "ENUM", "UUID", "BOOLEAN", *_NUMBERS, "UINTEGER", "UBIGINT"),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class History:
    """What is in a folder beside the tables: terms by column, as they stand in its file.

    ``first_at`` is by relationship the first time of anything in it, ``last_at`` the last of all.
    ``offsets`` is by partner and agreement how many hours before a period's start its cut-off
    mostly lay, where the arrivals tell.
    """

    agreements: tuple[Row, ...]
    first_at: Mapping[str, datetime]
    last_at: datetime | None
    offsets: Mapping[tuple[str, str], float]
    kinds: tuple[str, ...]


def lay_history(connection: Any, folder: Path, kinds: Mapping[str, Kind]) -> History:
    """Make a lake's tables in the catalog ``lake`` and fill them from a folder of Parquet files.

    Of the kinds' columns those of the key have to be there; others that are not are null, and
    what is no column of the kind is passed over. Values that their type cannot hold (not a number,
    infinite, 1e300 of a quantity) become null: unknown. Raises TableRefused ``missing-column``,
    ``wrong-type`` or ``source-unreadable`` with the file's name.
    """
    for statement in empty_lake(kinds.values()):
        connection.execute(statement)
    there = _arrivals(connection, folder)
    found = [kind for kind in kinds.values() if (folder / f"{kind.name}.parquet").is_file()]
    for kind in found:
        _lay_kind(connection, folder / f"{kind.name}.parquet", kind, there=there)
    _own_answers(connection, kinds)
    _public(connection, folder)
    agreements = _agreements(connection, folder)
    return History(
        agreements=agreements,
        first_at=_first(connection),
        last_at=_last(connection, found),
        offsets=_offsets(connection, found),
        kinds=tuple(kind.name for kind in found),
    )


# ---- files --------------------------------------------------------------------------------------


def _read(path: Path, wanted: Mapping[str, str], optional: frozenset[str], connection: Any) -> str:
    """A select of the wanted columns of a file, each of its type."""
    source = f"read_parquet({quote_literal(str(path))})"
    with translated(path.name, lambda m: TableRefused("source-unreadable", path.name, found=m)):
        described = connection.execute(f"describe select * from {source}").fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    missing = [name for name in wanted if name not in types and name not in optional]
    if missing:
        raise TableRefused(
            "missing-column",
            f"{path.name} has no column {missing[0]}",
            expected=", ".join(name for name in wanted if name not in optional),
            found=", ".join(sorted(types)),
        )
    listed = []
    for name, kind in wanted.items():
        quoted = quote_identifier(name)
        given = types.get(name)
        if given is None or not _fits(given, kind):
            if given is not None:
                _require_empty(connection, path, source, name, kind, given)
            listed.append(f"null::{kind} as {quoted}")
            continue
        if given == "VARCHAR" and _family(kind) == "time":
            _require_times(connection, path, source, name, kind)
        listed.append(f"{_value(quoted, given, kind)} as {quoted}")
    return f"select {', '.join(listed)} from {source}"


def _value(quoted: str, given: str, kind: str) -> str:
    if _family(kind) == "number":
        # An infinite number has no place in a sum, whatever type would hold it.
        finite = f"case when isfinite({quoted}) then {quoted} end"
        return f"try_cast({finite if given in {'FLOAT', 'DOUBLE'} else quoted} as {kind})"
    return f"try_cast({quoted} as {kind})"


def _family(kind: str) -> str:
    if kind.startswith(("DECIMAL", "DOUBLE", "INTEGER", "BIGINT", "SMALLINT", "FLOAT")):
        return "number"
    if kind.startswith(("DATE", "TIMESTAMP")):
        return "time"
    return "truth" if kind == "BOOLEAN" else "text"


def _fits(given: str, kind: str) -> bool:
    return given.startswith(_FAMILIES[_family(kind)])


def _require_empty(
    connection: Any, path: Path, source: str, name: str, kind: str, given: str
) -> None:
    """A column without a value has no type of its own; any other has the wrong one."""
    with translated(path.name, refused_as_query(path.name)):
        if scalar(connection, f"select count({quote_identifier(name)}) from {source}"):
            raise TableRefused("wrong-type", f"{path.name}: {name}", expected=kind, found=given)


def _require_times(connection: Any, path: Path, source: str, name: str, kind: str) -> None:
    quoted = quote_identifier(name)
    with translated(path.name, refused_as_query(path.name)):
        wrong = connection.execute(
            f"select {quoted} from {source} where {quoted} is not null "
            f"and try_cast({quoted} as {kind}) is null limit 1"
        ).fetchone()
    if wrong is not None:
        raise TableRefused("wrong-type", f"{path.name}: {name}", expected=kind, found=wrong[0])


# ---- tables -------------------------------------------------------------------------------------


def _arrivals(connection: Any, folder: Path) -> bool:
    """The table ``arrival``; whether anything is known of arrivals."""
    path = folder / "arrivals.parquet"
    if path.is_file():
        select = _read(path, _ARRIVALS, frozenset({"cut_off_at", "kind"}), connection)
    else:
        nothing = ", ".join(f"null::{kind} as {name}" for name, kind in _ARRIVALS.items())
        select = f"select {nothing} where false"
    with translated(path.name, refused_as_query(path.name)):
        connection.execute(f"create or replace temp table arrival_given as {select}")
        _require_flows(connection, path, "arrival_given", "direction")
        connection.execute(
            "create or replace temp table arrival as select relationship_id, direction, "
            "agreement_id, shipment_id, any_value(kind) as kind, min(arrived_at) as arrived_at, "
            "min(cut_off_at) as cut_off_at from arrival_given group by all"
        )
    return path.is_file()


def _require_flows(connection: Any, path: Path, table: str, column: str) -> None:
    wrong = connection.execute(
        f"select {column} from {table} where {column} is null or {column} not in ('b2s', 's2b') "
        "limit 1"
    ).fetchone()
    if wrong is not None:
        raise TableRefused(
            "wrong-type", f"{path.name}: {column}", expected=" or ".join(FLOWS), found=wrong[0]
        )


def _lay_kind(connection: Any, path: Path, kind: Kind, *, there: bool) -> None:
    prefix = dict.fromkeys(_PREFIX, "VARCHAR") | {"issued_at": "TIMESTAMP WITH TIME ZONE"}
    columns = {column.name: column.sql_type for column in kind.columns}
    optional = frozenset(columns) - set(kind.key)
    if kind.name == "demand_forecast":
        optional |= {"ship_to", "period"}
    select = _read(path, {**prefix, **columns}, optional, connection)
    listed = ", ".join(f"given.{quote_identifier(name)}" for name in columns)
    with translated(path.name, refused_as_query(path.name)):
        connection.execute(f"create or replace temp table given as {select}")
        _require_flows(connection, path, "given", "flow")
        # A shipment that is not among the arrivals never came.
        connection.execute(
            f"insert into {kind_table('landed', kind)} by name select {listed}, "
            f"given.relationship_id || '{SEPARATOR}' || given.flow as partner, "
            "given.agreement_id, given.shipment_id, given.issued_at, arrival.arrived_at "
            "from given inner join arrival on given.relationship_id = arrival.relationship_id "
            "and given.flow = arrival.direction and given.shipment_id = arrival.shipment_id "
            "and given.agreement_id = arrival.agreement_id where arrival.arrived_at is not null"
        )
        # What one side sent is its own record in the other direction, known when it was said.
        connection.execute(
            f"insert into {kind_table('own', kind)} by name select {listed}, relationship_id || "
            f"'{SEPARATOR}' || case flow when 'b2s' then 's2b' else 'b2s' end as partner, "
            "'own' as agreement_id, shipment_id, issued_at, issued_at as arrived_at from given"
        )
        if there:
            _lay_shipments(connection, kind)
        connection.execute("drop table given")


def _lay_shipments(connection: Any, kind: Kind) -> None:
    """Shipments that arrived; what one says, it says of the time until it was issued."""
    connection.execute(
        "insert into lake.exchange.shipments by name select given.shipment_id, "
        f"any_value(given.agreement_id) as agreement_id, {quote_literal(kind.name)} as kind, "
        f"given.relationship_id || '{SEPARATOR}' || given.flow as partner, "
        "max(given.issued_at) as period_end, min(arrival.cut_off_at) as cut_off_at, "
        "max(given.issued_at) as issued_at, min(arrival.arrived_at) as arrived_at, "
        "count(*) as rows_accepted, 0 as rows_refused from given inner join arrival on "
        "given.relationship_id = arrival.relationship_id and given.flow = arrival.direction "
        "and given.shipment_id = arrival.shipment_id and given.agreement_id = "
        "arrival.agreement_id where arrival.arrived_at is not null "
        "group by given.shipment_id, given.relationship_id, given.flow"
    )


def _own_answers(connection: Any, kinds: Mapping[str, Kind]) -> None:
    """Answers to ideas that stand only with the ideas themselves.

    Where a receiver has said nothing of its own about any of a sender's ideas, the status in the
    history is the only word of its answer that there is.
    """
    statuses = ", ".join(quote_literal(status) for status in _STATUSES)
    for name in ("design_idea", "process_idea"):
        if name not in kinds:
            continue
        landed, own = kind_table("landed", kinds[name]), kind_table("own", kinds[name])
        connection.execute(
            f"insert into {own} by name select landed.* replace ('own' as agreement_id, "
            f"coalesce(issued_at, arrived_at) as arrived_at) from {landed} as landed "
            f"where status in ({statuses}) and partner not in (select own.partner from {own} as "
            f"own semi join {landed} as offered using (partner, idea_id))"
        )


def _public(connection: Any, folder: Path) -> None:
    path = folder / "public_index.parquet"
    if path.is_file():
        wanted = {"series": "VARCHAR", **_PUBLIC}
        select = _read(path, wanted, frozenset({"series"}), connection)
        with translated(path.name, refused_as_query(path.name)):
            connection.execute(
                "insert into lake.own.public_index by name "
                f"select * replace (coalesce(series, 'index') as series) from ({select})"
            )


def _agreements(connection: Any, folder: Path) -> tuple[Row, ...]:
    path = folder / "agreements.parquet"
    if not path.is_file():
        return ()
    optional = frozenset({"is_key", "cut_off_hours", "cadence", "sender_id", "receiver_id"})
    select = _read(path, _AGREEMENTS, optional, connection)
    with translated(path.name, refused_as_query(path.name)):
        connection.execute(f"create or replace temp table agreement_given as {select}")
        _require_flows(connection, path, "agreement_given", "direction")
        found = connection.execute("from agreement_given")
        names = [column[0] for column in found.description]
        return tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())


# ---- times --------------------------------------------------------------------------------------


def _first(connection: Any) -> dict[str, datetime]:
    return dict(
        connection.execute(
            "select relationship_id, date_trunc('week', min(least(arrived_at, cut_off_at))) "
            "from arrival where arrived_at is not null group by relationship_id"
        ).fetchall()
    )


def _last(connection: Any, kinds: list[Kind]) -> datetime | None:
    said = "".join(
        f" union all select max(issued_at) from {kind_table('own', kind)}" for kind in kinds
    )
    found: datetime | None = scalar(
        connection,
        f"select max(said_at) from (select max(arrived_at) as said_at from arrival{said}) as told",
    )
    return found


def _offsets(connection: Any, kinds: list[Kind]) -> dict[tuple[str, str], float]:
    """Hours before the first period of a shipment at which its cut-off mostly lay."""
    found: dict[tuple[str, str], float] = {}
    for kind in kinds:
        if not any(column.name == "period_start" for column in kind.columns):
            continue
        for partner, agreement, hours in connection.execute(
            "with shipped as (select told.partner, told.agreement_id, told.shipment_id, "
            "min(told.period_start)::timestamptz as first_period from "
            f"{kind_table('landed', kind)} as told group by all) "
            "select shipped.partner, shipped.agreement_id, "
            "mode(epoch(first_period - shipments.cut_off_at) / 3600) "
            "from shipped inner join lake.exchange.shipments as shipments "
            "using (partner, shipment_id) where shipments.cut_off_at is not null group by all"
        ).fetchall():
            found[partner, agreement] = float(hours)
    return found
