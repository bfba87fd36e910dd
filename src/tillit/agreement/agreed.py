"""A kind as two parties agreed to exchange it: what leaves, and what may arrive. Pure: SQL as text.

The provider's rules run over its own rows, untreated; then `leaving` says what leaves of those that
kept them. The consumer judges what came by `agreed_kind`: the rules that treated columns can still
be held to, and what the terms themselves promise of every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tillit.agreement.terms.columns import shared_columns, treated
from tillit.agreement.terms.groups import MinimumGroup
from tillit.agreement.terms.rows import row_filter
from tillit.agreement.terms.table import terms_rules
from tillit.agreement.terms.treatments import expression
from tillit.model import Agreement, Kind, Rule, Treatment
from tillit.sql.text import quote

__all__ = ["Leaving", "agreed_kind", "keys_are_told_apart", "leaving"]


@dataclass(frozen=True)
class Leaving:
    """What leaves of a table ``incoming`` of the kind's own, untreated columns.

    ``columns`` are name and expression of each shared column, in the kind's order; ``pseudonyms``
    those of them that are still to be replaced; ``where`` holds for rows that may leave, with
    all columns of ``incoming`` at hand; ``group`` is the smallest group that may.
    """

    columns: Mapping[str, str]
    pseudonyms: tuple[str, ...]
    where: str | None
    group: MinimumGroup | None

    @property
    def untouched(self) -> bool:
        """Whether every row leaves, and every shared column as it is."""
        plain = all(sql == f"incoming.{quote(name)}" for name, sql in self.columns.items())
        return plain and not self.pseudonyms and self.every_row

    @property
    def every_row(self) -> bool:
        """Whether every row leaves that keeps the rules."""
        return self.where is None and self.group is None


def leaving(agreement: Agreement, kind: Kind) -> Leaving:
    """What the terms let leave; the agreement fits the kind (`require_kind`)."""
    shared = {name: treated(agreement, name) for name in shared_columns(agreement, kind)}
    condition = row_filter(agreement, kind)
    return Leaving(
        columns={
            name: expression(what, kind.column(name), f"incoming.{quote(name)}")
            for name, what in shared.items()
        },
        pseudonyms=tuple(n for n, what in shared.items() if what.treatment is Treatment.PSEUDONYM),
        where=None if condition is None else condition.sql,
        group=agreement.terms.get("minimumGroup"),
    )


def keys_are_told_apart(agreement: Agreement, kind: Kind) -> bool:
    """Whether rows with different keys still have different ones when they have been treated.

    Then whatever has to be unique can be looked at in what leaves: different texts have different
    pseudonyms, but numbers that were rounded may have become one.
    """
    agreed = agreed_kind(agreement, kind)
    there = {column.name for column in agreed.columns}
    keys = (rule for rule in kind.rules if rule.scope == "key")
    return all(rule in agreed.rules and there.issuperset(rule.columns) for rule in keys)


def agreed_kind(agreement: Agreement, kind: Kind) -> Kind:
    """The kind with the columns that are shared, and the rules that hold for what may arrive."""
    shared = shared_columns(agreement, kind)
    changed = {name for name in shared if agreement.columns[name] is not Treatment.CLEAR}
    pseudonyms = {name for name in changed if agreement.columns[name] is Treatment.PSEUDONYM}
    kept = tuple(rule for rule in kind.rules if _still_holds(rule, changed, pseudonyms))
    columns = tuple(column for column in kind.columns if column.name in shared)
    return replace(kind, columns=columns, rules=(*kept, *terms_rules(agreement, kind)))


def _still_holds(rule: Rule, changed: set[str], pseudonyms: set[str]) -> bool:
    """Whether rows that kept a rule before treatment keep it after.

    Treatments keep nulls, so what was required is still there; different texts have different
    pseudonyms, so what was unique is still unique. What else a treated value is, is another rule's.
    """
    touched = changed & set(rule.columns)
    if not touched or rule.name.startswith("required:"):
        return True
    return rule.scope == "key" and touched <= pseudonyms
