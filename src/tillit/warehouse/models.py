"""Transforms as they stand in their files, read and put in order. I/O: reads files.

A model begins with what it is, in comments::

    -- Orders by week, as they were known.
    -- grain: partner, item_id, week
    -- reads: landed.order, run
    -- range: recorded_at < run.as_of; a week without orders has no row

A check has the same, and says with ``failure: stops`` or ``failure: warns`` what its rows mean.
A line that goes on is indented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from tillit.errors import TableRefused
from tillit.model import NAME

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Check", "Model", "Transforms", "check_reads", "read_model", "tables_read"]

_FIELD = re.compile(r"(grain|reads|range|failure): *(.*)")
_REQUIRED = ("grain", "reads", "range")


@dataclass(frozen=True)
class Model:
    """One select: the table ``name``, one row for each ``grain``, made of the tables ``reads``."""

    name: str
    path: Path
    sql: str
    what: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    range: str
    failure: str = ""


@dataclass(frozen=True)
class Check:
    """A model whose rows are what is wrong; ``stops`` when work must not go on with them."""

    model: Model
    stops: bool


@dataclass(frozen=True)
class Transforms:
    """The models of a folder, each after those it reads; one without SQL is made otherwise."""

    models: tuple[Model, ...]

    @classmethod
    def read(cls, folder: Path, made: Mapping[str, Sequence[str]] | None = None) -> Self:
        """Read every ``*.sql`` of a folder; TableRefused (query) for one that breaks the form.

        ``made`` names tables that are not made by a model, each with what has to be there before:
        the models that read them come after.
        """
        models = {path.stem: read_model(path) for path in sorted(folder.glob("*.sql"))}
        if not models:
            raise _wrong(folder, "at least one .sql file", "none")
        reads = {name: model.reads for name, model in models.items()} | dict(made or {})
        before = {name: [read for read in some if read in reads] for name, some in reads.items()}
        try:
            order = tuple(TopologicalSorter(before).static_order())
        except CycleError as error:
            raise _wrong(folder, "models in an order", " <- ".join(error.args[1])) from None
        return cls(tuple(models.get(name) or _made(name, reads[name], folder) for name in order))

    @classmethod
    def checks(cls, folder: Path) -> tuple[Check, ...]:
        """The checks of a folder; each says what its rows mean."""
        checks = []
        for path in sorted(folder.glob("*.sql")):
            model = read_model(path)
            if model.failure not in {"stops", "warns"}:
                raise _wrong(path, "a line '-- failure: stops' or 'warns'", model.failure or "none")
            checks.append(Check(model, stops=model.failure == "stops"))
        return tuple(checks)


def read_model(path: Path) -> Model:
    """Read one file; TableRefused (query) when its name or header is not as it must be.

    The header is believed; whether it is true is what `check_reads` asks.
    """
    if not NAME.fullmatch(path.stem):
        raise _wrong(path, f"a name like {NAME.pattern}", path.stem)
    try:
        sql = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, "SQL in UTF-8", error) from None
    what, fields = _header(sql)
    if missing := [name for name in _REQUIRED if not fields.get(name)]:
        raise _wrong(path, f"a header line '-- {missing[0]}: ...'", "none")
    if not what:
        raise _wrong(path, "a first line that says what it is", "none")
    stated = frozenset(_listed(fields["reads"])) - {"nothing"}
    return Model(
        name=path.stem,
        path=path,
        sql=sql,
        what=what,
        grain=_listed(fields["grain"]),
        reads=tuple(sorted(stated)),
        range=fields["range"],
        failure=fields.get("failure", ""),
    )


def _made(name: str, reads: Sequence[str], folder: Path) -> Model:
    return Model(name, folder, "", name, (), tuple(reads), "")


def check_reads(model: Model) -> None:
    """TableRefused (query) unless the model reads exactly what its header says."""
    found = tables_read(model.sql, model.path)
    if set(model.reads) != found:
        raise _wrong(model.path, "reads: " + ", ".join(sorted(found)), ", ".join(model.reads))


def tables_read(sql: str, path: Path | None = None) -> frozenset[str]:
    """The tables outside a statement that it reads, as ``schema.table`` or ``table``.

    TableRefused (query) unless it is exactly one select.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    where = path or Path("a query")
    try:
        statements = [s for s in sqlglot.parse(sql, dialect="duckdb") if s is not None]
    except SqlglotError as error:
        raise _wrong(where, "SQL", str(error).split("\n", 1)[0]) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise _wrong(where, "exactly one select", f"{len(statements)} statements")
    return frozenset(_free_tables(statements[0], frozenset()))


def _free_tables(node: exp.Expr, known: frozenset[str]) -> set[str]:
    """Tables in a tree that no CTE in sight defines; a CTE sees those before it, not itself."""
    from sqlglot import exp

    with_ = node.args.get("with_") or node.args.get("with")
    found: set[str] = set()
    if with_ is not None:
        for cte in with_.expressions:
            own = {cte.alias} if with_.args.get("recursive") else set()
            found |= _free_tables(cte.this, known | own)
            known |= {cte.alias}
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        name = ".".join(part.name for part in node.parts)
        if name not in known:
            found.add(name)
    for child in node.iter_expressions():
        if child is not with_:
            found |= _free_tables(child, known)
    return found


def _header(sql: str) -> tuple[str, Mapping[str, str]]:
    """The first comment line, and the fields of the lines after it."""
    lines = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line[2:])
    fields: dict[str, str] = {}
    last = ""
    for line in lines[1:]:
        if match := _FIELD.fullmatch(line.strip()):
            last = match[1]
            fields[last] = match[2].strip()
        elif last and line.startswith("   "):
            fields[last] += " " + line.strip()
    return (lines[0].strip() if lines else ""), MappingProxyType(fields)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _wrong(where: Path, expected: object, found: object) -> TableRefused:
    return TableRefused("query", f"{where.name}", expected=expected, found=found)
