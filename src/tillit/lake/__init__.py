"""A party's lake: DuckLake, encrypted, its catalog in PostgreSQL. I/O.

`Lake` lands shipments and answers questions as of a time; `open_payload` lets a partner's Parquet
in once it is measured. Schemas: ``landed``, ``own``, ``exchange``, ``quarantine``, ``current``,
``as_of``, ``trust`` and ``derived``.
"""

from tillit.lake.deletion import Holding
from tillit.lake.derived import (
    Source,
    derive,
    derived_sources,
    drop_derived,
    require_free,
    write_derived,
)
from tillit.lake.landing import Landed, Landing
from tillit.lake.payload import (
    ParquetInfo,
    Written,
    inspect_parquet,
    open_payload,
    unpacked_bytes,
    write_parquet,
)
from tillit.lake.permitted import Permission, Touched
from tillit.lake.questions import (
    Question,
    ask,
    landed_under,
    last_cut_off,
    observed_until,
    require_own,
)
from tillit.lake.refusals import (
    Refusals,
    keep_returned,
    keep_stopped,
    quarantine_counts,
    refusals,
    take_leaving,
    write_leaving,
    write_refused,
)
from tillit.lake.store import Lake

__all__ = [
    "Holding",
    "Lake",
    "Landed",
    "Landing",
    "ParquetInfo",
    "Permission",
    "Question",
    "Refusals",
    "Source",
    "Touched",
    "Written",
    "ask",
    "derive",
    "derived_sources",
    "drop_derived",
    "inspect_parquet",
    "keep_returned",
    "keep_stopped",
    "landed_under",
    "last_cut_off",
    "observed_until",
    "open_payload",
    "quarantine_counts",
    "refusals",
    "require_free",
    "require_own",
    "take_leaving",
    "unpacked_bytes",
    "write_derived",
    "write_leaving",
    "write_parquet",
    "write_refused",
]
