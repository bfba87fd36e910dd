"""The benchmarks of an exchange run whole, at a size that takes no time; only their shape counts."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from benchmarks.__main__ import measure


def test_an_exchange_is_measured_against_its_floor(tmp_path: Path) -> None:
    names = ["large.publish", "large.receive", "large.publish.memory", "large.receive.memory"]
    table = measure(tmp_path, frozenset({"large"}), Namespace(rows=2000, rounds=1))
    assert [row.name for row in table] == names
    assert all(row.value > 0 and row.reference and row.ratio for row in table)
    # What is promised of ten million rows is not said of two thousand.
    assert [row.target for row in table] == [None, None, 2048.0, 2048.0]
