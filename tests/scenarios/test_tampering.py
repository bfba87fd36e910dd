"""Whoever runs the mailbox changes what lies in it, and gets nowhere."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.scenarios.crook import all_goes_on, forecast, receipt_of, take_one
from tests.scenarios.pair import BUYER, SUPPLIER, Company, Pair

from tillit.crypto import dsse
from tillit.crypto.signing import SigningKeys
from tillit.ledger.statement import IN_TOTO

STRANGER = "havglass"


@dataclass(frozen=True)
class Lying:
    """The one shipment that waits in the supplier's mailbox."""

    statement: Path
    payload: Path

    @property
    def seq(self) -> int:
        """Its number."""
        return int(self.statement.name.partition(".")[0])


def lying(company: Company) -> Lying:
    """What waits, which must be one shipment."""
    (statement,), (payload,) = company.waiting(".dsse.json"), company.waiting(".age")
    return Lying(statement, payload)


# ---- the payload: its statement is whole, so its author is told ----------------------------------


def one_byte(path: Path, at: float) -> None:
    """Change one bit of one byte."""
    content = bytearray(path.read_bytes())
    content[int((len(content) - 1) * at)] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Leave half of it."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def holds(content: bytes) -> Callable[[Path], object]:
    """Put something else in its place."""
    return lambda path: path.write_bytes(content)


def longer(path: Path) -> None:
    """Add bytes at its end."""
    with path.open("ab") as file:
        file.write(b"more")


def a_link(path: Path) -> None:
    """A link to what its reader could read."""
    path.unlink()
    path.symlink_to("/etc/hostname")


def a_folder(path: Path) -> None:
    """What cannot be removed as a file is."""
    path.unlink()
    path.mkdir()


PAYLOADS: dict[str, tuple[Callable[[Path], object], str]] = {
    "its first byte changed": (lambda path: one_byte(path, 0), "payload.digest"),
    "a byte in the middle changed": (lambda path: one_byte(path, 0.5), "payload.digest"),
    "its last byte changed": (lambda path: one_byte(path, 1), "payload.digest"),
    "cut in half": (cut, "payload.size"),
    "emptied": (holds(b""), "payload.size"),
    "made longer": (longer, "payload.size"),
    "deleted": (Path.unlink, "payload.missing"),
    "a link": (a_link, "payload.missing"),
    "a folder": (a_folder, "payload.missing"),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is(partners: Pair, name: str) -> None:
    tamper, code = PAYLOADS[name]
    shipment_id = forecast(partners)
    there = lying(partners.supplier)
    tamper(there.payload)
    refused_as(partners, code, shipment_id)
    if there.payload.is_dir():
        there.payload.rmdir()
    all_goes_on(partners)


def test_the_payloads_of_two_shipments_are_swapped(partners: Pair) -> None:
    """Both are sealed for the supplier by the buyer; they only lie in each other's place."""
    shipments = [forecast(partners), forecast(partners)]
    one, other = partners.supplier.waiting(".age")
    content = one.read_bytes(), other.read_bytes()
    one.write_bytes(content[1])
    other.write_bytes(content[0])
    before = partners.supplier.landed()
    outcomes = partners.supplier.receive(now=partners.later()).outcomes
    assert [o.shipment_id for o in outcomes] == shipments
    assert {o.code for o in outcomes} <= {"payload.digest", "payload.size"}
    assert {o.result for o in outcomes} == {"refused"}
    assert partners.supplier.landed() == before
    all_goes_on(partners)


def refused_as(pair: Pair, code: str, shipment_id: str) -> None:
    """Nothing lands; the receipt says why in both ledgers; what was signed is kept."""
    before = pair.supplier.landed()
    outcome = take_one(pair.supplier, pair)
    assert (outcome.result, outcome.code, outcome.shipment_id) == ("refused", code, shipment_id)
    assert pair.supplier.landed() == before
    (kept,) = pair.supplier.statements(type="shipment", shipment=shipment_id)
    assert kept.direction == "received"
    assert take_one(pair.buyer, pair).type == "receipt"
    assert receipt_of(pair.supplier, shipment_id) == code
    assert receipt_of(pair.buyer, shipment_id) == code


# ---- the statement: nobody is to blame, and the true one is asked for ----------------------------


def rewritten(path: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change an envelope's JSON."""
    envelope = json.loads(path.read_bytes())
    change(envelope)
    path.write_bytes(json.dumps(envelope).encode())


def signed(path: Path) -> bytes:
    """The bytes that are signed in it."""
    return b64decode(json.loads(path.read_bytes())["payload"])


def more_rows(path: Path) -> None:
    """Another number in it, under the same signatures."""
    content = re.sub(rb'"rows":[0-9]+', b'"rows":1', signed(path))
    rewritten(path, lambda envelope: envelope.update(payload=b64encode(content).decode()))


def other_type(path: Path) -> None:
    """Signed as one thing, shown as another."""
    rewritten(path, lambda envelope: envelope.update(payloadType="application/json"))


def unsigned(path: Path) -> None:
    """No signatures."""
    rewritten(path, lambda envelope: envelope.update(signatures=[]))


def half_signed(path: Path) -> None:
    """One of the two signatures, of either kind."""

    def change(envelope: dict[str, object]) -> None:
        signatures = envelope["signatures"]
        assert isinstance(signatures, list)
        signatures.pop()

    rewritten(path, change)


def by_a_stranger(path: Path) -> None:
    """The same words, signed by somebody else."""
    keys = SigningKeys.generate(lambda n: bytes([7]) * n)
    path.write_bytes(dsse.sign(signed(path), IN_TOTO, [keys]))


def megabytes(path: Path) -> None:
    """The true envelope, and then several megabytes of white space."""
    path.write_bytes(path.read_bytes() + b" " * (5 << 20))


def nested(path: Path) -> None:
    """What makes a careless reader recurse."""
    path.write_bytes(b"[" * 200_000)


STATEMENTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (more_rows, "statement.signature"),
    "of another type": (other_type, "statement.malformed"),
    "unsigned": (unsigned, "statement.unsigned"),
    "signed by half": (half_signed, "statement.signature"),
    "signed by a stranger": (by_a_stranger, "statement.stranger"),
    "cut in half": (cut, "statement.malformed"),
    "emptied": (holds(b""), "statement.malformed"),
    "not text": (holds(b"\xff\xfe\x00"), "statement.malformed"),
    "nested without end": (nested, "statement.malformed"),
    "several megabytes": (megabytes, "statement.too-large"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is(partners: Pair, name: str) -> None:
    tamper, code = STATEMENTS[name]
    shipment_id = forecast(partners)
    there = lying(partners.supplier)
    tamper(there.statement)
    turned_away_as(partners, code, BUYER, there.statement)
    assert partners.supplier.statements(shipment=shipment_id) == []
    all_goes_on(partners)
    # Told of the gap by the next one, the buyer has delivered the true one again.
    assert receipt_of(partners.buyer, shipment_id) is None


def turned_away_as(pair: Pair, code: str, sender: str, path: Path) -> None:
    """Nothing lands; what came is kept as evidence, and our own chain says so."""
    before, known = pair.supplier.landed(), len(pair.supplier.home.ledger.refused_objects())
    content = path.read_bytes()
    outcome = take_one(pair.supplier, pair)
    assert (outcome.sender, outcome.result, outcome.code) == (sender, "turned-away", code)
    assert pair.supplier.landed() == before
    assert pair.supplier.waiting() == []
    *_, evidence = pair.supplier.home.ledger.refused_objects()
    assert len(pair.supplier.home.ledger.refused_objects()) == known + 1
    assert (evidence.sender, evidence.code) == (sender, code)
    assert evidence.content == content[: 512 * 1024]
    noted = pair.supplier.home.ledger.get(evidence.statement_digest or "")
    assert noted is not None
    assert (noted.direction, noted.statement.body.code) == ("local", code)


# ---- the place: whole statements that lie where they do not belong -------------------------------


def test_a_stranger_has_a_place_in_the_mailbox(partners: Pair) -> None:
    shipment_id = forecast(partners)
    there = lying(partners.supplier)
    place = partners.supplier.mailbox / STRANGER
    place.mkdir()
    moved = there.statement.rename(place / there.statement.name)
    there.payload.rename(place / there.payload.name)
    turned_away_as(partners, "party.unknown", STRANGER, moved)
    place.rmdir()
    all_goes_on(partners)
    assert receipt_of(partners.buyer, shipment_id) is None


def test_our_own_statement_comes_back(partners: Pair) -> None:
    """What the supplier said to the buyer lies in the supplier's own mailbox, as the supplier's."""
    said = [s for s in partners.supplier.statements(partner=BUYER) if s.author == SUPPLIER][-1]
    place = partners.supplier.mailbox / SUPPLIER
    place.mkdir(exist_ok=True)
    path = place / f"{said.seq:010d}.dsse.json"
    path.write_bytes(said.envelope)
    turned_away_as(partners, "statement.wrong-recipient", SUPPLIER, path)
    all_goes_on(partners)


def test_the_same_file_comes_again(partners: Pair) -> None:
    forecast(partners)
    there = lying(partners.supplier)
    kept = there.statement.read_bytes(), there.payload.read_bytes()
    assert take_one(partners.supplier, partners).result == "accepted"
    for _ in range(2):
        there.statement.write_bytes(kept[0])
        there.payload.write_bytes(kept[1])
        before = partners.supplier.landed()
        outcome = take_one(partners.supplier, partners)
        assert (outcome.result, outcome.code) == ("turned-away", "statement.replayed")
        assert partners.supplier.landed() == before
    # The same evidence is kept once.
    found = partners.supplier.home.ledger.refused_objects()
    assert [o.content for o in found].count(kept[0]) == 1
    take_one(partners.buyer, partners)
    all_goes_on(partners)


@pytest.mark.parametrize("step", [1, 1000], ids=["the next number", "a far number"])
def test_the_same_statement_comes_under_another_number(partners: Pair, step: int) -> None:
    forecast(partners)
    there = lying(partners.supplier)
    content = there.statement.read_bytes()
    assert take_one(partners.supplier, partners).result == "accepted"
    path = there.statement.with_name(f"{there.seq + step:010d}.dsse.json")
    path.write_bytes(content)
    turned_away_as(partners, "statement.wrong-place", BUYER, path)
    take_one(partners.buyer, partners)
    all_goes_on(partners)
