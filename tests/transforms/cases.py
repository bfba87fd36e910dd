"""Cases of transforms: a YAML file under ``tests/transforms/<folder>/<model>/`` each.

::

    why: What is seen here, in one sentence.
    run: {as_of: 2026-03-02T06:00:00Z, partner: fjordstal}
    given:
      source_order: |
        order_id,line:integer,quantity:decimal
        PO-1,1,5
    expected: |
      order_id,quantity
      PO-1,5.000

Tables are CSV, or a list of mappings where cells are nested (written as JSON; what is under
``sign`` becomes an envelope's payload); a column is text unless it says its type, and ``landed.<kind>``, ``own.<kind>`` and
the tables of ``exchange`` and ``quarantine`` have theirs already; an empty cell is null, ``""`` an
empty text. Models that the model reads and that are not given are built first. Only the columns
that are expected are compared, as text, in any order of rows. ``repeats: true`` says that the
grain may be broken here.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml

from tillit.engine import quote_identifier
from tillit.kinds import installed
from tillit.lake import tables
from tillit.model import Kind
from tillit.warehouse import Model, Run, Transforms, build, set_run

HERE = Path(__file__).resolve().parent
TRANSFORMS = HERE.parents[1] / "transforms"
FOLDERS = ("audit", "checks", "outbound")
CASES = sorted(p for folder in FOLDERS for p in HERE.glob(f"{folder}/*/*.yaml"))

_FIELDS = frozenset({"why", "run", "given", "expected", "repeats"})


@dataclass(frozen=True)
class Case:
    """One case; ``folder`` is of transforms/, ``model`` a file's stem in it."""

    folder: str
    model: str
    why: str
    expected: str
    run: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    repeats: bool = False


def read_case(path: Path) -> Case:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(raw) <= _FIELDS, f"{path.name}: {set(raw) - _FIELDS}"
    return Case(folder=path.parents[1].name, model=path.parent.name, **raw)


def run_case(case: Case) -> tuple[Model, duckdb.DuckDBPyConnection]:
    """Make what is given, run the model, and give the connection with its table."""
    transforms = Transforms.read(TRANSFORMS / case.folder)
    models = {model.name: model for model in transforms.models}
    model = models[case.model]
    needed = _needed(model, models, set(case.given))
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    _make_lake(connection)
    for name, text in case.given.items():
        _fill(connection, name, text)
    if case.run:
        set_run(connection, Run(**{name: _time(value) for name, value in case.run.items()}))
    order = Transforms(tuple(m for m in transforms.models if m.name in needed))
    build(connection, order, as_view=lambda _: False)
    return model, connection


def expected_rows(case: Case) -> tuple[list[str], list[tuple[str | None, ...]]]:
    header, rows = _parsed(case.expected)
    return [name for name, _ in header], sorted(rows, key=_order)


def found_rows(
    connection: duckdb.DuckDBPyConnection, model: Model, columns: list[str]
) -> list[tuple[str | None, ...]]:
    cells = ", ".join(f"{quote_identifier(name)}::varchar" for name in columns)
    rows = connection.execute(f"select {cells} from {quote_identifier(model.name)}").fetchall()
    return sorted(rows, key=_order)


@contextmanager
def running(case: Case) -> Iterator[tuple[Model, duckdb.DuckDBPyConnection]]:
    model, connection = run_case(case)
    try:
        yield model, connection
    finally:
        connection.close()


def _needed(model: Model, models: dict[str, Model], given: set[str]) -> set[str]:
    needed = {model.name}
    for name in model.reads:
        if name in models and name not in given:
            needed |= _needed(models[name], models, given)
    return needed


_KINDS: dict[str, Kind] = {}


def _make_lake(connection: duckdb.DuckDBPyConnection) -> None:
    """The lake's schemas in memory, under the names they have in the lake."""
    if not _KINDS:
        _KINDS.update(installed())
    connection.execute("attach ':memory:' as lake; attach ':memory:' as ledger")
    connection.execute("create schema ledger.public")
    for statement in tables.empty_lake(_KINDS.values()):
        connection.execute(statement)
    for kind in _KINDS.values():
        connection.execute(tables.current_view(kind))
    path = ",".join(["memory.main", *(f"lake.{schema}" for schema in tables.SCHEMAS)])
    connection.execute(f"set search_path = '{path}'")


def _fill(connection: duckdb.DuckDBPyConnection, name: str, given: Any) -> None:
    """Insert into a table of the lake, or make one."""
    header, rows = _parsed(given) if isinstance(given, str) else _listed(given)
    *schema, table = name.split(".")
    if schema and schema[0] in {"landed", "own", "exchange", "quarantine"}:
        target = f"lake.{schema[0]}.{quote_identifier(table)}"
    elif schema:
        target = ".".join(map(quote_identifier, [*schema, table]))
        listed = ", ".join(f"{quote_identifier(n)} {t}" for n, t in header)
        connection.execute(f"create table {target} ({listed})")
    else:
        target = f"temp.main.{quote_identifier(table)}"
        listed = ", ".join(f"{quote_identifier(n)} {t}" for n, t in header)
        connection.execute(f"create temp table {quote_identifier(table)} ({listed})")
    columns = ", ".join(quote_identifier(n) for n, _ in header)
    marks = ", ".join("?" for _ in header)
    for row in rows:
        connection.execute(f"insert into {target} ({columns}) values ({marks})", list(row))


def _listed(given: list[dict[str, Any]]) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """Mappings as rows; their columns are those of the first."""
    header = [(n, k or "varchar") for n, _, k in (name.partition(":") for name in given[0])]
    return header, [tuple(map(_cell, row.values())) for row in given]


def _cell(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"sign"}:
        payload = base64.b64encode(json.dumps(value["sign"]).encode()).decode()
        return json.dumps({"payload": payload, "payloadType": "x", "signatures": []}).encode()
    return json.dumps(value) if isinstance(value, dict | list) else value


def _parsed(text: str) -> tuple[list[tuple[str, str]], list[tuple[str | None, ...]]]:
    """CSV with null for an empty cell and an empty text for ``""``."""
    marked = re.sub(r'(?m)(^|,)""(?=,|$)', "\\1\0", text.strip())
    reader = csv.reader(io.StringIO(marked + "\n"), strict=True)
    head, *lines = list(reader)
    header = []
    for cell in head:
        name, _, kind = cell.strip().partition(":")
        header.append((name, kind or "varchar"))
    rows = []
    for line in lines:
        assert len(line) == len(header), f"{line} does not fit {header}"
        rows.append(tuple("" if c == "\0" else c.strip() or None for c in line))
    return header, rows


def _time(value: object) -> object:
    if isinstance(value, datetime):
        assert value.tzinfo is not None, "a time without a zone"
    return value


def _order(row: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((cell is None, cell or "") for cell in row)
