"""How agreements of the simulated world change during the year, and who says no to what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from tillit.demo.model import Move, Step, Want
from tillit.demo.world_cast import BUYER, Character
from tillit.demo.world_clock import instant

__all__ = ["moves", "with_late_attempts"]


_SOON = timedelta(hours=1)
_NEWER = "1.1.0"


def moves(cast: Iterable[Character], agreed: Sequence[Want], weeks: int) -> tuple[Move, ...]:
    """Each on a Monday morning: an amendment, a proposal that is declined, a revocation.

    Who opens up is asked at half-time for the reasons behind its promises, and gives them.
    Who promises more than it delivers asks in the first quarter to use plans for something else.
    From who went quiet the buyer takes back its design ideas in the last quarter.
    """
    found: list[Move] = []
    for supplier in cast:
        between = {
            (want.provider, want.kind): want
            for want in agreed
            if supplier.id in {want.provider, want.consumer}
        }
        if supplier.opens_up:
            found += _amended(between[supplier.id, "delivery_commitment"], supplier, weeks)
        if supplier.inflation > 1:
            found += _declined(between[BUYER.id, "demand_forecast"], supplier, weeks)
        if supplier.goes_quiet:
            found += _revoked(between[BUYER.id, "design_idea"], weeks)
    return tuple(sorted(found, key=lambda move: move.now))


def _amended(want: Want, supplier: Character, weeks: int) -> list[Move]:
    now = instant(weeks // 2, 0, 9)
    more = replace(want, version=_NEWER, withheld=())
    return [
        Move(now, BUYER.id, "propose", more),
        Move(now + _SOON, supplier.id, "sign", more),
        Move(now + 2 * _SOON, BUYER.id, "sign", more),
    ]


def _declined(want: Want, supplier: Character, weeks: int) -> list[Move]:
    now = instant(weeks // 4, 0, 9)
    wider = replace(want, version=_NEWER, also_for=("raw-material-trading",))
    reason = "Our plan is yours to plan capacity with, not to trade on before we have ordered."
    return [
        Move(now, supplier.id, "propose", wider),
        Move(now + _SOON, BUYER.id, "decline", wider, reason),
    ]


def _revoked(want: Want, weeks: int) -> list[Move]:
    reason = "Our ideas are no longer answered, so we offer no further ones."
    return [Move(instant(3 * weeks // 4, 0, 9), BUYER.id, "revoke", want, reason)]


def with_late_attempts(steps: Iterable[Step], made: Sequence[Move]) -> tuple[Step, ...]:
    """The steps, in which what was revoked is tried once more, since schedules hear of it last."""
    late = {move.want: move.now for move in made if move.what == "revoke"}
    found: list[Step] = []
    for step in steps:
        over = {want for want, since in late.items() if since <= step.now}
        now_tried = tuple(w for w in over if not found or found[-1].now < late[w])
        kept = tuple(want for want in step.wants if want not in over)
        found.append(replace(step, wants=kept + now_tried))
    return tuple(found)
