"""Mailboxes: where partners put what they send each other. I/O.

Each party has one inbox; a sender puts into the folder of its own id there ``<seq>.age``, the
sealed payload if there is one, then ``<seq>.dsse.json``, the statement. An object is under its
name whole or not at all, so whoever sees a statement can fetch its payload. The receiver removes
both once they stand in its ledger.

- `tillit.mailbox.box`: `Incoming` and `Outgoing`, the two sides, over any store.
- `tillit.mailbox.store`: what a store has to do.
- `tillit.mailbox.folder`, ``sftp``, ``objects`` and ``memory``: the stores.
- `tillit.mailbox.address` and ``names``: what may be written in a URL, and in a name. Pure.
"""

from __future__ import annotations

from tillit.mailbox.address import Address, check_address
from tillit.mailbox.box import Incoming, Outgoing, Stray, Waiting
from tillit.mailbox.memory import MemoryStore
from tillit.mailbox.opening import open_incoming, open_outgoing

__all__ = [
    "Address",
    "Incoming",
    "MemoryStore",
    "Outgoing",
    "Stray",
    "Waiting",
    "check_address",
    "open_incoming",
    "open_outgoing",
]
