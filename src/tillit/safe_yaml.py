"""YAML that a stranger may have written, read so that it can only mean one thing. Pure.

Documents here are signed, so two programs must not read two things in one text. Anchors, aliases,
merge keys, tags, several documents and keys given twice are refused. So is every plain scalar that
YAML 1.1 and YAML 1.2 read differently: ``no``, ``on``, ``010``, ``0x1f``, ``1_000``, ``12:30``,
``1e3``. Whoever means text writes it in quotes.

What a plain scalar becomes: ``null`` or ``~`` is None; ``true`` and ``false`` are bool; ``12`` is
int; ``1.5`` is float; all else is str. **A date stays text** (``2026-03-01`` is ``"2026-03-01"``),
because only its reader knows whether it is a day or an instant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from tillit.errors import ContractRefused

__all__ = ["load"]

_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
# Truth in YAML 1.1 and text in 1.2.
_TRUTHS = frozenset(
    form for word in ("yes", "no", "on", "off") for form in (word, word.title(), word.upper())
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,37})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,38}\.[0-9]{0,38}(?:[eE][-+][0-9]{1,3})?")
# What either version of YAML takes for a number, beyond the two forms above: leading zeros,
# underscores, hexadecimal, octal and binary, sixties, exponents without a point or a sign.
_NUMBER_TO_SOMEONE = re.compile(
    r"""[-+]?(?:
        0b[01_]+ | 0o?[0-9_]+ | 0x[0-9a-fA-F_]+
      | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
      | (?:[0-9][0-9_]*)?\.?[0-9_]*(?:[eE][-+]?[0-9]+)?
      | \.(?:inf|Inf|INF)
    ) | \.(?:nan|NaN|NAN)""",
    re.VERBOSE,
)
_STARTS_NUMBER = frozenset("+-.0123456789")
_DIGITS = frozenset("0123456789")
_NUMERIC = frozenset("+-.:_0123456789eEinfaINFA")


def load(
    text: bytes, *, what: str, max_bytes: int = 256 * 1024, max_depth: int = 20
) -> dict[str, Any]:
    """Read one YAML mapping; ``what`` names the document in the refusal.

    Raises ContractRefused: ``too-large``, ``not-utf8``, ``not-yaml``, ``alias``, ``duplicate-key``,
    ``too-deep``, ``unsupported`` (merge keys, tags, several documents) or ``wrong-value``.
    """
    if len(text) > max_bytes:
        raise ContractRefused(
            "too-large",
            f"{what} is too large",
            expected=f"at most {max_bytes} bytes",
            found=len(text),
        )
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ContractRefused("not-utf8", f"{what} is not UTF-8", found=str(error)) from None
    reader = _Reader(decoded, what, max_depth)
    try:
        return reader.document()
    except yaml.YAMLError as error:
        raise ContractRefused("not-yaml", f"{what} is not YAML", found=_first(error)) from None
    finally:
        reader.loader.dispose()


def _read_in_two_ways(value: str) -> bool:
    """Whether some YAML reader takes the text for a number, by the letters alone when it is long.

    The pattern goes back over digits, which a long text would make slow.
    """
    if len(value) > 64:
        return _NUMERIC.issuperset(value)
    if _DIGITS.isdisjoint(value) and value[-3:].lower() not in ("inf", "nan"):
        return False
    return _NUMBER_TO_SOMEONE.fullmatch(value) is not None


def _first(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = "" if mark is None else f" in line {mark.line + 1}"
    return f"{getattr(error, 'problem', None) or 'characters that may not stand in YAML'}{line}"


class _Reader:
    """Builds values from the C parser's events, so that nothing is built that is refused."""

    def __init__(self, text: str, what: str, max_depth: int) -> None:
        self.loader = yaml.CSafeLoader(text)
        self._what = what
        self._max_depth = max_depth

    def document(self) -> dict[str, Any]:
        next_event = self.loader.get_event
        next_event()  # start of the stream
        if not isinstance(next_event(), yaml.DocumentStartEvent):
            raise self._wrong("is empty", "a mapping", "nothing")
        top = next_event()
        if not isinstance(top, yaml.MappingStartEvent):
            found = "a list" if isinstance(top, yaml.SequenceStartEvent) else "a single value"
            raise self._wrong("does not hold a mapping", "a mapping", found)
        value: dict[str, Any] = self._value(top, 1)
        next_event()  # end of the document
        if not isinstance(next_event(), yaml.StreamEndEvent):
            raise ContractRefused("unsupported", f"{self._what} holds several documents")
        return value

    def _value(self, event: Any, depth: int) -> Any:
        # By the class itself: the parser makes no others, and this runs for each key and value.
        made = type(event)
        if made is yaml.AliasEvent or event.anchor is not None:
            raise self._refusal("alias", "uses an anchor or an alias", event)
        if event.tag is not None:
            raise self._refusal("unsupported", "uses a tag", event)
        if made is yaml.ScalarEvent:
            return self._plain(event) if event.implicit[0] else event.value
        if depth > self._max_depth:
            raise self._refusal("too-deep", f"is nested deeper than {self._max_depth}", event)
        if made is yaml.MappingStartEvent:
            return self._mapping(depth)
        next_event = self.loader.get_event
        items = []
        while type(item := next_event()) is not yaml.SequenceEndEvent:
            items.append(self._value(item, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        next_event: Callable[[], Any] = self.loader.get_event
        value_of, deeper = self._value, depth + 1
        mapping: dict[str, Any] = {}
        while type(item := next_event()) is not yaml.MappingEndEvent:
            key = value_of(item, deeper)
            if not isinstance(key, str):
                raise self._refusal("wrong-value", "has a key that is not text", item)
            if key == "<<" and item.implicit[0]:
                raise self._refusal("unsupported", "uses a merge key", item)
            if key in mapping:
                raise self._refusal("duplicate-key", f"has the key {key!r} twice", item)
            mapping[key] = value_of(next_event(), deeper)
        return mapping

    def _plain(self, event: Any) -> Any:
        value: str = event.value
        if value in _CONSTANTS:
            return _CONSTANTS[value]
        if value[0] in _STARTS_NUMBER:
            if _INTEGER.fullmatch(value):
                return int(value)
            if _DECIMAL.fullmatch(value):
                return float(value)
            if _read_in_two_ways(value):
                raise self._refusal(
                    "wrong-value", "has a number that is read in two ways: quote it", event
                )
        elif value in _TRUTHS:
            raise self._refusal(
                "wrong-value", f"says {value}, which some read as truth: quote it", event
            )
        return value

    def _wrong(self, message: str, expected: str, found: str) -> ContractRefused:
        return ContractRefused(
            "wrong-value", f"{self._what} {message}", expected=expected, found=found
        )

    def _refusal(self, code: str, message: str, event: Any) -> ContractRefused:
        return ContractRefused(
            code, f"{self._what} {message}", found=f"line {event.start_mark.line + 1}"
        )
