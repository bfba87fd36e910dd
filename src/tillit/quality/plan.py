"""What is run to judge one table: written first, then run on a connection. I/O: that connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillit.model import Column, Kind, Rule
from tillit.quality.queries import (
    applicable,
    broken_query,
    distinct_query,
    duplicates_query,
    judge_query,
    row_number,
    row_rules,
)
from tillit.sql.text import quote, text_list

__all__ = ["Plan", "plan_for", "run_plan"]

_NONE = "select null::bigint as row_no, null::USMALLINT[] as codes limit 0"


@dataclass(frozen=True)
class Plan:
    """What the metric is to run: queries over one table, written before anything runs.

    A rule's code is its place in ``rules``, from 1: row rules, then keys, then the table's.
    """

    table: str
    number: str
    broken_query: str
    row_query: str
    rules: tuple[Rule, ...]

    def of(self, scope: str) -> list[tuple[int, Rule]]:
        """The rules of one scope with their codes."""
        return [(code, rule) for code, rule in enumerate(self.rules, 1) if rule.scope == scope]


def plan_for(
    kind: Kind,
    columns: Sequence[Column],
    table: str,
    actual: Mapping[str, str],
    *,
    rows_held: bool = False,
) -> Plan:
    """Write the queries for a table with these columns; ``actual`` are all it has.

    With ``rows_held`` every row was held to the row rules before (`held_to`).
    """
    number, unread = row_number(actual), "unread" in actual
    rules = (
        *row_rules(kind, columns, unread=unread),
        *applicable(kind, columns, "key"),
        *applicable(kind, columns, "table"),
    )
    if rows_held:
        return Plan(table, number, _NONE, _NONE, rules)
    query = judge_query(kind, columns, table, number=number, unread=unread)
    return Plan(table, number, broken_query(kind, columns, table, unread=unread), query, rules)


def run_plan(connection: Any, plan: Plan) -> dict[str, int]:
    """Fill ``refused`` and count; what is clean is read once for all row rules, once for each key.

    Most tables are clean, and to plan which rules a row breaks takes twice as long as whether it
    breaks any: the first is only asked when the second says so.
    """
    run = connection.exec_driver_sql
    any_row = run(f"select exists ({plan.broken_query})").scalar_one()
    run(f"create or replace temp table refused_codes as {plan.row_query if any_row else _NONE}")
    any_key = False
    for code, rule in plan.of("key"):
        whole, hashes = run(distinct_query(rule, plan.table)).one()
        if whole != hashes:
            run(_with_key(code, duplicates_query(rule, plan.table, number=plan.number)))
            any_key = True
    broken = _counted(run, plan) if any_row or any_key else {}
    for _, rule in plan.of("table"):
        counts = f"select count(*) as row_count from {quote(plan.table)}"
        if run(f"select {rule.breaks} from ({counts})").scalar_one():
            broken[rule.name] = 1
    names = text_list(rule.name for rule in plan.rules)
    reasons = text_list(rule.reason for rule in plan.rules)
    run(
        "create or replace temp table refused as select row_no, "
        f"list_select({names}, codes) as rules, list_select({reasons}, codes) as reasons "
        "from refused_codes"
    )
    run("drop table refused_codes")
    return broken


def _counted(run: Any, plan: Plan) -> dict[str, int]:
    """How many rows break which rule."""
    counted = run(
        "select code, count(*) from (select unnest(codes) as code from refused_codes) group by 1"
    )
    return {plan.rules[code - 1].name: int(rows) for code, rows in counted}


def _with_key(code: int, duplicates: str) -> str:
    """The rows refused so far and those that share a key, each row once."""
    return (
        "create or replace temp table refused_codes as "
        "select coalesce(refused_codes.row_no, twice.row_no) as row_no, "
        "list_concat(coalesce(codes, []::USMALLINT[]), case when twice.row_no is null "
        f"then []::USMALLINT[] else [{code}::USMALLINT] end) as codes "
        f"from refused_codes full join ({duplicates}) as twice "
        "on refused_codes.row_no = twice.row_no order by 1"
    )
