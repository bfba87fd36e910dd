"""Sign agreements and find the one in force. I/O: keys and ledger.

An agreement's own rules are pure and stand in `tillit.agreement`; here they meet our keys, the
parties we know and the clock that is passed in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tillit.agreement import PAYLOAD_TYPE
from tillit.agreement.force import in_force
from tillit.agreement.language import read
from tillit.crypto import dsse
from tillit.crypto.signing import PublicKeys
from tillit.errors import AgreementRefused, StatementRefused
from tillit.exchange.collect import Collected
from tillit.exchange.record import send
from tillit.home import Home
from tillit.ledger.bodies import AgreementBody, AgreementRef
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.ledger.store import Transaction
from tillit.model import Agreement, Kind

__all__ = ["Signed", "held", "require", "sign", "take"]


@dataclass(frozen=True)
class Signed:
    """An agreement with the parties whose signatures over its bytes hold."""

    agreement: Agreement
    signers: frozenset[str]
    envelope: bytes

    @property
    def complete(self) -> bool:
        """Whether both sides have signed."""
        return {self.agreement.provider, self.agreement.consumer} <= self.signers


def sign(home: Home, text: bytes, *, now: datetime) -> Signed:
    """Sign an agreement's exact bytes, beside the partner's signature where we hold one.

    The signed envelope is recorded and goes to the partner by the mailbox. Signing again what we
    have signed changes nothing. Raises ContractRefused for the text, AgreementRefused when we are
    no party to it or another text has the same id and version, PartyRefused for an unknown
    partner.
    """
    agreement = read(text)
    partner = _other(home, agreement)
    home.party(partner)
    before = _beside(home, agreement)
    if before is not None and home.party_id in before.signers:
        return before
    ours = [home.keys.signing]
    if before is None:
        envelope = dsse.sign(text, PAYLOAD_TYPE, ours)
    else:
        envelope = dsse.add_signatures(before.envelope, ours)
    signed = _verified(home, envelope, required=home.party_id)
    ref = AgreementRef(id=agreement.id, version=agreement.version, digest=agreement.digest)

    def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
        subject = Subject(name=f"{agreement.id}@{agreement.version}", sha256=agreement.digest)
        body = AgreementBody(event="signed", agreement=ref, envelope=json.loads(envelope))
        return (subject,), body

    with home.ledger.transaction() as transaction:
        _keep(transaction, signed, now=now)
        send(home, transaction, partner, describe, now=now)
    return signed


def take(home: Home, transaction: Transaction, collected: Collected, now: datetime) -> None:
    """Keep an agreement that a partner has signed; it is not in force before we sign as well.

    Raises AgreementRefused when we are no party to it, the sender has not signed it, the
    statement names another text, or another text has the same id and version.
    """
    body = collected.statement.body
    if not isinstance(body, AgreementBody):
        raise StatementRefused("malformed", "not the body of an agreement")
    sender = collected.statement.author
    envelope = json.dumps(body.envelope, separators=(",", ":"), sort_keys=True).encode()
    signed = _verified(home, envelope, required=sender)
    if signed.agreement.digest != body.agreement.digest:
        raise AgreementRefused(
            "other-bytes",
            f"the statement names another text than it carries: {signed.agreement.id}",
            expected=body.agreement.digest,
            found=signed.agreement.digest,
        )
    if _other(home, signed.agreement) != sender:
        raise AgreementRefused(
            "wrong-parties", f"{sender} is no party to {signed.agreement.id}", found=sender
        )
    before = _beside(home, signed.agreement)
    if before is None or not signed.signers <= before.signers:
        _keep(transaction, signed, now=now)


def held(home: Home) -> list[Signed]:
    """Every agreement that we hold, each text once, with all signatures that hold over it."""
    best: dict[str, Signed] = {}
    for envelope in home.ledger.agreement_envelopes():
        signed = _verified(home, envelope)
        digest = signed.agreement.digest
        if digest not in best or len(signed.signers) > len(best[digest].signers):
            best[digest] = signed
    return sorted(best.values(), key=lambda s: (s.agreement.id, _order(s.agreement.version)))


def require(
    home: Home, agreement_id: str, *, now: datetime, digest: str | None = None
) -> tuple[Agreement, Kind]:
    """The agreement of that id in force at ``now``, and its kind; AgreementRefused if none is.

    With ``digest`` it must be that very text: a shipment names the agreement it was made under.
    """
    everything = held(home)
    found = [s for s in everything if s.agreement.id == agreement_id]
    if digest is not None:
        found = [s for s in found if s.agreement.digest == digest]
    if not found:
        known = ", ".join(sorted({s.agreement.id for s in everything})) or "none"
        raise AgreementRefused(
            "missing",
            f"no such agreement is held: {agreement_id}",
            expected=f"one of {known}",
            found=digest or agreement_id,
        )
    newest = max(found, key=lambda s: (s.complete, _order(s.agreement.version)))
    kind = home.kinds.get(newest.agreement.kind)
    if kind is None:
        raise AgreementRefused(
            "wrong-kind",
            f"{agreement_id} is about a kind that is not installed",
            expected=", ".join(sorted(home.kinds)),
            found=newest.agreement.kind,
        )
    return in_force(newest.agreement, signers=newest.signers, kind=kind, now=now), kind


def _other(home: Home, agreement: Agreement) -> str:
    """The other party of an agreement; AgreementRefused when we are none of the two."""
    pair = {agreement.provider, agreement.consumer}
    if home.party_id not in pair:
        raise AgreementRefused(
            "wrong-parties",
            f"{agreement.id} is between others",
            expected=home.party_id,
            found=f"{agreement.provider}, {agreement.consumer}",
        )
    return next(iter(pair - {home.party_id}))


def _beside(home: Home, agreement: Agreement) -> Signed | None:
    """The same text as held already; AgreementRefused when another has its id and version."""
    for signed in held(home):
        other = signed.agreement
        if (other.id, other.version) == (agreement.id, agreement.version):
            if other.digest != agreement.digest:
                raise AgreementRefused(
                    "conflict",
                    f"{agreement.id} {agreement.version} is held with other bytes",
                    expected=other.digest,
                    found=agreement.digest,
                )
            return signed
    return None


def _verified(home: Home, envelope: bytes, required: str | None = None) -> Signed:
    """An envelope's agreement and whose signatures hold; AgreementRefused if it is not so."""
    trusted = tuple((party.id, party.keys) for party in home.parties.values())
    return _opened(envelope, trusted, required)


@lru_cache(maxsize=50_000)
def _opened(
    envelope: bytes, trusted: tuple[tuple[str, tuple[PublicKeys, ...]], ...], required: str | None
) -> Signed:
    """Pure, so it is done once: the same bytes and the same keys give the same answer."""
    try:
        verified = dsse.verify(
            envelope, dict(trusted), PAYLOAD_TYPE, required=[] if required is None else [required]
        )
    except StatementRefused as refusal:
        raise AgreementRefused("signature", f"an agreement's signatures: {refusal}") from refusal
    return Signed(read(verified.payload), verified.signers, envelope)


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


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
