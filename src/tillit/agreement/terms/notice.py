"""The term ``noticePeriod``: how long before a date both sides are told of it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from tillit.agreement.fields import mapping, mapping_schema, whole, whole_schema
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.model import Agreement

__all__ = ["NOTICE", "warnings_at"]

_NAME = "noticePeriod"
_MOST_DAYS = 3660


def _read(value: object, at: str) -> int:
    fields = mapping(value, at, ("days",))
    return whole(fields["days"], f"{at}.days", 1, _MOST_DAYS)


def warnings_at(agreement: Agreement, now: datetime) -> list[str]:
    """What both sides should know at ``now``: that reassessment or the end is near, or is due.

    Without the term nothing is near; that reassessment is due is always told.
    """
    days = timedelta(days=agreement.terms.get(_NAME, 0))
    told = []
    again = agreement.reassess
    if again is not None and now >= again:
        told.append("reassessment due")
    elif again is not None and now >= again - days:
        told.append(f"reassessment {_within(again - now)}")
    if agreement.end - days <= now < agreement.end:
        told.append(f"ends {_within(agreement.end - now)}")
    return told


def _within(left: timedelta) -> str:
    return f"in {left.days} days" if left.days > 1 else f"within {left.days + 1} days"


def _compare(old: int | None, new: int | None, at: str) -> list[Change]:
    says = "nobody is told before" if new is None else f"both are told {new} days before"
    return [Change(at, f"{says}, and was {old or 'no'} days", Direction.NEITHER)]


NOTICE = Term(
    schema=mapping_schema(
        {"days": whole_schema(1, _MOST_DAYS, "Days before reassessment and end.")},
        ["days"],
        "How long before reassessment and end both sides are told.",
    ),
    read=_read,
    compare=_compare,
)
