"""Party documents: accepted by fingerprint, followed through rotations, refused otherwise."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tillit.crypto import age, dsse
from tillit.crypto.keys import KeyRing
from tillit.crypto.party import (
    PAYLOAD_TYPE,
    Party,
    PartyDocument,
    accept,
    accept_rotation,
    peek_id,
    replay,
)
from tillit.errors import PartyRefused

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
LATER = NOW + timedelta(days=90)


def seeded(seed: object) -> Callable[[int], bytes]:
    return random.Random(str(seed)).randbytes


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.create(tmp_path / "keys", random=seeded(1))


def first(ring: KeyRing, **changes: Any) -> PartyDocument:
    fields = {"id": "nordvik", "name": "Nordvik Motor", "mailbox_url": "file:///srv/nordvik"}
    return PartyDocument.first(**{**fields, "keys": ring, "issued_at": NOW, **changes})


def rotated(known: Party, ring: KeyRing, seed: int) -> PartyDocument:
    document = PartyDocument.rotated(known, ring, issued_at=LATER, random=seeded(seed))
    ring.finish_rotation()
    return document


def changed(document: PartyDocument, ring: KeyRing, **fields: Any) -> bytes:
    """The document with other fields, signed as if its owner had written them."""
    payload = json.loads(dsse.unverified_payload(document.envelope))
    payload.update(fields)
    return dsse.sign(json.dumps(payload).encode(), PAYLOAD_TYPE, [ring.signing])


def code(refused: pytest.ExceptionInfo[PartyRefused]) -> str:
    return refused.value.code.removeprefix("party.")


def test_a_document_is_accepted_by_its_fingerprint(ring: KeyRing) -> None:
    document = first(ring)
    party = accept(document.envelope, ring.signing.public.fingerprint)
    assert party == document.party
    assert (party.id, party.version, party.issued_at) == ("nordvik", 1, NOW)
    assert party.keys == (ring.signing.public,)
    assert party.recipients == (age.recipient_of(ring.identities[0]),)
    assert peek_id(document.envelope) == "nordvik"


def test_a_fingerprint_is_compared_as_people_type_it(ring: KeyRing) -> None:
    document = first(ring)
    fingerprint = document.party.fingerprint
    assert len(fingerprint.split("-")) == 9
    for typed in (fingerprint.upper(), fingerprint.replace("-", " "), f" {fingerprint}\n"):
        assert accept(document.envelope, typed).fingerprint == fingerprint


@pytest.mark.parametrize("typed", ["", "tillit1", "tillit1-aaaa-aaaa", "ø"])
def test_another_fingerprint_is_refused(ring: KeyRing, typed: str) -> None:
    with pytest.raises(PartyRefused) as refused:
        accept(first(ring).envelope, typed)
    assert code(refused) == "fingerprint"
    with pytest.raises(PartyRefused):
        accept(first(ring).envelope, ring.signing.public.fingerprint[:-5])


def test_a_document_with_anothers_keys_is_refused(ring: KeyRing, tmp_path: Path) -> None:
    thief = KeyRing.create(tmp_path / "thief", random=seeded(2))
    document = first(ring)
    forged = changed(document, thief)
    with pytest.raises(PartyRefused) as refused:
        accept(forged, document.party.fingerprint)
    assert code(refused) == "signature"


def test_a_rotation_is_followed(ring: KeyRing) -> None:
    known = first(ring).party
    old = ring.signing.public
    document = rotated(known, ring, 2)
    party = accept_rotation(document.envelope, known)
    assert party == document.party
    assert party.version == 2
    assert party.keys == (ring.signing.public, old)
    assert party.fingerprint == ring.signing.public.fingerprint != known.fingerprint
    assert party.recipients == (age.recipient_of(ring.identities[0]),)


def test_somebody_new_accepts_a_rotated_document(ring: KeyRing) -> None:
    document = rotated(first(ring).party, ring, 2)
    party = accept(document.envelope, ring.signing.public.fingerprint)
    assert party.keys == (ring.signing.public,)


def test_a_partner_that_missed_a_document_can_follow(ring: KeyRing) -> None:
    known = first(ring).party
    missed = rotated(known, ring, 2).party
    newest = rotated(missed, ring, 3)
    assert newest.party.version == 3
    party = accept_rotation(newest.envelope, known)
    assert party.keys == (newest.party.keys[0], known.keys[0])


def test_many_rotations_stay_within_the_envelope(ring: KeyRing) -> None:
    document = first(ring)
    envelopes = [document.envelope]
    for seed in range(9):
        document = rotated(document.party, ring, seed + 2)
        envelopes.append(document.envelope)
    assert replay(envelopes) == document.party
    assert len(document.party.keys) == 10


def test_a_new_name_needs_no_new_keys(ring: KeyRing) -> None:
    known = first(ring).party
    document = PartyDocument.next(
        known, ring, issued_at=LATER, name="Nordvik", mailbox_url="sftp://x/y"
    )
    party = accept_rotation(document.envelope, known)
    assert (party.name, party.mailbox_url, party.version) == ("Nordvik", "sftp://x/y", 2)
    assert party.keys == known.keys


def test_new_keys_that_the_known_ones_have_not_signed_are_refused(
    ring: KeyRing, tmp_path: Path
) -> None:
    known = first(ring).party
    thief = KeyRing.create(tmp_path / "thief", random=seeded(2))
    forged = PartyDocument.next(first(thief).party, thief, issued_at=LATER)
    with pytest.raises(PartyRefused) as refused:
        accept_rotation(forged.envelope, known)
    assert code(refused) == "rotation"


def test_new_keys_that_only_the_known_ones_have_signed_are_refused(
    ring: KeyRing, tmp_path: Path
) -> None:
    """Nobody may claim keys that are not in their hands."""
    known = first(ring).party
    other = KeyRing.create(tmp_path / "other", random=seeded(2))
    foreign = PartyDocument.next(first(other).party, other, issued_at=LATER)
    with pytest.raises(PartyRefused) as refused:
        accept_rotation(changed(foreign, ring), known)
    assert code(refused) == "signature"


@pytest.mark.parametrize(
    "fields",
    [{"version": 1}, {"id": "fjordstal"}, {"issuedAt": "2020-01-01T00:00:00Z"}],
    ids=["not-newer", "another-id", "earlier"],
)
def test_a_document_that_does_not_follow_is_refused(ring: KeyRing, fields: dict[str, Any]) -> None:
    known = first(ring)
    with pytest.raises(PartyRefused) as refused:
        accept_rotation(changed(known, ring, **{"version": 2, **fields}), known.party)
    assert code(refused) == "rotation"


def test_nobody_goes_back_to_old_keys(ring: KeyRing) -> None:
    document = first(ring)
    old = KeyRing.load(ring._path.parent)
    second = rotated(document.party, ring, 2)
    known = accept_rotation(second.envelope, document.party)
    payload = json.loads(dsse.unverified_payload(document.envelope))
    payload.update(version=3, issuedAt="2027-01-01T00:00:00Z")
    text = json.dumps(payload).encode()
    back = dsse.sign(text, PAYLOAD_TYPE, [old.signing, ring.signing])
    with pytest.raises(PartyRefused, match="given up") as refused:
        accept_rotation(back, known)
    assert code(refused) == "rotation"


def test_replay_follows_what_was_kept(ring: KeyRing) -> None:
    one = first(ring)
    two = rotated(one.party, ring, 2)
    assert replay([one.envelope, two.envelope]) == two.party
    with pytest.raises(PartyRefused):
        replay([two.envelope, one.envelope])
    with pytest.raises(PartyRefused) as refused:
        replay([])
    assert code(refused) == "unknown"


def test_a_rotation_that_died_is_announced_again(ring: KeyRing) -> None:
    known = first(ring).party
    announced = PartyDocument.rotated(known, ring, issued_at=LATER, random=seeded(2))
    # Dies before the ring is switched: the same keys are announced in the next document.
    ring = KeyRing.load(ring._path.parent)
    again = PartyDocument.rotated(announced.party, ring, issued_at=LATER, random=seeded(3))
    ring.finish_rotation()
    assert again.party.keys == announced.party.keys
    assert accept_rotation(again.envelope, announced.party) == again.party
    assert accept_rotation(again.envelope, known).keys == announced.party.keys


RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Nordvik"),
        ("id", "../nordvik"),
        ("id", 7),
        ("name", ""),
        ("name", "x" * 101),
        ("name", " Nordvik"),
        ("name", "Nordvik\nMotor"),
        ("name", f"Nordvik{RIGHT_TO_LEFT}rotoM"),
        ("name", "\x1b[2J"),
        ("name", "\ud800"),
        ("name", None),
        ("mailboxUrl", "http://example.com/inbox"),
        ("mailboxUrl", "/srv/inbox"),
        ("mailboxUrl", "file://host/inbox"),
        ("mailboxUrl", "file:inbox"),
        ("mailboxUrl", "file:///srv/../etc"),
        ("mailboxUrl", "file:///srv/%2e%2e/etc"),
        ("mailboxUrl", "sftp:///inbox"),
        ("mailboxUrl", "sftp://user:secret@host/inbox"),
        ("mailboxUrl", "sftp://host:port/inbox"),
        ("mailboxUrl", "s3://bucket/inbox?versionId=1"),
        ("mailboxUrl", "s3://bucket/in box"),
        ("mailboxUrl", "s3://bucket/" + "x" * 500),
        ("mailboxUrl", "memory://nordvik/\u00e5"),
        ("mailboxUrl", []),
        ("version", 0),
        ("version", True),
        ("version", 1.0),
        ("version", 10**7),
        ("issuedAt", "2026-03-01"),
        ("issuedAt", "2026-03-01T06:00:00+01:00"),
        ("issuedAt", 0),
        ("keys", {}),
        ("keys", {"ed25519": "", "mldsa65": ""}),
        ("keys", {"ed25519": 1, "mldsa65": 2}),
        ("recipients", []),
        ("recipients", ["age1"]),
        ("recipients", [1]),
        ("recipients", "age1"),
        ("another", 1),
    ],
)
def test_a_malformed_field_is_refused(ring: KeyRing, field: str, value: object) -> None:
    document = first(ring)
    with pytest.raises(PartyRefused) as refused:
        accept(changed(document, ring, **{field: value}), document.party.fingerprint)
    assert code(refused) == "malformed"
    assert "secret" not in str(refused.value)


def test_recipients_of_two_kinds_are_refused(ring: KeyRing) -> None:
    document = first(ring)
    classic = age.recipient_of(age.generate_identity("X25519", seeded(5)))
    mixed = changed(document, ring, recipients=[*document.party.recipients, classic])
    with pytest.raises(PartyRefused, match="one kind"):
        accept(mixed, document.party.fingerprint)
    alone = changed(document, ring, recipients=[classic])
    assert accept(alone, document.party.fingerprint).recipients == (classic,)


@pytest.mark.parametrize(
    "url",
    [
        "file:///srv/nordvik/inbox",
        "file:///srv/with%20space",
        "sftp://tillit@sftp.example.com:2222/inbox",
        "s3://bucket/inbox",
        "memory://nordvik/inbox",
    ],
)
def test_these_addresses_are_mailboxes(ring: KeyRing, url: str) -> None:
    assert first(ring, mailbox_url=url).party.mailbox_url == url


@pytest.mark.parametrize("fields", [{"name": "\ud800"}, {"id": "No"}, {"mailbox_url": "x"}])
def test_we_do_not_sign_what_others_would_refuse(ring: KeyRing, fields: dict[str, str]) -> None:
    with pytest.raises(PartyRefused) as refused:
        first(ring, **fields)
    assert code(refused) == "malformed"


@pytest.mark.parametrize("envelope", [b"", b"{}", b"x" * 200_000])
def test_what_is_no_document_is_refused(envelope: bytes) -> None:
    for way in (lambda: accept(envelope, "tillit1"), lambda: peek_id(envelope)):
        with pytest.raises(PartyRefused) as refused:
            way()
        assert code(refused) == "malformed"
