"""The term ``classificationCeiling``: nothing above this class, whatever ``columns`` says. Pure."""

from __future__ import annotations

from tillit.agreement.fields import one_of
from tillit.agreement.terms.term import Change, Term, widening
from tillit.errors import ContractRefused
from tillit.model import Agreement, Column, Kind

__all__ = ["CEILING", "CLASSES", "above_ceiling"]

CLASSES = ("public", "internal", "confidential", "restricted")
_NAME = "classificationCeiling"


def _read(value: object, at: str) -> str:
    return one_of(value, at, CLASSES)


def above_ceiling(agreement: Agreement, column: Column) -> bool:
    """Whether the column is more confidential than anything under this agreement may be."""
    ceiling = agreement.terms.get(_NAME)
    return ceiling is not None and column.level > CLASSES.index(ceiling) + 1


def _fits(agreement: Agreement, at: str, kind: Kind) -> None:
    """The key stays under it, or no row could be told apart."""
    for name in kind.key:
        if above_ceiling(agreement, kind.column(name)):
            raise ContractRefused(
                "wrong-value",
                f"{at}: {name} is of the key of {kind.name} and lies above it",
                expected=f"at least {CLASSES[kind.column(name).level - 1]}",
                found=agreement.terms[_NAME],
            )


def _compare(old: str | None, new: str | None, at: str) -> list[Change]:
    was, now = (CLASSES.index(value or CLASSES[-1]) for value in (old, new))
    says = f"nothing above {new} leaves" if new else f"{old} is no longer the ceiling"
    return [Change(at, says, widening(now > was, now < was))]


CEILING = Term(
    schema={
        "description": "A column of a higher class is withheld whatever `columns` says of it.",
        "enum": list(CLASSES),
    },
    read=_read,
    fits=_fits,
    compare=_compare,
)
