"""Keys that change hands or are given up, homes that are none, and texts that are no agreement."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.scenarios.crook import FORECAST, receipt_of
from tests.scenarios.pair import BUYER, Company, Pair

from tillit.errors import HomeError, KeyFileError, PartyRefused, TillitError
from tillit.exchange.audit import verify_ledger
from tillit.exchange.parties import add_party, rotate_keys
from tillit.home import Home

TILLIT = Path(sys.executable).parent / "tillit"


# ---- rotation -----------------------------------------------------------------------------------


def test_after_a_rotation_old_shipments_open_and_old_keys_sign_nothing_more(pair: Pair) -> None:
    keys = pair.buyer.home.folder / "keys"
    stolen = pair.buyer.home.folder.parent / "stolen"
    shutil.copytree(keys, stolen)

    # On its way to the supplier: sealed to the keys that it has, signed by those the buyer has.
    first = pair.buyer.publish(FORECAST, now=pair.later())
    for company, other in (pair.both, pair.both[::-1]):
        rotated = rotate_keys(company.home, now=pair.later())
        document = company.home.documents(rotated.id)[-1]
        assert add_party(other.home, document, None, now=pair.later()).version == 2
    (outcome,) = pair.supplier.receive(now=pair.later()).outcomes
    assert (outcome.result, outcome.accepted) == ("accepted", first.rows)

    # New keys on both sides.
    second = pair.buyer.publish(FORECAST, now=pair.later(), revision=2)
    (outcome,) = pair.supplier.receive(now=pair.later()).outcomes
    assert (outcome.result, outcome.accepted) == ("accepted", second.rows)
    pair.buyer.receive(now=pair.later())
    for company in pair.both:
        assert verify_ledger(company.home).findings == ()

    # Whoever has the old keys is nobody any more.
    pair.buyer.home.close()
    shutil.rmtree(keys)
    shutil.copytree(stolen, keys)
    landed = pair.supplier.landed()
    with Home.open(pair.buyer.home.folder) as thief:
        Company(thief).publish(FORECAST, now=pair.later(), revision=3)
    (outcome,) = pair.supplier.receive(now=pair.later()).outcomes
    assert (outcome.result, outcome.code) == ("turned-away", "statement.signature")
    assert pair.supplier.landed() == landed
    assert pair.supplier.statements(type="notice")


def test_a_rotation_that_somebody_else_signed_changes_nothing(pair: Pair) -> None:
    before = pair.supplier.home.party(BUYER)
    document = json.loads(pair.buyer.home.documents(BUYER)[-1])
    document["signatures"] = list(reversed(document["signatures"]))[:1]
    with pytest.raises(PartyRefused):
        add_party(pair.supplier.home, json.dumps(document).encode(), None, now=pair.now)
    assert pair.supplier.home.party(BUYER) == before


# ---- homes --------------------------------------------------------------------------------------


def test_a_home_without_keys_sends_nothing_and_says_so(pair: Pair) -> None:
    folder = pair.buyer.home.folder
    pair.buyer.home.close()
    (folder / "keys").rename(folder / "keys.kept")
    with Home.open(folder) as home, pytest.raises(HomeError) as refused:
        Company(home).publish(FORECAST, now=pair.later())
    assert refused.value.code == "home.without-keys"
    assert pair.supplier.waiting() == []
    (folder / "keys.kept").rename(folder / "keys")
    with Home.open(folder) as home:
        made = Company(home).publish(FORECAST, now=pair.later())
    (outcome,) = pair.supplier.receive(now=pair.later()).outcomes
    assert (outcome.result, outcome.accepted) == ("accepted", made.rows)


def test_a_key_that_others_can_read_is_not_used(pair: Pair) -> None:
    folder = pair.buyer.home.folder
    pair.buyer.home.close()
    for key in (folder / "keys").rglob("*"):
        if key.is_file():
            key.chmod(0o644)
    with Home.open(folder) as home, pytest.raises(KeyFileError) as refused:
        Company(home).publish(FORECAST, now=pair.later())
    assert refused.value.code == "key.mode"
    assert "0600" in str(refused.value)
    assert pair.supplier.waiting() == []


def test_a_home_without_keys_still_says_what_stands_in_its_ledger(pair: Pair) -> None:
    made = pair.buyer.publish(FORECAST, now=pair.later())
    pair.supplier.receive(now=pair.later())
    pair.buyer.receive(now=pair.later())
    folder = pair.buyer.home.folder
    pair.buyer.home.close()
    shutil.rmtree(folder / "keys")
    with Home.open(folder) as home:
        assert verify_ledger(home).findings == ()
        assert receipt_of(Company(home), str(made.shipment_id)) is None


# ---- texts --------------------------------------------------------------------------------------

GOOD = Path(__file__).parents[2] / "contracts" / "agreements" / "nordvik--fjordstal" / "order.yaml"

TEXTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "contract.wrong-value"),
    "no YAML": (b"a: [", "contract.not-yaml"),
    "not UTF-8": (b"id: \xff\xfe", "contract.not-utf8"),
    "a key twice": (b"id: a\nid: b\n", "contract.duplicate-key"),
    "an unknown key": (GOOD.read_bytes() + b"signedBy: me\n", "contract.unknown-key"),
    "an unknown term": (
        GOOD.read_bytes().replace(b"terms:\n", b"terms:\n  surprise: 1\n"),
        "contract.unknown-term",
    ),
    "aliases that multiply": (
        b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
        "contract.alias",
    ),
    "an object of Python's": (
        b"id: !!python/object/apply:os.system [id]\n",
        "contract.unsupported",
    ),
    "ten megabytes": (b"id: " + b"x" * 10_000_000, "contract.too-large"),
    "a thousand floors": (b"a: " + b"[" * 1000 + b"]" * 1000, "contract.too-deep"),
    "dates that cross": (
        GOOD.read_bytes().replace(b"endTimestamp: 2027", b"endTimestamp: 2025"),
        "contract.wrong-value",
    ),
    "a party that looks like another": (
        GOOD.read_bytes().replace(b"consumer: fjordstal", "consumer: fj\u043erdstal".encode()),
        "contract.wrong-value",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_agreement_is_refused_by_name(tmp_path: Path, name: str) -> None:
    content, code = TEXTS[name]
    file = tmp_path / "agreement.yaml"
    file.write_bytes(content)
    run = subprocess.run(
        [TILLIT, "agreement", "check", file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 3
    assert f"[{code}]" in run.stderr
    assert len(run.stderr) < 2000  # a stranger's text is not printed at length
    assert "Traceback" not in run.stderr


def test_every_code_belongs_to_its_family() -> None:
    for _, code in TEXTS.values():
        family, _, word = code.partition(".")
        (kind,) = [c for c in families() if c.family == family]
        assert word in kind.codes


def families() -> list[type[TillitError]]:
    found, todo = [], [TillitError]
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        if "codes" in vars(one):
            found.append(one)
    return found
