"""What a play showed, told to a person, to a machine and to the page."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tillit.demo.model import Fact, Partner, Step, Want, World
from tillit.demo.run import Played
from tillit.demo.tell import content, lines, summary
from tillit.model import Every

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)


def want(provider: str, consumer: str, kind: str) -> Want:
    return Want(provider, consumer, kind, Every.WEEK, 24.0, "planning")


def world(name: str = "simulated") -> World:
    parties = tuple(Partner(p, p.title()) for p in ("nordvik", "fjordstal", "skogtre"))
    wants = (
        want("fjordstal", "nordvik", "delivery"),  # told before it is known who buys
        want("nordvik", "fjordstal", "demand_forecast"),
        want("nordvik", "fjordstal", "order"),
        want("skogtre", "nordvik", "delivery"),
        want("nordvik", "skogtre", "order"),
    )
    return World(
        name=name,
        parties=parties,
        wants=wants,
        steps=(Step(NOW, NOW + timedelta(hours=1), wants),),
        contents={},
        planted=pa.table({"a": [1]}),
        story=(Fact("skogtre", "goes quiet", NOW, "score"),),
        left_out={"without a date": 3},
    )


def direction(
    sender: str, receiver: str, score: float | None, told: bool = False
) -> dict[str, Any]:
    return {
        "sender": sender,
        "receiver": receiver,
        "score": score,
        "information": None if score is None else 0.5,
        "promises": None if score is None else 0.0,
        "candour": None,
        "ideas": None,
        "evidence": {"due": 10, "arrived": 8, "late": 1, "missing": 1},
        "promise_factor": 0.02,
        "candour_factor": None,
        "interval": {"score": None},
        "band": [],
        "why": None,
        "alarms": [{"week": "2026-02-02", "ended": None, "told": told, "says": "it fell"}],
        "beside": {
            "worth": {"bits_a_week": 0.0, "says": "nothing"},
            "neglected": {"overdue": [], "unanswered": [], "reassess": []},
            "role": "supplier",
            "better_than": None,
            "peers": 0,
            "directness": None,
            "transactional": None,
            "safety_stock": None,
        },
        "columns": [],
        "columns_not_measured": [],
        "history": [],
    }


def refusal(number: int) -> dict[str, Any]:
    return {
        "where": "arrival",
        "sender": "fjordstal",
        "receiver": "nordvik",
        "kind": "delivery",
        "rule": f"rule-{number}",
        "reason": "is not positive",
        "rows": number,
    }


def played(**changes: Any) -> Played:
    made = Played(
        world=world(),
        folder=Path("nowhere"),
        counts=Counter({"received rows": 1234567, "published shipments": 4321}),
        measures={
            "nordvik": {
                "as_of": "2026-03-01T06:00:00Z",
                "directions": [
                    direction("fjordstal", "nordvik", 64.0),
                    direction("skogtre", "nordvik", None),
                ],
            },
            "fjordstal": {
                "as_of": "2026-03-01T06:00:00Z",
                "directions": [direction("nordvik", "fjordstal", 0.0)],
            },
        },
        refused=[refusal(n) for n in range(3)],
        audits={
            "nordvik": {"statements": 1000, "findings": []},
            "fjordstal": {"statements": 234, "findings": []},
        },
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_who_orders_is_the_buyer_of_a_relationship_that_is_told_once() -> None:
    page = content(played())
    assert sorted((r.buyer, r.supplier) for r in page.relationships) == [
        ("nordvik", "fjordstal"),
        ("nordvik", "skogtre"),
    ]
    assert page.title == "Nordvik and its suppliers"
    assert content(played(world=world("real"))).title == "Real forecasts and deliveries"


def test_the_page_names_parties_and_counts() -> None:
    page = content(played())
    assert dict(page.facts) == {
        "shipments": "4,321",
        "rows landed": "1,234,567",
        "statements in all ledgers": "1,234",
        "contradictions": "0",
    }
    assert {(x.sender, x.receiver) for x in page.refused} == {("Fjordstal", "Nordvik")}
    stories = {r.supplier: r.story for r in page.relationships}
    assert stories == {"fjordstal": "", "skogtre": "goes quiet"}


def test_a_terminal_shows_a_dash_for_what_is_not_measured_and_a_zero_for_a_zero() -> None:
    told = list(lines(played()))
    (fjordstal,) = (line for line in told if line.startswith("Nordvik and Fjordstal"))
    (skogtre,) = (line for line in told if line.startswith("Nordvik and Skogtre"))
    assert fjordstal.split()[3:6] == ["0", "0", "64"]
    assert fjordstal.endswith("0.50 0.00  -   -  / 0.50 0.00  -   - ")
    assert skogtre.split()[3:6] == ["-", "-", "-"]
    assert "0" not in skogtre
    assert told[told.index(skogtre) + 1] == "    planted: goes quiet"


def test_below_each_relationship_stands_what_is_to_be_said_first_and_what_is_alarming() -> None:
    measures = {
        "nordvik": {
            "as_of": "2026-03-01T06:00:00Z",
            "directions": [
                direction("fjordstal", "nordvik", 64.0),
                direction("skogtre", "nordvik", 12.0, told=True),
            ],
        }
    }
    printed = list(lines(played(measures=measures)))
    at = next(n for n, line in enumerate(printed) if line.startswith("Nordvik and Skogtre"))
    assert printed[at + 1 : at + 5] == [
        "    planted: goes quiet",
        "    skogtre to nordvik stands at 12, held down by promises (0.00)",
        "    alarm: it fell",
        "",
    ]


def test_a_terminal_is_not_flooded_with_refusals() -> None:
    few = "\n".join(lines(played()))
    assert "rule-2: is not positive" in few
    assert "more in the report" not in few
    many = list(lines(played(refused=[refusal(n) for n in range(20)])))
    assert sum("is not positive" in line for line in many) == 12
    assert "         and 8 more in the report" in many
    assert len(content(played(refused=[refusal(n) for n in range(20)])).refused) == 20


def test_the_auditor_has_the_last_word() -> None:
    assert list(lines(played()))[-1] == (
        "4,321 shipments, 1,234,567 rows landed, 1,234 statements in 2 ledgers, "
        "every signature and link holds"
    )
    broken = played(audits={"nordvik": {"statements": 1, "findings": ["x", "y"]}})
    assert list(lines(broken))[-1].endswith("2 CONTRADICTIONS")
    assert dict(content(broken).facts)["contradictions"] == "2"


def test_what_airflow_ran_is_counted_failures_too() -> None:
    dags = {"nordvik": {"receive": "success", "trust": "failed"}, "skogtre": {"receive": "success"}}
    assert list(lines(played(dags=dags)))[-1] == "last week by Airflow: 3 DAGs, 2 succeeded"


def test_a_machine_gets_everything(tmp_path: Path) -> None:
    told = json.loads(json.dumps(summary(played(), report=tmp_path / "r.html")))
    assert told["world"] == "simulated"
    assert told["left_out"] == {"without a date": 3}
    assert list(told["counts"]) == sorted(told["counts"])
    assert told["report"] == str(tmp_path / "r.html")
    assert [r["supplier"] for r in told["relationships"]] == ["fjordstal", "skogtre"]
    assert told["relationships"][0]["score"] == pytest.approx(0.0)
    assert told["relationships"][1] == {
        "buyer": "nordvik",
        "supplier": "skogtre",
        "score": None,
        "there": None,
        "back": None,
        "story": "goes quiet",
    }
    assert told["refused"] == played().refused
    assert set(told["audits"]) == set(told["measures"]) == {"nordvik", "fjordstal"}
