"""What has been agreed: signed texts, the life of each, the one in force. I/O: reads the ledger.

An agreement's own rules are pure and stand in `tillit.agreement`; here they meet the statements
that we hold, the parties we know and the clock that is passed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tillit.agreement import PAYLOAD_TYPE
from tillit.agreement.force import in_force
from tillit.agreement.language import read
from tillit.agreement.life import Event, Life, Made, Version, order, replay, revocation, successor
from tillit.crypto import dsse
from tillit.crypto.signing import PublicKeys
from tillit.errors import AgreementRefused, Refusal, StatementRefused
from tillit.home import Home
from tillit.ledger.bodies import AgreementBody
from tillit.ledger.reading import Entry, Reader
from tillit.ledger.statement import Statement
from tillit.model import Agreement, Kind, isoformat

__all__ = [
    "Signed",
    "event_of",
    "held",
    "life_of",
    "lives",
    "made_by",
    "other_party",
    "require",
    "verified",
]


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


def held(home: Home, agreement_id: str | None = None) -> list[Signed]:
    """Every signed agreement that we hold, each text once, with all signatures that hold."""
    best: dict[str, Signed] = {}
    for row in home.ledger.agreements(agreement_id):
        signed = verified(home, row.envelope)
        digest = signed.agreement.digest
        if digest not in best or len(signed.signers) > len(best[digest].signers):
            best[digest] = signed
    return sorted(best.values(), key=lambda s: (s.agreement.id, order(s.agreement.version)))


def life_of(
    home: Home, reader: Reader, agreement_id: str, partner: str, *, without: str | None = None
) -> Life:
    """The life of an agreement with a partner, in the order in which our ledger recorded it.

    ``without`` leaves out the statement of that digest: the one that is just being judged.
    """
    entries = reader.entries(partner=partner, type="agreement", agreement=agreement_id)
    return _replayed(home, [entry for entry in entries if entry.digest != without])


def lives(home: Home, agreement_id: str | None = None) -> dict[tuple[str, str], Life]:
    """The lives of all agreements, or of those of one id, by id and partner."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in home.ledger.entries(type="agreement", agreement=agreement_id):
        partner = entry.recipient if entry.author == home.party_id else entry.author
        found.setdefault((str(entry.agreement_id), partner), []).append(entry)
    replayed = {key: _replayed(home, entries) for key, entries in sorted(found.items())}
    return {key: life for key, life in replayed.items() if life.versions}


def _replayed(home: Home, entries: list[Entry]) -> Life:
    events = []
    for entry in entries:
        try:
            events.append(event_of(home, entry.statement, entry.recorded_at))
        except Refusal:  # and it was refused when it came
            continue
    return replay(events)


def event_of(home: Home, statement: Statement, at: datetime) -> Event:
    """The step that a statement takes; ``at`` is when it was recorded here.

    Raises ContractRefused for its text, AgreementRefused when its author has not signed what it
    says is signed, names another text than it carries, or is about other parties than these two.
    """
    body = statement.body
    if not isinstance(body, AgreementBody):
        raise StatementRefused("malformed", "not the body of an agreement")
    agreement = None
    if body.envelope is not None:
        agreement = verified(home, _as_bytes(body.envelope), required=statement.author).agreement
    elif body.text is not None:
        agreement = _read(body.text)
    ref = body.agreement
    if agreement is not None:
        named, carried = _named(ref.id, ref.version, ref.digest), _named_by(agreement)
        if named != carried:
            raise AgreementRefused(
                "other-bytes",
                f"the statement names another text than it carries: {agreement.id}",
                expected=named,
                found=carried,
            )
        between = {statement.author, statement.recipient}
        if {agreement.provider, agreement.consumer} != between:
            raise AgreementRefused(
                "wrong-parties",
                f"{agreement.id} is not between {statement.author} and {statement.recipient}",
                expected=", ".join(sorted(between)),
                found=f"{agreement.provider}, {agreement.consumer}",
            )
    return Event(
        what=body.event,
        author=statement.author,
        seq=statement.seq,
        at=at,
        agreement_id=ref.id,
        version=ref.version,
        digest=ref.digest,
        agreement=agreement,
        answers=body.answers,
        reason=body.reason,
    )


def _named_by(agreement: Agreement) -> str:
    return _named(agreement.id, agreement.version, agreement.digest)


def _named(agreement_id: str, version: str, digest: str) -> str:
    return f"{agreement_id}@{version} {digest}"


def made_by(statement: Statement) -> Made:
    """Where a statement stands in the two chains."""
    seen = statement.witnessed
    return Made(
        statement.author, statement.seq, 0 if seen is None else seen.seq, statement.issued_at
    )


def require(
    home: Home,
    agreement_id: str,
    *,
    now: datetime,
    digest: str | None = None,
    made: Made | None = None,
) -> tuple[Agreement, Kind]:
    """The agreement of that id in force at ``now``, and its kind; AgreementRefused if none is.

    With ``digest`` it must be that very text: a shipment names the agreement it was made under.
    ``made`` says what the author of that shipment knew, when it made it, of a revocation or of a
    newer version.
    """
    found = held(home, agreement_id)
    if digest is not None:
        found = [s for s in found if s.agreement.digest == digest]
    if not found:
        known = ", ".join(home.ledger.signed_ids()) or "none"
        raise AgreementRefused(
            "missing",
            f"no such agreement is held: {agreement_id}",
            expected=f"one of {known}",
            found=digest or agreement_id,
        )
    # A newer version that has not begun leaves the older one in force.
    newest = max(
        found,
        key=lambda s: (s.complete, s.agreement.start <= now, order(s.agreement.version)),
    )
    agreement = newest.agreement
    kind = home.kinds.get(agreement.kind)
    if kind is None:
        raise AgreementRefused(
            "wrong-kind",
            f"{agreement_id} is about a kind that is not installed",
            expected=", ".join(sorted(home.kinds)),
            found=agreement.kind,
        )
    life = life_of(home, home.ledger, agreement_id, other_party(home, agreement))
    version = life.versions.get(agreement.digest)
    revoked = None if version is None else revocation(version, now, made)
    in_force(
        agreement,
        signers=newest.signers & (frozenset() if version is None else version.signed.keys()),
        kind=kind,
        now=now,
        revoked=None if revoked is None else revoked.at,
    )
    if version is not None:
        _require_newest(life, version, now, made)
    return agreement, kind


def _require_newest(life: Life, version: Version, now: datetime, made: Made | None) -> None:
    newer = successor(life, version, now, made)
    if newer is not None:
        raise AgreementRefused(
            "superseded",
            f"{version.agreement.id} {version.agreement.version} has a newer version",
            expected=f"{newer.agreement.version} since {isoformat(newer.agreement.start)}",
            found=version.agreement.version,
        )


def other_party(home: Home, agreement: Agreement) -> str:
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


def verified(home: Home, envelope: bytes, required: str | None = None) -> Signed:
    """An envelope's agreement and whose signatures hold; AgreementRefused if it is not so."""
    trusted = tuple((party.id, party.keys) for party in home.parties.values())
    return _opened(envelope, trusted, required)


@lru_cache(maxsize=2_000)
def _opened(
    envelope: bytes, trusted: tuple[tuple[str, tuple[PublicKeys, ...]], ...], required: str | None
) -> Signed:
    """Pure, so it is done once: the same bytes and the same keys give the same answer."""
    try:
        opened = dsse.verify(
            envelope, dict(trusted), PAYLOAD_TYPE, required=[] if required is None else [required]
        )
    except StatementRefused as refusal:
        raise AgreementRefused("signature", f"an agreement's signatures: {refusal}") from refusal
    return Signed(read(opened.payload), opened.signers, envelope)


@lru_cache(maxsize=2_000)
def _read(text: bytes) -> Agreement:
    return read(text)


def _as_bytes(envelope: Mapping[str, object]) -> bytes:
    return json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
