"""The term ``retention``: how long the consumer may keep what it received. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from tillit.agreement.fields import mapping, mapping_schema, whole, whole_schema
from tillit.agreement.terms.term import Change, Term, widening
from tillit.model import Agreement

__all__ = ["RETENTION", "delete_by"]

_NAME = "retention"
_MOST_DAYS = 36_600


def _read(value: object, at: str) -> int:
    fields = mapping(value, at, ("days",))
    return whole(fields["days"], f"{at}.days", 1, _MOST_DAYS)


def delete_by(agreement: Agreement, arrived_at: datetime) -> datetime | None:
    """When what arrived then has to be gone; None where it may be kept.

    This goes on when the agreement has ended, was revoked or has a newer version: what was received
    under it was received under this.
    """
    days = agreement.terms.get(_NAME)
    return None if days is None else arrived_at + timedelta(days=days)


def _compare(old: int | None, new: int | None, at: str) -> list[Change]:
    was, now = (_MOST_DAYS + 1 if value is None else value for value in (old, new))
    says = "may be kept" if new is None else f"is deleted {new} days after it arrived"
    return [Change(at, says, widening(now > was, now < was))]


RETENTION = Term(
    schema=mapping_schema(
        {"days": whole_schema(1, _MOST_DAYS, "Days after arrival.")},
        ["days"],
        "The consumer deletes rows and their key by then, and certifies it to the provider.",
    ),
    read=_read,
    compare=_compare,
)
