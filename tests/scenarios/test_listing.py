"""The list of agreements remembers what it has verified; nothing that leaves or lands asks it."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.crook import all_goes_on
from tests.scenarios.pair import BUYER, SUPPLIER, Pair
from tests.scenarios.test_life import FORECAST, wording

from tillit.agreement.life import Life, told
from tillit.errors import AgreementRefused
from tillit.exchange import listing
from tillit.exchange.agreements import counter, propose, revoke, sign
from tillit.exchange.deliver import deliver
from tillit.exchange.listing import listed
from tillit.exchange.publish import publish
from tillit.exchange.receive import receive
from tillit.exchange.standing import lives
from tillit.home import Home

SOURCE = Path(listing.__file__).parents[1]
MAIN = f"{BUYER}--{SUPPLIER}.{FORECAST}"


def remembered(home: Home) -> Path:
    return home.folder / "cache" / "agreements.jsonl"


def shown(lives: dict[tuple[str, str], Life], home: Home, pair: Pair) -> list[tuple[Any, ...]]:
    """All that the command shows."""
    now = pair.later(timedelta(0))
    return [
        (
            *(*key, v.agreement.id, v.agreement.version, v.agreement.digest, v.agreement.kind),
            *(v.agreement.provider, v.agreement.consumer, v.agreement.start, v.agreement.end),
            *(v.agreement.reassess, sorted(v.signed), told(life, v, now, home.party_id)),
        )
        for key, life in lives.items()
        for v in life.versions.values()
    ]


@pytest.fixture
def talk(partners: Pair) -> Pair:
    """Beside the agreements in force: one countered and signed, one revoked, one that waits.

    They talk once for all tests of this file; each finds nothing remembered.
    """
    if not partners.buyer.statements(type="agreement", agreement="that.waits"):
        _talk(partners)
    for company in partners.both:
        shutil.rmtree(remembered(company.home).parent, ignore_errors=True)
    return partners


def _talk(pair: Pair) -> None:
    def arrive() -> None:
        for company in pair.both:
            deliver(company.home, now=pair.later())
        for company in pair.both:
            receive(company.home, now=pair.later())

    buyer, supplier = (company.home for company in pair.both)
    propose(buyer, wording(pair, "a.long.talk"), now=pair.later())
    propose(buyer, wording(pair, "that.waits"), now=pair.later())
    text = wording(pair, "that.ends").decode()
    text = text.replace("terms:\n", "terms:\n  noticePeriod: {days: 3650}\n", 1)
    text = text.replace("2090-01-01", "2030-01-01")
    sign(buyer, text.encode(), now=pair.later())
    arrive()
    answer = wording(pair, "a.long.talk", "1.1.0", withheld=("note",))
    counter(supplier, answer, now=pair.later())
    sign(supplier, text.encode(), now=pair.later())
    arrive()
    sign(buyer, answer, now=pair.later())
    sign(supplier, answer, now=pair.later())
    revoke(buyer, "a.long.talk", "It was too long.", now=pair.later())
    arrive()


def test_a_list_says_what_the_ledger_says_with_and_without_what_is_remembered(talk: Pair) -> None:
    for company in talk.both:
        home = company.home
        truth = shown(lives(home), home, talk)
        assert {"a.long.talk", "that.waits", "that.ends"} <= {row[0] for row in truth}
        assert any("ends in" in row[-1] for row in truth)
        assert any(row[-1].startswith("revoked by") for row in truth)
        assert shown(listed(home), home, talk) == truth
        assert shown(listed(home), home, talk) == truth
        remembered(home).unlink()
        assert shown(listed(home), home, talk) == truth
        assert remembered(home).stat().st_mode & 0o777 == 0o600
        assert remembered(home).parent.stat().st_mode & 0o777 == 0o700


def test_what_was_said_or_heard_is_not_verified_again(
    talk: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = talk.buyer.home
    listed(home)

    def fail(*_: object) -> None:
        raise AssertionError("verified again")

    propose(home, wording(talk, "one.more"), now=talk.later())
    monkeypatch.setattr(listing, "event_of", fail)
    assert ("one.more", SUPPLIER) in listed(home)
    remembered(home).unlink()
    with pytest.raises(AssertionError, match="verified again"):
        listed(home)


def spoil(home: Home, change: Callable[[str, Any], Any]) -> None:
    """Write other answers under the right keys."""
    listed(home)
    lines = [json.loads(line) for line in remembered(home).read_text().splitlines() if line]
    remembered(home).write_text("".join(json.dumps(change(*line)) + "\n" for line in lines))


@pytest.mark.parametrize(
    "change",
    [
        lambda key, _: [key, None],
        lambda key, _: [key, {"what": "signed"}],
        lambda key, said: [key, {**said, "what": "nothing"}],
        lambda key, said: [key, {**said, "version": "x"}],
        lambda key, said: [key, {**said, "text": {"terms": []}}],
        lambda key, said: [key, {**said, "text": {**(said["text"] or {}), "end": "soon"}}],
        lambda key, _: {"key": key},
        lambda _, said: ["another key", said],
        lambda key, _: key * 1000,
    ],
)
def test_what_nobody_could_have_remembered_is_verified_again(
    talk: Pair, change: Callable[[str, Any], Any]
) -> None:
    home = talk.supplier.home
    truth = shown(lives(home), home, talk)
    spoil(home, change)
    with remembered(home).open("ab") as file:
        file.write(b'\xff{"half a li')
    assert shown(listed(home), home, talk) == truth
    assert shown(listed(home), home, talk) == truth


def test_a_file_that_others_may_write_is_not_read(talk: Pair) -> None:
    home = talk.supplier.home
    truth = shown(lives(home), home, talk)
    spoil(home, lambda key, _: [key, {"what": "refused"}])
    assert shown(listed(home), home, talk) == []
    remembered(home).chmod(0o660)
    assert shown(listed(home), home, talk) == truth
    assert remembered(home).stat().st_mode & 0o777 == 0o600
    target = remembered(home).rename(home.folder / "elsewhere")
    remembered(home).symlink_to(target)
    assert shown(listed(home), home, talk) == truth
    remembered(home).unlink(missing_ok=True)
    remembered(home).mkdir()
    assert shown(listed(home), home, talk) == truth


def test_other_keys_of_a_partner_find_nothing(talk: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    home = talk.supplier.home
    truth = shown(lives(home), home, talk)
    spoil(home, lambda key, _: [key, {"what": "refused"}])
    assert not shown(listed(home), home, talk)
    # Documents of both are others than those that the answers were remembered with.
    whole = home.documents
    monkeypatch.setattr(home, "documents", lambda party: [*whole(party), b"one more"])
    assert shown(listed(home), home, talk) == truth
    # And what was verified under a partner's keys does not count once those are others.
    monkeypatch.setattr(home, "documents", lambda party: whole(SUPPLIER))
    monkeypatch.setitem(home.parties, BUYER, home.parties[SUPPLIER])
    assert all(BUYER not in row[-2] for row in shown(listed(home), home, talk))


def _in_force(key: str, said: Any) -> list[Any]:
    """As if it had been signed, with a text that never ends."""
    if said["text"] is None:
        return [key, {"what": "refused"}]
    return [
        key,
        {**said, "what": "signed", "text": {**said["text"], "end": "2999-01-01T00:00:00Z"}},
    ]


@pytest.mark.parametrize("change", [_in_force, lambda key, _: [key, {"what": "refused"}]])
def test_a_poisoned_list_lets_nothing_out_or_in_and_stops_nothing(
    talk: Pair, change: Callable[[str, Any], Any]
) -> None:
    for company in talk.both:
        spoil(company.home, change)
    for name in ("that.waits", "a.long.talk"):
        with pytest.raises(AgreementRefused):
            publish(talk.buyer.home, name, now=talk.later())
    all_goes_on(talk)


def test_only_the_command_that_shows_it_asks_for_the_list() -> None:
    asking = {
        module.relative_to(SOURCE).as_posix()
        for module in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
        and "listing" in f"{getattr(node, 'module', '')} {[n.name for n in node.names]}"
        and [name.name for name in node.names] != ["remember"]
    }
    assert asking == {"cli/agreement.py"}
