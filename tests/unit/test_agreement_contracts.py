"""The agreements and the page of this repository are true: they read, fit and pin their kinds."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.agreements import END, KIND, START, document, text

from tillit.agreement import PAYLOAD_TYPE
from tillit.agreement.fields import mapping
from tillit.agreement.language import _OPTIONAL, _REQUIRED, check, read, require_kind
from tillit.agreement.new import draft, repin
from tillit.agreement.terms import TERMS, shared_columns
from tillit.cli.agreement import agreement as command
from tillit.errors import ContractRefused
from tillit.kinds import installed
from tillit.model import Cadence, Every, Kind

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
FILES = sorted((CONTRACTS / "agreements").glob("*/*.yaml"))
PAGE = (CONTRACTS / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def kinds() -> dict[str, Kind]:
    return installed()


def test_there_are_agreements_both_ways() -> None:
    assert {file.parent.name for file in FILES} == {"nordvik--fjordstal", "fjordstal--nordvik"}
    assert len(FILES) == 19
    assert {file.stem for file in FILES} == set(installed())


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_agreement_is_where_it_belongs_and_fits_its_kind(
    file: Path, kinds: dict[str, Kind]
) -> None:
    content = file.read_bytes()
    found = read(content)
    assert f"{found.provider}--{found.consumer}/{found.kind}" == f"{file.parent.name}/{file.stem}"
    assert content.startswith(b"# yaml-language-server: $schema=../../agreement.schema.json\n")
    assert repin(content, kinds[found.kind]) == content, (
        f"its kind has changed: tillit agreement repin {file.relative_to(CONTRACTS.parent)}"
    )
    require_kind(found, kinds[found.kind])
    listed = {finding.at for finding in check(content, kinds[found.kind])}
    assert all(at.startswith("terms.columns.") for at in listed)


def test_ids_are_unique() -> None:
    ids = [read(file.read_bytes()).id for file in FILES]
    assert len(set(ids)) == len(ids)


# ---- the page -------------------------------------------------------------------------------------


def test_the_example_of_the_page_is_an_agreement_and_says_what_the_words_say() -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = read(example.encode())
    assert found.shared_columns == ("order_id", "line", "item_id", "quantity")
    assert (found.start, found.end) == (
        datetime(2026, 1, 5, tzinfo=UTC),
        datetime(2027, 1, 4, tzinfo=UTC),
    )
    period = found.cadence.period_at(found.start)
    assert (period.cut_off - period.end).total_seconds() == 24 * 3600


def test_the_page_names_every_kind(kinds: dict[str, Kind]) -> None:
    told = PAGE.split("## Kinds")[1].split("## An agreement")[0]
    assert set(re.findall(r"^\| `(\w+)`", told, re.MULTILINE)) == set(kinds)


def test_the_page_names_every_field_and_every_term() -> None:
    for name in (*_REQUIRED, *_OPTIONAL, *TERMS):
        assert f"`{name}`" in PAGE, name
    terms = PAGE.split("## Terms")[1].split("## Rules")[0]
    assert set(re.findall(r"^\| `(\w+)`", terms, re.MULTILINE)) == set(TERMS)
    assert PAYLOAD_TYPE in PAGE


def test_the_commands_of_the_page_exist() -> None:
    named = set(re.findall(r"tillit agreement (\w+)", PAGE))
    assert named == {
        *("new", "check", "sign", "repin", "propose", "counter", "decline", "revoke"),
        *("list", "diff", "export"),
    }
    assert named <= set(command.commands)
    options = set(re.findall(r"(--[a-z-]+) ", PAGE.split("## Commands")[1]))
    known = {opt for some in command.commands.values() for p in some.params for opt in p.opts}
    assert options <= known


# ---- drafts and pins --------------------------------------------------------------------------------

WEEKLY = Cadence(Every.WEEK, 48)


def test_a_draft_tells_of_each_column_how_confidential_it_is() -> None:
    content = draft(
        "nordvik", "fjordstal", KIND, START, END, WEEKLY, ["plan"], withheld=["secret_cost"]
    )
    assert re.search(r"^    order_id: clear +# internal, key$", content, re.MULTILINE)
    assert re.search(r"^    secret_cost: withheld +# restricted$", content, re.MULTILINE)
    assert "by 48 h before that week begins" in content
    assert "secret_cost" not in shared_columns(read(content.encode()), KIND)


@pytest.mark.parametrize(
    ("cadence", "said"),
    [
        (Cadence(Every.WEEK, -192), "by 192 h after that week begins"),
        (Cadence(Every.DAY, 0), "when that day begins"),
        (Cadence(Every.EVENT, 0), "at once"),
        (Cadence(Every.EVENT, -1.5), "within 1.5 h"),
    ],
)
def test_a_draft_says_its_cadence_in_words(cadence: Cadence, said: str) -> None:
    assert said in draft("nordvik", "fjordstal", KIND, START, END, cadence, ["plan"])


def test_a_draft_that_would_be_no_agreement_is_none() -> None:
    with pytest.raises(ContractRefused, match="no such column"):
        draft("a", "b", KIND, START, END, WEEKLY, ["plan"], withheld=["typo"])
    with pytest.raises(ContractRefused, match="endTimestamp"):
        draft("a", "b", KIND, END, START, WEEKLY, ["plan"])
    with pytest.raises(ContractRefused, match="consumer"):
        draft("a", "a", KIND, START, END, WEEKLY, ["plan"])
    with pytest.raises(ContractRefused, match=r"terms\.purposes"):
        draft("a", "b", KIND, START, END, WEEKLY, [])


@pytest.mark.parametrize("party", ["no", "yes", "on", "null", "true", "y"])
def test_ids_that_yaml_takes_for_something_else_stay_ids(party: str) -> None:
    found = read(draft(party, "fjordstal", KIND, START, END, WEEKLY, ["plan"]).encode())
    assert found.provider == party


def test_pins_of_another_kind_are_not_renewed() -> None:
    with pytest.raises(ContractRefused, match="another kind"):
        repin(text(), Kind("delivery", "1.0.0", "0" * 64, (), ()))


def test_pins_that_cannot_be_found_are_told() -> None:
    flow = b"{" + b", ".join(line for line in text_lines()) + b"}"
    with pytest.raises(ContractRefused) as refused:
        repin(flow, Kind("order", "2.0.0", "0" * 64, KIND.columns, ()))
    assert refused.value.code == "contract.unsupported"


def text_lines() -> list[bytes]:
    return [f"{json.dumps(k)}: {json.dumps(v)}".encode() for k, v in document().items()]


def test_the_command_pins_anew_and_then_leaves_alone(tmp_path: Path) -> None:
    file = tmp_path / "order.yaml"
    stale = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + b"0" * 64, FILES[-1].read_bytes())
    file.write_bytes(stale)
    for said in ("pinned anew", "unchanged"):
        ran = CliRunner().invoke(command, ["repin", str(file)])
        assert ran.exit_code == 0, ran.output
        assert said in ran.output
    assert file.read_bytes() == FILES[-1].read_bytes()


def test_a_refusal_of_the_whole_document_names_it() -> None:
    with pytest.raises(ContractRefused, match="the agreement cannot be used"):
        mapping([], "", ["a"])
