"""The textual header of an age file: version, stanzas, MAC. Pure, over a `Reader`.

In the order of the specification. Every deviation is refused: two readers that parsed one header
differently could be shown two different files.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tillit.crypto.age.reader import Reader
from tillit.errors import PayloadRefused

__all__ = [
    "Header",
    "Stanza",
    "check_mac",
    "decode64",
    "derive",
    "encode64",
    "encode_header",
    "malformed",
    "read_header",
]

_VERSION = b"age-encryption.org/v1\n"
_ARGUMENTS = re.compile(rb"-> [\x21-\x7e]+(?: [\x21-\x7e]+)*\n")
_BODY_COLUMNS = 64
_MAX_COLUMNS = 256
# Room for 150 hybrid recipients. Every stanza costs the receiver a key agreement per identity, so
# a stranger's header must not be long.
_MAX_HEADER = 256 * 1024


@dataclass(frozen=True)
class Stanza:
    """The file key, wrapped for one recipient; ``kind`` is the first argument."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """The stanza's lines; the last is shorter than 64 columns and may be empty."""
        body = encode64(self.body)
        lines = [body[i : i + _BODY_COLUMNS] for i in range(0, len(body) + 1, _BODY_COLUMNS)]
        return "\n".join([" ".join(["->", self.kind, *self.arguments]), *lines, ""]).encode("ascii")


@dataclass(frozen=True)
class Header:
    """A parsed header; ``covered`` are the exact bytes that the MAC is over."""

    stanzas: tuple[Stanza, ...]
    covered: bytes
    mac: bytes


def malformed(message: str, *, expected: object = None, found: object = None) -> PayloadRefused:
    """The refusal of a header that is not as the specification says."""
    return PayloadRefused("header", f"age header: {message}", expected=expected, found=found)


def encode64(data: bytes) -> str:
    """Standard Base 64 without padding."""
    return base64.b64encode(data).rstrip(b"=").decode("ascii")


def decode64(text: str) -> bytes:
    """The inverse of `encode64`; padding and any other encoding of the same bytes are refused."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise malformed("Base 64 expected") from None
    if encode64(data) != text:
        raise malformed("Base 64 that is not canonical")
    return data


def derive(key: bytes, *, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 32 bytes."""
    return HKDF(hashes.SHA256(), 32, salt, info).derive(key)


def encode_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """The header with these stanzas, authenticated under the file key."""
    covered = _VERSION + b"".join(stanza.encode() for stanza in stanzas) + b"---"
    return covered + b" " + encode64(_mac(file_key, covered)).encode("ascii") + b"\n"


def read_header(reader: Reader) -> Header:
    """Read up to the end of the MAC line; the payload's nonce comes next.

    Raises PayloadRefused: ``not-age``, ``unsupported`` for a later version, ``header``.
    """
    # 1. Version.
    version = reader.line(_MAX_COLUMNS)
    if not version.startswith(b"age-encryption.org/"):
        raise PayloadRefused("not-age", "not an age file", expected=_VERSION.decode().strip())
    if version != _VERSION:
        found = version.removesuffix(b"\n").decode("ascii", "replace")
        code = "unsupported" if re.fullmatch(rb"[\x21-\x7e]+\n", version) else "header"
        raise PayloadRefused(
            code, "age header: another version", expected=_VERSION.decode().strip(), found=found
        )
    # 2. One or more stanzas.
    covered, stanzas = bytearray(version), list[Stanza]()
    line = _line(reader, _MAX_HEADER - len(covered))
    while line.startswith(b"->"):
        stanza, lines = _read_stanza(reader, line, _MAX_HEADER - len(covered))
        stanzas.append(stanza)
        covered += lines
        line = _line(reader, _MAX_HEADER - len(covered))
    if not stanzas:
        raise malformed("no recipient")
    # 3. MAC.
    if not re.fullmatch(rb"--- [A-Za-z0-9+/]{43}\n", line):
        raise malformed("neither a stanza nor the line with the MAC")
    return Header(tuple(stanzas), bytes(covered + b"---"), decode64(line[4:-1].decode("ascii")))


def check_mac(header: Header, file_key: bytes) -> None:
    """Refuse a header that was changed after it was written (``hmac``)."""
    if not hmac.compare_digest(_mac(file_key, header.covered), header.mac):
        raise PayloadRefused("hmac", "the age header was changed after it was written")


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.digest(derive(file_key, salt=b"", info=b"header"), covered, "sha256")


def _read_stanza(reader: Reader, line: bytes, room: int) -> tuple[Stanza, bytes]:
    if not _ARGUMENTS.fullmatch(line):
        raise malformed("a stanza's arguments", found=line[:80].decode("ascii", "replace"))
    kind, *arguments = line[3:-1].decode("ascii").split(" ")
    lines, body = bytearray(line), list[bytes]()
    while True:
        part = _line(reader, room - len(lines))
        lines += part
        body.append(part[:-1])
        if len(body[-1]) > _BODY_COLUMNS:
            raise malformed("a stanza's line of more than 64 columns")
        if len(body[-1]) < _BODY_COLUMNS:
            break
    try:
        text = b"".join(body).decode("ascii")
    except UnicodeDecodeError:
        raise malformed("Base 64 expected") from None
    return Stanza(kind, tuple(arguments), decode64(text)), bytes(lines)


def _line(reader: Reader, room: int) -> bytes:
    line = reader.line(max(room, 0))
    if not line.endswith(b"\n"):
        raise malformed("it does not end, or is longer than 256 KiB")
    return line
