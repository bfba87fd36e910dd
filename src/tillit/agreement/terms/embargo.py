"""The term ``embargo``: not before so many hours before it is due. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from tillit.agreement.fields import mapping, mapping_schema, number
from tillit.agreement.terms.term import Change, Term, widening
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import Agreement, Every, Kind, Period, isoformat

__all__ = ["EMBARGO", "not_before", "require_no_embargo"]

_NAME = "embargo"
_YEAR_OF_HOURS = 366 * 24


def _read(value: object, at: str) -> float:
    fields = mapping(value, at, ("hoursBeforeCutOff",))
    return number(fields["hoursBeforeCutOff"], f"{at}.hoursBeforeCutOff", 0, _YEAR_OF_HOURS)


def _fits(agreement: Agreement, at: str, _kind: Kind) -> None:
    if agreement.cadence.every is Every.EVENT:
        raise ContractRefused(
            "wrong-value",
            f"{at}: what happens unforeseen is due when it happens",
            expected="a cadence of hours, days, weeks or months",
            found=agreement.cadence.every,
        )


def not_before(agreement: Agreement, period: Period) -> datetime | None:
    """The instant before which the shipment of a period may not leave; None without an embargo."""
    hours = agreement.terms.get(_NAME)
    return None if hours is None else period.cut_off - timedelta(hours=hours)


def require_no_embargo(agreement: Agreement, period: Period, now: datetime) -> None:
    """The embargo of this period is over; AgreementRefused ``embargo``."""
    earliest = not_before(agreement, period)
    if earliest is not None and now < earliest:
        raise AgreementRefused(
            "embargo",
            f"{agreement.id}: the shipment of {isoformat(period.start)} may not leave yet",
            expected=f"from {isoformat(earliest)} on",
            found=isoformat(now),
        )


def _compare(old: float | None, new: float | None, at: str) -> list[Change]:
    was, now = (_YEAR_OF_HOURS if value is None else value for value in (old, new))
    earliest = "at any time" if new is None else f"at the earliest {new:g} h before it is due"
    return [Change(at, f"leaves {earliest}", widening(now > was, now < was))]


EMBARGO = Term(
    schema=mapping_schema(
        {
            "hoursBeforeCutOff": {
                "type": "number",
                "minimum": 0,
                "maximum": _YEAR_OF_HOURS,
                "description": "A shipment leaves this long before it is due at the earliest.",
            }
        },
        ["hoursBeforeCutOff"],
        "Nothing leaves, or is taken, before this time.",
    ),
    read=_read,
    fits=_fits,
    compare=_compare,
)
