"""Regular expressions of a contract, held to what ECMA-262 and RE2 read alike. Pure.

ODCS patterns are ECMA-262; DuckDB searches with RE2, which takes time in proportion to the text
whatever the pattern. Only the common part is allowed: no look-around, no back references, no
classes by property, no lazy or possessive repetition, and repetitions that RE2 accepts.
"""

from __future__ import annotations

import re

from tillit.errors import ContractRefused
from tillit.sql.text import literal

__all__ = ["found", "to_re2"]

_LONGEST = 500
_MOST_REPETITIONS = 1000  # RE2's own limit, nested ones multiplied
_LARGEST = 5000  # far under where RE2 gives up for want of memory
_TOKEN = re.compile(
    r"""(?P<class>\[(?!\^\])\^?(?:\\.[0-9a-fA-F]{0,4}|[^\]\[\\])+\])
      | (?P<open>\((?:\?:)?)
      | (?P<close>\))
      | (?P<repeat>[*+?]|\{[0-9]{1,4}(?:,[0-9]{0,4})?\})
      | (?P<escape>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[dDwWsStnrfv.\\/\-^$*+?()\[\]{}|]))
      | (?P<other>[|^$])
      | (?P<literal>[^\\\[\](){}*+?|^$])""",
    re.VERBOSE | re.DOTALL,
)
_CLASS_ITEM = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[dDwWsStnrfv.\\/\-^$*+?()\[\]{}|])|[^\\]", re.DOTALL
)
_POINT = re.compile(r"\\[xu]([0-9a-fA-F]+)")
_SETS = ("\\d", "\\D", "\\w", "\\W", "\\s", "\\S")


def to_re2(pattern: str, where: str) -> str:
    """The pattern as RE2 writes it.

    Raises ContractRefused ``unsupported`` for what the two languages do not share.
    """
    if not 0 < len(pattern) <= _LONGEST:
        raise _refused(where, f"at most {_LONGEST} characters", pattern)
    written: list[str] = []
    groups: list[int] = []  # for each open group, the size of what stands before it
    position, size, atom = 0, 0, 0  # atom: size of what a repetition would repeat, 0 for nothing
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise _refused(where, "what ECMA-262 and RE2 share", pattern[position:])
        kind, text = token.lastgroup, token.group()
        position = token.end()
        if kind == "open":
            groups.append(size)
            size = atom = 0
        elif kind == "close":
            if not groups:
                raise _refused(where, "brackets in pairs", pattern)
            atom = max(size, 1)
            size += groups.pop()
        elif kind == "repeat":
            if not atom or atom * _most(text) > _MOST_REPETITIONS:
                raise _refused(where, f"at most {_MOST_REPETITIONS} repetitions of something", text)
            size += atom * (_most(text) - 1)
            atom = 0
        else:
            size += 1
            atom = 0 if kind == "other" else 1
        written.append(_class(text, where) if kind == "class" else _escaped(text, where))
    if groups or size > _LARGEST:
        expected = f"brackets in pairs, and at most {_LARGEST} steps when written out"
        raise _refused(where, expected, pattern)
    return "".join(written)


def found(text: str, pattern: str) -> str:
    """SQL: whether a pattern of RE2 is found anywhere in ``text``, which is SQL; null for null.

    A full match of the pattern with anything around it, because ``regexp_matches`` may throw, as
    DuckDB sees it, and so is asked of every row; this one only of the values that differ, which
    takes a fiftieth of the time in a column whose values repeat.
    """
    return f"regexp_full_match({text}, {literal(f'(?s:.*)(?:{pattern})(?s:.*)')})"


def _most(repeat: str) -> int:
    if repeat[0] != "{":
        return 1
    least, _, most = repeat[1:-1].partition(",")
    if most and int(most) < int(least):
        return _MOST_REPETITIONS + 1
    return max(int(least), int(most or least), 1)


def _class(text: str, where: str) -> str:
    """A class; no ranges that run backwards or from a set, no signs doubled as set operations."""
    start = "[^" if text.startswith("[^") else "["
    inside = text[len(start) : -1]
    items = _CLASS_ITEM.findall(inside)
    if "".join(items) != inside or any(sign in inside for sign in ("--", "&&", "~~", "||", "[:")):
        raise _refused(where, "a class that all readers read alike", text)
    for number, item in enumerate(items[1:-1], start=1):
        if item == "-":
            low, high = items[number - 1], items[number + 1]
            if low in _SETS or high in _SETS or _point(low) > _point(high):
                raise _refused(where, "a range that runs upwards", text)
    return start + "".join(_escaped(item, where) for item in items) + "]"


def _escaped(text: str, where: str) -> str:
    if not text.startswith("\\u"):
        return text
    if text[2] in "dD" and text[3] in "89abcdefABCDEF":
        raise _refused(where, "no half of a surrogate pair", text)
    return f"\\x{{{text[2:]}}}"


def _point(item: str) -> int:
    code = _POINT.fullmatch(item)
    if code:
        return int(code[1], 16)
    controls = {"\\t": 9, "\\n": 10, "\\v": 11, "\\f": 12, "\\r": 13}
    return controls.get(item, ord(item[-1]))


def _refused(where: str, expected: str, found: str) -> ContractRefused:
    return ContractRefused(
        "unsupported", f"{where} is not a pattern", expected=expected, found=found
    )
