"""PostgreSQL: by URL, or the home's own. I/O: connections, and a server where there is none.

One server holds several databases: the ledger, the lake's catalog and, standalone, Airflow's
metadata. Each is made when it is first asked for. Passwords stay out of representations and of
the strings that are handed to other programs: those name a 0600 file instead.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812 (a class named like a module)
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from tillit.database.embedded import Lease, lease
from tillit.errors import ConfigError, DatabaseUnavailable

__all__ = ["DATABASES", "Database", "advisory_key", "translated"]

DATABASES = frozenset({"ledger", "lake", "airflow"})

_DRIVER = "postgresql+psycopg2"  # named, because SQLAlchemy's default driver has changed once
_PATIENCE_S = 30
_RESTED_S = 1.0  # a connection that was idle for longer may be one to a server that is gone
_LOCKERS = 4  # connections that are kept for the next lock
_SESSION = f"-c timezone=UTC -c lock_timeout={_PATIENCE_S * 1000}"

_BUSY = frozenset({"55P03", "40P01", "40001"})  # lock not available, deadlock, serialization
_SPECIAL = {"53100": "disk-full", "53200": "memory"}


class Database:
    """One PostgreSQL server, as this product uses it; closing it may stop a server of our own."""

    def __init__(self, url: URL, private: Path, held: Lease | None) -> None:
        self._url = url
        self._private = private
        self._lease = held
        self._engines: dict[str, Engine] = {}
        self._ready: set[str] = set()
        self._lockers: list[tuple[int, Connection]] = []  # idle, with the process that opened them

    @classmethod
    def open(cls, url: str | None, folder: Path) -> Self:
        """The server at a URL or, without one, the embedded server of a folder, started on demand.

        The processes of one machine share the embedded server; the last one to close it stops it,
        unless a stranger (Airflow, psql) is still connected. Nothing is asked of a server by URL
        before it is used. Raises DatabaseUnavailable, ConfigError for what is no URL.
        """
        if url is not None:
            return cls(_parsed(url), folder, None)
        held = lease(folder)
        address = URL.create(_DRIVER, username="postgres", query={"host": str(held.socket_folder)})
        return cls(address, folder, held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Database({'embedded' if self._lease else self._url.host or 'local'})"

    def close(self) -> None:
        """Close all connections of ours; closing twice does nothing."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        for pid, connection in self._lockers:
            if pid == os.getpid():
                connection.close()
        self._lockers.clear()
        if self._lease is not None:
            self._lease.release()

    def engine(self, name: str) -> Engine:
        """A small pool of connections to one of the databases. Raises DatabaseUnavailable."""
        if name not in self._engines:
            self._ensure(name)
            engine = create_engine(
                self._url.set(database=name),
                pool_size=2,
                max_overflow=6,
                hide_parameters=True,  # a failed statement's values belong in no log
                connect_args={"connect_timeout": 10, "options": _SESSION},
            )
            _never_shared_with_a_fork(engine)
            _asked_after_a_rest(engine)
            self._engines[name] = engine
        return self._engines[name]

    def libpq(self, name: str) -> str:
        """Keywords for libpq, which is how DuckDB attaches a database; without a password."""
        self._ensure(name)
        words = {
            "host": self._url.host,
            "port": self._url.port,
            "user": self._url.username,
            "dbname": name,
            "passfile": self._passfile(),
            **_flat(self._url.query),
        }
        return " ".join(f"{k}={_libpq_value(v)}" for k, v in words.items() if v is not None)

    def sqlalchemy_url(self, name: str) -> str:
        """A URL for other programs' SQLAlchemy (Airflow's setting); without a password."""
        self._ensure(name)
        # Built anew, because URL.set leaves out what is None and so would keep the password.
        query: dict[str, Any] = dict(self._url.query)
        passfile = self._passfile()
        if passfile is not None:
            query["passfile"] = passfile
        bare = URL.create(
            _DRIVER,
            username=self._url.username,
            host=self._url.host,
            port=self._url.port,
            database=name,
            query=query,
        )
        return bare.render_as_string(hide_password=False)

    @contextmanager
    def lock(self, name: str, timeout_s: float = 60.0, *, shared: bool = False) -> Iterator[None]:
        """Hold a lock that all processes of this database see; a killed holder frees it.

        The lock is not re-entrant; many may hold it ``shared`` while nobody holds it alone. Raises
        DatabaseUnavailable with the code ``database.lock-timeout`` when somebody else holds it for
        longer than ``timeout_s``.
        """
        self._ensure("ledger")
        key, kind = advisory_key(name), "_shared" if shared else ""
        connection = self._locking(name, key, timeout_s, kind)
        try:
            yield
        finally:
            self._unlock(connection, key, kind)

    def _locking(self, name: str, key: int, timeout_s: float, kind: str) -> Connection:
        """A connection that holds the lock: one that held another before, where there is one.

        To connect anew costs the server 5 ms, more than all that a small shipment asks of it.
        """
        until = time.monotonic() + timeout_s
        while True:
            connection, fresh = self._idle_or_new()
            # Zero would mean to wait for ever.
            left_ms = max(1, round((until - time.monotonic()) * 1000))
            try:
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"set lock_timeout = %s; select pg_advisory_lock{kind}(%s)",
                        (left_ms, key),
                    )
            except psycopg2.errors.LockNotAvailable:
                self._keep(connection)
                raise DatabaseUnavailable(
                    "lock-timeout",
                    f"somebody else is at it: {name}",
                    expected=f"the lock within {timeout_s:g} s",
                    found="another holder",
                ) from None
            except psycopg2.Error as error:
                broken = connection.closed
                connection.close()
                if fresh or not broken:
                    raise _unavailable(error.pgcode, error) from error
            except BaseException:  # interrupted while it waits
                connection.close()
                raise
            else:
                return connection

    def _idle_or_new(self) -> tuple[Connection, bool]:
        with suppress(IndexError):
            while True:
                pid, connection = self._lockers.pop()
                if pid == os.getpid():  # a parent's is left alone: it closes nothing in a fork
                    return connection, False
        connection = self._connect("ledger")
        connection.autocommit = True
        return connection, True

    def _unlock(self, connection: Connection, key: int, kind: str) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"select pg_advisory_unlock{kind}(%s)", (key,))
        except psycopg2.Error:
            connection.close()  # when it broke, the server freed the lock
        except BaseException:
            connection.close()
            raise
        else:
            self._keep(connection)

    def _keep(self, connection: Connection) -> None:
        if len(self._lockers) < _LOCKERS:
            self._lockers.append((os.getpid(), connection))
        else:
            connection.close()

    # ---- making databases -------------------------------------------------------------------

    def _ensure(self, name: str) -> None:
        """Make a database that is missing; others may be doing the same."""
        if name not in DATABASES:
            raise ValueError(f"no database {name!r}: one of {', '.join(sorted(DATABASES))}")
        if name in self._ready:
            return
        with closing(self._connect(self._url.database or "postgres")) as connection:
            connection.autocommit = True
            try:
                with connection.cursor() as cursor:
                    cursor.execute("select 1 from pg_database where datname = %s", (name,))
                    if cursor.fetchone() is None:
                        cursor.execute("select pg_advisory_lock(%s)", (advisory_key("databases"),))
                        cursor.execute("select 1 from pg_database where datname = %s", (name,))
                        if cursor.fetchone() is None:
                            cursor.execute(f'create database "{name}"')
            except psycopg2.errors.InsufficientPrivilege as error:
                raise ConfigError(
                    "wrong-value",
                    f"the server has no database {name}, and this account may not make one",
                    expected=f"create database {name}, owned by {self._url.username}",
                    found="none",
                ) from error
            except psycopg2.Error as error:
                raise _unavailable(error.pgcode, error) from error
        self._ready.add(name)

    def _connect(self, name: str) -> Connection:
        words: dict[str, Any] = {
            "host": self._url.host,
            "port": self._url.port,
            "user": self._url.username,
            "password": self._url.password,
            "dbname": name,
            "connect_timeout": 10,
            "options": _SESSION,
            **_flat(self._url.query),
        }
        try:
            connection: Connection = psycopg2.connect(**words)
        except psycopg2.Error as error:
            raise _unavailable(error.pgcode, error) from error
        return connection

    def _passfile(self) -> str | None:
        """A private file with the password of the URL, in libpq's form; None without one."""
        if not self._url.password:
            return None
        self._private.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._private / "passfile"
        escaped = str(self._url.password).replace("\\", "\\\\").replace(":", "\\:")
        line = f"*:*:*:*:{escaped}\n".encode()
        if not (path.is_file() and path.read_bytes() == line):
            draft = path.with_name(f".passfile.{os.getpid()}")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                file.write(line)
            draft.replace(path)
        return str(path)


def advisory_key(name: str) -> int:
    """The number that stands for a name among PostgreSQL's advisory locks."""
    digest = hashlib.sha256(f"tillit:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextmanager
def translated() -> Iterator[None]:
    """Turn a server that cannot be reached or is busy into DatabaseUnavailable.

    What the server refuses (a constraint, a trigger, an unknown column) is not unavailability and
    passes as it is.
    """
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "pgcode", None)
        lost = isinstance(error.orig, psycopg2.OperationalError | psycopg2.InterfaceError)
        if lost or error.connection_invalidated or code in _BUSY:
            raise _unavailable(code, error.orig) from error
        raise


def _unavailable(code: str | None, error: object) -> DatabaseUnavailable:
    first = (str(error).strip().splitlines() or ["no answer"])[0]
    if code in _BUSY:
        return DatabaseUnavailable("lock-timeout", "PostgreSQL is busy", found=first)
    return DatabaseUnavailable(
        _SPECIAL.get(code or "", "unreachable"), "PostgreSQL cannot be used", found=first
    )


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None  # whatever it is, it may hold a password: it is not shown
    if parsed is None or parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigError(
            "wrong-value",
            "the database's URL",
            expected="postgresql://user:password@host:port/database",
        )
    return parsed.set(drivername=_DRIVER)


def _flat(query: Mapping[str, tuple[str, ...] | str]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else ",".join(v) for k, v in query.items()}


def _libpq_value(value: object) -> str:
    text = str(value)
    if text and not set(text) & set(" '\\\t\n"):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _never_shared_with_a_fork(engine: Engine) -> None:
    """Make a forked child open connections of its own: two processes on one would mix answers."""

    @event.listens_for(engine, "connect")
    def _remember(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["pid"] = os.getpid()

    @event.listens_for(engine, "checkout")
    def _compare(_: Any, entry: ConnectionPoolEntry, proxy: Any) -> None:
        if entry.info["pid"] != os.getpid():
            # As SQLAlchemy's documentation has it: neither side closes what the other one uses.
            entry.dbapi_connection = proxy.dbapi_connection = None  # type: ignore[misc]
            raise DisconnectionError("a connection of the parent process")


def _asked_after_a_rest(engine: Engine) -> None:
    """Replace a connection that rested and does not answer: a restart is not our caller's trouble.

    SQLAlchemy's own way asks before every use, which is a twentieth of what a shipment costs.
    """

    @event.listens_for(engine, "checkin")
    def _rests(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["rested_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(dbapi_connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
        since = entry.info.get("rested_since")
        if since is None or time.monotonic() - since < _RESTED_S:
            return
        try:
            engine.dialect.do_ping(dbapi_connection)
        except psycopg2.Error as error:
            raise DisconnectionError("the server has forgotten this connection") from error
