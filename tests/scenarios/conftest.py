"""The two companies of every story."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.scenarios.pair import BUYER, SUPPLIER, Pair, build, lay_out

from tillit.exchange.audit import verify_ledger
from tillit.home import Home


class Place:
    """Where the two live: their homes know it by its full name, so there is one of it."""

    def __init__(self, folder: Path) -> None:
        self._place, self._template = folder / "place", folder / "template"
        self._begins = build(self._place)
        self._homes = ExitStack()
        self.shared: Pair | None = None
        lay_out(self._place, self._template)

    def move_in(self) -> Pair:
        """Both as they were before the first exchange, in place of whoever lives here."""
        self.vacate()
        lay_out(self._template, self._place)
        buyer, supplier = (
            self._homes.enter_context(Home.open(self._place / party)) for party in (BUYER, SUPPLIER)
        )
        return Pair(buyer, supplier, self._begins)

    def vacate(self) -> None:
        """Close the homes; whatever was done to those of many tests, their ledgers must hold."""
        shared, self.shared = self.shared, None
        with self._homes.pop_all():
            for company in () if shared is None else shared.both:
                report = verify_ledger(company.home)
                assert report.findings == ()
                assert report.statements > 0


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The two homes, as they were built once."""
    return Place(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def pair(place: Place) -> Iterator[Pair]:
    """Buyer and supplier, acquainted, with signed agreements, before the first exchange."""
    yield place.move_in()
    place.vacate()


@pytest.fixture(scope="module")
def _to_the_end_of_the_file(place: Place) -> Iterator[None]:
    yield
    place.vacate()


@pytest.fixture
def partners(place: Place, _to_the_end_of_the_file: None) -> Pair:
    """The same two for all tests of a file, which must leave them able to go on.

    A test with a ``pair`` of its own displaces them; those after it begin anew.
    """
    if place.shared is None:
        place.shared = place.move_in()
    return place.shared
