"""What of the lake may be read for a purpose: views that hold nothing else. I/O: DuckDB.

A question never names the tables themselves. Its syntax tree is rewritten, so that `landed.order`
means a view in a catalog of its own, in memory, which holds the permitted rows alone; whatever
names another catalog is refused. ``current`` and ``as_of`` are what is newest of everything, less
what may not be read: a value that was overtaken is not shown as current for want of a purpose.

What a question does to rows, it does to permitted ones: DuckDB moves conditions of a question
below those of a view, where an error that one of them raises would tell a value of a row that may
not be read. A limit that limits nothing keeps them where they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from tillit.engine import quote_identifier
from tillit.errors import TableRefused
from tillit.lake.syntax import local_names, table_functions, table_nodes
from tillit.lake.tables import CATALOG, SUMMED
from tillit.model import NAME

__all__ = ["PERMITTED", "Permission", "Touched", "make_views", "redirect"]

PERMITTED = "permitted"
_OF_KINDS = ("landed", "current", "as_of")
_REFUSED = ("quarantine", "refused")
_FILTERED = ("landed", "current", "derived")
_OPEN = ("own", "exchange", "quarantine", "information_schema", "pg_catalog")
_TRUST = "trust"
_LEDGER = "ledger"
_AUDIT = "audit"
# A number of rows that no table has.
_BARRIER = f" limit {2**63 - 1}"


@dataclass(frozen=True)
class Permission:
    """Rows that may be read: of whole agreements, of single shipments, and derived tables.

    Agreements and shipments are pairs of the partner's id and theirs. ``everything`` says that
    when this was found out there were no rows but those.
    """

    agreements: frozenset[tuple[str, str]] = frozenset()
    shipments: frozenset[tuple[str, str]] = frozenset()
    derived: frozenset[str] = frozenset()
    everything: bool = False


@dataclass(frozen=True)
class Touched:
    """What a question reads of what partners sent: kinds, derived tables, refused rows.

    ``audit`` are the auditor's views that it reads; in them there are no rows of partners.
    """

    kinds: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    refused: bool = False
    audit: frozenset[str] = frozenset()

    @property
    def anything(self) -> bool:
        """Whether it needs a purpose."""
        return bool(self.kinds or self.derived or self.refused)

    @property
    def names(self) -> tuple[str, ...]:
        """For the record."""
        refused = ["quarantine.refused"] if self.refused else []
        return (*sorted(self.kinds), *(f"derived.{n}" for n in sorted(self.derived)), *refused)


def redirect(tree: Any, path: Mapping[str, str], audit: Collection[str] = ()) -> Touched:
    """Let every table in a question's tree mean its permitted view, in place.

    ``path`` gives the schema of names that need none before them, ``audit`` are those of the
    auditor's views, which are temporary. Raises TableRefused (closed) for a table that a question
    may not name.
    """
    local = local_names(tree)
    found: set[tuple[str, str]] = set()
    for node in table_nodes(tree):
        meant = _meant(node, path, local)
        found.add(meant)
        if meant[0] in _FILTERED or meant == _REFUSED:
            node["schema_name"], node["catalog_name"] = meant[0], PERMITTED
        elif meant[0] == _AUDIT:
            if meant[1] not in audit:
                raise _not_here(".".join(meant), "audit." + ", audit.".join(sorted(audit)))
            node["schema_name"], node["catalog_name"] = "main", "temp"
    for called in table_functions(tree):
        if called.get("catalog"):
            raise _not_here(f"{called['catalog']}.{called['schema']}.{called['function_name']}")
        schema, name = called["schema"].lower(), called["function_name"].lower()
        if schema == "as_of":
            if not NAME.fullmatch(name):
                raise _not_here(f"{schema}.{name}")
            found.add((schema, name))
            called["catalog"] = PERMITTED
    return Touched(
        kinds=frozenset(name for schema, name in found if schema in _OF_KINDS),
        derived=frozenset(name for schema, name in found if schema == "derived"),
        refused=_REFUSED in found,
        audit=frozenset(name for schema, name in found if schema == _AUDIT),
    )


def _meant(
    node: dict[str, Any], path: Mapping[str, str], local: Collection[str]
) -> tuple[str, str]:
    """Schema and name of the table that a question names; TableRefused if it may not."""
    catalog = node["catalog_name"].lower()
    schema, name = node["schema_name"].lower(), node["table_name"].lower()
    if catalog:
        if (catalog, schema) != (_LEDGER, "public"):
            raise _not_here(f"{catalog}.{schema}.{name}")
        return catalog, name
    if not schema:
        schema = path.get(name, "")
        if schema and name in local:
            raise _not_here(f"{name}, which is a table and a name of the question's own")
    if schema == _TRUST and name not in SUMMED:
        raise _not_here(f"{schema}.{name}", "trust." + ", trust.".join(SUMMED))
    if schema not in {"", _LEDGER, _TRUST, _AUDIT, *_FILTERED, *_OPEN}:
        raise _not_here(f"{schema}.{name}")
    if schema in _FILTERED and not NAME.fullmatch(name):  # it would not do for the record
        raise _not_here(f"{schema}.{name}")
    return schema, name


def _not_here(named: str, expected: str = "") -> TableRefused:
    return TableRefused(
        "closed",
        "a table that a question may not name",
        expected=expected
        or "landed, current, as_of, derived, own, exchange, quarantine, trust, audit or ledger",
        found=named,
    )


def make_views(
    connection: duckdb.DuckDBPyConnection, permission: Permission, touched: Touched
) -> None:
    """Make the permitted views of what one question reads anew, and no others."""
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
    barrier = "" if permission.everything else _BARRIER
    for name in map(quote_identifier, sorted(touched.kinds)):
        for schema in ("landed", "current"):
            whole = f"{CATALOG}.{schema}.{name}"
            run(f"create view {PERMITTED}.{schema}.{name} as {_permitted(whole, barrier)}")
        known = f"{CATALOG}.as_of.{name}(known_at)"
        run(
            f"create macro {PERMITTED}.as_of.{name}(known_at) as table "
            f"select asked.* from ({_permitted(known, barrier)}) as asked"
        )
    if touched.refused:
        whole = f"{CATALOG}.quarantine.refused"
        run(f"create view {PERMITTED}.quarantine.refused as {_permitted(whole, barrier)}")
    for table in sorted(permission.derived):
        name = quote_identifier(table)
        run(f"create view {PERMITTED}.derived.{name} as from {CATALOG}.derived.{name}")


def _permitted(whole: str, barrier: str) -> str:
    return (
        f"select stored.* from {whole} as stored where exists (select 1 from "
        f"{PERMITTED}.rules.agreement as a where a.partner = stored.partner "
        "and a.id = stored.agreement_id) or exists (select 1 from "
        f"{PERMITTED}.rules.shipment as s where s.partner = stored.partner "
        f"and s.id = stored.shipment_id){barrier}"
    )
