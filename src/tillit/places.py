"""Where the contracts and the SQL of the product lie, in a checkout and in a wheel. I/O: looks."""

from __future__ import annotations

from pathlib import Path

from tillit.errors import ConfigError

__all__ = ["contracts", "dags", "transforms"]


def contracts(override: Path | None = None) -> Path:
    """The folder with ``kinds/`` and ``agreements/``; ConfigError if there is none."""
    return _folder("contracts", override)


def transforms(override: Path | None = None) -> Path:
    """The folder with all SQL; ConfigError if there is none."""
    return _folder("transforms", override)


def dags() -> Path:
    """The folder with the DAG files; ConfigError if there is none."""
    return _folder("dags", None)


def _folder(name: str, override: Path | None) -> Path:
    if override is not None:
        tried = [override]
    else:
        here = Path(__file__).resolve().parent
        tried = [here / "_shipped" / name, here.parents[1] / name]
    for folder in tried:
        if folder.is_dir():
            return folder
    raise ConfigError(
        "wrong-value",
        f"the folder of {name} is not there",
        expected=f"a folder {tried[-1]}",
        found="none",
    )
