"""A kind's rules as SQL that DuckDB runs over a whole table at once. Pure.

The table holds a column ``row_no`` beside the kind's; where there is none, DuckDB's ``rowid + 1``
stands for it. That is not only shorter: numbering ten million rows with ``row_number() over ()``
takes three times as long as writing them. ``read_parquet(..., file_row_number = true)`` numbers
them for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tillit.errors import TableRefused
from tillit.model import Column, Kind, Rule
from tillit.quality.types import family
from tillit.sql.text import either, literal, names, quote

__all__ = [
    "applicable",
    "broken_query",
    "cast_query",
    "check_columns",
    "distinct_query",
    "duplicates_query",
    "held_to",
    "judge_query",
    "row_number",
    "row_rules",
]


def applicable(kind: Kind, columns: Iterable[Column], scope: str) -> tuple[Rule, ...]:
    """The rules of a scope whose columns are all there: what is withheld cannot be judged."""
    present = {column.name for column in columns}
    return tuple(r for r in kind.rules if r.scope == scope and present.issuperset(r.columns))


def row_number(actual: Iterable[str]) -> str:
    """What numbers the rows of a table with these columns, from 1."""
    return '"row_no"' if "row_no" in set(actual) else "rowid + 1"


def row_rules(kind: Kind, columns: Sequence[Column], *, unread: bool = False) -> tuple[Rule, ...]:
    """The rules that `judge_query` runs, in the order in which it names them.

    With ``unread`` the table has a column ``unread`` (see `cast_query`): a value that could not be
    read breaks ``type:<column>``, and is not called missing as well.
    """
    rules = applicable(kind, columns, "row")
    if not unread:
        return rules
    return (*map(_unread_rule, columns), *map(_missing_not_unread, rules))


def judge_query(
    kind: Kind,
    columns: Sequence[Column],
    table: str,
    *,
    number: str = '"row_no"',
    unread: bool = False,
) -> str:
    """One pass that gives every row that breaks a row rule: ``row_no, codes``.

    ``codes`` are the places, from 1, of the broken rules in `row_rules`: numbers, because counting
    and merging ten million bad rows with their reasons spelled out takes memory that is not there.
    """
    rules = row_rules(kind, columns, unread=unread)
    mask = ", ".join(f"coalesce({rule.breaks}, false)" for rule in rules)
    codes = f"[{', '.join(str(code) for code in range(1, len(rules) + 1))}]::USMALLINT[]"
    return (
        f"select row_no, list_where({codes}, mask) as codes "
        f"from (select {number} as row_no, [{mask}]::BOOLEAN[] as mask "
        f"from {quote(table)} where {_any_breaks(rules)})"
    )


def broken_query(kind: Kind, columns: Sequence[Column], table: str, *, unread: bool = False) -> str:
    """The rows of `judge_query` without what they break."""
    rules = row_rules(kind, columns, unread=unread)
    return f"select 1 from {quote(table)} where {_any_breaks(rules)}"


def held_to(kind: Kind, columns: Sequence[Column], otherwise: str) -> str:
    """A condition that no row fails: where one breaks a row rule the query does, with these words.

    So rows can be judged while they are written.
    """
    breaks = _any_breaks(row_rules(kind, columns))
    return f"case when {breaks} then error({literal(otherwise)}) else true end"


def _any_breaks(rules: Iterable[Rule]) -> str:
    # Tests of nulls cost next to nothing, so they stand first.
    return either(rule.breaks for rule in sorted(rules, key=lambda rule: not _tests_null(rule)))


def _tests_null(rule: Rule) -> bool:
    return len(rule.columns) == 1 and rule.breaks == f"{quote(rule.columns[0])} is null"


def _unread_rule(column: Column) -> Rule:
    sql_type = column.sql_type
    return Rule(
        f"type:{column.name}",
        f"{column.name} cannot be read as {sql_type}",
        f"list_contains(unread, {literal(column.name)})",
        (column.name,),
        dimension="conformity",
    )


def _missing_not_unread(rule: Rule) -> Rule:
    if not _tests_null(rule):
        return rule
    read = f"not coalesce(list_contains(unread, {literal(rule.columns[0])}), false)"
    return replace(rule, breaks=f"{rule.breaks} and {read}")


def _whole(rule: Rule) -> str:
    return " and ".join(f"{quote(name)} is not null" for name in rule.columns)


def distinct_query(rule: Rule, table: str) -> str:
    """Whether a key is unique, as two counts that are then equal: rows with a whole key, hashes.

    Counting 64-bit hashes takes half the time of grouping by the key itself. Equal hashes may still
    be different keys: the counts then differ, and `duplicates_query` looks at the keys themselves.
    """
    key = names(rule.columns)
    return (
        f"select count(*) as whole, count(distinct hash({key})) as hashes "
        f"from {quote(table)} where {_whole(rule)}"
    )


def duplicates_query(rule: Rule, table: str, *, number: str = '"row_no"') -> str:
    """The ``row_no`` of **all** rows that share a key, complete copies included.

    When two rows claim one key neither can be believed over the other, and keeping "the first"
    would let the order of rows decide. Rows without a whole key are not compared: null is unknown.
    """
    # `not materialized`: ten million keys are cheaper to read twice than to copy.
    key = names(rule.columns)
    return (
        f"with numbered as not materialized (select {number} as row_no, {key}, "
        f"hash({key}) as hashed from {quote(table)} where {_whole(rule)}), "
        "suspects as (select hashed from numbered group by hashed having count(*) > 1), "
        "candidates as materialized (select numbered.* from numbered semi join suspects "
        "using (hashed)), "
        f"twice as (select {key} from candidates group by {key} having count(*) > 1) "
        f"select row_no from candidates semi join twice using ({key})"
    )


def check_columns(
    kind: Kind, permitted: Sequence[Column], actual: Sequence[tuple[str, str]]
) -> None:
    """The columns that arrived are those permitted, of exactly the contract's types.

    No type is widened in silence: the sender has cast to the contract's types, so another type
    means another table. The order of columns does not matter.

    Raises TableRefused ``missing-column``, ``extra-column`` or ``wrong-type``.
    """
    wanted = {column.name: column.sql_type for column in permitted}
    found: dict[str, str] = {}
    for name, sql_type in actual:
        if name in found:
            raise TableRefused("extra-column", f"{kind.name} has a column twice", found=name)
        found[name] = sql_type
    if missing := [name for name in wanted if name not in found]:
        raise TableRefused(
            "missing-column",
            f"{kind.name} lacks columns that are permitted",
            expected=", ".join(wanted),
            found="no " + ", ".join(missing),
        )
    if extra := [name for name in found if name not in wanted]:
        raise TableRefused(
            "extra-column",
            f"{kind.name} has columns that are not permitted",
            expected=", ".join(wanted),
            found=", ".join(extra),
        )
    for name, sql_type in wanted.items():
        if found[name] != sql_type:
            raise TableRefused(
                "wrong-type",
                f"{kind.name}.{name} has another type than its contract says",
                expected=sql_type,
                found=found[name],
            )


def cast_query(
    kind: Kind,
    columns: Sequence[Column],
    source: str,
    actual: Sequence[tuple[str, str]],
    *,
    number: str | None = None,
) -> str:
    """A provider's source with the contract's types: ``row_no``, the columns, ``unread``, ``raw``.

    A value that cannot be read becomes null, its column is listed in ``unread`` and the whole
    source row is kept in ``raw`` as JSON; both are null for a row that was read. Reading is as
    DuckDB casts: blanks around numbers are dropped, decimals are rounded to the contract's scale,
    a time of day is dropped from a date. A whole number with a fraction is unread, not rounded.

    ``number`` is what numbers the rows (an expression over ``source``); by default the column
    ``row_no`` where there is one, else ``row_number() over ()``, which is slow on millions of rows.

    Raises TableRefused ``missing-column``; ``wrong-type`` for a nested source column.
    """
    types = dict(actual)
    if missing := [column.name for column in columns if column.name not in types]:
        raise TableRefused(
            "missing-column",
            f"the source of {kind.name} lacks columns",
            expected=", ".join(column.name for column in columns),
            found="no " + ", ".join(missing),
        )
    values, tests = [], []
    for column in columns:
        value, unread = _cast(kind, column, types[column.name])
        values.append(f"{value} as {quote(column.name)}")
        if unread:
            tests.append(f"case when {unread} then {literal(column.name)} end")
    if number is None:
        number = '"row_no"' if "row_no" in types else "row_number() over ()"
    chosen = f"{number} as row_no, {', '.join(values)}"
    if not tests:
        return (
            f"select {chosen}, null::VARCHAR[] as unread, null::VARCHAR as raw from {quote(source)}"
        )
    unread_list = f"nullif(list_filter([{', '.join(tests)}], lambda x: x is not null), [])"
    kept = ", ".join(f"{literal(name)}: {quote(name)}" for name, _ in actual)
    return (
        f"select * replace (case when unread is not null then to_json(raw)::VARCHAR end as raw) "
        f"from (select {chosen}, {unread_list} as unread, {{{kept}}} as raw from {quote(source)})"
    )


def _cast(kind: Kind, column: Column, sql_type: str) -> tuple[str, str]:
    """The cast value, and the test that it could not be read ('' when that cannot be)."""
    quoted = quote(column.name)
    if sql_type == column.sql_type:
        return quoted, ""
    if sql_type.endswith("]") or sql_type.startswith(("STRUCT", "MAP", "UNION", "BLOB")):
        raise TableRefused(
            "wrong-type",
            f"the source's {kind.name}.{column.name} is not one plain value",
            expected=column.sql_type,
            found=sql_type,
        )
    if column.sql_type == "VARCHAR":
        return f"{quoted}::VARCHAR", ""
    value = f"try_cast({quoted} as {column.sql_type})"
    unread = f"{quoted} is not null and {value} is null"
    source_family = sql_type.partition("(")[0]
    whole = family(column.sql_type) == "integer"
    if whole and source_family in {"VARCHAR", "DOUBLE", "FLOAT", "DECIMAL"}:
        exact = f"try_cast({quoted} as DOUBLE) is not distinct from {value}::DOUBLE"
        return f"case when {exact} then {value} end", f"{quoted} is not null and not ({exact})"
    return value, unread
