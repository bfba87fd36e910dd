"""Bech32 (BIP 173) as age uses it: without the limit on length. Pure."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["decode", "encode"]

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, data: bytes) -> str:
    """The lower-case Bech32 string of ``data``; identities are shown in capitals by the caller."""
    values = _regroup(data, 8, 5, pad=True)
    checksum = _polymod([*_expand(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [(checksum >> 5 * (5 - i)) & 31 for i in range(6)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes]:
    """Prefix (lower case) and data; ValueError for mixed case, a wrong letter or checksum.

    The message never shows the text: it may be a secret key.
    """
    if text not in (text.lower(), text.upper()):
        raise ValueError("upper and lower case are mixed")
    prefix, mark, rest = text.lower().rpartition("1")
    if not mark or not prefix or len(rest) < 6 or not prefix.isascii():
        raise ValueError("not a Bech32 string")
    if any(letter not in _VALUE for letter in rest):
        raise ValueError("a letter that Bech32 does not have")
    values = [_VALUE[letter] for letter in rest]
    if _polymod([*_expand(prefix), *values]) != 1:
        raise ValueError("the checksum does not match: a typing error, or cut short")
    return prefix, bytes(_regroup(values[:-6], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    codes = [ord(letter) for letter in prefix]
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= term
    return check


def _regroup(data: Iterable[int], width: int, into: int, *, pad: bool) -> list[int]:
    """Groups of ``width`` bits as groups of ``into`` bits, most significant first."""
    pending, bits, groups = 0, 0, []
    for value in data:
        pending = (pending << width | value) & 0xFFF
        bits += width
        while bits >= into:
            bits -= into
            groups.append(pending >> bits & (1 << into) - 1)
    rest = pending & (1 << bits) - 1
    if pad:
        return [*groups, rest << into - bits] if bits else groups
    if bits >= width or rest:
        raise ValueError("left-over bits that are not zero")
    return groups
