"""The demonstration as its user runs it: two months of trade, the last week by Airflow or not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tillit.agreement.life import state
from tillit.demo.model import World
from tillit.demo.run import play
from tillit.demo.world import simulate
from tillit.exchange.agreements import find
from tillit.home import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(700)]

SEED, WEEKS = 7, 8
AFTER = datetime(2025, 3, 10, tzinfo=UTC)
"""Ten days after the last step."""
BUYER, SUPPLIER = "nordvik", "fjordstal"


class Quiet:
    """Nobody watches."""

    def stage(self, what: str, steps: int) -> None:
        """Say nothing."""

    def step(self) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def by_airflow(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, str, Path]:
    """One demo with everything in it: its summary, what it printed, what it said beside that."""
    folder = tmp_path_factory.mktemp("demo") / "airflow"
    tillit = Path(sys.executable).parent / "tillit"
    run = subprocess.run(
        [tillit, "demo", "--seed", str(SEED), "--weeks", str(WEEKS), "--out", folder],
        capture_output=True,
        text=True,
        timeout=900,  # beside other tests it waits for its turn
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return told, run.stdout, run.stderr, folder


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
    """Keys and sealed bytes differ; what was shared, refused and measured does not.

    Two of them play again, alone: what one partner shares says nothing of another.
    """
    first = by_airflow[0]
    played = play(two_of(simulate(seed=SEED, weeks=WEEKS)), tmp_path, Quiet(), airflow=False)
    told = {"measures": played.measures, "refused": played.refused}
    again = json.loads(json.dumps(told, default=str))
    for party, other in ((BUYER, SUPPLIER), (SUPPLIER, BUYER)):
        found, before = (about(each["measures"][party], other) for each in (again, first))
        assert found["directions"]
        assert found == before
        assert any(d["promises"] not in {None, 0.75} for d in found["directions"]) == (
            party == BUYER
        )
    refused = [
        [row for row in each["refused"] if {row["sender"], row["receiver"]} == {BUYER, SUPPLIER}]
        for each in (again, first)
    ]
    assert refused[0]
    assert refused[0] == refused[1]


def two_of(world: World) -> World:
    """The same world, in which only two have to do with each other."""
    pair = {BUYER, SUPPLIER}
    return replace(
        world,
        parties=tuple(p for p in world.parties if p.id in pair),
        wants=tuple(w for w in world.wants if {w.provider, w.consumer} == pair),
        steps=tuple(
            replace(s, wants=tuple(w for w in s.wants if {w.provider, w.consumer} == pair))
            for s in world.steps
        ),
        moves=tuple(m for m in world.moves if {m.who, m.partner} == pair),
    )


def about(measured: Any, partner: str) -> dict[str, Any]:
    """What a party measured of one partner, whatever it is called."""
    return {
        name: [row for row in rows if row.get("partner") == partner]
        for name, rows in measured.items()
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "partner" in rows[0]
    }


def test_agreements_are_amended_declined_and_revoked_and_both_sides_have_it_so(
    by_airflow: Any,
) -> None:
    summary, printed, _, folder = by_airflow
    page = (folder / "report.html").read_text(encoding="utf-8")
    told = {change["what"]: change for change in summary["agreements"]["nordvik"]}
    assert set(told) == {"amended", "declined", "revoked"}
    for what, partner in (
        ("amended", "fjordstal"),
        ("declined", "brattplast"),
        ("revoked", "havglass"),
    ):
        [theirs] = summary["agreements"][partner]
        ours = told[what]
        differs = {name for name in ours if ours[name] != theirs[name]}
        assert differs <= {"at"}, differs  # half an hour later, when it had arrived there
        assert partner in ours["agreement"]
        assert (ours["reason"] or ours["changes"][0]) in printed
        assert ours["at"][:10] in page
    assert told["amended"]["changes"] == ["terms.columns.reason was withheld, and is clear"]
    assert summary["agreements"]["elvkabel"] == []
    # What was revoked was tried once more, and did not leave.
    assert summary["counts"]["published revoked"] == 1
    assert "Publications refused since: 1." in printed


def test_ledgers_say_what_each_version_is_on_either_side(by_airflow: Any) -> None:
    """Asked of the homes themselves, as their people would ask."""
    folder = by_airflow[3]
    for agreement, states in (
        ("fjordstal--nordvik.delivery_commitment", {"1.0.0": "superseded", "1.1.0": "in force"}),
        ("nordvik--brattplast.demand_forecast", {"1.0.0": "in force", "1.1.0": "declined"}),
        ("nordvik--havglass.design_idea", {"1.0.0": "revoked"}),
    ):
        for party in agreement.partition(".")[0].split("--"):
            with Home.open(folder / party) as home:
                _, life = find(home, agreement)
                found = {v.agreement.version: str(state(life, v, AFTER)) for v in life.newest_first}
                assert found == states, party
