"""Everything under transforms/ is run here: models, checks, and what goes out. I/O: DuckDB.

A transform is a plain select in a file; its stem is the name of the table. What it is told (the
time it speaks of, the partner) stands in the one-row table ``run``, so that it reads no clock.
"""

from tillit.warehouse.audit import due_periods, open_audit
from tillit.warehouse.models import Check, Model, Transforms, check_reads, read_model, tables_read
from tillit.warehouse.outbound import KEPT_BACK, Outbound, prepare_outbound
from tillit.warehouse.run import Finding, Run, build, publish, run_checks, set_run
from tillit.warehouse.sources import observed_source, register_sources, release_sources

__all__ = [
    "KEPT_BACK",
    "Check",
    "Finding",
    "Model",
    "Outbound",
    "Run",
    "Transforms",
    "build",
    "check_reads",
    "due_periods",
    "observed_source",
    "open_audit",
    "prepare_outbound",
    "publish",
    "read_model",
    "register_sources",
    "release_sources",
    "run_checks",
    "set_run",
    "tables_read",
]
