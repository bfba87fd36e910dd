"""What every party's process imports, once for all of them. I/O: imports.

Five processes that each import Great Expectations and its hundreds of modules take longer to begin
than to agree on all their exchanges. So one process imports them, and the parties are forked
from it; there is nothing in it that belongs to a party, and no thread but those of BLAS, which
renews its own in a fork.
"""

from __future__ import annotations

import gc
import sys

import tillit.demo.acts
import tillit.exchange.agreements
import tillit.exchange.audit
import tillit.exchange.deliver
import tillit.exchange.parties
import tillit.exchange.publish
import tillit.exchange.receive
import tillit.lake
import tillit.ledger.store
import tillit.mailbox.folder
import tillit.quality.expectations
import tillit.trust.run  # noqa: F401 (to have been imported is all)

__all__: list[str] = []

# To import DuckDB opens a database in memory, whose thread no fork would have.
sys.modules["duckdb"].close()

# What was imported stays: no fork need look through it for garbage, .25 s each time, nor copy its
# pages by doing so.
gc.collect()
gc.freeze()
