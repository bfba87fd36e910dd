"""How much information is shared, measured by the SQL of transforms/trust.

- `tillit.trust.terms`: what each agreement lets a partner share with us, column by column. Pure.
- `tillit.trust.score`: the SQL run over a lake, and its figures read back. I/O: DuckDB.
- `tillit.trust.show`: figures as the plain values that are printed, reported and sent on. Pure.
- `tillit.trust.run`: all of that for a home. I/O: the home's ledger and lake.
"""

from __future__ import annotations

__all__: list[str] = []
