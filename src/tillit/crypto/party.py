"""Who somebody is: party documents, accepted by fingerprint and followed through rotations.

Pure, but for `PartyDocument.rotated`, which lets the key ring make and keep new keys.

A document is JSON in a DSSE envelope, signed by the keys that it names. The first is believed
because people compared its fingerprint; each later one because the keys known before signed it too.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from tillit.crypto import dsse
from tillit.crypto.age import recipient_of
from tillit.crypto.age.reader import Random
from tillit.crypto.keys import Generation, KeyRing
from tillit.crypto.party_text import Party, encode_party, parse_party
from tillit.crypto.signing import PublicKeys
from tillit.errors import PartyRefused, StatementRefused
from tillit.model import isoformat

__all__ = [
    "PAYLOAD_TYPE",
    "Party",
    "PartyDocument",
    "accept",
    "accept_rotation",
    "peek_id",
    "replay",
]

PAYLOAD_TYPE = "application/vnd.tillit.party.v1+json"
_MAX_BYTES = 128 * 1024
# An envelope has room for the signatures of eight generations.
_SIGNING_GENERATIONS = 8


@dataclass(frozen=True)
class PartyDocument:
    """Our own document as it goes out, and the party that it makes of us."""

    party: Party
    envelope: bytes = field(repr=False)

    @classmethod
    def first(
        cls,
        *,
        id: str,  # noqa: A002 (the field's name in the document)
        name: str,
        mailbox_url: str,
        keys: KeyRing,
        issued_at: datetime,
    ) -> Self:
        """The first document, signed by the keys in it; PartyRefused for a name that is none."""
        generation = keys.generations[0]
        party = Party(
            id=id,
            name=name,
            mailbox_url=mailbox_url,
            version=1,
            issued_at=issued_at,
            keys=(generation.signing.public,),
            recipients=(recipient_of(generation.identity),),
        )
        return cls(party, _sign(party, (generation,)))

    @classmethod
    def next(
        cls,
        known: Party,
        keys: KeyRing,
        *,
        issued_at: datetime,
        name: str | None = None,
        mailbox_url: str | None = None,
    ) -> Self:
        """The document after ``known``: with the ring's pending keys if there are any.

        Signed by the new keys and by earlier ones, so a partner that missed a document can follow.
        """
        pending = () if keys.pending is None else (keys.pending,)
        generations = (*pending, *keys.generations)[:_SIGNING_GENERATIONS]
        newest = generations[0].signing.public
        party = Party(
            id=known.id,
            name=known.name if name is None else name,
            mailbox_url=known.mailbox_url if mailbox_url is None else mailbox_url,
            version=known.version + 1,
            issued_at=issued_at,
            keys=known.keys if newest == known.keys[0] else (newest, *known.keys),
            recipients=(recipient_of(generations[0].identity),),
        )
        return cls(party, _sign(party, generations))

    @classmethod
    def rotated(
        cls, known: Party, keys: KeyRing, *, issued_at: datetime, random: Random = os.urandom
    ) -> Self:
        """The document that announces new keys, which the ring keeps as pending.

        Keep and send the document, then call ``keys.finish_rotation()``. What dies in between is
        mended by doing both again: the pending keys are announced once more, not made anew.
        """
        keys.prepare_rotation(random)
        return cls.next(known, keys, issued_at=issued_at)


def peek_id(envelope: bytes) -> str:
    """The id that a document claims, before anything is verified; PartyRefused ``malformed``."""
    return _claimed(envelope).id


def accept(envelope: bytes, fingerprint: str) -> Party:
    """Somebody new, whose fingerprint a person has from elsewhere than the document.

    Raises PartyRefused: ``malformed``, ``fingerprint``, ``signature``.
    """
    party = _claimed(envelope)
    if not hmac.compare_digest(_normal(fingerprint), _normal(party.fingerprint)):
        raise PartyRefused(
            "fingerprint",
            f"the document of {party.id} is not the one that was meant",
            expected=fingerprint,
            found=party.fingerprint,
        )
    _verify(envelope, party.keys[0], "signature", f"the document of {party.id} by its own keys")
    return party


def accept_rotation(envelope: bytes, known: Party) -> Party:
    """A later document of somebody known, with new keys or the same ones.

    Raises PartyRefused: ``malformed``; ``signature`` without that of its own keys; ``rotation``
    without that of the newest keys we know, for another id, or for a document that is not newer.
    """
    party = _claimed(envelope)
    if party.id != known.id:
        raise PartyRefused("rotation", "somebody else's", expected=known.id, found=party.id)
    if party.version <= known.version or party.issued_at < known.issued_at:
        raise PartyRefused(
            "rotation",
            f"a document of {party.id} that is not newer",
            expected=f"a version after {known.version}, issued no earlier",
            found=f"{party.version}, {isoformat(party.issued_at)}",
        )
    (newest,) = party.keys
    if newest in known.keys[1:]:
        raise PartyRefused("rotation", f"{party.id} goes back to keys that it has given up")
    _verify(envelope, newest, "signature", f"the document of {party.id} by its own keys")
    if newest == known.keys[0]:
        keys = known.keys
    else:
        _verify(envelope, known.keys[0], "rotation", f"{party.id}'s new keys by those known here")
        keys = (newest, *known.keys)
    return Party(
        id=party.id,
        name=party.name,
        mailbox_url=party.mailbox_url,
        version=party.version,
        issued_at=party.issued_at,
        keys=keys,
        recipients=party.recipients,
    )


def replay(envelopes: Sequence[bytes]) -> Party:
    """The party that documents make, oldest first, that were accepted here before.

    The first is not compared with a fingerprint again; all signatures are verified again.
    """
    if not envelopes:
        raise PartyRefused("unknown", "no document of this party is kept here")
    party = accept(envelopes[0], _claimed(envelopes[0]).fingerprint)
    for envelope in envelopes[1:]:
        party = accept_rotation(envelope, party)
    return party


def _normal(fingerprint: str) -> bytes:
    """A fingerprint as typed by a person: case, spaces and dashes do not count."""
    return "".join(c for c in fingerprint.casefold() if c.isalnum()).encode("utf-8")


def _verify(envelope: bytes, keys: PublicKeys, code: str, what: str) -> None:
    try:
        dsse.verify(envelope, {"signer": (keys,)}, PAYLOAD_TYPE, max_bytes=_MAX_BYTES)
    except StatementRefused as refusal:
        code = "malformed" if refusal.code == "statement.malformed" else code
        raise PartyRefused(code, f"{what}: {refusal}") from refusal


def _sign(party: Party, generations: Sequence[Generation]) -> bytes:
    """The envelope; what others would refuse is not signed."""
    payload = encode_party(party)
    parse_party(payload)
    return dsse.sign(payload, PAYLOAD_TYPE, [generation.signing for generation in generations])


def _claimed(envelope: bytes) -> Party:
    """Who the document says it is of; nothing is verified yet."""
    try:
        return parse_party(dsse.unverified_payload(envelope, max_bytes=_MAX_BYTES))
    except StatementRefused as refusal:
        raise PartyRefused("malformed", str(refusal)) from refusal
