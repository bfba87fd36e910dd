"""Models run in their order, say what they read, and a source's text stays text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest
from tests.lakes import PLAN

from tillit.engine import Engine
from tillit.errors import TableRefused
from tillit.warehouse import (
    KEPT_BACK,
    Run,
    Transforms,
    build,
    check_reads,
    observed_source,
    prepare_outbound,
    publish,
    read_model,
    run_checks,
    set_run,
    tables_read,
)

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def engine(spool: Path) -> Iterator[Engine]:
    with Engine.open(spool, threads=2) as opened:
        opened.confine(directories=[str(spool.parent)])
        yield opened


def model(
    folder: Path,
    name: str,
    sql: str,
    reads: str = "nothing",
    grain: str = "a",
    more: str = "",
) -> Path:
    path = folder / f"{name}.sql"
    path.write_text(
        f"-- A model.\n-- grain: {grain}\n-- reads: {reads}\n-- range: all\n{more}{sql}\n"
    )
    return path


# ---- the form --------------------------------------------------------------------------------


def test_models_run_after_those_they_read(engine: Engine, tmp_path: Path) -> None:
    model(tmp_path, "a_last", "select a + 1 as a from stg_first cross join run", "stg_first, run")
    model(tmp_path, "score", "select a * 2 as a from a_last", "a_last")
    model(tmp_path, "stg_first", "select 20 as a")
    told: list[tuple[str, int, int]] = []
    set_run(engine.connection, Run(as_of=NOW))
    transforms = Transforms.read(tmp_path)
    for _ in range(2):  # running again replaces
        names = build(engine.connection, transforms, progress=lambda *t: told.append(t))
    assert names == ("stg_first", "a_last", "score")
    assert engine.connection.execute("from score").fetchall() == [(42,)]
    assert told[:4] == [("stg_first", 0, 3), ("a_last", 1, 3), ("score", 2, 3), ("", 3, 3)]
    views = "select view_name from duckdb_views() where temporary and not internal"
    assert ("stg_first",) in engine.connection.execute(views).fetchall()


def test_a_model_without_run_raises_rather_than_giving_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    engine.connection.execute("drop table if exists temp.main.run")
    model(tmp_path, "told", "select 1 as a from run", "run")
    with pytest.raises(TableRefused, match=r"told\.sql"):
        build(engine.connection, Transforms.read(tmp_path))


def test_models_in_a_ring_are_refused(tmp_path: Path) -> None:
    model(tmp_path, "a", "select 1 as a from b", "b")
    model(tmp_path, "b", "select 1 as a from a", "a")
    with pytest.raises(TableRefused, match="order"):
        Transforms.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no_grain", "-- What.\n-- reads: nothing\n-- range: all\nselect 1"),
        ("no_header", "select 1"),
        ("no_what", "-- grain: a\n-- reads: nothing\n-- range: all\nselect 1 as a"),
        ("Upper", "-- What.\n-- grain: a\n-- reads: nothing\n-- range: all\nselect 1 as a"),
        ("with-dash", "-- What.\n-- grain: a\n-- reads: nothing\n-- range: all\nselect 1 as a"),
    ],
)
def test_a_file_that_breaks_the_form_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / f"{name}.sql"
    path.write_text(text)
    with pytest.raises(TableRefused) as refused:
        read_model(path)
    assert refused.value.code == "table.query"


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("select 1 as a", set()),
        ("with run as (select * from run) select * from run", {"run"}),
        ("with a as (select * from x), b as (select * from a) select * from b", {"x"}),
        (
            'select * from landed."order" o join own."order" using (id)',
            {"landed.order", "own.order"},
        ),
        ("select (select max(a) from y) as m from x where a in (select a from z)", {"x", "y", "z"}),
        (
            "with recursive r as (select 1 as n union all select n + 1 from r) select n from r",
            set(),
        ),
        ("select * from (with q as (select * from q) select * from q)", {"q"}),
        ("select * from x union all by name select * from range(3)", {"x"}),
    ],
)
def test_what_a_statement_reads(sql: str, reads: set[str]) -> None:
    assert tables_read(sql) == reads


@pytest.mark.parametrize("sql", ["drop table x", "select 1; select 2", "selec 1", ""])
def test_a_model_is_one_select(sql: str) -> None:
    with pytest.raises(TableRefused):
        tables_read(sql)


def test_a_header_that_is_not_true_is_found(tmp_path: Path) -> None:
    check_reads(read_model(model(tmp_path, "true", "select a from x, y", "x, y")))
    for stated in ("x", "x, y, z"):
        with pytest.raises(TableRefused):
            check_reads(read_model(model(tmp_path, "lies", "select a from x, y", stated)))


def test_a_second_statement_cannot_be_smuggled_in(engine: Engine, tmp_path: Path) -> None:
    engine.connection.execute("create or replace temp table victim as select 1 as a")
    model(tmp_path, "smuggler", "select 1 as a; drop table victim")
    with pytest.raises(TableRefused):
        build(engine.connection, Transforms.read(tmp_path))
    assert engine.connection.execute("from victim").fetchall() == [(1,)]


# ---- checks ----------------------------------------------------------------------------------


def test_checks_tell_what_has_rows_and_whether_to_stop(engine: Engine, tmp_path: Path) -> None:
    model(tmp_path, "all_is_well", "select 1 as a where false", more="-- failure: stops\n")
    model(tmp_path, "twice", "select unnest([1, 2]) as a", more="-- failure: warns\n")
    findings = run_checks(engine.connection, Transforms.checks(tmp_path))
    assert [(f.check, f.rows, f.stops) for f in findings] == [("twice", 2, False)]
    model(tmp_path, "unsaid", "select 1 as a")
    with pytest.raises(TableRefused, match="failure"):
        Transforms.checks(tmp_path)


def test_publishing_is_all_or_nothing(engine: Engine, spool: Path) -> None:
    run = engine.connection.execute
    run(f"attach '{spool.parent / 'published.duckdb'}' as lake")
    run("create schema lake.trust")
    run("create or replace temp table good as select 1 as a")
    publish(engine.connection, ["good"], "trust")
    assert run("from lake.trust.good").fetchall() == [(1,)]
    run("create or replace temp table good as select 2 as a")
    with pytest.raises(TableRefused):
        publish(engine.connection, ["good", "there_is_no_such_table"], "trust")
    assert run("from lake.trust.good").fetchall() == [(1,)]
    run("detach lake")


# ---- sources ---------------------------------------------------------------------------------

OUTBOUND = """select item, week, quantity, note from source_plan
inner join run on source_plan.partner = run.partner"""


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return model(tmp_path, "plan", OUTBOUND, "source_plan, run", grain="item, week")


def source(folder: Path, kind: str) -> str:
    rows = "select 'a' as item, date '2026-03-02' as week, 1.5 as quantity, 'é' as note, 'p' as partner"
    with duckdb.connect() as connection:
        if kind == "csv":
            (folder / "plan.csv").write_bytes(
                b"\xef\xbb\xbfitem,week,quantity,note,partner\r\n"
                b"a,2026-03-02,1.5,\xc3\xa9,p\r\nb,soon,many,,p\r\nc,2026-03-02,2,,q\r\n"
            )
        elif kind == "parquet":
            connection.execute(f"copy ({rows}) to '{folder / 'plan.parquet'}'")
        else:
            connection.execute(f"attach '{folder / 'plan.duckdb'}' as d")
            connection.execute(f"create schema d.erp; create table d.erp.plans as {rows}")
            return str(folder / "plan.duckdb#erp.plans")
    return str(folder / f"plan.{kind}")


RUN = Run(as_of=NOW, since=NOW - timedelta(7), period_start=NOW, period_end=NOW, partner="p")


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_rows_come_in_the_kinds_types(
    engine: Engine, tmp_path: Path, query: Path, kind: str
) -> None:
    made = prepare_outbound(
        engine.connection, query, RUN, PLAN, {"plan": source(tmp_path, kind), "other": "x"}
    )
    assert made.rows == 1
    assert made.unread == ("quantity",)  # DECIMAL(2,1)
    assert engine.connection.execute("from incoming").fetchall()[0][:2] == (1, "a")
    if kind == "duckdb":  # its writer may go on
        with duckdb.connect(str(tmp_path / "plan.duckdb")) as writer:
            writer.execute("insert into erp.plans from erp.plans")


def test_what_cannot_be_read_stays_as_it_came(engine: Engine, tmp_path: Path, query: Path) -> None:
    made = prepare_outbound(engine.connection, query, RUN, PLAN, {"plan": source(tmp_path, "csv")})
    assert made.rows == 2
    assert made.unread == ("week", "quantity")
    run = engine.connection.execute
    assert run("select row_no, item, week, quantity, note from unread order by 1").fetchall() == [
        (1, "a", "2026-03-02", "1.5", "é"),
        (2, "b", "soon", "many", None),
    ]
    assert run(
        "select item, week is null, quantity is null from incoming order by 1"
    ).fetchall() == [
        ("a", False, False),
        ("b", True, True),
    ]


def kept(rows: str, *, least: int, fails_with: str = KEPT_BACK) -> str:
    """Half of each quantity, where all are at least so much."""
    return (
        f"with incoming as ({rows}) select item, quantity / 2 as half from incoming "
        f"where case when quantity < {least} then error('{fails_with}') else true end"
    )


def typed(folder: Path) -> dict[str, str]:
    """A source in the kind's own types."""
    path = folder / "typed.parquet"
    columns = ", ".join(f"{c.name}::{c.sql_type} as {c.name}" for c in PLAN.columns)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns}, 'p' as partner from (values ('a', '2026-03-02', 4, null), "
            f"('b', '2026-03-02', 6, null)) as r (item, week, quantity, note)) to '{path}'"
        )
    return {"plan": str(path)}


def test_rows_are_changed_on_the_way_where_all_may_leave(
    engine: Engine, tmp_path: Path, query: Path
) -> None:
    sources = typed(tmp_path)

    def made(least: int) -> tuple[bool, list[tuple[object, ...]]]:
        change = partial(kept, least=least)
        found = prepare_outbound(engine.connection, query, RUN, PLAN, sources, change=change)
        assert found.rows == 2
        return found.changed, engine.connection.execute("from incoming order by 1").fetchall()

    assert made(4) == (True, [(1, "a", 2.0), (2, "b", 3.0)])
    with pytest.raises(duckdb.CatalogException):  # nothing to quarantine
        engine.connection.execute("from unread")
    changed, rows = made(5)
    assert not changed
    assert [row[:2] for row in rows] == [(1, "a"), (2, "b")]
    assert engine.connection.execute("select count(*) from unread").fetchall() == [(2,)]


def test_what_cannot_be_read_is_not_changed(engine: Engine, tmp_path: Path, query: Path) -> None:
    sources = {"plan": source(tmp_path, "csv")}
    change = partial(kept, least=0)
    made = prepare_outbound(engine.connection, query, RUN, PLAN, sources, change=change)
    assert not made.changed
    assert made.unread == ("week", "quantity")


def test_an_error_that_is_no_row_kept_back_is_not_passed_over(
    engine: Engine, tmp_path: Path, query: Path
) -> None:
    change = partial(kept, least=5, fails_with="something else")
    with pytest.raises(TableRefused) as refused:
        prepare_outbound(engine.connection, query, RUN, PLAN, typed(tmp_path), change=change)
    assert refused.value.code == "table.query"


def test_a_short_line_is_a_row_with_missing_values(
    engine: Engine, tmp_path: Path, query: Path
) -> None:
    path = tmp_path / "short.csv"
    path.write_text("item,partner,week,quantity,note\na,p,2026-03-02,1,x\nb,p,2026-03-02\n")
    made = prepare_outbound(engine.connection, query, RUN, PLAN, {"plan": str(path)})
    assert made.rows == 2


@pytest.mark.parametrize(
    ("where", "content"),
    [
        ("gone.csv", None),
        ("broken.parquet", b"PAR1 and so on"),
        ("broken.duckdb#plans", b"no database"),
        ("what.xlsx", b"?"),
        ("*.csv", b"item\n"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(
    engine: Engine, tmp_path: Path, query: Path, where: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / where.partition("#")[0]).write_bytes(content)
    with pytest.raises(TableRefused) as refused:
        prepare_outbound(engine.connection, query, RUN, PLAN, {"plan": str(tmp_path / where)})
    assert refused.value.code == "table.source-unreadable"
    with pytest.raises(TableRefused) as refused:
        prepare_outbound(engine.connection, query, RUN, PLAN, {})
    assert refused.value.code == "table.source-unreadable"


@pytest.mark.parametrize(
    ("select", "code"),
    [
        ("select item, week, quantity from source_plan", "table.missing-column"),
        ("select item, week, quantity, notes from source_plan", "table.missing-column"),
        ("select item, week, quantity, note, 1 as b from source_plan", "table.extra-column"),
        ("select item, week, quantity, error('no') as note from source_plan", "table.query"),
    ],
)
def test_sql_that_gives_other_columns_is_refused(
    engine: Engine, tmp_path: Path, select: str, code: str
) -> None:
    query = model(tmp_path, "plan", select, "source_plan")
    with pytest.raises(TableRefused) as refused:
        prepare_outbound(engine.connection, query, RUN, PLAN, {"plan": source(tmp_path, "parquet")})
    assert refused.value.code == code


def test_an_observed_file_is_a_view_for_a_while(engine: Engine, tmp_path: Path) -> None:
    with observed_source(engine.connection, source(tmp_path, "csv")) as view:
        assert engine.connection.execute(f"select count(*) from {view}").fetchall() == [(3,)]
    with pytest.raises(duckdb.CatalogException):
        engine.connection.execute(f"from {view}")
