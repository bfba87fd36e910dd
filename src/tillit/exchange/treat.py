"""Treat columns as agreed: the SQL of what leaves, and the pseudonyms that it calls. I/O: DuckDB.

The rows stand in ``incoming``, in the kind's types, be that a view or a common table expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from tillit.agreement.agreed import Leaving, keys_are_told_apart, leaving
from tillit.engine import function_of_text
from tillit.home import Home
from tillit.model import Agreement, Kind
from tillit.quality.queries import held_to
from tillit.sql.text import quote
from tillit.warehouse import KEPT_BACK

__all__ = ["treated", "treating_at_once"]


@contextmanager
def treated(home: Home, agreement: Agreement, terms: Leaving) -> Iterator[Mapping[str, str]]:
    """Name and SQL of each column that leaves of ``incoming``, which can be run meanwhile.

    Pseudonyms are made by functions of ours, so their key does not get into any SQL.
    """
    columns = dict(terms.columns)
    with ExitStack() as functions:
        for place, name in enumerate(terms.pseudonyms):
            function = f"pseudonym_{place}"
            pseudonym = partial(home.keys.pseudonyms(agreement.consumer).of, name)
            functions.enter_context(function_of_text(home.lake.connection, function, pseudonym))
            columns[name] = f"{function}({columns[name]})"
        yield columns


@contextmanager
def treating_at_once(
    home: Home, agreement: Agreement, kind: Kind
) -> Iterator[Callable[[str], str] | None]:
    """How to treat rows while they are judged and written; None where the terms forbid it.

    To write rows twice, as they are and as they leave, costs a third of a large publication. It
    is not needed where every row leaves that keeps the rules, and where what has to be unique can
    still be looked at in what leaves. What is given takes a query of the rows, and makes of it one
    that fails with `KEPT_BACK` at the first row that breaks a rule.
    """
    terms = leaving(agreement, kind)
    if not terms.every_row or not keys_are_told_apart(agreement, kind):
        yield None
        return
    held = held_to(kind, kind.columns, KEPT_BACK)
    with treated(home, agreement, terms) as columns:
        listed = ", ".join(f"{sql} as {quote(name)}" for name, sql in columns.items())

        def change(rows: str) -> str:
            given = f"with incoming as not materialized ({rows})"
            return f"{given} select {listed} from incoming where {held}"  # noqa: S608 (quoted)

        yield change
