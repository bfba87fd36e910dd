"""The term ``purposes``: what the consumer may use the rows for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tillit.agreement.fields import distinct, distinct_schema
from tillit.agreement.terms.term import Change, Direction, Term
from tillit.errors import AgreementRefused
from tillit.model import Agreement

__all__ = ["PURPOSE", "PURPOSES", "require_purposes"]

PURPOSE = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_MOST_PURPOSES = 20


def _read_purposes(value: object, at: str) -> tuple[str, ...]:
    return distinct(value, at, PURPOSE, f"a purpose, {PURPOSE.pattern}", _MOST_PURPOSES)


def require_purposes(agreement: Agreement, purposes: Iterable[str]) -> None:
    """Some purpose, and none beyond the agreed; AgreementRefused ``purpose`` otherwise."""
    named = tuple(purposes)
    beyond = [purpose for purpose in named if purpose not in agreement.purposes]
    if beyond or not named:
        raise AgreementRefused(
            "purpose",
            f"{agreement.id} was not made for this purpose",
            expected=f"of {', '.join(agreement.purposes)}",
            found=", ".join(beyond) or "none",
        )


def _compare(old: tuple[str, ...], new: tuple[str, ...], at: str) -> list[Change]:
    added = [
        Change(at, f"may also be used for {purpose}", Direction.WIDENING)
        for purpose in new
        if purpose not in old
    ]
    gone = [
        Change(at, f"may no longer be used for {purpose}", Direction.NARROWING)
        for purpose in old
        if purpose not in new
    ]
    return added + gone


PURPOSES = Term(
    schema=distinct_schema(
        PURPOSE, _MOST_PURPOSES, "What the consumer may use the rows for; ids that both sides know."
    ),
    read=_read_purposes,
    required=True,
    compare=_compare,
)
