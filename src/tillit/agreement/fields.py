"""Read one value of a document by hand, with the JSON Schema that says the same. Pure.

Every reader takes the value and the place where it stands (``terms.columns.quantity``), returns
what it means, and raises ContractRefused with what was expected, what was found and where. The
schemas are for editors and other people's tools; a test holds both to the same verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tillit.errors import ContractRefused
from tillit.model import parse_instant

__all__ = [
    "INSTANT",
    "SEMVER",
    "Schema",
    "distinct",
    "distinct_schema",
    "instant",
    "mapping",
    "mapping_schema",
    "matched",
    "number",
    "one_of",
    "pattern_schema",
    "prose",
    "prose_schema",
    "refuse",
    "whole",
    "whole_schema",
]

Schema = Mapping[str, Any]

SEMVER = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.(?:0|[1-9][0-9]{0,5})){2}")
# Two centuries, so that no sum of hours leaves the calendar.
INSTANT = re.compile(
    r"2[01][0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
)
# Controls other than a new line, marks that turn the direction of writing or have no width: with
# them a signed text can show another sentence than it holds.
_PROSE = re.compile(
    r"(?=[\s\S]*\S)[^\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb]*"
)
_LONGEST_PROSE = 4000


def refuse(code: str, at: str, expected: object, found: object) -> ContractRefused:
    """The refusal of what stands at a place of the document."""
    return ContractRefused(code, f"{at} cannot be used", expected=expected, found=_named(found))


def _named(value: object) -> str:
    """What was found, as a person would call it."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"{type(value).__name__} {value!r}" if not isinstance(value, str) else repr(value)


def mapping(
    value: object, at: str, required: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, Any]:
    """A mapping with these keys and no others; ``at`` is empty for the whole document."""
    where = at or "the agreement"
    if not isinstance(value, dict):
        raise refuse("wrong-value", where, "a mapping", value)
    needed = tuple(required)
    known = frozenset((*needed, *optional))
    if not known.issuperset(value):
        key = next(key for key in value if key not in known)
        raise ContractRefused(
            "unknown-key",
            f"{_join(at, key)} is not known",
            expected=f"of {where} only {', '.join(sorted(known))}",
            found=repr(key),
        )
    for key in needed:
        if key not in value:
            raise ContractRefused(
                "missing-key",
                f"{_join(at, key)} is missing",
                expected=f"a key {key} in {where}",
                found=", ".join(value) or "nothing",
            )
    return value


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key


def mapping_schema(
    properties: Mapping[str, Schema], required: Iterable[str], description: str = ""
) -> Schema:
    """The schema of `mapping`."""
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": dict(properties),
    }
    return {"description": description, **schema} if description else schema


def matched(value: object, at: str, pattern: re.Pattern[str], expected: str) -> str:
    """A text that is the pattern from its first to its last character."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise refuse("wrong-value", at, expected, value)
    return value


def pattern_schema(pattern: re.Pattern[str], description: str) -> Schema:
    """The schema of `matched`; ``$`` is the end, as in ECMA's expressions."""
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$", "description": description}


def one_of(value: object, at: str, choices: Iterable[str]) -> str:
    """One word of a list."""
    words = tuple(choices)
    if not isinstance(value, str) or value not in words:
        raise refuse("wrong-value", at, " or ".join(words), value)
    return value


def number(value: object, at: str, least: float, most: float) -> float:
    """A finite number from ``least`` to ``most``; true and false are none."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not least <= value <= most:  # type: ignore[arg-type, operator]
        raise refuse("wrong-value", at, f"a number from {least:g} to {most:g}", value)
    return float(value)  # type: ignore[arg-type]


def whole(value: object, at: str, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``; true and false are none."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise refuse("wrong-value", at, f"a whole number from {least} to {most}", value)
    return value


def whole_schema(least: int, most: int, description: str) -> Schema:
    """The schema of `whole`."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


def distinct(
    value: object, at: str, pattern: re.Pattern[str], expected: str, most: int
) -> tuple[str, ...]:
    """A list of 1 to ``most`` different texts of a pattern."""
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise refuse("wrong-value", at, f"a list of 1 to {most}: {expected}", value or "none")
    found = tuple(
        matched(item, f"{at}[{place}]", pattern, expected) for place, item in enumerate(value)
    )
    if len(set(found)) != len(found):
        raise refuse("wrong-value", at, "each once", ", ".join(found))
    return found


def distinct_schema(pattern: re.Pattern[str], most: int, description: str) -> Schema:
    """The schema of `distinct`."""
    return {
        "description": description,
        "type": "array",
        "minItems": 1,
        "maxItems": most,
        "uniqueItems": True,
        "items": {"type": "string", "pattern": f"^(?:{pattern.pattern})$"},
    }


def instant(value: object, at: str) -> datetime:
    """An instant in UTC, to the second."""
    expected = "an instant like 2026-03-01T06:00:00Z"
    text = matched(value, at, INSTANT, expected)
    try:
        return parse_instant(text)
    except ValueError:  # 30 February
        raise refuse("wrong-value", at, expected, value) from None


def prose(value: object, at: str) -> str:
    """Words for people: some, not too many, and none that show other than they are."""
    good = isinstance(value, str) and len(value) <= _LONGEST_PROSE and _PROSE.fullmatch(value)
    if not good:
        expected = f"1 to {_LONGEST_PROSE} characters without controls and marks of direction"
        raise refuse("wrong-value", at, expected, value)
    return str(value)


def prose_schema(description: str) -> Schema:
    """The schema of `prose`."""
    return {**pattern_schema(_PROSE, description), "maxLength": _LONGEST_PROSE}
