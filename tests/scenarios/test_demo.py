"""The demonstration as its user runs it: a quarter of trade, the last week by Airflow or not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

WEEKS = "11"


def play(folder: Path, *options: str) -> tuple[dict[str, Any], str, str]:
    """Run the demo; its summary, what it printed and what it said beside that."""
    tillit = Path(sys.executable).parent / "tillit"
    run = subprocess.run(
        [tillit, "demo", "--weeks", WEEKS, "--out", folder, *options],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads((folder / "summary.json").read_text(encoding="utf-8")), run.stdout, run.stderr


@pytest.fixture(scope="module")
def by_airflow(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, str, Path]:
    """One demo with everything in it."""
    folder = tmp_path_factory.mktemp("demo") / "airflow"
    return *play(folder), folder


def test_the_last_week_was_run_by_dags_that_all_succeeded(by_airflow: Any) -> None:
    summary, printed, _, _ = by_airflow
    states = [state for dags in summary["dags"].values() for state in dags.values()]
    assert {"receive", "trust"} <= set(summary["dags"]["nordvik"])
    assert len(summary["dags"]) == 5
    assert len(states) > 20
    assert set(states) == {"success"}
    assert f"{len(states)} DAGs, {len(states)} succeeded" in printed


def test_nothing_but_the_table_the_refusals_and_the_report_is_printed(by_airflow: Any) -> None:
    _, printed, beside, folder = by_airflow
    assert re.search(r"^relationship +score +there +back", printed, re.MULTILINE)
    assert "Fjordstål Casting" in printed
    assert "another row has the same key" in printed
    assert f"report  {folder}/report.html" in printed
    # Beside it only progress: no library's log, warning or trace.
    left = [line for line in beside.splitlines() if line.strip() and "━" not in line]
    assert left == []


def test_the_report_opens_offline(by_airflow: Any) -> None:
    page = (by_airflow[3] / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 3
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)


def test_the_same_seed_gives_the_same_scores_with_and_without_airflow(
    by_airflow: Any, tmp_path: Path
) -> None:
    """Keys and sealed bytes differ; what was shared, refused and measured does not."""
    first = by_airflow[0]
    second, _, _ = play(tmp_path / "again", "--no-airflow")
    assert second["relationships"] == first["relationships"]
    assert second["measures"] == first["measures"]
    assert second["refused"] == first["refused"]
    measured = [d for m in first["measures"].values() for d in m["directions"]]
    assert any(d["promises"] not in {None, 0.75} for d in measured)
