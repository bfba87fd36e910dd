"""The SQL of transforms/trust, run over a lake, and its figures read back. I/O: DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

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

__all__ = ["MAKERS", "MARTS", "Scores", "compute", "keep", "models", "set_terms"]

MARTS = (
    "definition",
    "cell",
    "cell_gain",
    "column_not_measured",
    "column_week",
    "direction_week",
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
_VIEWS = ("stg_",)

MAKERS = {"cell_gain": make_cell_gain}
"""Tables that are not made by SQL."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Scores:
    """What the marts say at ``as_of``, by week: rows as dictionaries, in the marts' columns."""

    party: str
    as_of: datetime
    version: str
    directions: tuple[Row, ...]
    columns: tuple[Row, ...]
    not_measured: tuple[Row, ...]
    findings: tuple[Finding, ...] = ()


def set_terms(connection: Any, terms: Iterable[TermColumn]) -> None:
    """Make the temporary table ``agreement_columns``."""
    rows = list(terms)
    columns = {f.name: [getattr(row, f.name) for row in rows] for f in fields(TermColumn)}
    listed = ", ".join(f"unnest(${name}::{_TYPES[name]}[]) as {name}" for name in columns)
    connection.execute(
        f"create or replace temp table agreement_columns as select {listed}", columns
    )


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
    build(connection, models(transforms), as_view=_as_view, makers=MAKERS, progress=progress)
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
    )


def models(transforms: Path) -> Transforms:
    """The models of the measure in their order, with the tables between them that have no SQL."""
    return Transforms.read(transforms / "trust", {"cell_gain": READS})


def keep(connection: Any) -> None:
    """Publish the marts that `compute` left into the lake's schema ``trust``, all or none."""
    publish(connection, MARTS, "trust")


def _as_view(model: Model) -> bool:
    return model.name.startswith(_VIEWS)


def _is_ours(model: Model) -> bool:
    return model.name.startswith("trust_")


def _rows(connection: Any, query: str) -> tuple[Row, ...]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())
