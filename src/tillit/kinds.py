"""The kinds of exchange whose contracts are installed. I/O: reads ``contracts/kinds``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tillit import places
from tillit.errors import ContractRefused, UsageError
from tillit.model import Kind
from tillit.quality.rules import load_kind

__all__ = ["installed", "kind_of"]


def installed(contracts: Path | None = None) -> dict[str, Kind]:
    """Every installed kind by name.

    Raises ContractRefused for a contract that cannot be read, and when two are about one kind.
    """
    kinds: dict[str, Kind] = {}
    for path in sorted((places.contracts(contracts) / "kinds").glob("*.odcs.yaml")):
        kind = load_kind(path.read_bytes())
        if kind.name in kinds:
            raise ContractRefused(
                "duplicate-key",
                f"{path.name} is about a kind that another contract is about",
                expected="one contract a kind",
                found=kind.name,
            )
        kinds[kind.name] = kind
    return kinds


def kind_of(kinds: Mapping[str, Kind], name: str) -> Kind:
    """The kind of that name; UsageError ``not-found`` that says which there are."""
    if name not in kinds:
        raise UsageError(
            "not-found",
            "no such kind of exchange is installed",
            expected=", ".join(sorted(kinds)),
            found=name,
        )
    return kinds[name]
