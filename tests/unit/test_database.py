"""PostgreSQL by URL and embedded: names, locks, secrets, and who stops the server."""

from __future__ import annotations

import multiprocessing
import os
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
import sqlalchemy as sa

from tillit.database import Database, advisory_key, embedded, translated
from tillit.errors import ConfigError, DatabaseUnavailable

SECRET = "pa:ss\\w'ord"


@pytest.fixture
def by_url(database: Database, server_folder: Path, tmp_path: Path) -> Iterator[Database]:
    """The run's server, as if it were somebody else's that wants a password."""
    url = sa.URL.create(
        "postgresql",
        username="postgres",
        password=SECRET,
        database="postgres",
        query={"host": str(server_folder)},
    )
    with Database.open(url.render_as_string(hide_password=False), tmp_path / "private") as opened:
        yield opened


def answer(database: Database, name: str, query: str = "select current_database()") -> object:
    with database.engine(name).connect() as connection:
        return connection.scalar(sa.text(query))


def test_each_name_is_a_database_of_its_own(database: Database) -> None:
    assert answer(database, "ledger") == "ledger"
    assert answer(database, "lake") == "lake"
    with pytest.raises(ValueError, match="no database"):
        database.engine("other")


def test_the_same_engine_is_given_again(database: Database) -> None:
    assert database.engine("ledger") is database.engine("ledger")


def test_times_are_utc_and_waiting_has_an_end(database: Database) -> None:
    assert answer(database, "ledger", "show timezone") == "UTC"
    assert answer(database, "ledger", "show lock_timeout") == "30s"


def test_libpq_and_url_reach_the_database(database: Database) -> None:
    with psycopg2.connect(database.libpq("lake")) as connection:
        assert connection.info.dbname == "lake"
    connection.close()
    engine = sa.create_engine(database.sqlalchemy_url("airflow"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select current_database()")) == "airflow"
    engine.dispose()


def test_the_server_listens_on_nothing_but_its_socket(
    database: Database, server_folder: Path
) -> None:
    assert answer(database, "ledger", "show listen_addresses") == ""
    assert stat.S_IMODE(server_folder.stat().st_mode) == 0o700
    socket = server_folder / ".s.PGSQL.5432"
    if socket.exists():  # else the folder's name was too long
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700


def test_what_partners_said_is_not_in_the_log(database: Database, server_folder: Path) -> None:
    said = sa.text("select :word from nowhere").bindparams(word="confidential")
    with (
        database.engine("ledger").connect() as connection,
        pytest.raises(sa.exc.ProgrammingError, match="nowhere"),
    ):
        connection.execute(said)
    log = (server_folder / "log").read_text(encoding="utf-8")
    assert "confidential" not in log
    assert "nowhere" in log  # the error itself is there


def test_a_password_is_in_a_private_file_and_nowhere_else(by_url: Database, tmp_path: Path) -> None:
    passfile = tmp_path / "private" / "passfile"
    for shown in (
        repr(by_url),
        by_url.libpq("lake"),
        by_url.sqlalchemy_url("airflow"),
        repr(by_url.engine("ledger")),
    ):
        assert "ss\\w" not in shown
        assert "ss%5C" not in shown
    assert passfile.read_text(encoding="utf-8") == "*:*:*:*:pa\\:ss\\\\w'ord\n"
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
    assert f"passfile={passfile}" in by_url.libpq("lake")


def test_a_server_by_url_is_used_and_not_stopped(by_url: Database, database: Database) -> None:
    assert answer(by_url, "ledger") == "ledger"
    by_url.close()
    assert answer(database, "ledger") == "ledger"


@pytest.mark.parametrize(
    "url", ["nonsense with secret", "mysql://secret@host/x", "sqlite:///secret", ""]
)
def test_what_is_no_url_of_postgresql(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Database.open(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with Database.open(f"postgresql://u:secret@/x?host={tmp_path}", tmp_path) as database:
        for use in (
            lambda: database.engine("ledger"),
            lambda: database.libpq("lake"),
            lambda: database.lock("x").__enter__(),
        ):
            with pytest.raises(DatabaseUnavailable) as caught:
                use()
            assert caught.value.code == "database.unreachable"
            assert "secret" not in str(caught.value)


def test_a_database_that_may_not_be_made(
    database: Database, server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.engine("ledger")
    monkeypatch.setattr("tillit.database.DATABASES", frozenset({"never"}))
    with engine.begin() as connection:
        connection.execute(sa.text("drop role if exists modest"))
        connection.execute(sa.text("create role modest login"))
    modest = Database.open(f"postgresql://modest@/postgres?host={server_folder}", server_folder)
    with modest, pytest.raises(ConfigError, match="may not make one"):
        modest.libpq("never")


# ---- locks ------------------------------------------------------------------------------------


def test_a_lock_keeps_others_out_and_is_given_back(database: Database) -> None:
    with database.lock("test:one"):
        with pytest.raises(DatabaseUnavailable) as caught, database.lock("test:one", 0.05):
            raise AssertionError("both hold it")
        assert caught.value.code == "database.lock-timeout"
        with database.lock("test:other", 0.05):
            pass
    with database.lock("test:one", 0.05):
        pass


def test_a_lock_is_given_back_when_its_holder_fails(database: Database) -> None:
    with pytest.raises(KeyError), database.lock("test:fails"):
        raise KeyError
    with database.lock("test:fails", 0.05):
        pass


def test_whoever_waits_gets_the_lock_in_the_end(database: Database) -> None:
    order: list[str] = []

    def wait() -> None:
        with database.lock("test:wait", 10):
            order.append("second")

    with database.lock("test:wait"):
        other = threading.Thread(target=wait)
        other.start()
        time.sleep(0.1)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def break_off(database: Database, name: str) -> None:
    """As a server that is restarted does it, to whoever holds or last held that lock."""
    with psycopg2.connect(database.libpq("ledger")) as stranger, stranger.cursor() as cursor:
        key = advisory_key(name)
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
            "and query like 'select pg_advisory_unlock%%' and query like %s "
            "union all select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
            "and granted and ((classid::bigint << 32) | objid::bigint) = %s",
            (f"%{key})%", key),
        )
        assert cursor.fetchall() == [(True,)]


def test_a_kept_connection_that_broke_is_not_the_next_holders_trouble(database: Database) -> None:
    with database.lock("test:broken"):
        break_off(database, "test:broken")
    with database.lock("test:broken", 0.5):
        pass
    break_off(database, "test:broken")
    with database.lock("test:broken", 0.5):
        pass


def test_a_connection_that_broke_while_it_rested_is_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.engine("ledger")

    def backend() -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("select pg_backend_pid()").scalar_one())

    first = backend()
    assert backend() == first
    with psycopg2.connect(database.libpq("ledger")) as stranger, stranger.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s, 5000)", (first,))
        assert cursor.fetchone() == (True,)
    with monkeypatch.context() as later:
        rested = time.monotonic() + 60
        later.setattr("tillit.database.time.monotonic", lambda: rested)
        second = backend()
    assert second != first
    assert backend() == second


def test_a_lock_in_a_fork_is_its_own(database: Database) -> None:
    with database.lock("test:parent"):
        pass
    holds, told = os.pipe()
    end, may_end = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with database.lock("test:child"):
                os.write(told, b"x")
                os.read(end, 1)
            code = 0
        finally:
            os._exit(code)
    os.read(holds, 1)
    with pytest.raises(DatabaseUnavailable), database.lock("test:child", 0.05):
        raise AssertionError("the child holds it")
    with database.lock("test:parent", 0.05):
        pass
    os.write(may_end, b"x")
    assert os.waitpid(child, 0)[1] == 0
    with database.lock("test:child", 0.5):
        pass


def test_names_of_locks_do_not_collide_by_their_beginning() -> None:
    keys = {advisory_key(f"receive:{i}") for i in range(1000)}
    assert len(keys) == 1000
    assert all(-(2**63) <= key < 2**63 for key in keys)


def test_a_refusal_of_the_server_is_not_unavailability(database: Database) -> None:
    with pytest.raises(sa.exc.ProgrammingError), translated():
        answer(database, "ledger", "select * from nowhere")


def test_a_fork_does_not_use_its_parents_connection(database: Database) -> None:
    engine = database.engine("ledger")
    ours = answer(database, "ledger", "select pg_backend_pid()")
    reader, writer = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        with engine.connect() as connection:
            writer.send(connection.scalar(sa.text("select pg_backend_pid()")))
        os._exit(0)
    os.waitpid(child, 0)
    assert reader.recv() != ours
    assert answer(database, "ledger", "select pg_backend_pid()") == ours


# ---- the embedded server ----------------------------------------------------------------------


def running(folder: Path) -> bool:
    return (folder / "data" / "postmaster.pid").exists()


def test_the_last_to_leave_stops_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    first = Database.open(None, folder)
    assert answer(first, "ledger") == "ledger"
    started = time.monotonic()
    second = Database.open(None, folder)
    assert time.monotonic() - started < 0.5  # 10 ms on an idle machine
    first.close()
    first.close()
    assert running(folder)
    assert answer(second, "ledger") == "ledger"
    second.close()
    assert not running(folder)
    # A stranger who is connected keeps it up.
    third = Database.open(None, folder)
    stranger = psycopg2.connect(third.libpq("ledger"))
    third.close()
    assert running(folder)
    stranger.close()
    Database.open(None, folder).close()
    assert not running(folder)


def test_a_path_that_no_socket_can_have(tmp_path: Path) -> None:
    """Too long, and with characters that libpq, a shell or a URL would read."""
    folder = tmp_path / f'it\'s, a "$HOME" {"long" * 25}' / "postgres"
    with Database.open(None, folder) as database:
        assert answer(database, "lake") == "lake"
        with psycopg2.connect(database.libpq("lake")) as connection:
            assert connection.info.dbname == "lake"
        connection.close()
        host = Path(psycopg2.extensions.parse_dsn(database.libpq("lake"))["host"])
        assert host != folder
        assert stat.S_IMODE(host.stat().st_mode) == 0o700
    for left in host.iterdir():
        left.unlink()
    host.rmdir()


def test_a_socket_folder_that_somebody_else_made_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_SOCKET_PATH_BYTES", 10)
    folder = tmp_path / "postgres"
    folder.mkdir()
    theirs = embedded._socket_folder(folder)
    assert embedded._socket_folder(folder) == theirs
    theirs.chmod(0o777)
    with pytest.raises(DatabaseUnavailable, match="socket"):
        embedded._socket_folder(folder)
    theirs.rmdir()
    theirs.symlink_to(tmp_path)
    with pytest.raises(DatabaseUnavailable, match="socket"):
        embedded._socket_folder(folder)
    theirs.unlink()


def test_a_process_number_that_is_somebody_elses_now(tmp_path: Path) -> None:
    """As after a crash in a container: PostgreSQL itself would refuse to start."""
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n/data\n1\n5432\n/socket\n\n 123 4\nready\n")
    assert not embedded._running(pid_file)
    lines = pid_file.read_text().splitlines()
    assert int(lines[0]) > 4194304
    assert lines[6] == " 123 4"  # by which PostgreSQL finds survivors
    assert not embedded._running(tmp_path / "none")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable) as caught:
        Database.open(None, tmp_path / "file" / "postgres")
    assert caught.value.code == "database.unreachable"


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    Database.open(None, folder).close()
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write("max_connections = 'many'\n")
    with pytest.raises(DatabaseUnavailable) as caught:
        Database.open(None, folder)
    assert "many" in str(caught.value) or "configuration" in str(caught.value)


def test_a_server_is_stopped_whoever_uses_it_and_stopping_none_does_nothing(tmp_path: Path) -> None:
    embedded.stop(tmp_path / "none")
    with Database.open(None, tmp_path / "postgres") as opened:
        engine = opened.engine("ledger")
        with engine.connect():
            embedded.stop(tmp_path / "postgres")
        assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()


def test_an_account_is_made_once_however_many_start_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As useradd does it: it looks for the name, then takes its time, then writes."""
    accounts = tmp_path / "accounts"
    accounts.touch()

    def named(name: str) -> SimpleNamespace:
        for number, line in enumerate(accounts.read_text().splitlines(), 991):
            if line == name:
                return SimpleNamespace(pw_name=name, pw_uid=number)
        raise KeyError(name)

    def add(command: list[str], **_: object) -> None:
        time.sleep(0.05)
        with accounts.open("a") as file:
            file.write(f"{command[-1]}\n")

    monkeypatch.setattr(embedded, "_ACCOUNTS_LOCK", tmp_path / "lock")
    monkeypatch.setattr(embedded.pwd, "getpwnam", named)
    monkeypatch.setattr(embedded.subprocess, "run", add)
    with ThreadPoolExecutor(6) as starting:
        made = list(starting.map(lambda _: embedded._account().pw_uid, range(6)))
    assert made == [991] * 6
    assert accounts.read_text() == "pgserver\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_an_empty_folder_of_an_account_that_is_no_more_is_settled_again(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    os.chown(folder, 54_321, 54_321)
    with Database.open(None, folder) as opened:
        assert answer(opened, "ledger") == "ledger"
    assert folder.stat().st_uid == (folder / "data").stat().st_uid != 54_321


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_data_of_an_owner_without_a_name_stays_its_owners() -> None:
    # A path that is short enough for the socket to lie in it.
    with tempfile.TemporaryDirectory(prefix="pg-") as short:
        folder = Path(short, "postgres")
        Database.open(None, folder).close()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 54_321, 54_321, follow_symlinks=False)
        with Database.open(None, folder) as opened:
            assert answer(opened, "ledger") == "ledger"
        assert folder.stat().st_uid == (folder / "data").stat().st_uid == 54_321
