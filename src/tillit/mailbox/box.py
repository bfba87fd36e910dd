"""The two sides of a mailbox: what a sender does and what its owner does. I/O by the store.

Who sends and what is sent are strangers' claims here: names are taken only when they fit the
pattern, no more is read than was announced, and everything else is reported as a stray.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from tillit.errors import MailboxUnavailable, PayloadRefused, StatementRefused
from tillit.mailbox.names import (
    is_temporary,
    payload_name,
    payload_seq,
    statement_name,
    statement_seq,
    temporary_name,
    temporary_seq,
)
from tillit.mailbox.store import Entry, Shape, Store
from tillit.model import PARTY_ID

__all__ = ["Incoming", "Outgoing", "Stray", "Waiting"]


@dataclass(frozen=True)
class Waiting:
    """A statement that waits in our inbox; ``size`` is what the mailbox says, in bytes."""

    sender: str
    seq: int
    name: str
    size: int


@dataclass(frozen=True)
class Stray:
    """Something in our inbox that is no object of the exchange; ``path`` is made printable."""

    path: str
    reason: str


class _Side:
    """What both sides have: the store, and letting go of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections; the next call makes them again."""
        self._store.close()


class Outgoing(_Side):
    """A partner's inbox, and in it the folder of our own id."""

    def __init__(self, store: Store, me: str) -> None:
        if not PARTY_ID.fullmatch(me):
            raise ValueError(f"not a party's id: {me!r}")
        super().__init__(store)
        self._me = me
        self._swept = False

    def __repr__(self) -> str:
        return f"Outgoing({self._store!r}, {self._me})"

    def deliver(self, seq: int, statement: bytes, payload: Path | None = None) -> None:
        """Put payload and statement there; what is there already is not put again.

        Can be called again after any failure. Of one sender, numbers are delivered in order. Raises
        MailboxUnavailable, ``conflict`` when another statement of this number still waits there.
        """
        name = statement_name(seq)
        self._sweep(seq)
        there = self._holds(name, statement)
        if payload is not None and not (there and self._same_size(payload_name(seq), payload)):
            self._put(payload_name(seq), payload)
        if not there:
            self._put(name, statement)

    def _put(self, name: str, content: bytes | Path) -> None:
        temporary = temporary_name(name, secrets.token_hex(8))
        self._store.put(self._me, name, content, temporary)

    def _holds(self, name: str, statement: bytes) -> bool:
        """Whether this very statement waits there; a mailbox may let us write and not look."""
        try:
            size = self._store.size(self._me, name)
            if size is None:
                return False
            content = _up_to(self._store.read(self._me, name), len(statement) + 1)
        except MailboxUnavailable as error:
            if error.code in ("mailbox.denied", "mailbox.missing-object"):
                return False
            raise
        if content != statement:
            raise MailboxUnavailable(
                "conflict",
                f"another statement waits in the mailbox as {name}",
                expected=f"ours, {len(statement)} bytes",
                found=f"{size} bytes",
            )
        return True

    def _same_size(self, name: str, payload: Path) -> bool:
        """Whether the payload lies beside its statement, which pins its digest."""
        try:
            return self._store.size(self._me, name) == payload.stat().st_size
        except FileNotFoundError:
            return True  # delivered before and removed from the outbox since
        except MailboxUnavailable as error:
            if error.code == "mailbox.denied":
                return True
            raise

    def _sweep(self, seq: int) -> None:
        """Once, remove what a killed delivery of an earlier number has left half-written."""
        if self._swept:
            return
        self._swept = True
        try:
            for entry in list(self._store.scan(self._me)):
                earlier = temporary_seq(entry.name)
                if earlier is not None and earlier <= seq and entry.shape is Shape.FILE:
                    self._store.remove(self._me, entry.name)
        except MailboxUnavailable as error:
            if error.code != "mailbox.denied":
                raise


class Incoming(_Side):
    """Our own inbox."""

    def __repr__(self) -> str:
        return f"Incoming({self._store!r})"

    def prepare(self) -> None:
        """Make the inbox if it is missing, so that partners can deliver."""
        self._store.prepare()

    def senders(self) -> list[str]:
        """Ids that have a folder here, known or not, in order."""
        return sorted(entry.name for entry in self._store.scan() if _is_sender(entry))

    def is_anything_waiting(self) -> bool:
        """Whether any statement waits, found as cheaply as the store can."""
        return any(_is_statement(e) for sender in self.senders() for e in self._store.scan(sender))

    def waiting(self, sender: str, *, limit: int = 10_000) -> list[Waiting]:
        """The statements of a sender that wait, lowest numbers first, at most ``limit``."""
        _require_id(sender)
        found = (
            (seq, entry)
            for entry in self._store.scan(sender)
            if entry.shape is Shape.FILE and (seq := statement_seq(entry.name)) is not None
        )
        lowest = heapq.nsmallest(limit, found, key=lambda pair: pair[0])
        return [Waiting(sender, seq, entry.name, entry.size) for seq, entry in lowest]

    def strays(self, *, limit: int = 1000) -> list[Stray]:
        """What lies in the inbox and is nothing we know: it is never read and never removed."""
        found = []
        for stray in self._strays():
            found.append(stray)
            if len(found) >= limit:
                break
        return sorted(found, key=lambda stray: stray.path)

    def _strays(self) -> Iterator[Stray]:
        for entry in self._store.scan():
            if _is_sender(entry):
                for inner in self._store.scan(entry.name):
                    reason = _why_stray(inner)
                    if reason is not None:
                        yield Stray(f"{entry.name}/{_printable(inner.name)}", reason)
            else:
                yield Stray(_printable(entry.name), "not the folder of a party's id")

    def read_statement(self, waiting: Waiting, *, max_bytes: int, cut: bool = False) -> bytes:
        """A statement's bytes as they came; with ``cut`` no more than the first ``max_bytes``.

        Raises StatementRefused ``too-large``, MailboxUnavailable ``missing-object``.
        """
        _require_id(waiting.sender)
        name = statement_name(waiting.seq)
        content = _up_to(self._store.read(waiting.sender, name), max_bytes + 1)
        if len(content) <= max_bytes:
            return content
        if cut:
            return content[:max_bytes]
        raise StatementRefused(
            "too-large",
            f"{waiting.sender}/{name} is larger than a statement can be",
            expected=f"at most {max_bytes} bytes",
            found=f"{waiting.size} bytes",
        )

    def fetch_payload(self, sender: str, name: str, sink: BinaryIO, *, expected_bytes: int) -> None:
        """Write a payload into ``sink`` as it comes, never more than was announced.

        Raises PayloadRefused ``missing`` or ``size``; the sink may then hold a part of it.
        """
        _require_id(sender)
        size = None if payload_seq(name) is None else self._store.size(sender, name)
        if size is None:
            raise PayloadRefused(
                "missing",
                "the payload is not in the mailbox",
                expected=f"a payload of {expected_bytes} bytes",
                found=f"none under the name {name}",
            )
        got = 0
        if size == expected_bytes:
            for piece in self._store.read(sender, name):
                got += len(piece)
                if got > expected_bytes:
                    break
                sink.write(piece)
            size = got
        if size != expected_bytes:
            raise PayloadRefused(
                "size",
                f"{sender}/{name} is not of the size that its statement says",
                expected=f"{expected_bytes} bytes",
                found=f"{size} bytes" if got <= expected_bytes else "more",
            )

    def remove(self, sender: str, seq: int) -> None:
        """Remove a statement and its payload; what is gone already is no error.

        The payload goes first: interrupted, the statement is met again and removed again. What is
        no file in a payload's place stays, as a stray: it must not keep the statement there.
        """
        _require_id(sender)
        try:
            self._store.remove(sender, payload_name(seq))
        except MailboxUnavailable:
            if self._store.size(sender, payload_name(seq)) is not None:
                raise
        self._store.remove(sender, statement_name(seq))


def _require_id(sender: str) -> None:
    if not PARTY_ID.fullmatch(sender):
        raise ValueError(f"not a party's id: {sender!r}")


def _is_sender(entry: Entry) -> bool:
    return entry.shape is Shape.FOLDER and PARTY_ID.fullmatch(entry.name) is not None


def _is_statement(entry: Entry) -> bool:
    return entry.shape is Shape.FILE and statement_seq(entry.name) is not None


def _why_stray(entry: Entry) -> str | None:
    if entry.shape is not Shape.FILE:
        return "not a plain file"
    known = statement_seq(entry.name) or payload_seq(entry.name) or is_temporary(entry.name)
    return None if known else "not the name of a statement or a payload"


def _printable(name: str) -> str:
    return ascii(name[:200])[1:-1]


def _up_to(parts: Iterator[bytes], most: int) -> bytes:
    """At most so many of the first bytes; no more than a piece beyond them is read."""
    content = bytearray()
    for part in parts:
        content += part
        if len(content) >= most:
            break
    return bytes(content[:most])
