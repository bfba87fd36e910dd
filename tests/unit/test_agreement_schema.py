"""The JSON Schema for editors says what the code says; its file is made from the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.agreements import document, written
from tests.unit.test_agreement import REQUIRED, WRONG

from tillit import safe_yaml
from tillit.agreement.language import read, schema
from tillit.errors import ContractRefused

FILE = Path(__file__).resolve().parents[2] / "contracts" / "agreement.schema.json"
VALIDATOR = Draft202012Validator(json.loads(json.dumps(schema())))

# What a schema of one document cannot say: that two of its values are in order or differ, and
# which days a month has. Python's $ also matches before a last new line; ECMA's does not.
BEYOND_A_SCHEMA = {
    ("provider", "fjordstal"),
    ("provider", "nordvik\n"),
    ("consumer", "nordvik"),
    ("startTimestamp", "2026-02-30T00:00:00Z"),
    ("startTimestamp", "2027-01-01T00:00:00Z"),
    ("startTimestamp", "2028-01-01T00:00:00Z"),
    ("endTimestamp", "2025-01-01T00:00:00Z"),
    ("nextReassessmentTimestamp", "2026-01-01T00:00:00Z"),
    ("nextReassessmentTimestamp", "2027-01-01T00:00:01Z"),
}


def rendered() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=True) + "\n"


def test_the_file_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == rendered(), (
        "write tests.unit.test_agreement_schema.rendered() into contracts/agreement.schema.json"
    )


def test_the_schema_is_a_schema_and_closed() -> None:
    Draft202012Validator.check_schema(schema())
    open_ones = [at for at, part in objects(schema(), "") if "additionalProperties" not in part]
    assert open_ones == []


def objects(part: Any, at: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    if isinstance(part, dict):
        if part.get("type") == "object":
            found.append((at, part))
        for key, inner in part.items():
            found += objects(inner, f"{at}/{key}")
    return found


def test_both_accept_what_is_right() -> None:
    whole = document(
        nextReassessmentTimestamp="2026-07-01T00:00:00Z",
        description={"purpose": "Plan.", "usage": "Weekly,\nand more.", "limitations": "None."},
    )
    read(written(whole))
    VALIDATOR.validate(whole)


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_both_refuse_what_is_wrong(path: str, value: Any) -> None:
    whole = safe_yaml.load(written(document(**{path: value})), what="it")
    beyond = isinstance(value, str) and (path, value) in BEYOND_A_SCHEMA
    assert VALIDATOR.is_valid(whole) == beyond


@pytest.mark.parametrize("path", REQUIRED)
def test_both_miss_what_is_missing(path: str) -> None:
    whole = document(**{path: None})
    assert not VALIDATOR.is_valid(whole)
    with pytest.raises(ContractRefused):
        read(written(whole))
