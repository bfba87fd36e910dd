"""What a new version lets through that the old one did not; what a newer contract breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.agreements import KIND, text

from tillit.agreement.breaking import breaking
from tillit.agreement.diff import Direction, diff
from tillit.agreement.language import read
from tillit.agreement.terms import TERMS
from tillit.agreement.terms.term import unread
from tillit.model import Column, Kind, Rule

W, N, O = Direction.WIDENING, Direction.NARROWING, Direction.NEITHER  # noqa: E741

CHANGES: list[tuple[dict[str, Any], str, str, Direction]] = [
    ({"terms__columns__unit_price": "clear"}, "terms.columns.unit_price", "clear", W),
    ({"terms__columns__secret_cost": "clear"}, "terms.columns.secret_cost", "clear", W),
    ({"terms__columns__quantity": "withheld"}, "terms.columns.quantity", "withheld", N),
    ({"terms__columns__quantity": None}, "terms.columns.quantity", "withheld", N),
    (
        {"terms__purposes": ["order-fulfilment", "benchmarking"]},
        "terms.purposes",
        "may also be used for benchmarking",
        W,
    ),
    (
        {"terms__cadence__every": "day", "terms__cadence__cutOffHours": -192},
        "terms.cadence.every",
        "every day",
        W,
    ),
    ({"terms__cadence__every": "month"}, "terms.cadence.every", "every month", N),
    ({"terms__cadence__every": "event"}, "terms.cadence.every", "when something happens", O),
    ({"terms__cadence__cutOffHours": -190}, "terms.cadence.cutOffHours", "2 hours earlier", O),
    ({"terms__cadence__cutOffHours": -200}, "terms.cadence.cutOffHours", "8 hours later", O),
    ({"startTimestamp": "2025-12-01T00:00:00Z"}, "startTimestamp", "begins earlier", W),
    ({"startTimestamp": "2026-02-01T00:00:00Z"}, "startTimestamp", "begins later", N),
    ({"endTimestamp": "2028-01-01T00:00:00Z"}, "endTimestamp", "ends later", W),
    ({"endTimestamp": "2026-12-01T00:00:00Z"}, "endTimestamp", "ends earlier", N),
    ({"consumer": "havglass"}, "consumer", "is havglass", W),
    ({"id": "another"}, "id", "is another", O),
    ({"dataContractId": "urn:tillit:kind:delivery"}, "dataContractId", "is delivery", W),
    ({"dataContractVersion": "1.1.0"}, "dataContractDigest", "1.1.0", O),
    ({"description__purpose": "Sell it."}, "description.purpose", "Sell it.", O),
    ({"description__usage": "Otherwise."}, "description", "only words", O),
    (
        {"nextReassessmentTimestamp": "2026-07-01T00:00:00Z"},
        "nextReassessmentTimestamp",
        "again 2026-07-01T00:00:00Z, and not never",
        O,
    ),
]


@pytest.mark.parametrize(("changes", "at", "says", "direction"), CHANGES)
def test_one_change(changes: dict[str, Any], at: str, says: str, direction: Direction) -> None:
    (change,) = diff(read(text()), read(text(version="2.0.0", **changes)))
    assert (change.at, change.direction) == (at, direction)
    assert says in change.says


def test_back_again_it_is_the_other_way_round() -> None:
    opposite = {W: N, N: W, O: O}
    for changes, *_ in CHANGES:
        if not {"consumer", "dataContractId"} & changes.keys():
            old, new = read(text()), read(text(version="2.0.0", **changes))
            there = [(c.at, opposite[c.direction]) for c in diff(old, new)]
            assert there == [(c.at, c.direction) for c in diff(new, old)]


def test_a_purpose_that_is_replaced_is_both() -> None:
    new = read(text(version="2.0.0", terms__purposes=["benchmarking"]))
    assert [c.direction for c in diff(read(text()), new)] == [W, N]


def test_nothing_of_nothing_and_withheld_is_the_same_as_not_listed() -> None:
    assert diff(read(text()), read(text())) == []
    unlisted = read(text(version="2.0.0", terms__columns__unit_price=None))
    assert [c.at for c in diff(read(text()), unlisted)] == ["description"]


@pytest.mark.parametrize("name", TERMS)
def test_every_term_is_compared_or_has_to_be_read(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tillit.agreement.terms.table.TERMS",
        {**TERMS, name: replace(TERMS[name], compare=None)},
    )
    old = read(text())
    new = read(
        text(
            version="2.0.0",
            terms__columns__unit_price="clear",
            terms__purposes=["benchmarking"],
            terms__cadence__every="month",
        )
    )
    if TERMS[name].required:
        (change,) = [c for c in diff(old, new) if c.at == f"terms.{name}"]
        assert "both versions have to be read" in change.says
        assert change.direction is O


def test_a_term_that_comes_or_goes_has_to_be_read() -> None:
    assert "is new" in unread(None, 1, "terms.x")[0].says
    assert "is gone" in unread(1, None, "terms.x")[0].says


# ---- what a newer contract breaks ---------------------------------------------------------------


def changed(name: str, **changes: Any) -> Kind:
    columns = tuple(replace(c, **changes) if c.name == name else c for c in KIND.columns)
    return replace(KIND, version="1.1.0", columns=columns)


RULE = Rule("sane", "a quantity is not negative", "quantity < 0", ("quantity",))
BREAKING = {
    "removed column": (KIND, replace(KIND, columns=KIND.columns[:-1]), "is removed"),
    "fewer digits": (KIND, changed("quantity", sql_type="DECIMAL(10,3)"), "takes DECIMAL(10,3)"),
    "fewer decimals": (KIND, changed("quantity", sql_type="DECIMAL(18,2)"), "takes"),
    "decimals at the cost of digits": (KIND, changed("quantity", sql_type="DECIMAL(18,4)"), ""),
    "smaller numbers": (KIND, changed("line", sql_type="SMALLINT"), "takes SMALLINT"),
    "another type": (KIND, changed("order_id", sql_type="INTEGER"), "took VARCHAR"),
    "required": (KIND, changed("unit_price", required=True), "must be there"),
    "unit": (KIND, changed("quantity", unit="kg"), "is in kg, and was in no unit"),
    "class": (KIND, changed("unit_price", level=2), "more confidential 3"),
    "new column": (
        KIND,
        replace(KIND, columns=(*KIND.columns, Column("x", "DATE", required=True))),
        "every row must have it",
    ),
    "key": (KIND, changed("line", key=0), "told apart by order_id,"),
    "new rule": (KIND, replace(KIND, rules=(RULE,)), "is a new rule: a quantity"),
    "tightened rule": (
        replace(KIND, rules=(RULE,)),
        replace(KIND, rules=(replace(RULE, breaks="quantity <= 0"),)),
        "is another rule",
    ),
    "another kind": (KIND, replace(KIND, name="delivery"), "contract of delivery"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks(name: str) -> None:
    old, new, says = BREAKING[name]
    (found,) = breaking(old, new)
    assert says in found.says


OPTIONAL = Column("x", "DATE")
HARMLESS = {
    "nothing": (KIND, KIND),
    "another version": (KIND, replace(KIND, version="1.1.0", digest="f" * 64)),
    "more digits": (KIND, changed("quantity", sql_type="DECIMAL(20,4)")),
    "greater numbers": (KIND, changed("line", sql_type="BIGINT")),
    "numbers with decimals": (KIND, changed("line", sql_type="DECIMAL(18,3)")),
    "may be empty": (KIND, changed("quantity", required=False)),
    "more confidential": (KIND, changed("unit_price", level=4)),
    "a rule less": (replace(KIND, rules=(RULE,)), KIND),
    "a column more, with its rule": (
        KIND,
        replace(
            KIND,
            columns=(*KIND.columns, OPTIONAL),
            rules=(Rule("range:x", "not before 2000", "x < date '2000-01-01'", ("x",)),),
        ),
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_break(name: str) -> None:
    assert breaking(*HARMLESS[name]) == []
