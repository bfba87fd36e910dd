"""The rules of a chain, one refusal each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.ledgers import NOW, make, notice

from tillit.errors import StatementRefused
from tillit.ledger.chain import CLOCK_SKEW, Head, Position, check_next, next_position
from tillit.ledger.statement import Statement, Witness

OURS = {1: "1" * 64, 2: "2" * 64, 3: "3" * 64}
THEIRS = {1: "a" * 64, 2: "b" * 64}
HEAD = Head(2, THEIRS[2], witnessed=2)
NEXT = make("fjordstal", "nordvik", Position(3, THEIRS[2], Witness(3, OURS[3])))


def check(statement: Statement, head: Head | None = HEAD) -> None:
    check_next(statement, head=head, held=THEIRS.get, ours=OURS.get, now=NOW)


def test_the_next_one_is_taken() -> None:
    check(NEXT)


def test_the_first_one_is_taken() -> None:
    check(make("fjordstal", "nordvik", Position(1, None, None)), head=None)


def refused(statement: Statement, code: str, head: Head | None = HEAD) -> StatementRefused:
    with pytest.raises(StatementRefused) as caught:
        check(statement, head)
    assert caught.value.code == f"statement.{code}"
    return caught.value


def test_the_same_again_is_a_replay() -> None:
    again = make("fjordstal", "nordvik", Position(2, THEIRS[1], None))
    with pytest.raises(StatementRefused) as caught:
        check_next(again, head=HEAD, held={2: again.digest}.get, ours=OURS.get, now=NOW)
    assert caught.value.code == "statement.replayed"


def test_another_at_a_place_that_is_taken_is_a_fork() -> None:
    error = refused(make("fjordstal", "nordvik", Position(2, THEIRS[1], None)), "forked")
    assert error.expected == THEIRS[2]


def test_one_that_is_ahead_is_a_gap() -> None:
    error = refused(replace(NEXT, seq=5), "gap")
    assert (error.expected, error.found) == ("3", "5")


def test_a_gap_at_the_beginning() -> None:
    refused(NEXT, "gap", head=None)


def test_one_that_follows_another() -> None:
    refused(replace(NEXT, previous="f" * 64), "chain")


def test_one_that_saw_what_we_did_not_say() -> None:
    refused(replace(NEXT, witnessed=Witness(3, "f" * 64)), "witness")


def test_one_that_saw_more_than_we_said() -> None:
    error = refused(replace(NEXT, witnessed=Witness(4, "f" * 64)), "witness")
    assert "shorter" in str(error)


@pytest.mark.parametrize("less", [None, Witness(1, OURS[1])])
def test_one_that_saw_less_than_the_one_before_it(less: Witness | None) -> None:
    refused(replace(NEXT, witnessed=less), "witness")


def test_what_it_saw_may_stay_the_same() -> None:
    check(replace(NEXT, witnessed=Witness(2, OURS[2])))


def test_a_clock_that_is_a_little_ahead() -> None:
    check(replace(NEXT, issued_at=NOW + CLOCK_SKEW))
    refused(replace(NEXT, issued_at=NOW + CLOCK_SKEW + timedelta(seconds=1)), "future")


def test_an_old_statement_that_comes_late_is_taken() -> None:
    check(replace(NEXT, issued_at=NOW - timedelta(days=400)))


def test_the_next_position() -> None:
    assert next_position(None, None) == Position(1, None, None)
    theirs = Head(9, "9" * 64)
    assert next_position(HEAD, theirs) == Position(3, THEIRS[2], Witness(9, "9" * 64))
    said = make("fjordstal", "nordvik", next_position(HEAD, Head(3, OURS[3])), notice())
    check(said)
