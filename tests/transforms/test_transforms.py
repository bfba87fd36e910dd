"""Every transform keeps the form, says the truth about what it reads, and does what its cases say."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.transforms.cases import (
    CASES,
    TRANSFORMS,
    Case,
    expected_rows,
    found_rows,
    read_case,
    running,
)

from tillit.engine import quote_identifier
from tillit.warehouse import Transforms, check_reads, read_model

FILES = sorted(TRANSFORMS.rglob("*.sql"))
MOST_LINES = 170  # eighty is the aim


def test_there_are_transforms_and_cases() -> None:
    assert len(FILES) > 10
    assert CASES


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(TRANSFORMS)))
def test_a_transform_reads_what_its_header_says(path: Path) -> None:
    check_reads(read_model(path))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(TRANSFORMS)))
def test_a_transform_is_short_and_reads_no_clock(path: Path) -> None:
    sql = path.read_text(encoding="utf-8").lower()
    assert len(sql.splitlines()) <= MOST_LINES, "split it"
    for word in ("now()", "current_date", "current_timestamp", "today()", "random()", "uuid()"):
        assert word not in sql


@pytest.mark.parametrize("folder", ["outbound", "audit"])
def test_every_model_of_these_has_a_case(folder: str) -> None:
    tried = {(path.parents[1].name, path.parent.name) for path in CASES}
    for path in sorted((TRANSFORMS / folder).glob("*.sql")):
        assert (folder, path.stem) in tried, f"{folder}/{path.stem} has no case"


def test_every_check_of_the_lake_has_a_case() -> None:
    tried = {path.parent.name for path in CASES}
    checks = {path.stem for path in (TRANSFORMS / "checks").glob("lake_*.sql")}
    assert checks
    assert checks <= tried


def test_checks_say_what_their_rows_mean() -> None:
    assert Transforms.checks(TRANSFORMS / "checks")


@pytest.mark.parametrize(
    "case",
    [pytest.param(read_case(p), id=f"{p.parents[1].name}/{p.parent.name}/{p.stem}") for p in CASES],
)
def test_case(case: Case) -> None:
    columns, wanted = expected_rows(case)
    with running(case) as (model, connection):
        assert found_rows(connection, model, columns) == wanted, case.why
        grain = ", ".join(quote_identifier(name) for name in model.grain)
        twice = connection.execute(
            f"select {grain} from {quote_identifier(model.name)} group by {grain} having count(*) > 1"
        ).fetchall()
        assert bool(twice) == case.repeats, f"grain: {twice}"
