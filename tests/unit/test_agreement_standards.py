"""Agreements in the words of other standards, held against those standards' own schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT201909
from tests.agreements import KIND, document

from tillit.agreement.language import read
from tillit.agreement.oaas import to_oaas
from tillit.agreement.odrl import NOT_SAID, PURPOSES, from_odrl, to_odrl
from tillit.cli import cli
from tillit.errors import ContractRefused
from tillit.kinds import installed
from tillit.model import Treatment

ROOT = Path(__file__).resolve().parents[2]
STANDARDS = ROOT.parent / "shared" / "data" / "standards"
AGREEMENTS = sorted((ROOT / "contracts" / "agreements").glob("*/*.yaml"))
IDEAS = ("cx.core.industrycore:1",)
# Catena-X's catalogue has no purpose for these.
UNNAMED = {"design_idea", "financial_health", "interaction", "process_idea", "service_cost"}


def agreement(**changes: Any) -> Any:
    return read(yaml.safe_dump(document(**changes)).encode())


@pytest.fixture(scope="module")
def registry() -> Registry[Any]:
    """Every schema of the standards' folder, by its own id."""
    if not STANDARDS.is_dir():
        pytest.skip("the folder of standards is not there: ../shared/data/standards")
    schemas = [json.loads(p.read_text("utf-8")) for p in STANDARDS.rglob("*-schema*.json")]
    found = [(s["$id"], Resource(s, DRAFT201909)) for s in schemas if "$id" in s]
    return Registry().with_resources(found)


def atoms(policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for rule in ("permission", "prohibition", "obligation"):
        for part in policy[rule]:
            for constraint in part["constraint"]:
                for atom in constraint.get("and", [constraint]):
                    yield rule.capitalize(), atom


@pytest.mark.real_data
@pytest.mark.parametrize("file", AGREEMENTS, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_a_policy_is_valid_for_the_dataspace_protocol_and_each_constraint_for_catena_x(
    registry: Registry[Any], file: Path
) -> None:
    made = read(file.read_bytes())
    policy = to_odrl(made, installed()[made.kind], purposes=IDEAS if made.kind in UNNAMED else ())
    protocol = "https://w3id.org/dspace/2025/1/negotiation/contract-schema.json"
    profile = "https://w3id.org/catenax/2025/9/policy/schema/atomic-constraint-schemas.json"

    def valid(reference: str, value: object) -> None:
        validator = jsonschema.Draft201909Validator({"$ref": reference}, registry=registry)
        validator.validate(value)

    valid(f"{protocol}#/definitions/Agreement", policy)
    named = set()
    for rule, atom in atoms(policy):
        valid(f"{profile}#/definitions/Atomic{rule}Constraint", atom)
        named.add(atom["leftOperand"])
    assert named == {
        *("FrameworkAgreement", "Membership", "UsagePurpose", "ContractReference"),
        *("DataUsageEndDate", "DataProvisioningEndDate", "UsageRestriction"),
    }
    with pytest.raises(jsonschema.ValidationError):  # the schemas can refuse
        valid(
            f"{profile}#/definitions/AtomicPermissionConstraint",
            {"leftOperand": "Membership", "operator": "eq", "rightOperand": "perhaps"},
        )


def test_what_odrl_cannot_say_is_said_in_words() -> None:
    policy = to_odrl(agreement(), KIND)
    words = "\n".join(policy[NOT_SAID])
    for part in ("order_id (clear)", "withheld: unit_price, secret_cost", "every week", "pinned"):
        assert part in words
    assert "secret_cost" not in json.dumps(policy["permission"])


def test_a_dataspace_knows_parties_by_its_own_ids() -> None:
    policy = to_odrl(agreement(), KIND, parties={"nordvik": "BPNL000000000001"})
    assert policy["assigner"] == "BPNL000000000001"
    assert policy["assignee"] == "urn:tillit:party:fjordstal"


@pytest.mark.parametrize("purposes", [("capacity",), ("cx.puris.base:1", "cx:1; drop")])
def test_a_purpose_outside_the_catalogue_is_refused(purposes: tuple[str, ...]) -> None:
    with pytest.raises(ContractRefused) as refused:
        to_odrl(agreement(), KIND, purposes=purposes)
    assert refused.value.code == "contract.unsupported"


def test_a_kind_without_a_purpose_in_the_catalogue_asks_for_one() -> None:
    kind = installed()["design_idea"]
    made = read((ROOT / "contracts/agreements/fjordstal--nordvik/design_idea.yaml").read_bytes())
    with pytest.raises(ContractRefused) as refused:
        to_odrl(made, kind)
    assert refused.value.code == "contract.unsupported"
    assert to_odrl(made, kind, purposes=IDEAS)["assigner"] == "urn:tillit:party:fjordstal"


def test_a_policy_comes_back_as_a_draft_that_opens_nothing_but_the_key() -> None:
    policy = to_odrl(agreement(), KIND)
    made = from_odrl(json.dumps(policy).encode(), KIND)
    draft = read(made.text.encode())
    assert (draft.provider, draft.consumer) == ("nordvik", "fjordstal")
    assert (draft.start, draft.end) == (agreement().start, agreement().end)
    assert draft.purposes == agreement().purposes
    clear = {name for name, word in draft.columns.items() if word is Treatment.CLEAR}
    assert clear == {"order_id", "line"}
    assert any("UsageRestriction" in words for words in made.left_out)


@pytest.mark.real_data
def test_a_strangers_policy_becomes_a_draft_or_is_refused_by_name() -> None:
    file = STANDARDS / "cx-odrl" / "minimal-agreement-assembled.json"
    if not file.is_file():
        pytest.skip("the folder of standards is not there: ../shared/data/standards")
    with pytest.raises(ContractRefused, match="assigner"):
        from_odrl(file.read_bytes(), KIND)
    made = from_odrl(file.read_bytes(), KIND, provider="nordvik", consumer="fjordstal")
    assert read(made.text.encode()).end == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert any("ContractTermination" in words for words in made.left_out)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"obligation": [], "permission": []}, "contract.missing-key"),
        ({"timestamp": "yesterday"}, "contract.wrong-value"),
        ({"timestamp": 7}, "contract.wrong-value"),
        ({"assignee": "../../x"}, "contract.wrong-value"),
        ({PURPOSES: ["Not A Purpose"]}, "contract.wrong-value"),
        ({"agreement": ["no", "object"]}, "contract.wrong-value"),
    ],
)
def test_a_bad_policy_is_refused_by_name(change: dict[str, Any], code: str) -> None:
    policy = {**to_odrl(agreement(), KIND), **change}
    with pytest.raises(ContractRefused) as refused:
        from_odrl(json.dumps(policy).encode(), KIND)
    assert refused.value.code == code


def test_logic_that_is_not_taken_apart_and_controls_are_shown_not_carried() -> None:
    policy = to_odrl(agreement(), KIND)
    policy["permission"].append(
        {"action": "use", "constraint": [{"or": [{"leftOperand": "\x1b[2J"}]}]}
    )
    made = from_odrl(json.dumps(policy).encode(), KIND)
    shown = "\n".join(made.left_out)
    assert "'or'" in shown
    assert shown.isprintable() or "\x1b" not in shown


def test_the_draft_standard_gets_every_word_of_ours() -> None:
    made = agreement()
    told = to_oaas(made)
    custom = {entry["property"]: entry["value"] for entry in told["customProperties"]}
    whole = {key: value for key, value in told.items() if key != "customProperties"}
    whole |= {key.removeprefix("tillit."): custom[key] for key in custom if key != "tillit.digest"}
    assert whole == document()
    assert custom["tillit.digest"] == f"sha256:{made.digest}"


def test_the_command_prints_a_policy_and_says_beside_it_what_is_missing() -> None:
    file = ROOT / "contracts" / "agreements" / "nordvik--fjordstal" / "order.yaml"
    ran = CliRunner().invoke(
        cli, ["agreement", "export", str(file), "--party", "nordvik=BPNL000000000001"]
    )
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["assigner"] == "BPNL000000000001"
    assert "columns withheld" in ran.stderr
