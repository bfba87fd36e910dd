"""The house keeps its plan: sizes, names, layers, and nothing that ties it to one machine."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tillit

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tillit"
MODULES = sorted(SOURCE.rglob("*.py"))
NAMES = [m.name for m in pkgutil.walk_packages(tillit.__path__, "tillit.")]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def functions(module: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            doc = ast.get_docstring(node)
            lines = (node.end_lineno or 0) - node.lineno + 1
            yield node.name, lines - (len(doc.splitlines()) + 1 if doc else 0)


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 20
    assert len(NAMES) > 20


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_modules_are_small_and_say_what_they_are(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 420, "split it: a giant file is nobody's"
    assert ast.get_docstring(ast.parse(text)), "a module begins by saying what it is"


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_functions_are_short(module: Path) -> None:
    long = {name: lines for name, lines in functions(module) if lines > 55}
    assert not long


def test_typical_module_and_function_stay_near_the_plan() -> None:
    lines = sorted(len(m.read_text(encoding="utf-8").splitlines()) for m in MODULES)
    assert lines[len(lines) // 2] <= 220
    sizes = sorted(size for m in MODULES for _, size in functions(m))
    assert sizes[int(0.9 * len(sizes))] <= 36


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("tillit.airflow")])
def test_exported_names_exist(name: str) -> None:
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", None)
    if exported is None:
        return
    for public in exported:
        assert hasattr(module, public)


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys; from tillit.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'airflow', 'duckdb', 'great_expectations', 'sqlalchemy', 'cryptography',"
        " 'numpy', 'pyarrow', 'matplotlib', 'yaml', 'rich'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Commands" in ran.stdout


def test_receiving_imports_what_judges_rows_only_with_rows() -> None:
    probe = "import sys, tillit.exchange.receive, tillit.exchange.publish\n"
    probe += "sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_no_clock_and_no_chance_in_the_library() -> None:
    """Time and randomness are arguments; only the command line and the scheduler read a clock."""
    clock = re.compile(r"datetime\.now\(|datetime\.utcnow\(|time\.time\(|date\.today\(")
    for module in MODULES:
        where = module.relative_to(SOURCE).as_posix()
        if where.startswith(("cli/", "airflow/")):
            continue
        assert not clock.search(module.read_text(encoding="utf-8")), where


def test_nothing_names_a_machine_or_an_index() -> None:
    banned = re.compile(
        "|".join(
            [
                "pypi" + r"\.org",
                "python" + "hosted",
                "npm" + r"js\.org",
                "deb" + r"\.debian\.org",
                r"(?<![\w.])/wor" + "k/",
                r"(?<![\w.])/roo" + "t/",
            ]
        )
    )
    for path in tracked():
        if path.suffix in {".png", ".parquet", ".age", ".svg"} or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        found = banned.search(text)
        assert not found, f"{path.relative_to(ROOT)}: {found and found.group()}"
