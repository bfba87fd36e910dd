"""Which kinds of exchange are installed, and where the product's own files lie."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tillit import places, safe_yaml
from tillit.errors import ConfigError, ContractRefused, UsageError
from tillit.kinds import installed, kind_of

THIRTEEN = {
    *("complaint", "delivery", "delivery_commitment", "demand_forecast", "design_idea"),
    *("disruption", "financial_health", "interaction", "inventory", "order", "process_idea"),
    *("production_plan", "service_cost"),
}


def test_the_thirteen_kinds_are_installed() -> None:
    kinds = installed()
    assert set(kinds) == THIRTEEN
    for name, kind in kinds.items():
        assert kind.name == name
        assert kind.key
        assert kind.rules
        assert kind.purpose
        assert all(1 <= column.level <= 4 for column in kind.columns)


def test_each_witness_is_a_column_of_a_kind() -> None:
    kinds = installed()
    told = [c.witness for kind in kinds.values() for c in kind.columns if c.witness]
    assert told
    for witness in told:
        kind, _, column = witness.partition(".")
        assert kinds[kind].column(column).name == column


def test_counterparts_in_catena_x_are_named() -> None:
    named = {}
    for path in sorted((places.contracts() / "kinds").glob("*.odcs.yaml")):
        [table] = safe_yaml.load(path.read_bytes(), what=path.name)["schema"]
        urls = [entry["url"] for entry in table.get("authoritativeDefinitions", [])]
        assert all(url.startswith("urn:samm:io.catenax.") for url in urls)
        named[table["name"]] = len(urls)
    assert {name for name, count in named.items() if count} == {
        *("delivery", "delivery_commitment", "demand_forecast", "design_idea", "disruption"),
        *("inventory", "production_plan"),
    }


def test_a_home_may_have_contracts_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    source = places.contracts() / "kinds" / "order.odcs.yaml"
    (tmp_path / "kinds" / "any.odcs.yaml").write_bytes(source.read_bytes())
    (tmp_path / "kinds" / "notes.txt").write_text("no contract")
    assert set(installed(tmp_path)) == {"order"}
    assert installed(tmp_path)["order"] == installed()["order"]


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "kinds").mkdir()
    source = places.contracts() / "kinds" / "order.odcs.yaml"
    (tmp_path / "kinds" / "order.odcs.yaml").write_bytes(source.read_bytes() + b"\n")
    assert installed(tmp_path)["order"].digest != installed()["order"].digest
    assert installed(tmp_path)["order"].columns == installed()["order"].columns


@pytest.mark.parametrize("text", [b"", b"a: 1\n", b"\xff", b"name: &x y\n", b"- a\n"])
def test_a_contract_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "order.odcs.yaml").write_bytes(text)
    with pytest.raises(ContractRefused):
        installed(tmp_path)


def test_a_kind_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(UsageError) as caught:
        kind_of(installed(), "invoice")
    assert caught.value.code == "usage.not-found"
    assert caught.value.found == "invoice"
    assert all(name in (caught.value.expected or "") for name in THIRTEEN)


@pytest.mark.parametrize(
    ("place", "holds"),
    [
        (places.contracts, "kinds"),
        (places.transforms, "trust"),
        (places.transforms, "outbound"),
    ],
)
def test_places_hold_what_they_are_for(place: type[Path], holds: str) -> None:
    assert (place() / holds).is_dir()


def test_dags_are_there() -> None:
    assert list(places.dags().glob("*.py"))


def test_a_place_that_was_named_is_taken_or_refused(tmp_path: Path) -> None:
    assert places.contracts(tmp_path) == tmp_path
    for place in (places.contracts, places.transforms):
        with pytest.raises(ConfigError) as caught:
            place(tmp_path / "nowhere")
        assert str(tmp_path / "nowhere") in (caught.value.expected or "")


def test_two_contracts_about_one_kind_are_refused(tmp_path: Path) -> None:
    shutil.copytree(places.contracts() / "kinds", tmp_path / "kinds")
    shutil.copy(tmp_path / "kinds" / "order.odcs.yaml", tmp_path / "kinds" / "zorder.odcs.yaml")
    with pytest.raises(ContractRefused) as refused:
        installed(tmp_path)
    assert refused.value.code == "contract.duplicate-key"
