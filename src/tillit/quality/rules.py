"""An ODCS contract, read into a `Kind`. Pure.

What is acted on: one object of ``schema``, its properties' types, keys, classification and rules.
What is documentation is passed over (``servers``, ``team``, ``roles``, ``price``, ...).
What would change the meaning of the data and is not enforced here is refused by name, never
ignored: several objects of which none was named, nested types, relationships, encrypted names,
tolerances, rules of other engines, warnings.

Contracts of v3.0 are read too: v3.1.0 added to it, and took away nothing but the library rules
named by ``rule``, which are refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from tillit import safe_yaml
from tillit.errors import ContractRefused
from tillit.model import NAME, Column, Kind, Rule
from tillit.quality.checks import column_rules
from tillit.quality.measures import quality_rules
from tillit.quality.queries import cast_query, check_columns, judge_query
from tillit.quality.section import Section
from tillit.quality.types import column_type

__all__ = ["API_VERSION", "LEVELS", "cast_query", "check_columns", "judge_query", "load_kind"]

API_VERSION = "v3.1.0"
_TIMELESS = ("v3.0.0", "v3.0.1", "v3.0.2")
LEVELS = {"public": 1, "internal": 2, "confidential": 3, "restricted": 4}
# Columns that the exchange adds itself.
RESERVED = frozenset(
    {"row_no", "unread", "raw", "partner", "agreement_id", "shipment_id", "issued_at"}
    | {"arrived_at", "recorded_at", "row_count"}
)
_VERSION = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}")
_WITNESS = re.compile(rf"{NAME.pattern}\.{NAME.pattern}")
_ELEMENT = (
    *("id", "name", "physicalType", "description", "businessName", "authoritativeDefinitions"),
    *("tags", "customProperties"),
)
_CONTRACT = (
    *("version", "kind", "apiVersion", "id", "name", "tenant", "tags", "status", "servers"),
    *("dataProduct", "description", "domain", "schema", "support", "price", "team", "roles"),
    *("slaDefaultElement", "slaProperties", "authoritativeDefinitions", "customProperties"),
    "contractCreatedTs",
)
_OBJECT = (
    *_ELEMENT,
    *("logicalType", "physicalName", "dataGranularityDescription", "properties", "quality"),
)
_PROPERTY = (
    *_ELEMENT,
    *("primaryKey", "primaryKeyPosition", "logicalType", "logicalTypeOptions", "physicalName"),
    *("required", "unique", "partitioned", "partitionKeyPosition", "classification", "examples"),
    *("transformSourceObjects", "transformLogic", "transformDescription", "criticalDataElement"),
    "quality",
)


@lru_cache(maxsize=64)
def load_kind(text: bytes, table: str | None = None) -> Kind:
    """Read a contract; its digest is that of exactly these bytes.

    A contract about several tables is read for the one that is named; the others are not looked at.
    The primary key is required and unique: rows that share it are all refused, since neither can be
    believed over the other. A column without a classification counts as internal.

    Raises ContractRefused, naming the place in the text.
    """
    contract = Section(safe_yaml.load(text, what="the contract"), "")
    contract.only(_CONTRACT)
    if contract.text("kind") != "DataContract":
        raise contract.wrong("kind", "DataContract")
    standard = contract.text("apiVersion")
    if standard not in (API_VERSION, *_TIMELESS):
        raise contract.unsupported("apiVersion", f"contracts here are ODCS {API_VERSION}")
    contract.text("id")
    contract.text("status")
    version = contract.text("version")
    if not _VERSION.fullmatch(version):
        raise contract.wrong("version", "a version like 1.0.0")
    chosen = _object(contract, table)
    chosen.only(_OBJECT, ("relationships",))
    name = _name(chosen)
    if chosen.text("logicalType", "object") != "object":
        raise chosen.wrong("logicalType", "object")
    columns, rules = _read(chosen, name, timeless=standard in _TIMELESS)
    return Kind(
        name=name,
        version=version,
        digest=hashlib.sha256(text).hexdigest(),
        columns=columns,
        rules=rules,
        purpose=contract.inner("description").text("purpose", ""),
    )


def _object(contract: Section, table: str | None) -> Section:
    objects = list(contract.sections("schema", "name"))
    found = [item for item in objects if table in (None, item.values.get("name"))]
    if len(found) == 1:
        return found[0]
    raise ContractRefused(
        "unsupported" if table is None else "wrong-value",
        "schema: a kind is one table",
        expected="one table, or the name of one" if table is None else table,
        found=", ".join(str(item.values.get("name")) for item in objects) or "none",
    )


def _name(section: Section) -> str:
    name = section.text("name")
    if not NAME.fullmatch(name):
        raise section.wrong("name", "lower-case letters, digits and _, a letter first, at most 63")
    return name


def _read(
    table: Section, name: str, *, timeless: bool
) -> tuple[tuple[Column, ...], tuple[Rule, ...]]:
    properties = list(table.sections("properties", "name"))
    if not properties:
        raise ContractRefused("missing-key", f"{table.at('properties')} is missing")
    keys = _keys(properties)
    columns: dict[str, Column] = {}
    rules: list[Rule] = []
    for item in properties:
        column = _column(item, keys, timeless=timeless)
        if column.name in columns:
            raise ContractRefused("duplicate-key", f"{item.path} is there twice")
        columns[column.name] = column
        rules += column_rules(item, column.name, column.sql_type, required=column.required)
    if keys:
        reason = f"another row has the same key ({', '.join(keys)})"
        rules.append(Rule("key", reason, "", tuple(keys), scope="key", dimension="uniqueness"))
    types = {column.name: column.sql_type for column in columns.values()}
    for item in properties:
        if item.flag("unique") and list(keys) != [item.text("name")]:
            reason = f"another row has the same {item.text('name')}"
            rule = Rule(f"unique:{item.text('name')}", reason, "", (item.text("name"),), "key")
            rules.append(rule)
        rules += quality_rules(item, name, types, item.text("name"))
    rules += quality_rules(table, name, types)
    _refuse_twins(table, (rule.name for rule in rules))
    return tuple(columns.values()), tuple(rules)


def _keys(properties: Iterable[Section]) -> dict[str, int]:
    """The key's columns with their places from 1; without positions, as they are written."""
    keyed = [item for item in properties if item.flag("primaryKey")]
    places = [item.values.get("primaryKeyPosition", -1) for item in keyed]
    if any(place != -1 for place in places):
        if sorted(places, key=str) != sorted(range(1, len(keyed) + 1), key=str):
            raise keyed[0].wrong("primaryKeyPosition", "positions 1, 2, 3 ... on every key column")
        keyed = [item for _, item in sorted(zip(places, keyed, strict=True), key=lambda p: p[0])]
    return {item.text("name"): place for place, item in enumerate(keyed, start=1)}


def _column(item: Section, keys: dict[str, int], *, timeless: bool) -> Column:
    item.only(_PROPERTY, ("relationships", "encryptedName", "items", "properties"))
    name = _name(item)
    if name in RESERVED:
        raise item.wrong("name", "a name that the exchange does not use itself")
    level = item.text("classification", "internal")
    if level not in LEVELS:
        raise item.wrong("classification", " or ".join(LEVELS))
    witness, unit = item.custom("witness"), item.custom("unit")
    if witness is not None and not (isinstance(witness, str) and _WITNESS.fullmatch(witness)):
        raise item.wrong("customProperties", "a witness like order.quantity")
    if unit is not None and not (isinstance(unit, str) and len(unit) <= 63):
        raise item.wrong("customProperties", "a unit as text")
    return Column(
        name=name,
        sql_type=column_type(item, timeless=timeless),
        description=item.text("description", ""),
        required=item.flag("required") or name in keys,
        key=keys.get(name, 0),
        level=LEVELS[level],
        witness=witness,
        unit=unit,
    )


def _refuse_twins(table: Section, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ContractRefused("duplicate-key", f"{table.path} has two rules named {name}")
        seen.add(name)
