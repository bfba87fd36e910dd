"""Names of objects in a mailbox. Pure.

A name is made from a number and read back by a pattern; nothing that a partner wrote becomes a
path here.
"""

from __future__ import annotations

import re

__all__ = [
    "LAST_SEQ",
    "is_temporary",
    "payload_name",
    "payload_seq",
    "statement_name",
    "statement_seq",
    "temporary_name",
    "temporary_seq",
]

LAST_SEQ = 9_999_999_999

_STATEMENT = re.compile(r"([0-9]{10})\.dsse\.json", re.ASCII)
_PAYLOAD = re.compile(r"([0-9]{10})\.age", re.ASCII)
_TEMPORARY = re.compile(r"\.([0-9]{10})\.(?:age|dsse\.json)\.[0-9a-f]{8,64}\.part", re.ASCII)


def statement_name(seq: int) -> str:
    """``0000000007.dsse.json``; ValueError for a number that no statement can have."""
    return f"{_number(seq)}.dsse.json"


def payload_name(seq: int) -> str:
    """``0000000007.age``; ValueError for a number that no statement can have."""
    return f"{_number(seq)}.age"


def _number(seq: int) -> str:
    if not 1 <= seq <= LAST_SEQ:
        raise ValueError(f"a sequence number lies between 1 and {LAST_SEQ}, not {seq}")
    return f"{seq:010d}"


def statement_seq(name: str) -> int | None:
    """The number of a statement's name, None for any other name."""
    return _seq(_STATEMENT, name)


def payload_seq(name: str) -> int | None:
    """The number of a payload's name, None for any other name."""
    return _seq(_PAYLOAD, name)


def temporary_name(name: str, token: str) -> str:
    """The name under which an object is written before it is whole."""
    return f".{name}.{token}.part"


def temporary_seq(name: str) -> int | None:
    """The number of the object that a temporary name is for, None for any other name."""
    return _seq(_TEMPORARY, name)


def is_temporary(name: str) -> bool:
    """Whether the object is still being written, or was when its writer died."""
    return temporary_seq(name) is not None


def _seq(pattern: re.Pattern[str], name: str) -> int | None:
    found = pattern.fullmatch(name)
    return (int(found[1]) or None) if found else None
