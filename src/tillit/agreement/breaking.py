"""Whether a kind's newer contract breaks what was agreed over the older one. Pure.

Breaking is what makes rows that passed before fail, or mean something else: the partner has to
agree to it. Whatever changed a contract's bytes needs new pins; only this needs a conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tillit.model import Column, Kind, Rule

__all__ = ["Break", "breaking"]

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
# Digits before the point that always fit.
_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 39}
_FLOATING = ("FLOAT", "DOUBLE")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


@dataclass(frozen=True)
class Break:
    """One change of a contract that needs an amendment: where, and what it does."""

    at: str
    says: str


def breaking(old: Kind, new: Kind) -> list[Break]:
    """What a newer contract of a kind breaks; empty when every row that passed still passes."""
    if old.name != new.name:
        return [Break("id", f"is a contract of {new.name}, and was one of {old.name}")]
    found = [*_columns(old, new), *_rules(old, new)]
    if old.key != new.key:
        was, now = ", ".join(old.key) or "nothing", ", ".join(new.key) or "nothing"
        found.append(Break("key", f"rows are told apart by {now}, and were by {was}"))
    return found


def _columns(old: Kind, new: Kind) -> Iterator[Break]:
    after = {column.name: column for column in new.columns}
    before = {column.name for column in old.columns}
    for column in old.columns:
        if column.name not in after:
            yield Break(column.name, "is removed")
        else:
            yield from _column(column, after[column.name])
    for name, column in after.items():
        if name not in before and column.required:
            yield Break(name, "is new, and every row must have it")


def _column(old: Column, new: Column) -> Iterator[Break]:
    at = old.name
    if not _fits(old.sql_type, new.sql_type):
        yield Break(at, f"takes {new.sql_type}, and took {old.sql_type}")
    if new.required and not old.required:
        yield Break(at, "must be there in every row, and could be empty")
    if new.unit != old.unit:
        yield Break(at, f"is in {new.unit or 'no unit'}, and was in {old.unit or 'no unit'}")
    if new.level < old.level:
        yield Break(at, f"is class {new.level}, and was the more confidential {old.level}")


def _fits(old: str, new: str) -> bool:
    """Whether every value of the old type is one of the new type, and means the same."""
    if old == new:
        return True
    for family in (_WHOLE, _FLOATING):
        if old in family and new in family:
            return family.index(new) >= family.index(old)
    wide = _DECIMAL.fullmatch(new)
    if wide is None:
        return False
    digits, scale = int(wide[1]), int(wide[2])
    narrow = _DECIMAL.fullmatch(old)
    if narrow is not None:
        before = int(narrow[1]) - int(narrow[2])
        return scale >= int(narrow[2]) and digits - scale >= before
    return old in _DIGITS and digits - scale >= _DIGITS[old]


def _rules(old: Kind, new: Kind) -> Iterator[Break]:
    """A rule that is gone or as it was refuses nothing more; what another one refuses is open."""
    before = {rule.name: rule for rule in old.rules}
    known = {column.name for column in old.columns}
    for rule in new.rules:
        was = before.get(rule.name)
        about_new = rule.columns and not known & set(rule.columns)
        if about_new or rule.name.startswith("required:"):
            continue  # said of the column already
        if was is None:
            yield Break(rule.name, f"is a new rule: {rule.reason}")
        elif _means(was) != _means(rule):
            yield Break(rule.name, f"is another rule than before: {rule.reason}")


def _means(rule: Rule) -> tuple[str, str, tuple[str, ...]]:
    return rule.scope, rule.breaks, rule.columns
