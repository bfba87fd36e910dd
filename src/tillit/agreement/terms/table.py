"""All terms that there are, by name. Pure.

An open set: a term is one entry in `TERMS`, and a module with the functions that carry it out. What
has no entry is refused by name, never ignored: a reader that skipped a term would share more than
was agreed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tillit.agreement.fields import Schema, mapping, mapping_schema
from tillit.agreement.terms.cadence import CADENCE
from tillit.agreement.terms.ceiling import CEILING
from tillit.agreement.terms.columns import COLUMNS, treated
from tillit.agreement.terms.embargo import EMBARGO
from tillit.agreement.terms.groups import GROUPS
from tillit.agreement.terms.notice import NOTICE
from tillit.agreement.terms.onward import ONWARD
from tillit.agreement.terms.purposes import PURPOSES
from tillit.agreement.terms.reciprocity import RECIPROCITY
from tillit.agreement.terms.retention import RETENTION
from tillit.agreement.terms.rows import ROWS
from tillit.agreement.terms.term import Change, Term, unread
from tillit.agreement.terms.volume import VOLUME
from tillit.errors import ContractRefused
from tillit.model import Agreement, Kind, Rule

__all__ = ["TERMS", "compare_terms", "read_terms", "terms_fit", "terms_rules", "terms_schema"]

TERMS: Mapping[str, Term] = {
    "columns": COLUMNS,
    "purposes": PURPOSES,
    "cadence": CADENCE,
    "classificationCeiling": CEILING,
    "rows": ROWS,
    "minimumGroup": GROUPS,
    "embargo": EMBARGO,
    "volume": VOLUME,
    "retention": RETENTION,
    "onwardSharing": ONWARD,
    "reciprocity": RECIPROCITY,
    "noticePeriod": NOTICE,
}


def read_terms(value: object, at: str = "terms") -> dict[str, Any]:
    """What each term of the block says; ContractRefused ``unknown-term`` for one without entry."""
    if isinstance(value, dict):
        for name in value:
            if name not in TERMS:
                raise ContractRefused(
                    "unknown-term",
                    f"{at}.{name} is not a term that can be enforced here",
                    expected=f"only {', '.join(TERMS)}",
                    found=repr(name),
                )
    needed = [name for name, term in TERMS.items() if term.required]
    found = mapping(value, at, needed, TERMS)
    return {name: TERMS[name].read(found[name], f"{at}.{name}") for name in TERMS if name in found}


def terms_schema() -> Schema:
    """The schema of the block, out of the table."""
    return mapping_schema(
        {name: term.schema for name, term in TERMS.items()},
        [name for name, term in TERMS.items() if term.required],
        "What software enforces on both sides. A term that is not known is refused.",
    )


def terms_fit(agreement: Agreement, kind: Kind) -> None:
    """Whether the kind can be shared under these terms; ContractRefused if it cannot."""
    for name in _given(agreement):
        TERMS[name].fits(agreement, f"terms.{name}", kind)


def terms_rules(agreement: Agreement, kind: Kind) -> tuple[Rule, ...]:
    """What the consumer holds each row against, beside the rules of the kind."""
    given = _given(agreement)
    return tuple(rule for name in given for rule in TERMS[name].rules(agreement, kind))


def compare_terms(old: Agreement, new: Agreement, at: str = "terms") -> list[Change]:
    """What the terms of a new version let through that those of the old one did not, and less."""
    was, now = _given(old), _given(new)
    changes: list[Change] = []
    for name, term in TERMS.items():
        if was.get(name) != now.get(name):
            compare = term.compare or unread
            changes += compare(was.get(name), now.get(name), f"{at}.{name}")
    return changes


def _given(agreement: Agreement) -> dict[str, Any]:
    """Every term of an agreement by its name, those that each has included."""
    return {
        "columns": {name: treated(agreement, name) for name in agreement.columns},
        "purposes": agreement.purposes,
        "cadence": agreement.cadence,
        **agreement.terms,
    }
