"""The benchmarks of an exchange run whole, at a size that takes no time; only their shape counts."""

from __future__ import annotations

import io
import json
import time
from argparse import Namespace
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from benchmarks import __main__ as runner
from benchmarks import floor, large, world


def here(module: str, *arguments: Any) -> dict[str, Any]:
    """A measurement in this process, which has imported everything; how one of its own is started
    and watched is tried in `tests/unit/test_benchmarks.py`."""
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()) as told:
        if module == "world":
            world.build(*arguments[1:])
            told.write("{}")
        elif module == "floor":
            floor.main(*arguments[:2])
        else:
            large.main(*arguments)
    answer: dict[str, Any] = json.loads(told.getvalue().strip().splitlines()[-1])
    return {"wall": time.perf_counter() - started, "server_mb": 1.0, **answer}


def test_an_exchange_is_measured_against_its_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (runner, large):
        monkeypatch.setattr(place, "child", here)
    names = ["large.publish", "large.receive", "large.publish.memory", "large.receive.memory"]
    table = runner.measure(tmp_path, frozenset({"large"}), Namespace(rows=2000, rounds=1))
    assert [row.name for row in table] == names
    assert all(row.value > 0 and row.reference and row.ratio for row in table)
    # What is promised of ten million rows is not said of two thousand.
    assert [row.target for row in table] == [None, None, 2048.0, 2048.0]
