"""Tables that keep or break rules, for two programs to judge, and where the two differ. Pure.

``planted`` is what is changed in the good row, by the rule that is to be broken; a change may break
another rule too. Every rule on rows must be planted at least once: a test sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

__all__ = ["CASES", "CONTRACTS", "SPOILED", "TABLES", "Case", "Differ"]


@dataclass(frozen=True)
class Differ:
    """The rows that each finds to break a rule, None when it has no such rule; and why."""

    ours: int | None
    theirs: int | None
    why: str


@dataclass(frozen=True)
class Case:
    """A contract by name, a row that keeps every rule, columns whose values tell rows apart."""

    good: dict[str, Any]
    apart: str
    planted: dict[str, tuple[dict[str, Any], ...]]
    differ: dict[str, Differ] = field(default_factory=dict)


def day(text: str) -> date:
    return date.fromisoformat(text)


EARLY, LATE = day("1989-12-31"), day("2101-01-01")
LONG = "x" * 65
PATTERN = ({"item_id": " x"}, {"item_id": "x "}, {"item_id": "grå"})
NUMBERS = Decimal(1_000_000_000_000)
UNSEEN = "ODCS has no rule on characters that cannot be seen"

ORDER = Case(
    good={
        "order_id": "PO",
        "line": 1,
        "item_id": "BRK 4711",
        "quantity": Decimal("12.500"),
        "unit": "C62",
        "ordered_on": day("2026-01-01"),
        "requested_date": day("2026-02-01"),
        "ship_to": "OSLO-1",
        "unit_price": Decimal("9.9000"),
        "currency": "NOK",
        "status": "placed",
    },
    apart="order_id",
    planted={
        "required:order_id": ({"order_id": None},),
        "length:order_id": ({"order_id": ""}, {"order_id": LONG}),
        "pattern:order_id": ({"order_id": " PO"}, {"order_id": "PO\n"}),
        "required:line": ({"line": None},),
        "range:line": ({"line": 0}, {"line": 1_000_000}),
        "required:item_id": ({"item_id": None},),
        "length:item_id": ({"item_id": ""},),
        "pattern:item_id": PATTERN,
        "required:quantity": ({"quantity": None},),
        "range:quantity": ({"quantity": Decimal("-0.001")}, {"quantity": NUMBERS}),
        "required:unit": ({"unit": None},),
        "range:ordered_on": ({"ordered_on": EARLY}, {"ordered_on": LATE}),
        "required:requested_date": ({"requested_date": None},),
        "range:requested_date": ({"requested_date": EARLY}, {"requested_date": LATE}),
        "length:ship_to": ({"ship_to": LONG},),
        "pattern:ship_to": ({"ship_to": "Ålesund"},),
        "range:unit_price": ({"unit_price": Decimal(-1)},),
        "length:currency": ({"currency": "NO"}, {"currency": "EURO"}),
        "pattern:currency": ({"currency": "nok"},),
        "key": ({"order_id": "twice"}, {"order_id": "twice", "quantity": Decimal(1)}),
        "known_unit": ({"unit": "c62"}, {"unit": ""}),
        "known_status": ({"status": "lost"},),
        "currency_given": ({"currency": None},),
        "zero_only_when_cancelled": ({"quantity": Decimal(0)},),
        "requested_not_before_ordered": ({"requested_date": day("2025-12-31")},),
    },
)

FORECAST = Case(
    good={
        "item_id": "BRK",
        "ship_to": "OSLO-1",
        "period_start": day("2026-03-02"),
        "period": "week",
        "quantity": Decimal(100),
        "quantity_low": Decimal(80),
        "quantity_high": Decimal(120),
        "commitment": "planning",
        "unit": "C62",
        "supplier_item_id": None,
        "note": "et løfte, 😀",
    },
    apart="item_id",
    planted={
        "required:item_id": ({"item_id": None},),
        "length:item_id": ({"item_id": ""},),
        "pattern:item_id": PATTERN,
        "required:ship_to": ({"ship_to": None},),
        "length:ship_to": ({"ship_to": LONG},),
        "pattern:ship_to": ({"ship_to": "\t"},),
        "required:period_start": ({"period_start": None},),
        "range:period_start": ({"period_start": EARLY}, {"period_start": LATE}),
        "required:period": ({"period": None},),
        "required:quantity": ({"quantity": None},),
        "range:quantity": ({"quantity": Decimal(-5)},),
        "range:quantity_low": ({"quantity_low": Decimal(-5)},),
        "range:quantity_high": ({"quantity_high": NUMBERS},),
        "required:commitment": ({"commitment": None},),
        "required:unit": ({"unit": None},),
        "length:supplier_item_id": ({"supplier_item_id": LONG},),
        "pattern:supplier_item_id": ({"supplier_item_id": "a\x00b"},),
        # 500 letters of two bytes each are not too long.
        "length:note": ({"note": "å" * 500}, {"note": "å" * 501}, {"note": "😀" * 501}),
        "text:note": ({"note": "a\u202eb"}, {"note": "a\x00b"}),
        "key": ({"item_id": "twice"}, {"item_id": "twice"}, {"item_id": "twice"}),
        "known_period": ({"period": "year"},),
        "known_commitment": ({"commitment": "Firm"},),
        "known_unit": ({"unit": "pcs"},),
        "low_not_above_quantity": ({"quantity": Decimal(79)},),
        "high_not_below_quantity": ({"quantity": Decimal(121)},),
        "low_not_above_high": ({"quantity_low": Decimal(130)},),
        "week_starts_on_monday": ({"period_start": day("2026-03-03")},),
        "month_starts_on_first": ({"period": "month"},),
    },
    differ={"text:note": Differ(2, None, UNSEEN)},
)

DELIVERY = Case(
    good={
        "delivery_id": "D",
        "order_id": "PO",
        "line": 1,
        "item_id": "BRK",
        "shipped_on": day("2026-03-01"),
        "arrived_on": day("2026-03-03"),
        "quantity": Decimal(10),
        "accepted_quantity": Decimal(9),
        "unit": "C62",
        "rejection_reason": "bent",
    },
    apart="delivery_id",
    planted={
        "required:delivery_id": ({"delivery_id": None},),
        "length:delivery_id": ({"delivery_id": LONG},),
        "pattern:delivery_id": ({"delivery_id": "é"},),
        "required:order_id": ({"order_id": None},),
        "length:order_id": ({"order_id": ""},),
        "pattern:order_id": ({"order_id": " "},),
        "required:line": ({"line": None},),
        "range:line": ({"line": -1},),
        "length:item_id": ({"item_id": LONG},),
        "pattern:item_id": PATTERN,
        "range:shipped_on": ({"shipped_on": EARLY},),
        "range:arrived_on": ({"arrived_on": LATE},),
        "required:quantity": ({"quantity": None},),
        # Zero is the bound itself, and not within.
        "range:quantity": ({"quantity": Decimal(0)}, {"quantity": Decimal(-1)}),
        "range:accepted_quantity": ({"accepted_quantity": Decimal("-0.001")},),
        "length:rejection_reason": ({"rejection_reason": ""},),
        "text:rejection_reason": ({"rejection_reason": "\u2066"},),
        "key": ({"delivery_id": "twice"}, {"delivery_id": "twice"}),
        "known_unit": ({"unit": "box"},),
        "arrived_not_before_shipped": ({"arrived_on": day("2026-02-28")},),
        "shipped_or_arrived": (
            {"shipped_on": None, "arrived_on": None, "accepted_quantity": None},
        ),
        "accepted_not_above_quantity": ({"accepted_quantity": Decimal(11)},),
        "accepted_after_arrival": ({"arrived_on": None},),
    },
    differ={"text:rejection_reason": Differ(1, None, UNSEEN)},
)

# What our kinds do not use, and a contract may.
MIXED = """\
apiVersion: v3.1.0
kind: DataContract
id: mixed
version: 1.0.0
status: active
schema:
  - name: mixed
    properties:
      - {name: id, logicalType: string, primaryKey: true, logicalTypeOptions: {minLength: 1}}
      - {name: serial, logicalType: integer, unique: true}
      - name: weight
        logicalType: number
        physicalType: DECIMAL(9,2)
        logicalTypeOptions: {multipleOf: 0.5, exclusiveMinimum: 0, maximum: 100}
      - name: share
        logicalType: number
        physicalType: DOUBLE
        logicalTypeOptions: {minimum: 0, maximum: 1}
      - {name: code, logicalType: string, logicalTypeOptions: {format: uuid}}
      - {name: short, logicalType: string, physicalType: VARCHAR(3)}
      - {name: word, logicalType: string, logicalTypeOptions: {pattern: 'a.c'}}
      - name: made
        logicalType: timestamp
        physicalType: TIMESTAMP
        logicalTypeOptions: {minimum: "2026-01-01T00:00:00Z"}
      - name: sent
        logicalType: timestamp
        physicalType: TIMESTAMPTZ
        logicalTypeOptions: {minimum: "2026-01-01T00:00:00+02:00"}
      - name: opens
        logicalType: time
        physicalType: TIME
        logicalTypeOptions: {minimum: "06:00:00", exclusiveMaximum: "22:00:00"}
      - name: told
        logicalType: string
        quality:
          - {id: told_all, metric: missingValues, arguments: {missingValues: ["", "n/a"]}, mustBe: 0}
          - {id: told_not_null, metric: nullValues, mustBe: 0}
      - name: grade
        logicalType: integer
        quality:
          - {id: grades, metric: invalidValues, arguments: {validValues: [1, 2, 3]}, mustBe: 0}
      - name: tag
        logicalType: string
        quality:
          - {id: tags, metric: invalidValues, arguments: {pattern: '^[a-z]+$'}, mustBe: 0}
          - {id: tags_differ, metric: duplicateValues, mustBe: 0}
      - name: done
        logicalType: boolean
        quality:
          - id: done_is_told
            type: sql
            query: select count(*) from ${object} where not ${property} and serial is null
            mustBe: 0
    quality:
      - {id: pairs, metric: duplicateValues, arguments: {properties: [grade, tag]}, mustBe: 0}
      - {id: half, type: custom, engine: tillit, implementation: weight < 50}
      - {id: few, metric: rowCount, mustBeLessThan: 1000}
"""

EVERYTHING = Case(
    good={
        "id": "a",
        "serial": 1,
        "weight": Decimal("2.50"),
        "share": 0.5,
        "code": "6f1e7a1c-9d0b-4c4e-8e6d-0123456789ab",
        "short": "åäö",
        "word": "xabcx",
        "made": datetime(2026, 1, 1, 0, 0),  # noqa: DTZ001 - a column without a zone
        "sent": datetime(2025, 12, 31, 22, 0, tzinfo=UTC),
        "opens": time(6, 0),
        "told": "yes",
        "grade": None,
        "tag": None,
        "done": True,
    },
    apart="id",
    planted={
        "required:id": ({"id": None},),
        "length:id": ({"id": ""},),
        "text:id": ({"id": "\x01"},),
        "step:weight": ({"weight": Decimal("2.49")},),
        "range:weight": ({"weight": Decimal(0)}, {"weight": Decimal(101)}),
        "finite:share": ({"share": float("nan")}, {"share": float("inf")}),
        "range:share": ({"share": -0.5},),
        "format:code": ({"code": "none"},),
        "text:code": ({"code": "\x01"},),
        "length:short": ({"short": "long"},),
        "text:short": ({"short": "\x7f"},),
        "pattern:word": ({"word": "a\nc"}, {"word": "ABC"}, {"word": ""}),
        "range:made": ({"made": datetime(2025, 12, 31, 23, 59)},),  # noqa: DTZ001 - as above
        "range:sent": ({"sent": datetime(2025, 12, 31, 21, 59, tzinfo=UTC)},),
        "range:opens": ({"opens": time(5, 59)}, {"opens": time(22, 0)}),
        "text:told": ({"told": "\x01"},),
        "key": ({"id": "twice"}, {"id": "twice"}),
        "unique:serial": ({"serial": 7}, {"serial": 7}, {"serial": None}, {"serial": None}),
        "told_all": ({"told": ""}, {"told": "n/a"}),
        "told_not_null": ({"told": None},),
        "grades": ({"grade": 0},),
        "tags": ({"tag": "A"},),
        "tags_differ": ({"tag": "same"}, {"tag": "same"}),
        "done_is_told": ({"done": False, "serial": None},),
        "pairs": ({"tag": "other", "grade": 2}, {"tag": "other", "grade": 2}),
        "half": ({"weight": Decimal(50)},),
    },
    differ={
        "text:id": Differ(1, None, UNSEEN),
        "text:code": Differ(1, None, UNSEEN),
        "text:short": Differ(1, None, UNSEEN),
        "text:told": Differ(1, None, UNSEEN),
        "step:weight": Differ(1, None, "multipleOf is not checked"),
        "finite:share": Differ(2, None, "our own rule; an upper limit finds both of them too"),
        "format:code": Differ(2, None, "the format of a text is not checked"),
        "length:short": Differ(1, None, "DuckDB does not keep the n of VARCHAR(n)"),
        "half": Differ(2, None, "a rule of our own engine is passed over without a word"),
    },
)

CASES = {"order": ORDER, "demand_forecast": FORECAST, "delivery": DELIVERY, "mixed": EVERYTHING}

# Contracts of which every check on rows fails, whatever the rows are: one query asks for all of
# them, and DuckDB does not take it.
SPOILED = {
    # Each of the two bounds makes a check of the same name.
    "both_bounds_exclusive": (
        """name: a
        logicalType: integer
        logicalTypeOptions: {exclusiveMinimum: 0, exclusiveMaximum: 9}""",
        "Duplicate column name",
    ),
    # A pattern is ECMA-262, which writes so; it is given as it is to RE2, which does not.
    "letter_by_number": (
        r"""name: b
        logicalType: string
        logicalTypeOptions: {pattern: '^[a-z\u00e5]+$'}""",
        "invalid escape sequence",
    ),
}
CONTRACTS = {"mixed": MIXED} | {
    name: f"""\
apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
schema:
  - name: {name}
    properties:
      - {{name: id, logicalType: string, required: true, logicalTypeOptions: {{maxLength: 9}}}}
      - {column}
"""
    for name, (column, _) in SPOILED.items()
}

# Tables of other columns than those of `order`, each change with our code for it; and what theirs
# does not pass. Which integers, how many decimals and what is there besides is not looked at.
TABLES: dict[str, tuple[dict[str, tuple[str, str]], dict[str, str]]] = {
    "wrong": (
        {
            "quantity": ("", "table.missing-column"),
            "line": ("VARCHAR", "table.wrong-type"),
            "ordered_on": ("TIMESTAMP", "table.wrong-type"),
        },
        {
            "field_is_present:quantity": "failed",
            "field_type:quantity": "failed",
            "field_type:line": "failed",
            "field_type:ordered_on": "failed",
        },
    ),
    "alike": (
        {
            "line": ("BIGINT", "table.wrong-type"),
            "quantity": ("DECIMAL(18,4)", "table.wrong-type"),
            "our_cost": ("DOUBLE", "table.extra-column"),
        },
        {},
    ),
}
