"""What is recorded of a use of partners' rows, read strictly. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tillit.ledger.parts import CODE
from tillit.ledger.strict import Fields, plain, refuse
from tillit.model import AGREEMENT_ID, NAME, PARTY_ID

__all__ = ["MAX_USED", "UseBody"]

_TABLE = re.compile(rf"(?:derived\.|quarantine\.)?{NAME.pattern}")
MAX_USED = 2_000
"""Names in one statement: with the longest that there are it stays half as large as it may be."""


@dataclass(frozen=True)
class UseBody:
    """Partners' rows were asked for, or taken out: for what, under which agreements, how many.

    ``question`` is the digest of the words that were asked; ``into`` the derived table that was
    kept, ``to`` the party for whom one was written to a file. What names more agreements than one
    statement holds is said in several; the rows are counted in the first.
    """

    type: ClassVar[str] = "use"

    outcome: str
    code: str | None
    purpose: str | None
    agreements: tuple[str, ...]
    tables: tuple[str, ...]
    question: str
    rows: int = 0
    into: str | None = None
    to: str | None = None

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read it; a refusal has its code."""
        keys = ("outcome", "code", "purpose", "agreements", "tables", "question")
        fields = Fields(value, path, (*keys, "rows", "into", "to"))
        found = cls(
            outcome=fields.one_of("outcome", ("allowed", "refused")),
            code=fields.optional("code", CODE),
            purpose=fields.optional("purpose"),
            agreements=_names(fields, "agreements", AGREEMENT_ID),
            tables=_names(fields, "tables", _TABLE),
            question=fields.digest("question"),
            rows=fields.count("rows"),
            into=fields.optional("into", NAME),
            to=fields.optional("to", PARTY_ID),
        )
        if (found.outcome == "refused") != (found.code is not None):
            refuse(path, "a code with a refusal and with nothing else", found.code)
        return found

    def to_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "outcome": self.outcome,
            "code": self.code,
            "purpose": None if self.purpose is None else plain(self.purpose, 200),
            "agreements": list(self.agreements),
            "tables": list(self.tables),
            "question": self.question,
            "rows": self.rows,
            "into": self.into,
            "to": self.to,
        }


def _names(fields: Fields, key: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    found = fields.items(key, most=MAX_USED)
    for name in found:
        if not isinstance(name, str) or not pattern.fullmatch(name):
            refuse(fields.at(key), pattern.pattern, name)
    return tuple(found)
