"""Negotiate agreements: propose, counter, sign, decline, revoke, and take what a partner says so.

I/O: keys and ledger. Each step is a statement to the partner. Whether it may be taken is asked of
`tillit.agreement.life` with the relationship's chains locked, so that no other step comes between.
What may not be is refused, recorded in our own chain, and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tillit.agreement import PAYLOAD_TYPE
from tillit.agreement.language import read, require_kind
from tillit.agreement.life import Event, Life, Version, after, waits_for
from tillit.crypto import dsse
from tillit.errors import AgreementRefused, Refusal
from tillit.exchange.collect import Collected
from tillit.exchange.listing import remember
from tillit.exchange.record import note, send
from tillit.exchange.standing import (
    Signed,
    event_of,
    held,
    life_of,
    lives,
    other_party,
    require,
    verified,
)
from tillit.home import Home
from tillit.kinds import kind_of
from tillit.ledger.bodies import AgreementBody, AgreementRef
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.ledger.store import Transaction
from tillit.model import Agreement

__all__ = [
    "Signed",
    "counter",
    "decline",
    "find",
    "held",
    "propose",
    "require",
    "revoke",
    "sign",
    "take",
    "version_of",
]


def propose(home: Home, text: bytes, *, now: datetime) -> Agreement:
    """Propose an agreement, or a newer version of one; either side may. It binds nobody.

    Raises ContractRefused for the text, AgreementRefused when it does not fit the installed kind,
    is between others, or goes back behind a version that is on the table; PartyRefused for an
    unknown partner.
    """
    with _recorded(home, "a proposal", text, now):
        agreement, partner = _drafted(home, text)
        body = AgreementBody("proposed", _ref(agreement), text=text)
        _say(home, partner, body, agreement, now)
        return agreement


def counter(home: Home, text: bytes, *, answers: str | None = None, now: datetime) -> Agreement:
    """Answer a partner's proposal with another text, which has a newer version.

    ``answers`` is the version that is answered, or the newest that waits for us. Raises as
    `propose` does, and AgreementRefused ``no-proposal`` when there is nothing to answer.
    """
    with _recorded(home, "a counter-proposal", text, now):
        agreement, partner = _drafted(home, text)
        life = life_of(home, home.ledger, agreement.id, partner)
        answered = _chosen(home, life, agreement.id, answers, now)
        body = AgreementBody(
            "countered", _ref(agreement), text=text, answers=answered.agreement.digest
        )
        _say(home, partner, body, agreement, now)
        return agreement


def decline(
    home: Home, agreement_id: str, reason: str, *, version: str | None = None, now: datetime
) -> Agreement:
    """Say no to a partner's text, and why; without ``version`` to the newest that waits for us."""
    with _recorded(home, agreement_id, None, now):
        partner, life = find(home, agreement_id)
        declined = _chosen(home, life, agreement_id, version, now).agreement
        body = AgreementBody("declined", _ref(declined), reason=_words(reason))
        _say(home, partner, body, None, now)
        return declined


def revoke(home: Home, agreement_id: str, reason: str, *, now: datetime) -> Agreement:
    """Take back what we have signed or proposed of an agreement, in all its versions.

    Nothing leaves under it from now on; on the other side it ends when this arrives there. Raises
    AgreementRefused ``missing``, ``not-signed``, ``revoked``.
    """
    with _recorded(home, agreement_id, None, now):
        partner, life = find(home, agreement_id)
        us = home.party_id
        own = [v for v in life.versions.values() if us in v.signed or v.introduced.author == us]
        named = (own or list(life.versions.values()))[-1].agreement
        body = AgreementBody("revoked", _ref(named), reason=_words(reason))
        _say(home, partner, body, None, now)
        return named


def sign(home: Home, text: bytes, *, now: datetime) -> Signed:
    """Sign an agreement's exact bytes, beside the partner's signature where we hold one.

    The signed envelope is recorded and goes to the partner by the mailbox. Signing again what we
    have signed changes nothing. Raises ContractRefused for the text, AgreementRefused when we are
    no party to it, another text has the same id and version, or it was declined, revoked or
    overtaken; PartyRefused for an unknown partner.
    """
    with _recorded(home, "an agreement to sign", text, now):
        agreement = read(text)
        partner = other_party(home, agreement)
        home.party(partner)
        before = _beside(home, agreement)
        life = life_of(home, home.ledger, agreement.id, partner)
        version = life.versions.get(agreement.digest)
        revoked = version is not None and version.revoked
        if before is not None and home.party_id in before.signers and not revoked:
            return before
        _require_not_overtaken(life, agreement)
        ours = [home.keys.signing]
        if before is None:
            envelope = dsse.sign(text, PAYLOAD_TYPE, ours)
        else:
            envelope = dsse.add_signatures(before.envelope, ours)
        signed = verified(home, envelope, required=home.party_id)
        body = AgreementBody("signed", _ref(agreement), envelope=json.loads(envelope))
        _say(home, partner, body, agreement, now, signed)
        return signed


def take(home: Home, transaction: Transaction, collected: Collected, now: datetime) -> None:
    """Take a partner's step; an agreement is not in force before we have signed as well.

    Raises ContractRefused for its text, and AgreementRefused when it is between others, is not
    signed by its sender, names another text than it carries, or is a step that cannot follow on
    those before: an answer to nothing, a version that goes back, another text of a known version.
    """
    statement = collected.statement
    event = event_of(home, statement, now)
    remember(home, collected.digest, event)
    life = life_of(
        home, transaction, event.agreement_id, statement.author, without=collected.digest
    )
    after(life, event)
    body = statement.body
    if isinstance(body, AgreementBody) and body.envelope is not None:
        envelope = json.dumps(body.envelope, separators=(",", ":"), sort_keys=True).encode()
        signed = verified(home, envelope, required=statement.author)
        before = _beside(home, signed.agreement)
        if before is None or not signed.signers <= before.signers:
            _keep(transaction, signed, now=now)


def find(home: Home, agreement_id: str) -> tuple[str, Life]:
    """The partner and the life of an agreement; AgreementRefused ``missing`` or ``conflict``."""
    found = {partner: life for (_, partner), life in lives(home, agreement_id).items()}
    if not found:
        raise AgreementRefused(
            "missing",
            f"nothing was ever said of {agreement_id}",
            expected="one of tillit agreement list",
            found=agreement_id,
        )
    # Another partner may use an id that is taken; what we have signed ourselves comes first.
    signed = {
        partner: life
        for partner, life in found.items()
        if any(home.party_id in version.signed for version in life.versions.values())
    }
    chosen = signed or found
    if len(chosen) > 1:
        raise AgreementRefused(
            "conflict",
            f"several partners have something called {agreement_id}",
            expected="an id of its own for each",
            found=", ".join(sorted(chosen)),
        )
    return next(iter(chosen.items()))


def version_of(home: Home, agreement_id: str, version: str | None = None) -> Version:
    """A version of an agreement, without ``version`` the newest; AgreementRefused ``missing``."""
    _, life = find(home, agreement_id)
    for found in life.newest_first:
        if version in {None, found.agreement.version}:
            return found
    raise AgreementRefused(
        "missing",
        f"{agreement_id} has no such version",
        expected=", ".join(v.agreement.version for v in life.versions.values()),
        found=version,
    )


# ---- how ----------------------------------------------------------------------------------------


def _say(
    home: Home,
    partner: str,
    body: AgreementBody,
    agreement: Agreement | None,
    now: datetime,
    signed: Signed | None = None,
) -> None:
    """Take a step of ours, once it is one that can follow on those before."""
    ref = body.agreement
    said: list[Event] = []

    with home.ledger.transaction() as transaction:

        def describe(position: Position) -> tuple[tuple[Subject, ...], Body]:
            # The chains are locked by now: what is read here is what the step follows on.
            event = Event(
                *(body.event, home.party_id, position.seq, now, ref.id, ref.version, ref.digest),
                agreement=agreement,
                answers=body.answers,
                reason=body.reason,
            )
            after(life_of(home, transaction, ref.id, partner), event)
            said.append(event)
            return (Subject(name=f"{ref.id}@{ref.version}", sha256=ref.digest),), body

        entry = send(home, transaction, partner, describe, now=now)
        if signed is not None:
            _keep(transaction, signed, now=now)
    remember(home, entry.digest, *said)


@contextmanager
def _recorded(home: Home, about: str, text: bytes | None, now: datetime) -> Iterator[None]:
    """Record a refusal in our own chain, and raise it again."""
    try:
        yield
    except Refusal as refusal:
        digest = None if text is None else hashlib.sha256(text).hexdigest()
        note(home, home.ledger, refusal, now=now, about=about, digest=digest)
        raise


def _drafted(home: Home, text: bytes) -> tuple[Agreement, str]:
    """A text that we may put on the table, and who sits on the other side of it."""
    agreement = read(text)
    partner = other_party(home, agreement)
    home.party(partner)
    require_kind(agreement, kind_of(home.kinds, agreement.kind))
    return agreement, partner


def _chosen(
    home: Home, life: Life, agreement_id: str, version: str | None, now: datetime
) -> Version:
    """The version that was named, or the newest that waits for our word."""
    for found in life.newest_first:
        if version is None and home.party_id in waits_for(life, found, now):
            return found
        if version == found.agreement.version:
            return found
    raise AgreementRefused(
        "no-proposal",
        f"nothing of {agreement_id} waits for an answer from us",
        expected="a proposal of the partner's",
        found=version or "none",
    )


def _require_not_overtaken(life: Life, agreement: Agreement) -> None:
    version = life.versions.get(agreement.digest)
    for newer in life.versions.values():
        if version is not None and newer.complete and newer.order > version.order:
            raise AgreementRefused(
                "superseded",
                f"{agreement.id} {agreement.version} has a newer version that both have signed",
                expected=newer.agreement.version,
                found=agreement.version,
            )


def _words(reason: str) -> str:
    """A reason in one line; AgreementRefused when there is none."""
    words = " ".join(reason.split())
    if not words:
        raise AgreementRefused("reason", "a no needs a reason", expected="some words")
    return words


def _ref(agreement: Agreement) -> AgreementRef:
    return AgreementRef(id=agreement.id, version=agreement.version, digest=agreement.digest)


def _beside(home: Home, agreement: Agreement) -> Signed | None:
    """The same text as held already; AgreementRefused when another has its id and version."""
    for signed in held(home, agreement.id):
        other = signed.agreement
        if other.version == agreement.version:
            if other.digest != agreement.digest:
                raise AgreementRefused(
                    "conflict",
                    f"{agreement.id} {agreement.version} is held with other bytes",
                    expected=other.digest,
                    found=agreement.digest,
                )
            return signed
    return None


def _keep(transaction: Transaction, signed: Signed, *, now: datetime) -> None:
    transaction.add_agreement(
        digest=signed.agreement.digest,
        agreement_id=signed.agreement.id,
        version=signed.agreement.version,
        provider=signed.agreement.provider,
        consumer=signed.agreement.consumer,
        kind=signed.agreement.kind,
        envelope=signed.envelope,
        complete=signed.complete,
        now=now,
    )
