"""One at a time, over all processes and machines that share a lake. I/O: PostgreSQL.

DuckLake lets two transactions insert into one table at once, and rightly so; but then two tasks
that were given the same shipment would both land it. An advisory lock of PostgreSQL is given back
when its holder dies, however it dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import psycopg2.extensions

from tillit.errors import DatabaseUnavailable

__all__ = ["Claims"]


class Claims:
    """Locks by name in the lake's PostgreSQL; connects when the first one is taken."""

    def __init__(self, libpq: str, *, wait_seconds: float = 60.0) -> None:
        self._libpq = libpq
        self._wait_seconds = wait_seconds
        self._connection: psycopg2.extensions.connection | None = None

    @contextmanager
    def claim(self, name: str) -> Iterator[None]:
        """Hold the lock of that name; DatabaseUnavailable when another holds it for too long."""
        connection = self._connected()
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (name,))
        except psycopg2.errors.LockNotAvailable:
            raise DatabaseUnavailable(
                "lock-timeout", f"another process is busy with {name}"
            ) from None
        except psycopg2.Error:
            self.close()
            raise _unreachable() from None
        try:
            yield
        finally:
            self._release(connection, name)

    @contextmanager
    def catalog(self, wait_seconds: float = 5.0) -> Iterator[psycopg2.extensions.connection]:
        """The catalog's database itself, with autocommit, waiting for locks not much longer.

        Raises DatabaseUnavailable when another process holds what is needed.
        """
        try:
            with closing(psycopg2.connect(self._libpq)) as connection:
                connection.autocommit = True
                _wait(connection, wait_seconds)
                yield connection
        except psycopg2.errors.LockNotAvailable:
            raise DatabaseUnavailable(
                "lock-timeout", "others are busy with the lake's catalog"
            ) from None
        except psycopg2.Error:
            raise _unreachable() from None

    def close(self) -> None:
        """Give back whatever is held."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg2.extensions.connection:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = psycopg2.connect(self._libpq)
                self._connection.autocommit = True
                _wait(self._connection, self._wait_seconds)
            except psycopg2.Error:
                raise _unreachable() from None
        return self._connection

    def _release(self, connection: psycopg2.extensions.connection, name: str) -> None:
        """A lock whose connection is gone is given back already."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (name,))
        except psycopg2.Error:
            self.close()


def _wait(connection: psycopg2.extensions.connection, seconds: float) -> None:
    with connection.cursor() as cursor:
        wait = f"{round(seconds * 1000)}ms"
        cursor.execute("select set_config('lock_timeout', %s, false)", (wait,))


def _unreachable() -> DatabaseUnavailable:
    # psycopg2's message repeats the connection's parameters; one of them may be a password.
    return DatabaseUnavailable("unreachable", "the lake's PostgreSQL cannot be reached")
