"""The rules of a chain. Pure. INTERIM."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tillit.errors import StatementRefused
from tillit.ledger.statement import Statement, Witness


@dataclass(frozen=True)
class Head:
    seq: int
    digest: str


@dataclass(frozen=True)
class Position:
    seq: int
    previous: str | None
    witnessed: Witness | None


def check_next(statement: Statement, *, head: Head | None, held: Callable[[int], str | None], ours: Callable[[int], str | None], now: datetime) -> None:
    if statement.issued_at > now + timedelta(minutes=10):
        raise StatementRefused("future", "a statement from the future")
    last = 0 if head is None else head.seq
    if statement.seq <= last:
        same = held(statement.seq) == statement.digest
        raise StatementRefused("replayed" if same else "forked", "held already" if same else "another of this number")
    if statement.seq > last + 1:
        raise StatementRefused("gap", "a statement before this one is missing", expected=last + 1, found=statement.seq)
    if statement.previous != (None if head is None else head.digest):
        raise StatementRefused("chain", "follows another")
    w = statement.witnessed
    if w is not None and ours(w.seq) != w.digest:
        raise StatementRefused("witness", "witnesses another")
