"""The term ``onwardSharing``: who else may have what is made of it. Pure.

Without the term nobody may: what is not permitted is refused.
"""

from __future__ import annotations

from tillit.agreement.fields import distinct, distinct_schema
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.errors import AgreementRefused
from tillit.model import PARTY_ID, Agreement

__all__ = ["ONWARD", "onward_parties", "require_onward"]

_NAME = "onwardSharing"
_MOST = 100
_NONE = "none"


def _read(value: object, at: str) -> tuple[str, ...]:
    if value == _NONE:
        return ()
    return distinct(value, at, PARTY_ID, f"{_NONE}, or a list of parties' ids", _MOST)


def onward_parties(agreement: Agreement) -> tuple[str, ...]:
    """Parties that the consumer may pass on to what it derives."""
    parties: tuple[str, ...] = agreement.terms.get(_NAME, ())
    return parties


def require_onward(agreement: Agreement, party: str) -> None:
    """The consumer may pass on to this party; AgreementRefused ``onward-sharing``.

    What is derived from a provider's own rows goes back to it freely.
    """
    if party not in {*onward_parties(agreement), agreement.provider}:
        raise AgreementRefused(
            "onward-sharing",
            f"{agreement.id} does not let {agreement.consumer} pass on to {party}",
            expected=", ".join(onward_parties(agreement)) or "nobody",
            found=party,
        )


def _compare(old: tuple[str, ...] | None, new: tuple[str, ...] | None, at: str) -> list[Change]:
    was, now = set(old or ()), set(new or ())
    more = [Change(at, f"may be passed on to {p}", Direction.WIDENING) for p in sorted(now - was)]
    less = [
        Change(at, f"may no longer be passed on to {p}", Direction.NARROWING)
        for p in sorted(was - now)
    ]
    return more + less


ONWARD = Term(
    schema={
        "description": "Who else may have what the consumer makes of the rows; without it nobody.",
        "oneOf": [{"const": _NONE}, distinct_schema(PARTY_ID, _MOST, "Parties' ids.")],
    },
    read=_read,
    compare=_compare,
)
