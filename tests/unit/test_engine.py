"""DuckDB as this product opens it: offline, confined, and its errors as ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from tillit.engine import (
    Engine,
    drop_temporary,
    function_of_text,
    quote_identifier,
    quote_literal,
    refused_as_query,
    scalar,
    translated,
)
from tillit.errors import DatabaseUnavailable, TableRefused, TillitError
from tillit.lake import ask


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``inside`` may be touched, ``outside`` may not; links lead from one to the other."""
    base = tmp_path_factory.mktemp("engine")
    for name in ("inside", "outside"):
        (base / name).mkdir()
        (base / name / "a.csv").write_text("a\n1\n", encoding="utf-8")
    duckdb.sql("select 1 as a").write_parquet(str(base / "outside" / "a.parquet"))
    with duckdb.connect(str(base / "outside" / "a.duckdb")) as connection:
        connection.execute("create table t as select 1 as a")
    (base / "named.csv").write_text("a\n1\n", encoding="utf-8")
    (base / "inside" / "link.csv").symlink_to(base / "outside" / "a.csv")
    (base / "inside" / "link").symlink_to(base / "outside")
    return base


@pytest.fixture(scope="module")
def engine(place: Path) -> Iterator[Engine]:
    with Engine.open(place / "spool", threads=1, extensions=["postgres_scanner"]) as opened:
        opened.confine(directories=[str(place / "inside")], paths=[str(place / "named.csv")])
        yield opened


@pytest.fixture(scope="module")
def listening() -> Iterator[socket.socket]:
    """A server that notes whether anybody calls."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def nobody_called(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# ---- confined --------------------------------------------------------------------------------


def test_what_was_named_can_be_read(engine: Engine, place: Path) -> None:
    for file in (place / "inside" / "a.csv", place / "named.csv"):
        assert scalar(engine.connection, f"select a from '{file}'") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "from '{out}/a.csv'",
        "from read_csv('{out}/a.csv')",
        "from read_csv('file://{out}/a.csv')",
        "from read_csv('{base}/inside/../outside/a.csv')",
        "from read_csv('{base}/inside/link.csv')",
        "from read_csv('{base}/inside/link/a.csv')",
        "from read_csv(['{base}/inside/a.csv', '{out}/a.csv'])",
        "from read_parquet('{out}/*.parquet')",
        "from parquet_metadata('{out}/a.parquet')",
        "from sniff_csv('{out}/a.csv')",
        "from glob('{out}/*')",
        "from read_text('{out}/*')",
        "from read_blob('/proc/self/environ')",
        "attach '{out}/a.duckdb' as theirs (read_only)",
        "attach '{out}/new.duckdb' as new",
        "copy (select 1) to '{out}/new.csv'",
        "copy (select 1 as a, 2 as b) to '{out}/parts' (partition_by a)",
        "copy (select 1) to '{base}/inside/link/new.csv'",
        "copy (select 1) to '{base}/named.csv.tmp'",
        "export database '{out}/export'",
        "import database '{out}'",
    ],
)
def test_no_other_file_is_read_or_written(engine: Engine, place: Path, statement: str) -> None:
    out = place / "outside"
    before = files(out)
    with pytest.raises(duckdb.PermissionException):
        engine.connection.execute(statement.format(base=place, out=out))
    assert files(out) == before


@pytest.mark.parametrize(
    "statement",
    [
        "from read_csv('http://127.0.0.1:{port}/a.csv')",
        "from 'https://127.0.0.1:{port}/a.parquet'",
        "from read_text('s3://127.0.0.1:{port}/a')",
        "attach 'http://127.0.0.1:{port}/a.duckdb' as theirs",
        "attach 'host=127.0.0.1 port={port}' as theirs (type postgres)",
        "install spatial from 'http://127.0.0.1:{port}'",
        "copy (select 1) to 'http://127.0.0.1:{port}/a.csv'",
    ],
)
def test_nobody_is_called(engine: Engine, listening: socket.socket, statement: str) -> None:
    with pytest.raises(duckdb.PermissionException):
        engine.connection.execute(statement.format(port=listening.getsockname()[1]))
    assert nobody_called(listening)


@pytest.mark.parametrize(
    "statement",
    ["install spatial", "force install fts from community", "load spatial", "load '/x'"],
)
def test_no_extension_is_fetched(engine: Engine, statement: str) -> None:
    with pytest.raises(duckdb.PermissionException):
        engine.connection.execute(statement)


@pytest.mark.parametrize(
    "setting",
    [
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset lock_configuration",
        "set allowed_directories = ['/']",
        "set allowed_paths = ['/etc/passwd']",
        "set memory_limit = '1TB'",
        "set threads = 64",
        "pragma threads = 64",
        "set temp_directory = '/'",
        "set secret_directory = '/'",
        "set timezone = 'Europe/Oslo'",
        "set autoinstall_known_extensions = true",
        "set allow_community_extensions = true",
        "set custom_extension_repository = 'http://127.0.0.1'",
        "set python_enable_replacements = true",
        "set temp_file_encryption = false",
        "pragma enable_profiling = 'json'",
        "pragma profiling_output = '/x'",
        "set log_query_path = '/x'",
    ],
)
def test_no_setting_changes_any_more(engine: Engine, setting: str) -> None:
    with pytest.raises(duckdb.Error, match=r"locked|disabled|cannot|Cannot"):
        engine.connection.execute(setting)


def test_settings_are_as_they_are_meant(engine: Engine) -> None:
    def now(setting: str) -> Any:
        return scalar(engine.connection, "select current_setting(?)", setting)

    assert now("timezone") == "UTC"
    assert now("temp_file_encryption") is True
    assert now("autoinstall_known_extensions") is False
    assert now("autoload_known_extensions") is False
    assert now("secret_directory").startswith(str(engine.folder))
    assert now("temp_directory").startswith(str(engine.folder))


def test_a_variable_of_python_is_no_table(engine: Engine) -> None:
    secrets = duckdb.sql("select 'secret' as a").arrow()
    assert secrets is not None
    with pytest.raises(duckdb.CatalogException):
        engine.connection.execute("from secrets")


# ---- questions of a person -------------------------------------------------------------------


def question(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    """Ask a lake that is only this engine."""
    lake: Any = SimpleNamespace(connection=engine.connection)
    return ask(lake, sql)[1]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "from range(1)",
        "select a from (select unnest([1]) as a)",
        "values (1)",
        "select 1 from duckdb_tables() limit 1",
        "describe select 1 as a",
        "select a from (select 1 as a) union all select 2",
    ],
)
def test_a_question_is_answered(engine: Engine, sql: str) -> None:
    assert isinstance(question(engine, sql), list)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "select 1; select 2",
        "create table t (a int)",
        "set variable x = 1",
        "call pragma_version()",
        "explain select 1",
        "pivot (select 1 as a, 2 as b) on a using sum(b)",  # makes a type first
        "from postgres_scan('host=127.0.0.1 port={port}', 'public', 't')",
        "from POSTGRES_QUERY('x', 'select 1')",
        "from system.main.postgres_scan('host=127.0.0.1 port={port}', 'public', 't')",
        "select (select count(*) from postgres_scan('host=127.0.0.1 port={port}', 'p', 't'))",
        "with x as (from postgres_scan('host=127.0.0.1 port={port}', 'p', 't')) select 1 from x",
        "select 1 union all select 2 from enable_logging(storage = 'file', storage_path = '/x')",
        "select 1 order by (select 1 from enable_logging())",
        "select list_transform([1], lambda x: (select x from enable_logging()))",
        "from query('select 1')",
        "from ducklake_expire_snapshots('lake')",
        "from ducklake_cleanup_old_files('lake', cleanup_all => true)",
        "select from where",
        "from nowhere",
        "select ?",
    ],
)
def test_other_questions_are_refused(engine: Engine, listening: socket.socket, sql: str) -> None:
    with pytest.raises(TableRefused) as caught:
        question(engine, sql.replace("{port}", str(listening.getsockname()[1])))
    assert caught.value.code in {"table.query", "table.closed"}
    assert nobody_called(listening)
    assert question(engine, "select 1") == [(1,)]


# ---- errors ----------------------------------------------------------------------------------


def said(error: Exception) -> TillitError:
    with (
        pytest.raises(TillitError) as caught,
        translated("the lake", refused_as_query("the question")),
    ):
        raise error
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (duckdb.OutOfMemoryException("no room"), "database.memory"),
        (duckdb.TransactionException("Conflict on update"), "database.lock-timeout"),
        (duckdb.TransactionException("no transaction"), "table.query"),
        (duckdb.IOException("No space left on device"), "database.disk-full"),
        (duckdb.IOException("connection to server was lost"), "database.unreachable"),
        (duckdb.ParserException("syntax error\nLINE 1: secret row"), "table.query"),
    ],
)
def test_each_error_has_one_of_ours(error: Exception, code: str) -> None:
    assert said(error).code == code


def test_a_password_is_not_repeated() -> None:
    parameters = "host=h dbname=d user=u password=hunter2 passfile=/secret"
    for text in (
        f"Unable to connect to Postgres at '{parameters}': no",
        f'Unable to connect to Postgres at "{parameters}": no',
        f"Unable to connect to Postgres at {parameters}: no",
    ):
        told = str(said(duckdb.IOException(text)))
        assert "hunter2" not in told
        assert "/secret" not in told


def test_only_the_first_line_is_shown() -> None:
    assert "secret row" not in str(said(duckdb.ConversionException("cannot cast\nsecret row")))


def test_ours_and_others_pass_through() -> None:
    with pytest.raises(KeyError), translated("x", refused_as_query("y")):
        raise KeyError("x")


# ---- its folder ------------------------------------------------------------------------------


def test_the_folder_is_private_and_vanishes(tmp_path: Path) -> None:
    with Engine.open(tmp_path / "spool", threads=1) as opened:
        assert opened.folder.stat().st_mode & 0o077 == 0
        assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
        (opened.folder / "spill").mkdir(exist_ok=True)
        opened.connection.execute("begin")
    opened.close()  # once more does nothing
    assert files(tmp_path / "spool") == set()


def test_what_a_killed_engine_left_is_swept_and_what_lives_is_not(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from tillit.engine import Engine\n"
        "Engine.open(Path(sys.argv[1]), threads=1); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env={**os.environ})
    (left,) = tmp_path.iterdir()
    with Engine.open(tmp_path, threads=1) as first:
        assert not left.exists()
        with Engine.open(tmp_path, threads=1) as second:
            assert {first.folder, second.folder} == set(tmp_path.iterdir())
        assert scalar(first.connection, "select 1") == 1


def test_an_extension_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Engine.open(tmp_path, extensions=["nowhere"])
    assert "duckdb-extension-nowhere" in str(caught.value)
    with pytest.raises(ValueError, match="no extension"):
        Engine.open(tmp_path, extensions=["../../x"])


def test_a_limit_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Engine.open(tmp_path, memory_limit="plenty")
    assert caught.value.code == "database.unreachable"
    assert list(tmp_path.iterdir()) == []


# ---- names and values ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "a'b", "''", "\\", "a\nb", "é'; drop table x; --", '"'])
def test_a_literal_is_read_as_it_was(engine: Engine, text: str) -> None:
    assert scalar(engine.connection, f"select {quote_literal(text)}") == text


@pytest.mark.parametrize("name", ["a", "A b", 'a"b', 'x"; drop table y; --', "select", "é", "'"])
def test_a_name_is_read_as_it_was(engine: Engine, name: str) -> None:
    quoted = quote_identifier(name)
    found = engine.connection.execute(f"select 1 as {quoted}")
    assert [column[0] for column in found.description or ()] == [name]


def test_a_zero_byte_has_no_place() -> None:
    for quote in (quote_identifier, quote_literal):
        with pytest.raises(ValueError, match="zero byte"):
            quote("a\0b")
    with pytest.raises(ValueError, match="empty"):
        quote_identifier("")


def test_temporary_tables_and_views_go_alike(engine: Engine) -> None:
    run = engine.connection.execute
    for what in ("table", "view"):
        run(f'create temp {what} "a b" as select 1')
        drop_temporary(engine.connection, "a b")
        drop_temporary(engine.connection, "a b")
        with pytest.raises(duckdb.CatalogException):
            run('from "a b"')


def test_a_query_without_rows_is_no_scalar(engine: Engine) -> None:
    with pytest.raises(ValueError, match="without rows"):
        scalar(engine.connection, "select 1 limit 0")


def test_sql_calls_a_function_of_ours_for_a_while(engine: Engine) -> None:
    asked: list[str] = []

    def each(text: str) -> str:
        asked.append(text)
        return text.upper()

    rows = "from (values (1, 'å'), (2, null), (3, 'b'), (4, 'å')) as r (i, text)"
    with function_of_text(engine.connection, "made_of", each):
        found = engine.connection.execute(f"select made_of(text) {rows} order by i").fetchall()
        assert found == [("Å",), (None,), ("B",), ("Å",)]
        assert sorted(asked) == ["b", "å"]
    with pytest.raises(duckdb.CatalogException):
        engine.connection.execute(f"select made_of(text) {rows}")


def test_what_a_function_of_ours_cannot_take_is_not_named(engine: Engine) -> None:
    def each(text: str) -> str:
        raise ValueError(text)

    with (
        function_of_text(engine.connection, "made_of", each),
        pytest.raises(duckdb.InvalidInputException) as raised,
    ):
        engine.connection.execute("select made_of('kari')")
    assert "made_of cannot be made of a text" in str(raised.value)
    assert "kari" not in str(raised.value)
