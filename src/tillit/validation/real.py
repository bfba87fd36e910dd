"""Where real data lies, beside the project's root; nothing of it is in the project. I/O: looks."""

from __future__ import annotations

from pathlib import Path

from tillit.validation.marks import Row

__all__ = ["FOLDER", "missing", "not_tried"]

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def missing(folder: Path, files: tuple[str, ...]) -> list[str]:
    """The files that are not there."""
    return [name for name in files if not (folder / name).is_file()]


def not_tried(group: str, what: str, names: list[str]) -> Row:
    """The row of a group whose data is not there: it is neither met nor missed."""
    told = f"skipped: not in ../shared/data/{group}: {', '.join(names)}"
    return Row(group, what, "not tried", note=told)
