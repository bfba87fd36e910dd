"""Models run in their order, checks counted, results published. I/O: DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb

from tillit.engine import drop_temporary, quote_identifier, refused_as_query, scalar, translated
from tillit.errors import TableRefused
from tillit.model import NAME
from tillit.warehouse.models import Check, Model, Transforms

__all__ = ["Finding", "Run", "build", "publish", "run_checks", "set_run"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Run:
    """The one row of the table ``run``: what a transform is told. Times are aware.

    ``since`` to ``as_of`` is what became known in between; ``period_start`` to ``period_end`` is
    the period that is spoken of; ``party`` is ourselves, ``partner`` the other side.
    """

    as_of: datetime
    since: datetime | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    partner: str | None = None
    party: str | None = None


@dataclass(frozen=True)
class Finding:
    """A check that gave rows: how many."""

    check: str
    what: str
    rows: int
    stops: bool


def set_run(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Make the temporary one-row table ``run``."""
    connection.execute(
        "create or replace temp table run as select "
        "$as_of::timestamptz as as_of, $since::timestamptz as since, "
        "$period_start::timestamptz as period_start, $period_end::timestamptz as period_end, "
        "$partner::varchar as partner, $party::varchar as party",
        asdict(run),
    )


def build(
    connection: duckdb.DuckDBPyConnection,
    transforms: Transforms,
    *,
    as_view: Callable[[Model], bool] | None = None,
    makers: Mapping[str, Callable[[duckdb.DuckDBPyConnection], None]] | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Run every model into a temporary table of its name; the names, in the order they ran.

    Those that ``as_view`` says yes to become temporary views (by default those that begin with
    ``stg_``). ``makers`` make the tables that have no SQL. ``progress`` is told the name, how many
    are done and of how many. Raises TableRefused (query) naming the model.
    """
    view = as_view or (lambda model: model.name.startswith("stg_"))
    done = []
    for count, model in enumerate(transforms.models):
        if progress is not None:
            progress(model.name, count, len(transforms.models))
        is_view = view(model)
        name = quote_identifier(_checked(model.name))
        with translated(model.name, refused_as_query(model.path.name)):
            drop_temporary(connection, model.name)
            if not model.sql:
                (makers or {})[model.name](connection)
            else:
                made = "view" if is_view else "table"
                connection.execute(f"create temp {made} {name} as (\n{model.sql}\n)")
        done.append(model.name)
    if progress is not None:
        progress("", len(done), len(done))
    return tuple(done)


def publish(
    connection: duckdb.DuckDBPyConnection,
    names: Iterable[str],
    schema: str,
    *,
    added: Iterable[str] = (),
) -> None:
    """Replace tables of the lake's ``schema`` by the temporary ones of those names, all or none.

    Those ``added`` keep what earlier runs left: only rows of the same ``as_of``, which is a column
    of theirs, are replaced.
    """
    target = f"lake.{quote_identifier(_checked(schema))}"
    with translated(f"publishing {schema}", refused_as_query(schema)):
        connection.begin()
        try:
            for name in names:
                quoted = quote_identifier(_checked(name))
                connection.execute(
                    f"create or replace table {target}.{quoted} as from temp.main.{quoted}"
                )
            for name in added:
                _add(connection, f"{target}.{quote_identifier(_checked(name))}", name)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _add(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> None:
    source = f"temp.main.{quote_identifier(name)}"
    connection.execute(f"create table if not exists {table} as from {source} limit 0")
    connection.execute(f"delete from {table} where as_of = (select as_of from run)")
    connection.execute(f"insert into {table} by name from {source}")


def run_checks(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[Check]
) -> tuple[Finding, ...]:
    """Run checks; those that gave rows. Raises TableRefused (query) for one that cannot run."""
    findings = []
    for check in checks:
        model = check.model
        with translated(model.name, refused_as_query(model.path.name)):
            rows = scalar(connection, f"select count(*) from (\n{model.sql}\n)")
        if rows:
            findings.append(Finding(model.name, model.what, rows, check.stops))
    return tuple(findings)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise TableRefused("query", "a table's name", expected=NAME.pattern, found=name)
    return name
