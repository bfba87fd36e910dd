"""Our own test vectors: each file comes out as ``cases.json`` beside it says."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.vectors import rebuild

from tillit.crypto import age, dsse
from tillit.errors import Refusal

HERE = Path(__file__).resolve().parent


def cases(folder: str) -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = json.loads((HERE / folder / "cases.json").read_text())
    return read


AGE, DSSE = cases("age"), cases("dsse")


@pytest.mark.parametrize("name", AGE)
def test_age_vector(name: str) -> None:
    case, sink = AGE[name], io.BytesIO()
    code = None
    with (HERE / "age" / f"{name}.age").open("rb") as source:
        try:
            if case["identity"] is None:
                age.decrypt_with_passphrase(source, sink, case["passphrase"].encode())
            else:
                age.decrypt(source, sink, [case["identity"]], max_bytes=case.get("max_bytes"))
        except Refusal as refusal:
            code = refusal.code
    assert code == case["expect"]
    if code is None:
        assert sink.getvalue() == rebuild.PLAINTEXT


@pytest.mark.parametrize("name", DSSE)
def test_dsse_vector(name: str) -> None:
    case, code, payload = DSSE[name], None, None
    trusted = {
        "buyer": (rebuild.BUYER.public, rebuild.BUYER_BEFORE.public),
        "supplier": (rebuild.SUPPLIER.public,),
    }
    try:
        payload = dsse.verify(
            (HERE / "dsse" / f"{name}.dsse.json").read_bytes(),
            trusted,
            rebuild.PAYLOAD_TYPE,
            required=case["required"],
        ).payload
    except Refusal as refusal:
        code = refusal.code
    assert code == case["expect"]
    if code is None:
        assert payload == rebuild.PAYLOAD


def test_every_vector_has_a_case_and_every_case_a_vector() -> None:
    assert {p.name.removesuffix(".age") for p in (HERE / "age").glob("*.age")} == AGE.keys()
    assert {p.name.split(".")[0] for p in (HERE / "dsse").glob("*.dsse.json")} == DSSE.keys()
    assert len(AGE) > 20
    assert len(DSSE) > 20


@pytest.mark.parametrize("folder", ["age", "dsse"])
def test_rebuilding_changes_nothing(folder: str, tmp_path: Path) -> None:
    shutil.copytree(HERE / folder, tmp_path / folder)
    for path in (tmp_path / folder).iterdir():
        if not path.name.startswith("base-"):
            path.unlink()
    {"age": rebuild.build_age, "dsse": rebuild.build_dsse}[folder](tmp_path / folder)
    rebuilt = {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}
    assert rebuilt == {path.name: path.read_bytes() for path in (HERE / folder).iterdir()}
