"""What may follow what in a chain, and what it must know of the other side's. Pure.

There is a chain from each author to each recipient. A statement follows the one before it, and
names the newest statement that its author then held of the chain coming the other way. So cutting,
rewriting or forking one side's history contradicts what the other side holds, signed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tillit.errors import StatementRefused
from tillit.ledger.statement import Statement, Witness
from tillit.model import isoformat

__all__ = ["CLOCK_SKEW", "Head", "Position", "check_next", "next_position"]

CLOCK_SKEW = timedelta(minutes=10)
"""How far another party's clock may be ahead of ours."""


@dataclass(frozen=True)
class Head:
    """The newest statement of a chain; ``witnessed`` is the number that it witnessed, or 0."""

    seq: int
    digest: str
    witnessed: int = 0


@dataclass(frozen=True)
class Position:
    """The place of the statement that comes next, as it will stand in it."""

    seq: int
    previous: str | None
    witnessed: Witness | None


def next_position(head: Head | None, theirs: Head | None) -> Position:
    """The place after ``head``; ``theirs`` is the newest that we hold of the other direction."""
    return Position(
        seq=1 if head is None else head.seq + 1,
        previous=None if head is None else head.digest,
        witnessed=None if theirs is None else Witness(theirs.seq, theirs.digest),
    )


def check_next(
    statement: Statement,
    *,
    head: Head | None,
    held: Callable[[int], str | None],
    ours: Callable[[int], str | None],
    now: datetime,
) -> None:
    """Whether a statement that came may follow ``head``, in the order in which it is asked.

    ``held`` and ``ours`` give the digest at a number of the author's chain and of ours to it, or
    None. Raises StatementRefused: ``replayed``, ``forked``, ``gap``, ``chain``, ``witness``,
    ``future``. Only what is refused as a gap or as too early may still become right.
    """
    where = f"{statement.author}:{statement.seq}"
    last = 0 if head is None else head.seq
    # 1. Its number is the next one.
    if statement.seq <= last:
        before, digest = held(statement.seq), statement.digest
        if before == digest:
            raise StatementRefused("replayed", f"{where} is held already", found=digest)
        raise StatementRefused(
            "forked", f"another statement is held as {where}", expected=before, found=digest
        )
    if statement.seq > last + 1:
        raise StatementRefused(
            "gap", f"statements before {where} are missing", expected=last + 1, found=statement.seq
        )
    # 2. It follows what we hold.
    previous = None if head is None else head.digest
    if statement.previous != previous:
        raise StatementRefused(
            "chain", f"{where} follows another", expected=previous, found=statement.previous
        )
    # 3. What it says of our chain is what we said, and no less than its author said before.
    _check_witness(statement, where, 0 if head is None else head.witnessed, ours)
    # 4. It is not from tomorrow.
    if statement.issued_at > now + CLOCK_SKEW:
        raise StatementRefused(
            "future",
            f"{where} was issued later than now",
            expected=f"at most {isoformat(now + CLOCK_SKEW)}",
            found=isoformat(statement.issued_at),
        )


def _check_witness(
    statement: Statement, where: str, before: int, ours: Callable[[int], str | None]
) -> None:
    witnessed = statement.witnessed
    seq = 0 if witnessed is None else witnessed.seq
    if seq < before:
        raise StatementRefused(
            "witness", f"{where} holds less of our chain than before", expected=before, found=seq
        )
    if witnessed is None:
        return
    digest = ours(witnessed.seq)
    if digest != witnessed.digest:
        raise StatementRefused(
            "witness",
            f"{where} holds what we have not said, as our number {witnessed.seq}",
            expected=digest or "nothing: our chain is shorter",
            found=witnessed.digest,
        )
