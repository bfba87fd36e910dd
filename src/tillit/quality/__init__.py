"""Data contracts, the rules they state, and the verdict on a table.

Pure: `rules` (an ODCS contract into a `Kind`) and `queries` (a `Kind` into SQL).
I/O: `expectations` alone, where Great Expectations runs those queries on DuckDB.
"""
