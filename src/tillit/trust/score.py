"""The SQL of transforms/trust, run over a lake, and its figures read back. I/O: DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tillit.engine import quote_identifier
from tillit.trust.cells import READS, make_cell_gain
from tillit.trust.terms import TermColumn
from tillit.warehouse import (
    Finding,
    Model,
    Run,
    Transforms,
    build,
    publish,
    run_checks,
    set_run,
)

__all__ = ["MAKERS", "MARTS", "Scores", "as_view", "compute", "keep", "models", "set_terms"]

MARTS = (
    "definition",
    "cell",
    "cell_gain",
    "column_not_measured",
    "column_week",
    "direction_week",
    "unanswered",
    "arrival_lag",
)
"""The tables that are kept; all others are steps on the way."""

_TYPES = {
    "agreement_id": "varchar",
    "agreement_version": "varchar",
    "partner": "varchar",
    "direction": "varchar",
    "kind": "varchar",
    "column_name": "varchar",
    "is_key": "boolean",
    "permitted": "boolean",
    "classification": "integer",
    "witness": "varchar",
    "cadence": "varchar",
    "cut_off_hours": "double",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
}

MAKERS = {"cell_gain": make_cell_gain}
"""Tables that are not made by SQL."""

Row = dict[str, Any]
Table = tuple[Mapping[str, str], Iterable[Row]]
"""Columns with their types, and rows."""


@dataclass(frozen=True)
class Scores:
    """What the marts say at ``as_of``, by week: rows as dictionaries, in the marts' columns.

    ``lags``, ``unanswered`` and ``meetings`` are shown beside scores, and so are
    ``reassessments``: partner, agreement_id and the day on which it was to be looked at again.
    """

    party: str
    as_of: datetime
    version: str
    directions: tuple[Row, ...]
    columns: tuple[Row, ...]
    not_measured: tuple[Row, ...]
    findings: tuple[Finding, ...] = ()
    lags: tuple[Row, ...] = ()
    unanswered: tuple[Row, ...] = ()
    meetings: tuple[Row, ...] = ()
    reassessments: tuple[Row, ...] = ()


def set_terms(connection: Any, terms: Iterable[TermColumn]) -> None:
    """Make the temporary table ``agreement_columns``."""
    _make(connection, "agreement_columns", _TYPES, map(asdict, terms))


def compute(
    connection: Any,
    transforms: Path,
    terms: Iterable[TermColumn],
    *,
    party: str,
    now: datetime,
    progress: Callable[[str, int, int], None] | None = None,
) -> Scores:
    """Measure every direction that shares with ``party``, as of ``now``.

    ``connection`` sees the lake's ``landed``, ``own`` and ``exchange``; ``transforms`` is the
    folder with ``trust/`` and ``checks/`` in it. The marts are left as temporary tables, see
    `keep`. Nothing that arrived after ``now`` counts. Raises TableRefused for SQL that cannot run.
    """
    set_run(connection, Run(as_of=now, party=party))
    set_terms(connection, terms)
    build(connection, models(transforms), as_view=as_view, makers=MAKERS, progress=progress)
    checks = [c for c in Transforms.checks(transforms / "checks") if _is_ours(c.model)]
    return Scores(
        party=party,
        as_of=now,
        version=_rows(connection, "select version from definition")[0]["version"],
        directions=_rows(connection, "from direction_week order by partner, direction, week"),
        columns=_rows(
            connection, "from column_week order by partner, direction, kind, column_name, week"
        ),
        not_measured=_rows(
            connection, "from column_not_measured order by partner, direction, kind, column_name"
        ),
        findings=run_checks(connection, checks),
        lags=_rows(connection, "from arrival_lag order by partner, direction, kind"),
        unanswered=_rows(
            connection, "from unanswered order by partner, direction, kind, raised_at"
        ),
        meetings=_rows(connection, "from int_interaction order by partner, direction, week"),
    )


def models(transforms: Path) -> Transforms:
    """The models of the measure in their order, with the tables between them that have no SQL."""
    return Transforms.read(transforms / "trust", {"cell_gain": READS})


def keep(connection: Any, added: Mapping[str, Table] | None = None) -> None:
    """Publish the marts that `compute` left into the lake's schema ``trust``, all or none.

    ``added`` are tables with a column ``as_of`` whose rows of earlier runs stay.
    """
    for name, table in (added or {}).items():
        _make(connection, name, *table)
    publish(connection, MARTS, "trust", added=added or ())


def _make(connection: Any, name: str, types: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Make a temporary table of rows; names and types are our own constants."""
    listed = list(rows)
    columns = {column: [row[column] for row in listed] for column in types}
    cells = ", ".join(f"unnest(${column}::{kind}[]) as {column}" for column, kind in types.items())
    connection.execute(
        f"create or replace temp table {quote_identifier(name)} as select {cells}", columns
    )


def as_view(model: Model) -> bool:
    """Whether a model is a view: what stages a table, and cells, whose readers want few columns."""
    return model.name.startswith("stg_") or model.name == "cell"


def _is_ours(model: Model) -> bool:
    return model.name.startswith("trust_")


def _rows(connection: Any, query: str) -> tuple[Row, ...]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())
