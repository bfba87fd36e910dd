"""DuckDB as SQLAlchemy sees it, over a connection that somebody else owns. I/O: that connection.

Great Expectations opens, commits and closes as it likes. Here that has no effect: the connection
belongs to the caller, may be inside the caller's transaction, and holds the caller's temporary
tables. (Closing also loses results: Great Expectations closes before it fetches.)
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from duckdb_engine import ConnectionWrapper, Dialect, DuckDBIdentifierPreparer
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
from sqlalchemy.pool import StaticPool

__all__ = ["BorrowedDuckDB", "engine_over"]

_NAME = "tillit_duckdb"


class _Names(DuckDBIdentifierPreparer):
    """Quotes names; the parent asks a second, global DuckDB for its reserved words, each time."""

    def __init__(self, dialect: Any, **kwargs: Any) -> None:
        PGIdentifierPreparer.__init__(self, dialect, **kwargs)


class BorrowedDuckDB(Dialect):
    """duckdb-engine's dialect without the power to begin, commit, roll back or close."""

    name = _NAME
    supports_statement_cache = False
    preparer = _Names
    default_schema_name = "main"

    def initialize(self, connection: Any) -> None:
        """Ask nothing: what there is to know about the server is known."""

    def do_begin(self, connection: Any) -> None:
        """Nothing: the transaction is the caller's."""

    def do_commit(self, connection: Any) -> None:
        """Nothing: the transaction is the caller's."""

    def do_rollback(self, connection: Any) -> None:
        """Nothing: the transaction is the caller's."""

    def do_close(self, connection: Any) -> None:
        """Nothing: the connection is the caller's."""


registry.register(_NAME, __name__, BorrowedDuckDB.__name__)


def engine_over(connection: Any) -> sqlalchemy.Engine:
    """An engine whose only connection is the DuckDB connection given."""
    return sqlalchemy.create_engine(
        f"{_NAME}://", creator=lambda: ConnectionWrapper(connection), poolclass=StaticPool
    )
