"""The term ``reciprocity``: in return for another agreement, and only while that is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillit.agreement.fields import (
    mapping,
    mapping_schema,
    matched,
    pattern_schema,
    whole,
    whole_schema,
)
from tillit.agreement.terms.term import Change, Direction, Term, widening
from tillit.errors import ContractRefused
from tillit.model import AGREEMENT_ID, Agreement, Every, Kind

__all__ = ["RECIPROCITY", "Reciprocity", "in_return_for", "overdue"]

_NAME = "reciprocity"
_MOST = 1000


@dataclass(frozen=True)
class Reciprocity:
    """What is shared in return, and how many of its cadences may be missing."""

    agreement: str
    overdue: int


def _read(value: object, at: str) -> Reciprocity:
    fields = mapping(value, at, ("inReturnFor", "overdueCadences"))
    return Reciprocity(
        matched(fields["inReturnFor"], f"{at}.inReturnFor", AGREEMENT_ID, "an agreement's id"),
        whole(fields["overdueCadences"], f"{at}.overdueCadences", 0, _MOST),
    )


def _fits(agreement: Agreement, at: str, _kind: Kind) -> None:
    if agreement.terms[_NAME].agreement == agreement.id:
        raise ContractRefused(
            "wrong-value", f"{at}: nothing is shared in return for itself", found=agreement.id
        )


def in_return_for(agreement: Agreement) -> Reciprocity | None:
    """What the consumer has to share in return, or None."""
    found: Reciprocity | None = agreement.terms.get(_NAME)
    return found


def overdue(returned: Agreement, *, since: datetime, now: datetime) -> int:
    """How many periods' cut-offs of the returned agreement have passed from ``since`` to ``now``.

    ``since`` is the cut-off of the last period that arrived, or when the agreement began. None of
    a cadence of events is ever due.
    """
    if returned.cadence.every is Every.EVENT:
        return 0
    end, count = min(now, returned.end), 0
    period = returned.cadence.next_due(max(since, returned.start))
    while period.cut_off < end and count <= _MOST:
        count += period.cut_off > since
        period = returned.cadence.period_at(period.end)
    return count


def _compare(old: Reciprocity | None, new: Reciprocity | None, at: str) -> list[Change]:
    if new is None:
        return [Change(at, "nothing is expected in return", Direction.WIDENING)]
    says = f"pauses when {new.agreement} is more than {new.overdue} cadences overdue"
    if old is None or old.agreement != new.agreement:
        return [Change(at, says, Direction.NARROWING if old is None else Direction.NEITHER)]
    return [Change(at, says, widening(new.overdue > old.overdue, new.overdue < old.overdue))]


RECIPROCITY = Term(
    schema=mapping_schema(
        {
            "inReturnFor": pattern_schema(AGREEMENT_ID, "By which the consumer shares."),
            "overdueCadences": whole_schema(0, _MOST, "Its cadences that may be missing."),
        },
        ["inReturnFor", "overdueCadences"],
        "Publishing pauses while what is shared in return is overdue by more.",
    ),
    read=_read,
    fits=_fits,
    compare=_compare,
)
