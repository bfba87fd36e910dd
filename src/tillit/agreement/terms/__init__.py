"""What each term of an agreement is and does: one module each, and the table of all. Pure."""

from __future__ import annotations

from tillit.agreement.terms.cadence import cut_offs, due, is_late
from tillit.agreement.terms.columns import require_columns, shared_columns, treated
from tillit.agreement.terms.purposes import PURPOSE, require_purposes
from tillit.agreement.terms.table import (
    TERMS,
    compare_terms,
    read_terms,
    terms_fit,
    terms_rules,
    terms_schema,
)
from tillit.agreement.terms.term import Change, Direction, Term

__all__ = [
    "PURPOSE",
    "TERMS",
    "Change",
    "Direction",
    "Term",
    "compare_terms",
    "cut_offs",
    "due",
    "is_late",
    "read_terms",
    "require_columns",
    "require_purposes",
    "shared_columns",
    "terms_fit",
    "terms_rules",
    "terms_schema",
    "treated",
]
