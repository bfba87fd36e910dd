"""Who is known: add a party by its fingerprint, follow a rotation, rotate our own keys. I/O."""

from __future__ import annotations

from datetime import datetime

from tillit.crypto.party import Party, PartyDocument, accept, accept_rotation, peek_id
from tillit.errors import PartyRefused
from tillit.home import Home

__all__ = ["add_party", "rotate_keys"]


def add_party(home: Home, document: bytes, fingerprint: str | None, *, now: datetime) -> Party:
    """Accept a party's document: the first by its fingerprint, later ones by the keys we know.

    The same document again changes nothing. Raises PartyRefused (fingerprint, signature,
    rotation, malformed, conflict).
    """
    del now
    claimed = peek_id(document)
    if claimed == home.party_id:
        raise PartyRefused("conflict", f"{claimed} is our own id", found=claimed)
    known = home.parties.get(claimed)
    if known is not None:
        if document in home.documents(claimed):
            return known
        party = accept_rotation(document, known)
    elif fingerprint is None:
        raise PartyRefused(
            "fingerprint",
            f"{claimed} is not known yet",
            expected="--fingerprint, as the partner told you by another way",
            found="none",
        )
    else:
        party = accept(document, fingerprint)
    _require_own_keys(home, party)
    home.keep_party(party, document)
    return party


def _require_own_keys(home: Home, party: Party) -> None:
    """One key under two names could sign for both sides of an agreement."""
    for other in home.parties.values():
        if other.id != party.id and set(other.keys) & set(party.keys):
            raise PartyRefused(
                "conflict",
                f"{party.id} has the keys of {other.id}",
                expected="keys of its own",
                found=party.fingerprint,
            )


def rotate_keys(home: Home, *, now: datetime) -> Party:
    """Make new keys and a document that the old and the new ones have signed.

    The document is kept between the ring's two steps: a rotation that was interrupted is finished
    by the next call, with the keys that it had begun with.
    """
    us, ring = home.party(home.party_id), home.keys
    begun = ring.pending is not None and us.keys[0] == ring.pending.signing.public
    if not begun:
        ring.prepare_rotation()
        document = PartyDocument.next(us, keys=ring, issued_at=now)
        us = accept_rotation(document.envelope, us)
        home.keep_party(us, document.envelope)
    ring.finish_rotation()
    return us
