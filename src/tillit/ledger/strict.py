"""Reading JSON that somebody else wrote, so that it can only mean one thing. Pure.

Unknown, missing and repeated keys are refused, numbers are whole and bounded, text is printable
and bounded. Everything raises StatementRefused with the code ``statement.malformed`` and the path
of what was wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NoReturn

from tillit.errors import StatementRefused
from tillit.model import isoformat, parse_instant

__all__ = [
    "DIGEST",
    "MAX_INTEGER",
    "Fields",
    "canonical",
    "items",
    "plain",
    "read_object",
    "refuse",
]

MAX_INTEGER = 2**53 - 1  # what every reader of JSON holds exactly
DIGEST = re.compile(r"[0-9a-f]{64}")


class Fields:
    """An object with exactly these keys; ``path`` says where it stands, for people."""

    def __init__(self, value: object, path: str, keys: Collection[str]) -> None:
        if not isinstance(value, dict):
            refuse(path, "an object", value)
        wanted = set(keys)
        if set(value) != wanted:
            missing, unknown = sorted(wanted - set(value)), sorted(set(value) - wanted)
            what = f"without {missing[0]}" if missing else f"with {unknown[0]}"
            refuse(path, f"exactly the keys {', '.join(sorted(wanted))}", what)
        self._values: Mapping[str, Any] = value
        self.path = path

    def value(self, key: str) -> Any:
        """Whatever stands under the key."""
        return self._values[key]

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.path}.{key}"

    def text(self, key: str, pattern: re.Pattern[str] | None = None, *, longest: int = 200) -> str:
        """Printable text that matches the pattern as a whole."""
        value = self.value(key)
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            refuse(self.at(key), f"printable text of at most {longest} characters", value)
        if pattern is not None and not pattern.fullmatch(value):
            refuse(self.at(key), pattern.pattern, value)
        return value

    def optional(
        self, key: str, pattern: re.Pattern[str] | None = None, *, longest: int = 200
    ) -> str | None:
        """Text, or null."""
        return None if self.value(key) is None else self.text(key, pattern, longest=longest)

    def one_of(self, key: str, allowed: Collection[str]) -> str:
        """One of some words."""
        value = self.value(key)
        if not isinstance(value, str) or value not in allowed:
            refuse(self.at(key), f"one of {', '.join(sorted(allowed))}", value)
        return value

    def count(self, key: str, *, least: int = 0, most: int = MAX_INTEGER) -> int:
        """A whole number; true and false are none, though Python counts them as such."""
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            refuse(self.at(key), f"a whole number from {least} to {most}", value)
        return value

    def digest(self, key: str) -> str:
        """A SHA-256 in lower-case hexadecimal."""
        return self.text(key, DIGEST)

    def instant(self, key: str) -> datetime:
        """A time in UTC, written in the one form in which we write it."""
        value = self.text(key)
        try:
            when = parse_instant(value)
        except ValueError:
            when = None
        if when is None or isoformat(when) != value:
            refuse(self.at(key), "a time like 2026-03-01T06:00:00Z", value)
        return when

    def items(self, key: str, *, most: int) -> list[Any]:
        """A list of at most so many things."""
        return items(self.value(key), self.at(key), most)


def items(value: object, path: str, most: int) -> list[Any]:
    """A list of at most so many things."""
    if not isinstance(value, list) or len(value) > most:
        refuse(path, f"a list of at most {most}", value)
    return value


def read_object(payload: bytes, path: str, keys: Collection[str], *, longest: int) -> Fields:
    """Bytes as one JSON object with exactly these keys; also raises ``statement.too-large``."""
    if len(payload) > longest:
        raise StatementRefused(
            "too-large", path, expected=f"at most {longest} bytes", found=len(payload)
        )
    try:
        value = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_unrepeated,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError) as error:
        # Not the error's text: it may repeat a part of what was read.
        refuse(path, "JSON without repeated keys and broken numbers", type(error).__name__)
    return Fields(value, path, keys)


def canonical(value: object) -> bytes:
    """JSON as RFC 8785 writes it, for what we make: objects, lists, text, whole numbers, null."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    ).encode("utf-8")


def plain(text: str, longest: int) -> str:
    """Our own free text in a form that the other side will not refuse."""
    kept = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return kept if len(kept) <= longest else kept[: longest - 3] + "..."


def refuse(path: str, expected: str, found: object) -> NoReturn:
    """Raise ``statement.malformed``, shown in a few words: what was found is a stranger's."""
    shown = f"{type(found).__name__} of {len(found)}" if isinstance(found, dict | list) else found
    raise StatementRefused("malformed", path, expected=expected, found=f"{shown}")


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
