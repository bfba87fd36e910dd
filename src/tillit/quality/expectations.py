"""Great Expectations gives the verdict on a table. I/O: the caller's DuckDB connection.

One metric of Great Expectations runs the kind's queries, once, and leaves **all** failing rows in a
temporary table; one expectation per rule then judges what the metric found for it. (The stock
expectation on failing rows runs its query twice for each rule and shows 200 rows at most.)

Importing this takes seconds: import it where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

# Before the import, which reads it: this library calls nobody's home.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import duckdb
import great_expectations
from great_expectations.core.batch import Batch
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import MetricProvider, metric_value
from great_expectations.validator.validator import Validator, calc_validation_statistics
from sqlalchemy.exc import SQLAlchemyError

from tillit.errors import TableRefused
from tillit.model import Column, Kind, Rule
from tillit.quality.dialect import engine_over
from tillit.quality.queries import (
    applicable,
    distinct_query,
    duplicates_query,
    judge_query,
    row_number,
)
from tillit.quality.sql import quote, text_list

__all__ = ["Judgement", "Reason", "judge"]

_METRIC = "tillit.broken_rules"
_DOMAIN = ("batch_id", "row_condition", "condition_parser")


@dataclass(frozen=True)
class Reason:
    """How many rows broke a rule; a row that breaks two rules counts in both."""

    rule: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Judgement:
    """The verdict: ``rows`` looked at, ``refused`` of them, why, and what Great Expectations said."""

    rows: int
    refused: int
    reasons: tuple[Reason, ...]
    gx: dict[str, Any]

    @property
    def accepted(self) -> int:
        """Rows that keep every rule."""
        return self.rows - self.refused

    @property
    def success(self) -> bool:
        """Whether Great Expectations found every rule kept."""
        return bool(self.gx["success"])


@dataclass(frozen=True)
class _Plan:
    """What the metric is to run: queries over one table, written before anything runs."""

    table: str
    number: str
    row_query: str
    rules: tuple[Rule, ...]

    def of(self, scope: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.scope == scope)


class _JudgingEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """Great Expectations' engine for SQL, which knows the plan that its metric runs."""

    plan: _Plan


class _BrokenRules(MetricProvider):  # type: ignore[misc]
    """Rows that break each rule, by the rule's name; rules that are kept are left out."""

    metric_name = _METRIC
    domain_keys = _DOMAIN
    value_keys = ()

    @metric_value(engine=_JudgingEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls,  # noqa: N805 - Great Expectations makes a class method of it
        execution_engine: _JudgingEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: Any,
    ) -> dict[str, int]:
        batch, _compute, _accessor = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        if str(batch) != execution_engine.plan.table:
            raise RuntimeError(f"the batch is {batch}, the plan is for another table")
        with execution_engine.get_connection() as connection:
            return _run(connection, execution_engine.plan)


class ExpectRuleToBeKept(BatchExpectation):  # type: ignore[misc]
    """No row of the batch breaks the rule of that name."""

    rule: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (_METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("rule",)
    domain_keys: ClassVar[tuple[str, ...]] = _DOMAIN

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
        execution_engine: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        broken = metrics[_METRIC].get(self.rule, 0)
        return {"success": broken == 0, "result": {"observed_value": broken}}


def judge(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    kind: Kind,
    columns: Sequence[Column],
) -> Judgement:
    """Judge every row of a table, view or temporary table by the rules on the columns given.

    The rows are numbered by a column ``row_no`` from 1; a table without one (not a view) is numbered
    by ``rowid + 1``, which is free. A column ``unread`` (see `cast_query`) is heeded. Left on the
    connection: the temporary table ``refused (row_no BIGINT, rules VARCHAR[], reasons VARCHAR[])``,
    each refused row once, so that ``anti join refused using (row_no)`` are the accepted rows.

    Raises TableRefused: ``empty``; ``missing-column`` or ``wrong-type`` when the table is not the
    kind's; ``row-count`` for a broken rule on the table as a whole; ``query`` when DuckDB cannot run
    a rule. RuntimeError when Great Expectations and the refused rows contradict each other.
    """
    actual = _columns(connection, table)
    _check(kind, columns, actual)
    rows = int(_one(connection, f"select count(*) from {quote(table)}"))
    if rows == 0:
        raise TableRefused("empty", f"{kind.name} has no rows", expected="a row", found="none")
    plan = _plan(kind, columns, table, actual)
    gx = _validate(connection, plan, kind)
    return _judgement(connection, plan, kind, rows, gx)


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    try:
        described = connection.execute(f"describe {quote(table)}").fetchall()
    except duckdb.Error as error:
        raise _cannot_run(error) from error
    return {str(name): str(sql_type) for name, sql_type, *_ in described}


def _check(kind: Kind, columns: Sequence[Column], actual: dict[str, str]) -> None:
    for column in columns:
        found = actual.get(column.name)
        if found != column.sql_type:
            raise TableRefused(
                "missing-column" if found is None else "wrong-type",
                f"{kind.name}.{column.name} cannot be judged",
                expected=column.sql_type,
                found=found or "no such column",
            )


def _plan(kind: Kind, columns: Sequence[Column], table: str, actual: dict[str, str]) -> _Plan:
    number, unread = row_number(actual), "unread" in actual
    scopes = [applicable(kind, columns, scope) for scope in ("row", "key", "table")]
    rules = tuple(rule for scope in scopes for rule in scope)
    if unread:
        unreadable = (
            Rule(f"type:{c.name}", f"{c.name} cannot be read as {c.sql_type}", columns=(c.name,))
            for c in columns
        )
        rules = (*unreadable, *rules)
    query = judge_query(kind, columns, table, number=number, unread=unread)
    return _Plan(table, number, query, rules)


def _run(connection: Any, plan: _Plan) -> dict[str, int]:
    """Fill ``refused`` and count; each table is read once for all row rules, once for each key."""
    run = connection.exec_driver_sql
    run(f"create or replace temp table refused as {plan.row_query}")
    doubles = []
    for number, rule in enumerate(plan.of("key")):
        whole, hashes = run(distinct_query(rule, plan.table)).one()
        if whole == hashes:
            continue
        name = f"refused_key_{number}"
        query = duplicates_query(rule, plan.table, number=plan.number)
        run(f"create or replace temp table {quote(name)} as {query}")
        doubles.append((rule, name))
    if doubles:
        run(_merged(doubles))
        for _, name in doubles:
            run(f"drop table {quote(name)}")
    counted = run(
        "select rule, count(*) from (select unnest(rules) as rule from refused) group by 1"
    )
    broken = {str(rule): int(rows) for rule, rows in counted}
    for rule in plan.of("table"):
        counts = f"select count(*) as row_count from {quote(plan.table)}"
        if run(f"select {rule.breaks} from ({counts})").scalar_one():
            broken[rule.name] = 1
    return broken


def _merged(doubles: Sequence[tuple[Rule, str]]) -> str:
    """Rows refused by their values and rows refused by their key, each row once."""
    parts = ["select row_no, rules, reasons, 0 as part from refused"]
    parts += [
        f"select row_no, {text_list([rule.name])}, {text_list([rule.reason])}, {number} "
        f"from {quote(name)}"
        for number, (rule, name) in enumerate(doubles, start=1)
    ]
    return (
        "create or replace temp table refused as "
        "select row_no, flatten(list(rules order by part)) as rules, "
        "flatten(list(reasons order by part)) as reasons "
        f"from ({' union all '.join(parts)}) group by row_no order by row_no"
    )


def _validate(connection: duckdb.DuckDBPyConnection, plan: _Plan, kind: Kind) -> dict[str, Any]:
    """Let Great Expectations judge; its result in short, as JSON has it."""
    engine = _JudgingEngine(engine=engine_over(connection), create_temp_table=False)
    engine.plan = plan
    data = SqlAlchemyBatchData(
        execution_engine=engine, table_name=plan.table, create_temp_table=False
    )
    validator = Validator(execution_engine=engine, batches=[Batch(data=data)])
    validator.metrics_calculator.show_progress_bars = False
    expectations = [ExpectRuleToBeKept(rule=rule.name).configuration for rule in plan.rules]
    try:
        results = validator.graph_validate(
            expectations,
            runtime_configuration={"result_format": "BASIC", "catch_exceptions": False},
        )
    except (GreatExpectationsError, SQLAlchemyError, duckdb.Error) as error:
        raise _cannot_run(error) from error
    statistics = calc_validation_statistics(results)
    return {
        "great_expectations": great_expectations.__version__,
        "suite": f"{kind.name} {kind.version}",
        "success": bool(statistics.success),
        "evaluated": statistics.evaluated_expectations,
        "successful": statistics.successful_expectations,
        "results": [
            {
                "rule": result.expectation_config.kwargs["rule"],
                "success": bool(result.success),
                "rows": int(result.result["observed_value"]),
            }
            for result in results
        ],
    }


def _judgement(
    connection: duckdb.DuckDBPyConnection, plan: _Plan, kind: Kind, rows: int, gx: dict[str, Any]
) -> Judgement:
    """Hold Great Expectations' verdict against the rows that are refused."""
    told = {result["rule"]: result["rows"] for result in gx["results"] if not result["success"]}
    for rule in plan.of("table"):
        if told.pop(rule.name, 0):
            raise TableRefused("row-count", f"{kind.name}: {rule.reason}", found=f"{rows} rows")
    refused = int(_one(connection, "select count(*) from refused"))
    counted = dict(
        connection.execute(
            "select rule, count(*) from (select unnest(rules) as rule from refused) group by 1"
        ).fetchall()
    )
    if told != counted or gx["success"] != (refused == 0):
        raise RuntimeError(
            f"Great Expectations' verdict on {kind.name} contradicts the refused rows: "
            f"{told} and {counted}"
        )
    reasons = tuple(
        Reason(rule.name, rule.reason, told[rule.name]) for rule in plan.rules if rule.name in told
    )
    return Judgement(rows, refused, reasons, gx)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def _cannot_run(error: Exception) -> TableRefused:
    cause = error
    while cause.__cause__ is not None and isinstance(cause.__cause__, Exception):
        cause = cause.__cause__
    text = str(cause).partition("\n")[0]
    return TableRefused("query", "the rules of the kind cannot be run on the table", found=text)
