"""Seal: a Parquet file into an age file for a partner's keys. I/O: the home's outbox."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tillit.crypto import age
from tillit.home import Home
from tillit.ledger.bodies import PayloadRef

__all__ = ["SealedPayload", "payload_name", "seal"]


def payload_name(seq: int) -> str:
    """The name of the payload that belongs to the statement of that number."""
    return f"{seq:010d}.age"


@dataclass(frozen=True)
class SealedPayload:
    """A sealed file in the outbox; ``plaintext_bytes`` is the size of what is in it."""

    path: Path
    bytes: int
    sha256: str
    plaintext_bytes: int

    def reference(self, seq: int) -> PayloadRef:
        """How the statement of that number refers to it."""
        return PayloadRef(
            name=payload_name(seq),
            bytes=self.bytes,
            sha256=self.sha256,
            plaintext_bytes=self.plaintext_bytes,
        )


def seal(home: Home, parquet: Path, recipient: str) -> SealedPayload:
    """Seal a file for all keys of a party, into the outbox under the digest of what is sealed."""
    outbox = home.place("outbox")
    handle, name = tempfile.mkstemp(prefix=".sealing-", dir=outbox)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as sink, parquet.open("rb") as source:
            made = age.encrypt(source, sink, home.party(recipient).recipients)
            sink.flush()
            os.fsync(sink.fileno())
        final = outbox / f"{made.sha256}.age"
        path.rename(final)
    finally:
        path.unlink(missing_ok=True)
    return SealedPayload(final, made.bytes, made.sha256, made.plaintext_bytes)
