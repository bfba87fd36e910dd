"""What a new version of an agreement lets through that the old one did not, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tillit.agreement.terms import Change, Direction, compare_terms
from tillit.model import Agreement, isoformat

__all__ = ["Change", "Direction", "diff"]


def diff(old: Agreement, new: Agreement) -> list[Change]:
    """Every difference that matters, the whole first, then when, then term by term.

    Nothing is passed over in silence: texts that differ in nothing else differ in their wording.
    """
    changes = [*_whole(old, new), *_when(old, new), *compare_terms(old, new)]
    if not changes and old.digest != new.digest:
        changes.append(Change("description", "only words have changed", Direction.NEITHER))
    return changes


def _whole(old: Agreement, new: Agreement) -> Iterator[Change]:
    for at, what, was, now in (
        ("id", "agreement", old.id, new.id),
        ("provider", "provider", old.provider, new.provider),
        ("consumer", "consumer", old.consumer, new.consumer),
        ("dataContractId", "kind", old.kind, new.kind),
    ):
        if was != now:
            # Another agreement allows what this one did not, and the other way round.
            says = f"the {what} is {now}, and was {was}: nothing of the old one holds here"
            yield Change(at, says, Direction.WIDENING if what != "agreement" else Direction.NEITHER)
    was, now = (f"{a.kind_version} sha256:{a.kind_digest[:12]}" for a in (old, new))
    if old.kind == new.kind and was != now:
        says = f"the contract of {new.kind} is {now}, and was {was}"
        yield Change("dataContractDigest", says, Direction.NEITHER)
    if old.purpose != new.purpose:
        yield Change("description.purpose", f"is now: {new.purpose}", Direction.NEITHER)


def _when(old: Agreement, new: Agreement) -> Iterator[Change]:
    yield from _moved("startTimestamp", "begins", old.start, new.start, wider="earlier")
    yield from _moved("endTimestamp", "ends", old.end, new.end, wider="later")
    if old.reassess != new.reassess:
        when = "never" if new.reassess is None else isoformat(new.reassess)
        was = "never" if old.reassess is None else isoformat(old.reassess)
        says = f"both look at it again {when}, and not {was}"
        yield Change("nextReassessmentTimestamp", says, Direction.NEITHER)


def _moved(at: str, verb: str, old: datetime, new: datetime, *, wider: str) -> Iterator[Change]:
    if old == new:
        return
    moved = "earlier" if new < old else "later"
    direction = Direction.WIDENING if moved == wider else Direction.NARROWING
    says = f"{verb} {moved}: {isoformat(new)}, and not {isoformat(old)}"
    yield Change(at, says, direction)
