"""The term ``cadence``: how often a shipment is due, and when it is late. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tillit.agreement.fields import mapping, mapping_schema, number, one_of
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.model import Agreement, Cadence, Every, Period

__all__ = ["CADENCE", "cut_offs", "due", "is_late"]

_YEAR_OF_HOURS = 366 * 24
_EVERY = tuple(Every)
_CADENCE = ("every", "cutOffHours")
_HOURS = {"type": "number", "minimum": -_YEAR_OF_HOURS, "maximum": _YEAR_OF_HOURS}


def _read_cadence(value: object, at: str) -> Cadence:
    fields = mapping(value, at, _CADENCE)
    every = Every(one_of(fields["every"], f"{at}.every", _EVERY))
    # What happens unforeseen cannot be due before it happens.
    most = 0 if every is Every.EVENT else _YEAR_OF_HOURS
    hours = number(fields["cutOffHours"], f"{at}.cutOffHours", -_YEAR_OF_HOURS, most)
    return Cadence(every, hours)


def due(agreement: Agreement, now: datetime) -> Period:
    """The first period whose cut-off has not passed at ``now``: what to publish next."""
    return agreement.cadence.next_due(now)


def cut_offs(agreement: Agreement, now: datetime) -> Iterator[Period]:
    """The periods due from ``now`` on that begin before the agreement ends; none for events."""
    if agreement.cadence.every is Every.EVENT:
        return
    period = due(agreement, now)
    while period.start < agreement.end:
        if period.end > agreement.start:
            yield period
        period = agreement.cadence.period_at(period.end)


def is_late(period: Period, arrived_at: datetime) -> bool:
    """Whether what arrived then came after its period's cut-off.

    ``arrived_at`` is the receiver's own time, never one that the sender wrote.
    """
    return arrived_at > period.cut_off


def _compare(old: Cadence, new: Cadence, at: str) -> list[Change]:
    """More often is more; when it is due is a duty, and lets nothing through by itself."""
    changes = []
    if old.every is not new.every:
        often = _EVERY.index(old.every) - _EVERY.index(new.every)
        direction = Direction.WIDENING if often > 0 else Direction.NARROWING
        if Every.EVENT in {old.every, new.every}:
            direction = Direction.NEITHER
        says = f"a shipment {_often(old.every)} becomes one {_often(new.every)}"
        changes.append(Change(f"{at}.every", says, direction))
    if old.cut_off_hours != new.cut_off_hours:
        hours = abs(new.cut_off_hours - old.cut_off_hours)
        when = "earlier" if new.cut_off_hours > old.cut_off_hours else "later"
        says = f"is due {hours:g} hours {when} than before"
        changes.append(Change(f"{at}.cutOffHours", says, Direction.NEITHER))
    return changes


def _often(every: Every) -> str:
    return "when something happens" if every is Every.EVENT else f"every {every}"


CADENCE = Term(
    schema={
        **mapping_schema(
            {
                "every": {
                    "enum": list(_EVERY),
                    "description": (
                        "Length of a period, in UTC; a week begins on Monday. event: when"
                        " something happens."
                    ),
                },
                "cutOffHours": {
                    **_HOURS,
                    "description": (
                        "Hours before a period's start by which its shipment must have"
                        " arrived; negative hours lie after the start."
                    ),
                },
            },
            _CADENCE,
            "How often a shipment is due, and when it is late.",
        ),
        "if": {"properties": {"every": {"const": "event"}}},
        "then": {"properties": {"cutOffHours": {"maximum": 0}}},
    },
    read=_read_cadence,
    required=True,
    compare=_compare,
)
