"""Many agreements are checked in one call: each for itself, all of them, in the order given."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tillit import places
from tillit.cli import check_many

TILLIT = Path(sys.executable).with_name("tillit")
GOOD = places.contracts() / "agreements" / "nordvik--fjordstal" / "order.yaml"


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TILLIT, "agreement", "check", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two that fit; one that is no agreement, one that pins another contract, one unknown kind."""
    text = GOOD.read_text(encoding="utf-8")
    for name, written in {
        "a/1.yaml": text,
        "a/2.yaml": "id: [",
        "b/3.yaml": text.replace("version: 1.0.0", "version: 1.0.1", 1),
        "b/4.yaml": re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", text),
        "b/5.yaml": text.replace("kind:order", "kind:nothing"),
        "b/other.txt": "not looked at",
    }.items():
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(written, encoding="utf-8")
    return tmp_path


def test_each_gets_a_line_and_the_first_refusal_the_exit_code(folder: Path) -> None:
    ran = check(folder / "b", folder / "a" / "2.yaml", folder / "a")
    lines = ran.stdout.splitlines()
    names = ["3.yaml", "4.yaml", "5.yaml", "2.yaml", "1.yaml"]
    assert [line.partition(".yaml")[0].rpartition("/")[2] + ".yaml" for line in lines[:-1]] == names
    assert [line.split()[0] for line in lines[:-1]] == ["fits", *["refused"] * 3, "fits"]
    assert "[agreement.kind-changed]" in lines[1]
    assert "[usage.not-found]" in lines[2]
    assert "[contract.not-yaml]" in lines[3]
    assert lines[-1].startswith("5 agreements checked: 2 fit, 3 refused")
    assert ran.returncode == 5
    assert check(folder / "a").returncode == 3
    assert check(GOOD, folder / "a" / "1.yaml").returncode == 0


def test_machines_are_told_the_same(folder: Path) -> None:
    ran = check("--json", folder)
    told = json.loads(ran.stdout)
    assert (told["checked"], told["refused"], ran.returncode) == (5, 3, 3)
    by_name = {Path(a["file"]).name: a for a in told["agreements"]}
    assert by_name["1.yaml"]["id"] == "nordvik--fjordstal.order"
    assert [name for name, a in by_name.items() if a["fits"]] == ["1.yaml", "3.yaml"]
    assert by_name["4.yaml"]["code"] == "agreement.kind-changed"
    assert by_name["4.yaml"]["expected"].endswith("0" * 64)


def test_what_cannot_be_asked_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert check(tmp_path / "empty").returncode == 2
    assert check(tmp_path / "not-there").returncode == 2
    assert check("--was", GOOD, folder).returncode == 2
    assert check().returncode == 2


def test_one_file_is_still_told_in_full() -> None:
    ran = check(GOOD)
    assert ran.returncode == 0
    assert "  shares    " in ran.stdout
    assert json.loads(check("--json", GOOD).stdout)["next_cut_offs"]


def test_several_processes_say_what_one_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = check_many.files_in([folder])
    assert check_many.check_many(files, as_json=True) == 3
    alone = capsys.readouterr().out
    monkeypatch.setattr(check_many, "_AT_ONCE", 1)
    monkeypatch.setattr(check_many, "_cores", lambda: 2)
    assert check_many.check_many(files, as_json=True) == 3
    assert capsys.readouterr().out == alone
