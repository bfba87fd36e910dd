"""ASCII armor: an age file as strict PEM text, for where only text passes. Over file objects.

Anything that is not the one canonical form is refused, white space around the whole excepted:
otherwise one file would have many forms, and a digest of the text would prove nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from tillit.crypto.age.reader import Reader
from tillit.errors import PayloadRefused

__all__ = ["BEGIN", "ArmorReader", "ArmorWriter", "is_armored"]

BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_LINE_BYTES = 48
_MAX_SPACE = 1024


def is_armored(reader: Reader) -> bool:
    """Whether the next bytes are armor rather than an age file itself; takes none of them."""
    return reader.peek(_MAX_SPACE + len(BEGIN)).lstrip().startswith(BEGIN[:11])


class ArmorReader:
    """The age file inside armored text; PayloadRefused ``armor`` for any other form."""

    def __init__(self, text: Reader) -> None:
        self._text = text
        self._done = False
        self._begin()

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes (48 at least), none at the end."""
        parts, have = list[bytes](), 0
        while (not self._done and have <= size - _LINE_BYTES) or not parts:
            part = b"" if self._done else self._line()
            if not part:
                break
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    def _begin(self) -> None:
        skipped = 0
        while not (line := self._text.line(_MAX_SPACE)).strip():
            skipped += len(line)
            if not line or skipped > _MAX_SPACE:
                raise _refused("no beginning")
        if _unended(line) != BEGIN:
            raise _refused("the first line is another")

    def _line(self) -> bytes:
        line = _unended(self._text.line(_MAX_SPACE))
        if line == _END:
            return self._end()
        data = _decode(line)
        if len(line) < _COLUMNS or line.endswith(b"="):
            if _unended(self._text.line(_MAX_SPACE)) != _END:
                raise _refused("a short line that is not the last")
            self._end()
        return data

    def _end(self) -> bytes:
        self._done = True
        if self._text.line(_MAX_SPACE + 1).strip() or self._text.peek(_MAX_SPACE + 1).strip():
            raise _refused("something after the end")
        if len(self._text.peek(_MAX_SPACE + 1)) > _MAX_SPACE:
            raise _refused("something after the end")
        return b""


class ArmorWriter:
    """Writes armored text; `close` writes the end."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._rest = b""
        write(BEGIN + b"\n")

    def write(self, data: memoryview) -> None:
        """Armor these bytes, keeping back what does not fill a line."""
        ready = self._rest + data
        whole = len(ready) - len(ready) % _LINE_BYTES
        self._rest = ready[whole:]
        self._lines(ready[:whole])

    def close(self) -> None:
        """Write the last line and the end."""
        self._lines(self._rest)
        self._write(_END + b"\n")

    def _lines(self, data: bytes) -> None:
        starts = range(0, len(data), _LINE_BYTES)
        self._write(b"".join(base64.b64encode(data[i : i + _LINE_BYTES]) + b"\n" for i in starts))


def _unended(line: bytes) -> bytes:
    """A line without its LF or CRLF."""
    return line[:-2] if line.endswith(b"\r\n") else line.removesuffix(b"\n")


def _decode(line: bytes) -> bytes:
    if not line or len(line) > _COLUMNS:
        raise _refused("a line of another length")
    try:
        data = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("a line that is not Base 64") from None
    if base64.b64encode(data) != line:
        raise _refused("Base 64 that is not canonical")
    return data


def _refused(message: str) -> PayloadRefused:
    return PayloadRefused("armor", f"age armor: {message}")
