"""A pattern is found in a text as DuckDB's own search finds it, wherever lines end."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillit.quality.checks import _FORMATS, _UNSEEN
from tillit.sql.patterns import found, to_re2
from tillit.sql.text import literal

PATTERNS = (
    "^[!-~]([ -~]*[!-~])?$",
    "^a|b$",
    "a|^$",
    "$",
    "a.b",
    "^(ab)+$",
    "[^ -~]",
    "(?:a{2}|b)\\n",
    "^\\s",
    _UNSEEN,
    *_FORMATS.values(),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.none() | st.text("ab \n\r\t@.:\x85\u202eé0-", max_size=8), min_size=1))
def test_found_is_what_a_search_finds(
    connection: duckdb.DuckDBPyConnection, texts: list[str | None]
) -> None:
    columns = ", ".join(
        f"{found('text', pattern)}, regexp_matches(text, {literal(pattern)})"
        for pattern in PATTERNS
    )
    values = ", ".join("(null)" if text is None else f"({literal(text)})" for text in texts)
    rows = connection.execute(f"select {columns} from (values {values}) as t (text)").fetchall()
    for text, row in zip(texts, rows, strict=True):
        assert row[::2] == row[1::2], text


def test_a_pattern_of_a_contract_keeps_its_alternatives_together(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    sql = found("text", to_re2("^a$|^b$", "here"))
    rows = connection.execute(
        f"select {sql} from (values ('a'), ('b'), ('xa'), ('b\n')) as t (text)"
    )
    assert [row[0] for row in rows.fetchall()] == [True, True, False, False]
