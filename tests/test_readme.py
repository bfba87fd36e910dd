"""What the README tells people to type works as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
LINKS = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)


@pytest.mark.slow
def test_the_block_for_two_homes_runs_and_says_what_it_promises(tmp_path: Path) -> None:
    (block,) = BLOCKS
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "1 row stopped here" in run.stdout
    assert re.search(r"^PO-1 +1 +120", run.stdout, re.MULTILINE)
    assert re.search(r"^order-fulfilment +\['order'\] +1$", run.stdout, re.MULTILINE)
    assert "everything holds" in run.stdout


@pytest.mark.parametrize("link", sorted(set(LINKS)))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_map_names_folders_that_exist() -> None:
    block = README.split("## The house", 1)[1].split("```", 2)[1]
    top = re.findall(r"^(\w+)/ ", block, re.MULTILINE)
    inner = re.findall(r"^  (\w+)/ ", block, re.MULTILINE)
    assert len(top) >= 5
    assert len(inner) >= 10
    missing = [n for n in top if not (ROOT / n).is_dir()]
    missing += [n for n in inner if not (ROOT / "src" / "tillit" / n).is_dir()]
    assert missing == []
