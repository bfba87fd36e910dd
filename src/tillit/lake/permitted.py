"""What of the lake may be read for a purpose: views that hold nothing else. I/O: DuckDB.

A question never names the tables themselves. Its syntax tree is rewritten, so that `landed.order`
means a view in a catalog of its own, in memory, which holds the permitted rows alone; whatever
names another catalog is refused. ``current`` and ``as_of`` are what is newest of everything, less
what may not be read: a value that was overtaken is not shown as current for want of a purpose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from tillit.engine import quote_identifier
from tillit.errors import TableRefused
from tillit.lake.tables import CATALOG, VALUED
from tillit.model import Kind

__all__ = ["PERMITTED", "Permission", "Touched", "make_views", "redirect"]

PERMITTED = "permitted"
_OF_KINDS = ("landed", "current", "as_of")
_REFUSED = ("quarantine", "refused")
_FILTERED = ("landed", "current", "derived")
_OPEN = ("own", "exchange", "trust", "information_schema", "pg_catalog")
# Steps of the measure, in which single values of partners stand.
_VALUES = frozenset(("trust", name) for name in VALUED)
# Tables that need no schema before their name, beside the kinds.
_PATH = {name: schema for schema, name in (_REFUSED, *_VALUES)}
_LEDGER = "ledger"


@dataclass(frozen=True)
class Permission:
    """Rows that may be read: of whole agreements, of single shipments, and derived tables.

    Agreements and shipments are pairs of the partner's id and theirs.
    """

    agreements: frozenset[tuple[str, str]] = frozenset()
    shipments: frozenset[tuple[str, str]] = frozenset()
    derived: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Touched:
    """What a question reads of what partners sent: kinds, derived tables, refused rows."""

    kinds: frozenset[str]
    derived: frozenset[str]
    refused: bool

    @property
    def anything(self) -> bool:
        """Whether it needs a purpose."""
        return bool(self.kinds or self.derived or self.refused)

    @property
    def names(self) -> tuple[str, ...]:
        """For the record."""
        refused = ["quarantine.refused"] if self.refused else []
        return (*sorted(self.kinds), *(f"derived.{n}" for n in sorted(self.derived)), *refused)


def redirect(tree: Any, kinds: Collection[str]) -> Touched:
    """Let every table in a question's tree mean its permitted view, in place.

    ``kinds`` are the names of the tables under ``landed``. Raises TableRefused (query) for a table
    that a question may not name.
    """
    local = frozenset(_local_names(tree))
    found: set[tuple[str, str]] = set()
    for node in _tables(tree):
        meant = _meant(node, kinds, local)
        if meant[0] in _FILTERED or meant == _REFUSED:
            found.add(meant)
            node["schema_name"], node["catalog_name"] = meant[0], PERMITTED
    for called in _calls(tree):
        if called.get("catalog"):
            raise _not_here(f"{called['catalog']}.{called['schema']}.{called['function_name']}")
        if called["schema"].lower() == "as_of":
            found.add(("as_of", called["function_name"].lower()))
            called["catalog"] = PERMITTED
    return Touched(
        kinds=frozenset(name for schema, name in found if schema in _OF_KINDS),
        derived=frozenset(name for schema, name in found if schema == "derived"),
        refused=_REFUSED in found,
    )


def _meant(node: dict[str, Any], kinds: Collection[str], local: Collection[str]) -> tuple[str, str]:
    """Schema and name of the table that a question names; TableRefused if it may not."""
    catalog = node["catalog_name"].lower()
    schema, name = node["schema_name"].lower(), node["table_name"].lower()
    if catalog:
        if (catalog, schema) != (_LEDGER, "public"):
            raise _not_here(f"{catalog}.{schema}.{name}")
        return schema, name
    if not schema:
        # As the lake's search path would find it.
        schema = "landed" if name in kinds else _PATH.get(name, "")
        if schema and name in local:
            raise _not_here(f"{name}, which is a table and a name of the question's own")
    if (schema, name) in _VALUES or schema not in {"", "quarantine", _LEDGER, *_FILTERED, *_OPEN}:
        raise _not_here(f"{schema}.{name}")
    return schema, name


def _tables(node: Any) -> Iterator[dict[str, Any]]:
    """Whatever names a table, of whichever type of node it is."""
    for inner in _nodes(node):
        if "table_name" in inner and "schema_name" in inner:
            yield inner


def _calls(node: Any) -> Iterator[dict[str, Any]]:
    for inner in _nodes(node):
        if inner.get("type") == "TABLE_FUNCTION":
            yield inner["function"]


def _local_names(node: Any) -> Iterator[str]:
    """Names that the question gives to parts of itself: WITH name AS."""
    for inner in _nodes(node):
        for entry in (inner.get("cte_map") or {}).get("map", []):
            yield str(entry["key"]).lower()


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _not_here(named: str) -> TableRefused:
    return TableRefused(
        "query",
        "a table that a question may not name",
        expected="landed, current, as_of, derived, own, exchange, quarantine, trust or ledger",
        found=named,
    )


def make_views(
    connection: duckdb.DuckDBPyConnection, permission: Permission, kinds: Iterable[Kind]
) -> None:
    """Make the permitted views anew, for one question; the kinds' tables are there."""
    run = connection.execute
    for schema in (*_OF_KINDS, "quarantine", "derived", "rules"):
        run(f"drop schema if exists {PERMITTED}.{schema} cascade")
        run(f"create schema {PERMITTED}.{schema}")
    for table, pairs in (("agreement", permission.agreements), ("shipment", permission.shipments)):
        columns = list(zip(*sorted(pairs), strict=True)) or [(), ()]
        run(
            f"create table {PERMITTED}.rules.{table} as "
            "select unnest(?::varchar[]) as partner, unnest(?::varchar[]) as id",
            [list(column) for column in columns],
        )
    for kind in kinds:
        name = quote_identifier(kind.name)
        for schema in ("landed", "current"):
            whole = f"{CATALOG}.{schema}.{name}"
            run(f"create view {PERMITTED}.{schema}.{name} as {_permitted(whole)}")
        known = f"{CATALOG}.as_of.{name}(known_at)"
        run(
            f"create macro {PERMITTED}.as_of.{name}(known_at) as table "
            f"select asked.* from ({_permitted(known)}) as asked"
        )
    whole = f"{CATALOG}.quarantine.refused"
    run(f"create view {PERMITTED}.quarantine.refused as {_permitted(whole)}")
    for table in sorted(permission.derived):
        name = quote_identifier(table)
        run(f"create view {PERMITTED}.derived.{name} as from {CATALOG}.derived.{name}")


def _permitted(whole: str) -> str:
    return (
        f"select stored.* from {whole} as stored where exists (select 1 from "
        f"{PERMITTED}.rules.agreement as a where a.partner = stored.partner "
        "and a.id = stored.agreement_id) or exists (select 1 from "
        f"{PERMITTED}.rules.shipment as s where s.partner = stored.partner "
        "and s.id = stored.shipment_id)"
    )
