"""The lake: what landed, what was observed, what was refused. I/O: DuckDB, DuckLake, PostgreSQL.

A `Lake` is one DuckDB in this process with the catalog attached as ``lake``; its schemas are on
the search path, so SQL says ``landed.demand_forecast``. Loading the extensions costs half a
second: open it once per process. What landed is never changed; it is removed when an agreement's
retention asks for it, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb

from tillit.engine import Engine, quote_literal, refused_as_query, scalar, translated
from tillit.errors import DatabaseUnavailable, TableRefused, TillitError
from tillit.lake import at_hand, tables
from tillit.lake.claims import Claims
from tillit.lake.deletion import (
    Holding,
    delete_rows,
    destroy_files,
    forget_values,
    holdings,
)
from tillit.lake.landing import (
    Landed,
    Landing,
    heard_before,
    land_rows,
    observe_rows,
    register_values,
)
from tillit.lake.permitted import PERMITTED
from tillit.lake.tables import CATALOG, KIND_SCHEMAS, SCHEMAS
from tillit.lake.vintages import find_repeated, nothing_repeated, refuse_contradictions
from tillit.model import Kind

__all__ = ["Lake"]

T = TypeVar("T")
_ATTEMPTS = 3


class Lake:
    """A party's lake, open; a context manager. Belongs to one thread."""

    def __init__(self, engine: Engine, claims: Claims) -> None:
        self._engine = engine
        self._claims = claims
        self._prepared: set[Kind] = set()

    @classmethod
    def open(
        cls,
        libpq: str,
        data: str,
        *,
        spool: Path,
        memory_limit: str = "1GB",
        threads: int | None = None,
        readable: Iterable[str] = (),
        ledger: str | None = None,
    ) -> Self:
        """Open the lake whose catalog is at ``libpq``, and make it if it is not there.

        ``data`` is the folder of its files (it may be moved), ``readable`` are the only other
        files that SQL may read from now on (a party's own sources), ``ledger`` attaches that
        database read-only as ``ledger``. Raises DatabaseUnavailable.
        """
        if "://" not in data:
            Path(data).mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = Engine.open(
            spool,
            memory_limit=memory_limit,
            threads=threads,
            extensions=("postgres_scanner", "ducklake"),
        )
        lake = cls(engine, Claims(libpq))
        try:
            with translated("opening the lake", _no_lake):
                lake._attach(libpq, data, ledger)
            engine.confine(
                directories=(data, str(spool)),
                paths=[path for where in readable for path in _files_of(where)],
            )
        except BaseException:
            lake.close()
            raise
        return lake

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection; whoever uses it leaves only temporary things behind."""
        return self._engine.connection

    @property
    def folder(self) -> Path:
        """A private folder that vanishes when the lake is closed."""
        return self._engine.folder

    def close(self) -> None:
        """Close everything; safe to call again."""
        self._engine.close()
        self._claims.close()

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
        return "Lake()"

    # ---- tables -------------------------------------------------------------------------------

    def prepare(self, kinds: Iterable[Kind]) -> None:
        """Make or widen the tables and views of these kinds; cheap when nothing is new.

        A newer version of a kind may add columns and widen types. Raises ContractRefused for a
        kind that no lake can hold and TableRefused (wrong-type) for one that does not fit what is
        there.
        """
        new = [kind for kind in kinds if kind not in self._prepared]
        if not new:
            return
        for kind in new:
            tables.check_kind(kind)
        with self._claims.claim("tables"):
            self._transact("making tables", lambda: self._prepare(new))
        self._prepared |= set(new)

    def _prepare(self, kinds: Iterable[Kind]) -> None:
        there = self._columns()
        for kind in kinds:
            self._prepare_kind(kind, there)

    def _prepare_kind(self, kind: Kind, there: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
        run, changed = self.connection.execute, False
        for schema in KIND_SCHEMAS:
            held = there.get((schema, kind.name), {})
            if not held:
                run(tables.create_kind(schema, kind))
                changed = True
                continue
            for column in kind.columns:
                if column.name not in held:
                    run(tables.added_column(schema, kind, column))
                    changed = True
                elif not self._same_type(held[column.name], column.sql_type):
                    run(tables.widened_column(schema, kind, column))
                    changed = True
        if changed:
            run(tables.current_view(kind))
            run(tables.as_of_macro(kind))

    def _columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """Types of columns by schema and table: one question for all kinds."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for schema, table, column, sql_type in self.connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where database_name = ? and schema_name in (select unnest(?::varchar[]))",
            [CATALOG, list(KIND_SCHEMAS)],
        ).fetchall():
            found.setdefault((schema, table), {})[column] = sql_type
        return found

    def _same_type(self, held: str, wanted: str) -> bool:
        if held == wanted:
            return True
        return bool(held == scalar(self.connection, f"select typeof(null::{wanted})"))

    # ---- rows ---------------------------------------------------------------------------------

    def land(self, landing: Landing, *, unread: str = "incoming") -> Landed:
        """Land what is on the connection, in one transaction; twice is as good as once.

        Takes the temporary view or table ``incoming`` (``row_no`` and columns of the kind) and the
        temporary table ``refused`` (``row_no, rules, reasons``), which may hold nothing. ``unread``
        names what holds the rows as they came, where ``incoming`` is a reading of them. Rows that
        contradict an earlier shipment of the same ``issued_at`` are added to ``refused`` first;
        rows that repeat one are accepted and not stored again. Raises TableRefused (extra-column,
        wrong-type, query) or DatabaseUnavailable, and then nothing has landed.
        """
        self.prepare([landing.kind])
        with self._claims.claim(f"shipment {landing.partner} {landing.shipment_id}"):

            def land() -> Landed:
                known, more = heard_before(self.connection, landing)
                if known is not None:
                    return known
                if more:
                    refuse_contradictions(self.connection, landing)
                    find_repeated(self.connection, landing)
                else:
                    nothing_repeated(self.connection)
                return land_rows(self.connection, landing, unread)

            return self._transact(f"landing {landing.shipment_id}", land)

    def landed(self, landing: Landing) -> Landed | None:
        """What was recorded when this shipment landed, or None."""
        with translated("the lake", _not_landed):
            return heard_before(self.connection, landing)[0]

    def observe(
        self, kind: Kind, source: str, *, batch: str, since: datetime, until: datetime
    ) -> int:
        """Take what this party observed itself into ``own.<kind>``; the number of rows taken.

        ``source`` is a view or table with the kind's columns (those not required may be missing),
        ``partner`` (whom it is about) and ``recorded_at``, which becomes ``arrived_at``; rows with
        since <= recorded_at < until are taken. A batch that was taken before is not taken again,
        and gives 0. Raises TableRefused.
        """
        self.prepare([kind])
        with self._claims.claim(f"observation {kind.name} {batch}"):
            return self._transact(
                f"observing {kind.name}",
                lambda: observe_rows(
                    self.connection, kind, source, batch=batch, since=since, until=until
                ),
            )

    def register_public(self, series: str, source: str) -> int:
        """Take a public series into ``own.public_index``; the number of values that were new.

        ``source`` is a view or table with ``published_on``, ``period_start`` and ``value``. A value
        that was published once stays, and so does each later one of the same period. Raises
        TableRefused.
        """
        with self._claims.claim(f"public series {series}"):
            return self._transact(
                f"registering {series}",
                lambda: register_values(self.connection, series, source),
            )

    def as_of(self, kind: Kind, when: datetime) -> duckdb.DuckDBPyRelation:
        """What was current of a kind at ``when``: the newest issue of what had arrived by then."""
        self.prepare([kind])
        with translated(f"asking as of {when}", _not_landed):
            return self.connection.sql(f"from {tables.kind_table('as_of', kind)}(?)", params=[when])

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """What landed and what we observed, copied into memory until the end, if it is small.

        Queries that name no catalog (``landed.order``) then read the copies, which are of one
        moment; what is told of shipments stays in the lake. A year of small shipments has a file
        for each, and an empty table costs DuckLake a question for every column: who reads each
        table several times saves two thirds. A large lake is left where it is.
        """
        with translated("reading the lake", refused_as_query("the lake")):
            copies = at_hand.copy(self.connection)
        try:
            yield
        finally:
            with suppress(duckdb.Error):  # whatever its reader left open
                self.connection.rollback()
            at_hand.drop(self.connection, copies)

    def compact(self) -> None:
        """Join the small files of many small shipments; no row and no snapshot changes."""
        with self._claims.claim("compaction"), translated("compacting", _not_landed):
            self.connection.execute(f"call {CATALOG}.merge_adjacent_files()")

    # ---- an end -------------------------------------------------------------------------------

    def holdings(self) -> list[Holding]:
        """Every shipment that landed, with when its rows were deleted if they were."""
        with translated("the lake", _not_landed):
            return holdings(self.connection)

    def delete(self, holding: Holding, *, now: datetime) -> int | None:
        """Delete the rows of a shipment, wherever they lie; None when that was done before.

        They can no longer be asked for, but are only gone after `destroy_deleted`.
        """
        with self._claims.claim(f"shipment {holding.partner} {holding.shipment_id}"):
            return self._transact(
                f"deleting {holding.shipment_id}",
                lambda: delete_rows(self.connection, holding, now=now),
            )

    def destroy_deleted(self) -> None:
        """Destroy what was deleted: files that held it, their keys, and every older snapshot.

        Other rows of those files are written anew. A question that was asked before and still
        runs may find its files gone; asked again it is answered. Safe to run again, and to kill.
        Raises DatabaseUnavailable when others write too; then it is not done.
        """
        with self._claims.claim("compaction"), translated("destroying", _not_landed):
            destroy_files(self.connection)
            with self._claims.catalog() as postgres:
                forget_values(self.connection, postgres)

    # ---- inside -------------------------------------------------------------------------------

    def _attach(self, libpq: str, data: str, ledger: str | None) -> None:
        run = self.connection.execute
        run(
            f"attach {quote_literal(f'ducklake:postgres:{libpq}')} as {CATALOG} "
            # A home may be moved: the files' places in the catalog are relative to this.
            f"(data_path {quote_literal(data)}, override_data_path true, encrypted, "
            # Rows of a partner never lie in the catalog, where they would not be encrypted.
            "data_inlining_row_limit 0)"
        )
        run(f"attach ':memory:' as {PERMITTED}")
        # The options that are set last say that everything is there.
        made = scalar(
            self.connection,
            f"select count(*) from ducklake_options('{CATALOG}') "
            "where option_name = 'data_inlining_row_limit' and scope = 'TABLE'",
        )
        if made < len(tables.INLINED):
            with self._claims.claim("tables"):
                self._make()
        if ledger is not None:
            run(f"attach {quote_literal(ledger)} as ledger (type postgres, read_only)")
        at_hand.make_schemas(self.connection)
        # Functions are looked up along the path too. Were the lake asked first whether it has a
        # count(), each query would begin a transaction there: 2 ms, ten times the query.
        path = ",".join(
            [
                *("memory.main", "system.main", *at_hand.IN_MEMORY),
                *(f"{CATALOG}.{schema}" for schema in SCHEMAS),
            ]
        )
        run(f"set search_path = {quote_literal(path)}")

    def _make(self) -> None:
        run = self.connection.execute
        for statement in tables.fixed_tables():
            run(statement)
        options = {
            "parquet_compression": "zstd",
            "parquet_compression_level": "1",
            "parquet_version": "2",
        }
        for name, value in options.items():
            run(f"call {CATALOG}.set_option('{name}', '{value}')")
        for table in tables.INLINED:
            run(
                f"call {CATALOG}.set_option('data_inlining_row_limit', 100, "
                f"schema => 'exchange', table_name => '{table}')"
            )

    def _transact(self, what: str, work: Callable[[], T]) -> T:
        """Run ``work`` in one transaction, again when another process got in between."""
        for attempt in range(_ATTEMPTS):
            try:
                with translated(what, _not_landed), self._transaction():
                    return work()
            except DatabaseUnavailable as error:
                if error.code != "database.lock-timeout" or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.begin()
        try:
            yield
            self.connection.commit()
        except BaseException:
            with suppress(duckdb.Error):  # a commit that failed has rolled back already
                self.connection.rollback()
            raise


def _files_of(where: str) -> tuple[str, ...]:
    """The files behind a source as config.toml writes it; DuckDB also looks for a WAL."""
    file, mark, _ = where.partition("#")
    return (file, f"{file}.wal") if mark else (file,)


def _no_lake(message: str) -> TillitError:
    # No message: it may repeat the parameters of the connection.
    del message
    return DatabaseUnavailable("unreachable", "the lake cannot be opened")


def _not_landed(message: str) -> TillitError:
    code = "wrong-type" if "onver" in message or "cast" in message.lower() else "query"
    return TableRefused(code, "the lake does not take these rows", found=message)
