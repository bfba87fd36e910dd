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
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core.batch import Batch
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metrics.metric_provider import MetricProvider, metric_value
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies, Validator
from sqlalchemy.exc import SQLAlchemyError

from tillit.errors import TableRefused
from tillit.model import Column, Kind
from tillit.quality.dialect import engine_over
from tillit.quality.plan import Plan, plan_for, run_plan
from tillit.quality.queries import applicable
from tillit.sql.text import quote

__all__ = ["Judgement", "Reason", "judge"]

_METRIC = "tillit.broken_rules"
_METRIC_OF_ALL = MetricConfiguration(_METRIC, metric_domain_kwargs={}, metric_value_kwargs={})
_DOMAIN = ("batch_id", "row_condition", "condition_parser")


@dataclass(frozen=True)
class Reason:
    """How many rows broke a rule; a row that breaks two rules counts in both."""

    rule: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Judgement:
    """The verdict: rows looked at, refused, why, and what Great Expectations said."""

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


class _JudgingEngine(SqlAlchemyExecutionEngine):
    """Great Expectations' engine for SQL, which knows the plan that its metric runs."""

    plan: Plan


class _BrokenRules(MetricProvider):
    """Rows that break each rule, by the rule's name; rules that are kept are left out."""

    metric_name = _METRIC
    domain_keys = _DOMAIN
    value_keys = ()

    @metric_value(engine=_JudgingEngine)
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
            return run_plan(connection, execution_engine.plan)


class ExpectRuleToBeKept(BatchExpectation):
    """No row of the batch breaks the rule of that name."""

    rule: str

    metric_dependencies: ClassVar[tuple[str, ...]] = (_METRIC,)
    success_keys: ClassVar[tuple[str, ...]] = ("rule",)
    domain_keys: ClassVar[tuple[str, ...]] = _DOMAIN

    _configuration: ExpectationConfiguration | None = PrivateAttr(default=None)

    @property
    def configuration(self) -> ExpectationConfiguration:
        """Built once: Great Expectations asks for it some thirty times, 1 ms a rule in all."""
        if self._configuration is None:
            self._configuration = super().configuration
        return self._configuration

    def get_validation_dependencies(
        self,
        execution_engine: Any = None,  # noqa: ARG002
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> ValidationDependencies:
        """What every rule needs, the one metric; worked out for each it would cost 1 ms more."""
        return ValidationDependencies({_METRIC: _METRIC_OF_ALL}, {"result_format": "BASIC"})

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
    *,
    rows_held: bool = False,
) -> Judgement:
    """Judge every row of a table, view or temporary table by the rules on the columns given.

    With ``rows_held`` each was held to the row rules where it came from (`queries.held_to`), in
    columns that may be gone or changed by now: what is left to look at are keys and the table.

    The rows are numbered by a column ``row_no``; a table without one (not a view) is numbered by
    ``rowid + 1``, which is free. A column ``unread`` (see `cast_query`) is heeded. Left on the
    connection is the temporary table ``refused (row_no, rules VARCHAR[], reasons VARCHAR[])``, each
    refused row once, so that ``anti join refused using (row_no)`` are the accepted ones.

    Raises TableRefused: ``empty``; ``missing-column`` or ``wrong-type`` when the table is not the
    kind's; ``row-count`` for a broken rule on the table as a whole; ``query`` when DuckDB cannot
    run a rule. RuntimeError when Great Expectations and the refused rows contradict each other.
    """
    actual = _columns(connection, table)
    keys = {name for rule in applicable(kind, columns, "key") for name in rule.columns}
    _check(kind, [c for c in columns if c.name in keys or not rows_held], actual)
    rows = int(_one(connection, f"select count(*) from {quote(table)}"))
    if rows == 0:
        raise TableRefused("empty", f"{kind.name} has no rows", expected="a row", found="none")
    plan = plan_for(kind, columns, table, actual, rows_held=rows_held)
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


def _validate(connection: duckdb.DuckDBPyConnection, plan: Plan, kind: Kind) -> dict[str, Any]:
    """Let Great Expectations judge; its result in short, as JSON has it."""
    engine = _JudgingEngine(engine=engine_over(connection), create_temp_table=False)
    engine.plan = plan
    data: Any = SqlAlchemyBatchData(
        execution_engine=engine, table_name=plan.table, create_temp_table=False
    )
    validator = Validator(execution_engine=engine, batches=[Batch(data=data)])
    validator.metrics_calculator.show_progress_bars = False
    try:
        # Validator.graph_validate would copy and convert every expectation to find that all of
        # them need this one metric: 3 ms a rule, several times what the queries take.
        metrics, _aborted = validator.metrics_calculator.compute_metrics(
            [_METRIC_OF_ALL], runtime_configuration={"catch_exceptions": False}
        )
        results = [
            ExpectRuleToBeKept(rule=rule.name).metrics_validate(
                metrics=metrics, execution_engine=engine
            )
            for rule in plan.rules
        ]
    except (GreatExpectationsError, SQLAlchemyError, duckdb.Error) as error:
        raise _cannot_run(error) from error
    kept = sum(bool(result.success) for result in results)
    return {
        "great_expectations": great_expectations.__version__,
        "suite": f"{kind.name} {kind.version}",
        "success": kept == len(plan.rules),
        "evaluated": len(results),
        "successful": kept,
        "results": [
            {
                "rule": result.expectation_config.kwargs["rule"],
                "success": bool(result.success),
                "rows": int(result.result["observed_value"]),
            }
            for result in results
            if result.expectation_config is not None
        ],
    }


def _judgement(
    connection: duckdb.DuckDBPyConnection, plan: Plan, kind: Kind, rows: int, gx: dict[str, Any]
) -> Judgement:
    """Hold Great Expectations' verdict against the rows that are refused."""
    told = {result["rule"]: result["rows"] for result in gx["results"] if not result["success"]}
    for _, rule in plan.of("table"):
        if told.pop(rule.name, 0):
            raise TableRefused("row-count", f"{kind.name}: {rule.reason}", found=f"{rows} rows")
    counts = "select count(*), coalesce(sum(len(rules)), 0) from refused"
    refused, breaches = connection.execute(counts).fetchall()[0]
    if sum(told.values()) != breaches or gx["success"] != (refused == 0):
        raise RuntimeError(
            f"Great Expectations' verdict on {kind.name} contradicts the refused rows: "
            f"{told} against {breaches} breaches in {refused} rows"
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
