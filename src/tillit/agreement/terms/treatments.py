"""What a treatment does to a column, and how a receiver sees that it was done. Pure: SQL as text.

Every treatment keeps the column's type and its nulls, so that what lands has the tables, the rules
and the questions of the kind; and each is such that doing it twice changes nothing more, so that a
receiver recognises a value that was not treated.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tillit.errors import ContractRefused
from tillit.model import Column, Treatment
from tillit.sql.text import literal, quote

__all__ = [
    "CALENDAR",
    "MARK",
    "PLAIN",
    "PSEUDONYM_PATTERN",
    "Treated",
    "breaks",
    "expression",
    "require_type",
    "reveals_more",
    "told",
]

PLAIN = (
    *(Treatment.CLEAR, Treatment.WITHHELD, Treatment.PSEUDONYM),
    Treatment.REDACTED,
)
CALENDAR = ("day", "week", "month", "quarter", "year")
PSEUDONYM_PATTERN = "p-[a-z2-7]{26}"
MARK = "[redacted]"
# A run without blanks that holds a digit of any script, an at sign or an address of the web.
_TELLING = r"\S*(?:[\p{N}@]|://|www\.)\S*"
_TEXT = ("VARCHAR",)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_FLOATING = ("FLOAT", "DOUBLE")
_DAYS = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")


@dataclass(frozen=True)
class Treated:
    """A treatment with what it needs: a step for ``rounded``, the edges for ``banded``."""

    treatment: Treatment
    coarseness: tuple[str, ...] = ()


def told(what: Treated) -> str:
    """In a few words, for people."""
    if what.treatment is Treatment.ROUNDED:
        return f"rounded to {what.coarseness[0]}"
    if what.treatment is Treatment.BANDED:
        return f"banded at {', '.join(what.coarseness)}"
    return str(what.treatment)


def expression(what: Treated, column: Column, source: str) -> str:
    """The treated value of ``source``, an expression of the column's type, in that type.

    ``clear`` is the source itself. Pseudonyms need a key, so they are not made here.
    """
    if what.treatment is Treatment.ROUNDED:
        return _rounded(what.coarseness[0], column, source)
    if what.treatment is Treatment.BANDED:
        return _banded(what.coarseness, column, source)
    if what.treatment is Treatment.REDACTED:
        return f"regexp_replace({source}, {literal(_TELLING)}, {literal(MARK)}, 'g')"
    return source


def _rounded(step: str, column: Column, source: str) -> str:
    if step in CALENDAR:
        return f"date_trunc({literal(step)}, {source})::{column.sql_type}"
    if column.sql_type in _FLOATING:
        return f"(round({source} / {step}) * {step})::{column.sql_type}"
    # By the remainder, which is exact where a division would not be: to the nearest multiple,
    # halves away from zero. What then leaves the range of the type is null.
    rest = f"({source} % {step})"
    up = f"case when abs({rest}) * 2 >= {step} then sign({rest}) * {step} else 0 end"
    return f"try_cast(try({source} - {rest} + {up}) as {column.sql_type})"


def _banded(edges: tuple[str, ...], column: Column, source: str) -> str:
    """The lower edge of its band; what lies below all of them belongs to the lowest."""
    bands = " ".join(f"when {source} >= {edge} then {edge}" for edge in edges[:0:-1])
    otherwise = f"when {source} is not null then {edges[0]}"
    return f"(case {bands} {otherwise} end)::{column.sql_type}"


def breaks(what: Treated, column: Column) -> str | None:
    """True for a value that cannot have been treated so; None where none can be told."""
    name = quote(column.name)
    if what.treatment is Treatment.PSEUDONYM:
        return f"not regexp_full_match({name}, {literal(PSEUDONYM_PATTERN)})"
    if what.treatment is Treatment.BANDED:
        return f"{name} not in ({', '.join(f'{e}::{column.sql_type}' for e in what.coarseness)})"
    if what.treatment is Treatment.REDACTED:
        return f"regexp_matches({name}, {literal(_TELLING)})"
    if what.treatment is Treatment.ROUNDED:
        return f"{expression(what, column, name)} <> {name}"
    return None


def require_type(what: Treated, at: str, column: Column) -> None:
    """ContractRefused when a column of this type cannot be treated so."""
    numbers = column.sql_type.startswith("DECIMAL") or column.sql_type in (*_WHOLE, *_FLOATING)
    fits, wanted = True, ""
    if what.treatment in {Treatment.PSEUDONYM, Treatment.REDACTED}:
        fits, wanted = column.sql_type in _TEXT, "a column of text"
    elif what.coarseness and what.coarseness[0] in CALENDAR:
        fits, wanted = column.sql_type in _DAYS, "a column of days or times"
    elif what.coarseness:
        fits, wanted = numbers, "a column of numbers"
        if fits and column.sql_type not in _FLOATING:
            places = _scale(column.sql_type)
            wanted = f"numbers with at most {places} decimals, as the column has"
            fits = all(-_exponent(number) <= places for number in what.coarseness)
    if not fits:
        raise ContractRefused(
            "wrong-value",
            f"{at} cannot be {told(what)}",
            expected=wanted,
            found=f"{column.sql_type}, {', '.join(what.coarseness) or what.treatment}",
        )


def _scale(sql_type: str) -> int:
    return int(sql_type.rpartition(",")[2].rstrip(") ")) if "," in sql_type else 0


def _exponent(number: str) -> int:
    return int(Decimal(number).as_tuple().exponent)


def reveals_more(was: Treated, now: Treated) -> bool:
    """Whether the new treatment may show what the old one did not; in doubt it does."""
    if Treatment.WITHHELD is now.treatment or Treatment.CLEAR is was.treatment:
        return False
    if was.treatment is not now.treatment:
        return True
    old, new = was.coarseness, now.coarseness
    if now.treatment is Treatment.BANDED:
        return not set(new) <= set(old)
    if old[0] in CALENDAR and new[0] in CALENDAR:
        # A month has no whole weeks: either tells something that the other does not.
        both = (old[0], new[0])
        return ("week" in both and "day" not in both) or _finer(*both)
    if old[0] in CALENDAR or new[0] in CALENDAR:
        return True
    return bool(Decimal(new[0]) % Decimal(old[0]))


def _finer(old: str, new: str) -> bool:
    return CALENDAR.index(new) < CALENDAR.index(old)
