"""The two companies of every story."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.scenarios.pair import BUYER, SUPPLIER, Pair, build, lay_out

from tillit.exchange.audit import verify_ledger
from tillit.home import Home


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, datetime]:
    """The template, the place where it works, and when the story begins."""
    folder = tmp_path_factory.mktemp("pair")
    place, template = folder / "place", folder / "template"
    now = build(place)
    lay_out(place, template)
    return template, place, now


@pytest.fixture
def pair(stage: tuple[Path, Path, datetime]) -> Iterator[Pair]:
    """Buyer and supplier, acquainted, with signed agreements, before the first exchange."""
    template, place, now = stage
    lay_out(template, place)
    with Home.open(place / BUYER) as buyer, Home.open(place / SUPPLIER) as supplier:
        yield Pair(buyer, supplier, now)


@pytest.fixture(scope="module")
def partners(stage: tuple[Path, Path, datetime]) -> Iterator[Pair]:
    """The same two for all tests of a file, which must leave them able to go on.

    They live where those of ``pair`` do: a file uses the one or the other. Whatever was done to
    them, an auditor must find nothing wrong in either ledger in the end.
    """
    template, place, now = stage
    lay_out(template, place)
    with Home.open(place / BUYER) as buyer, Home.open(place / SUPPLIER) as supplier:
        yield Pair(buyer, supplier, now)
        for home in (buyer, supplier):
            report = verify_ledger(home)
            assert report.findings == ()
            assert report.statements > 0
