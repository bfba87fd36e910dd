"""The auditor: whether a ledger holds together, and with a partner's. I/O: reads, never writes.

It knows nothing of how the record was written: it reads rows, opens what was signed, and asks of
each what can be asked without trusting the others. It finds everything, not only the first.

Codes: ``digest`` (the bytes are not those that were recorded), ``signature``, ``sequence`` (a
number is missing or twice), ``link`` (follows another than the one before), ``witness`` (one side
says it held what the other side's chain does not have there), ``missing`` (something is named and
not there: the end of a chain that a later statement saw, a place in the outbox), ``conflict`` (the
row says something else than what was signed in it).
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text

from tillit.database import translated
from tillit.errors import PartyRefused, StatementRefused

__all__ = [
    "Chain",
    "Finding",
    "Queued",
    "Record",
    "Report",
    "Verify",
    "audit",
    "compare",
    "read_outbox",
    "read_records",
    "verify_ledger",
]

Chain = tuple[str, str]
"""Author and recipient."""

Verify = Callable[[bytes, str], bytes]
"""Given an envelope and whose it must be, the signed bytes; raises StatementRefused."""

_BATCH = 500


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: a code of LedgerBroken, the statement, and what is wrong."""

    code: str
    digest: str
    text: str


@dataclass(frozen=True)
class Report:
    """What was looked at and what was found; an empty ``findings`` means that everything holds."""

    statements: int
    chains: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Record:
    """A row of the table ``statement``, as it stands."""

    author: str
    recipient: str
    seq: int
    digest: str
    previous: str | None
    witnessed_seq: int
    type: str
    direction: str
    envelope: bytes = field(repr=False)


@dataclass(frozen=True)
class Queued:
    """A row of the table ``outbox``, as it stands."""

    digest: str
    recipient: str


@dataclass(frozen=True)
class _Said:
    """What the signed bytes say of their place."""

    author: str
    recipient: str
    seq: int
    previous: str | None
    witnessed: tuple[int, str] | None
    type: str


@dataclass
class _Seen:
    """What signed bytes say, gathered to be held against each other."""

    digests: dict[Chain, dict[int, str]] = field(default_factory=dict)
    witnessed: list[tuple[Chain, int, tuple[int, str]]] = field(default_factory=list)

    def add(self, said: _Said, digest: str) -> None:
        chain = (said.author, said.recipient)
        self.digests.setdefault(chain, {})[said.seq] = digest
        self.witnessed.append((chain, said.seq, said.witnessed or (0, "")))


def verify_ledger(engine: Engine, party_id: str, verify: Verify) -> Report:
    """Audit the ledger of a party in its database, as it stands at one moment.

    Raises DatabaseUnavailable.
    """
    chains: Counter[Chain] = Counter()

    def counted(records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            chains[record.author, record.recipient] += 1
            yield record

    with translated(), engine.connect() as plain:
        connection = plain.execution_options(isolation_level="REPEATABLE READ")
        if connection.scalar(text("select to_regclass('statement')")) is None:
            return Report(0, 0, ())
        outbox = read_outbox(connection)
        findings = tuple(audit(counted(read_records(connection)), outbox, party_id, verify))
    return Report(chains.total(), len(chains), findings)


def read_records(connection: Connection) -> Iterator[Record]:
    """All statements, chain by chain, by their numbers."""
    query = text(
        "select author, recipient, seq, digest, previous, witnessed_seq, type, direction, envelope"
        " from statement order by author, recipient, seq"
    )
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        yield Record(**{**row, "envelope": bytes(row["envelope"])})


def read_outbox(connection: Connection) -> list[Queued]:
    """Everything that was ever queued."""
    rows = connection.execute(text("select digest, recipient from outbox order by digest"))
    return [Queued(*row) for row in rows]


def audit(
    records: Iterable[Record], outbox: Iterable[Queued], party_id: str, verify: Verify
) -> Iterator[Finding]:
    """Everything that does not hold in these rows, which come chain by chain, by their numbers."""
    seen = _Seen()
    sent: dict[str, str] = {}
    before: tuple[Chain, int, str] | None = None
    for record in records:
        chain = (record.author, record.recipient)
        if record.author == party_id != record.recipient:
            sent[record.digest] = record.recipient
        # 1. The bytes are those of the recorded digest, and their author has signed them.
        payload = _payload(record.envelope)
        digest = hashlib.sha256(payload).hexdigest()
        if digest != record.digest:
            yield Finding("digest", record.digest, f"{_at(record)} holds other bytes, of {digest}")
        yield from _signature(record, payload, verify)
        # 2. The row says what was signed.
        said = _read(payload)
        yield from _row(record, said, party_id)
        # 3. It follows the one before.
        last = before[1:] if before is not None and before[0] == chain else (0, None)
        yield from _follows(record, said, *last)
        before = (chain, record.seq, digest)
        # 4. What it saw of the other side is held against that once all of it has been read.
        if said is not None:
            seen.add(said, digest)
    yield from _witnesses(seen.witnessed, seen.digests)
    yield from _outbox(outbox, sent)


def compare(mine: Iterable[bytes], theirs: Iterable[bytes], party_id: str) -> list[Finding]:
    """Where two exports of one relationship contradict each other; ``mine`` is of ``party_id``.

    An export is a list of envelopes, as lines of JSON. ``conflict``: both hold a statement at a
    place and not the same, so its author has told two stories, and both are signed. ``sequence``:
    the recipient lacks what stands before something that it has. ``missing``: the recipient holds
    what the author has no longer. ``witness`` as in an audit. What only the author has, at the
    end, may be on its way and is no finding. Signatures are not verified here.
    """
    ours, others = _gathered(mine), _gathered(theirs)
    found: list[Finding] = []
    authors: dict[Chain, dict[int, str]] = {}
    for chain in sorted({*ours.digests, *others.digests}):
        sides = (ours, others) if chain[0] == party_id else (others, ours)
        written, held = (side.digests.get(chain, {}) for side in sides)
        authors[chain] = written
        found += _two_copies(chain, written, held)
    found += _witnesses([*ours.witnessed, *others.witnessed], authors)
    return list(dict.fromkeys(found))


def _two_copies(
    chain: Chain, written: Mapping[int, str], held: Mapping[int, str]
) -> Iterator[Finding]:
    """One chain as its author and as its recipient have it."""
    for seq in sorted({*written, *held}):
        where = _place(chain, seq)
        a, b = written.get(seq), held.get(seq)
        if a is None and b is not None:
            yield Finding("missing", b, f"{where} is held by its recipient, not by its author")
        elif a is not None and b is None and seq < max(held, default=0):
            yield Finding("sequence", a, f"{where} is not held by its recipient, later ones are")
        elif a is not None and b is not None and a != b:
            yield Finding("conflict", a, f"{where} is held by its recipient as {b}")


def _signature(record: Record, payload: bytes, verify: Verify) -> Iterator[Finding]:
    try:
        signed = verify(record.envelope, record.author)
    except (StatementRefused, PartyRefused) as refusal:
        yield Finding("signature", record.digest, f"{_at(record)}: {refusal}")
        return
    if signed != payload:
        yield Finding("signature", record.digest, f"{_at(record)}: other bytes are signed")


def _row(record: Record, said: _Said | None, party_id: str) -> Iterator[Finding]:
    if said is None:
        yield Finding("conflict", record.digest, f"{_at(record)} holds no statement")
        return
    if record.author == record.recipient:
        direction = "local"
    else:
        direction = "sent" if record.author == party_id else "received"
    expected = {
        "author": said.author,
        "recipient": said.recipient,
        "seq": said.seq,
        "previous": said.previous,
        "witnessed_seq": 0 if said.witnessed is None else said.witnessed[0],
        "type": said.type,
        "direction": direction,
    }
    for name, value in expected.items():
        found = getattr(record, name)
        if found != value:
            what = f"{_at(record)}: {name} is recorded as {found}, signed as {value}"
            yield Finding("conflict", record.digest, what)
    if party_id not in (said.author, said.recipient):
        yield Finding("conflict", record.digest, f"{_at(record)} is between others")


def _follows(record: Record, said: _Said | None, seq: int, digest: str | None) -> Iterator[Finding]:
    if record.seq != seq + 1:
        what = f"{_at(record)} comes after number {seq}"
        yield Finding("sequence", record.digest, what)
    elif said is not None and said.previous != digest:
        what = f"{_at(record)} follows {said.previous}, and the one before is {digest}"
        yield Finding("link", record.digest, what)


def _witnesses(
    witnessed: Iterable[tuple[Chain, int, tuple[int, str]]],
    digests: Mapping[Chain, Mapping[int, str]],
) -> Iterator[Finding]:
    """What each side saw of the other's chain, against that chain."""
    highest: dict[Chain, int] = {}
    for chain, seq, (saw, digest) in sorted(witnessed):
        where = _place(chain, seq)
        back = (chain[1], chain[0])
        there = digests.get(back, {}).get(saw)
        if there is None and saw > 0:
            yield Finding("missing", digest, f"{where} saw {_place(back, saw)}, which is not here")
        elif there is not None and there != digest:
            what = f"{where} saw {digest} as {_place(back, saw)}, where {there} is"
            yield Finding("witness", digest, what)
        if saw < highest.get(chain, 0):
            itself = digests.get(chain, {}).get(seq, digest)
            yield Finding("witness", itself, f"{where} saw less than was seen before it")
        highest[chain] = max(saw, highest.get(chain, 0))


def _outbox(outbox: Iterable[Queued], sent: Mapping[str, str]) -> Iterator[Finding]:
    queued = {place.digest: place.recipient for place in outbox}
    for digest, recipient in sent.items():
        if digest not in queued:
            yield Finding("missing", digest, f"sent to {recipient}, and never in the outbox")
        elif queued[digest] != recipient:
            what = f"sent to {recipient}, and queued for {queued[digest]}"
            yield Finding("conflict", digest, what)
    for digest in queued.keys() - sent.keys():
        yield Finding("missing", digest, f"queued for {queued[digest]}, and not among what we sent")


# ---- reading what was signed ------------------------------------------------------------------


def _payload(envelope: bytes) -> bytes:
    """The signed bytes; nothing where there are none, which no digest and no signature fits."""
    try:
        encoded = json.loads(envelope)["payload"]
        return b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""


def _read(payload: bytes) -> _Said | None:
    """The place that a statement claims; None where the bytes are no statement."""
    try:
        statement = json.loads(payload)
        predicate = statement["predicate"]
        seen = predicate["witnessed"]
        said = _Said(
            author=predicate["author"],
            recipient=predicate["recipient"],
            seq=predicate["seq"],
            previous=predicate["previous"],
            witnessed=None if seen is None else (seen["seq"], seen["digest"]),
            type=statement["predicateType"].removeprefix("urn:tillit:").removesuffix(":v1"),
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    numbers = [said.seq] if said.witnessed is None else [said.seq, said.witnessed[0]]
    words = [said.author, said.recipient, *([] if said.witnessed is None else [said.witnessed[1]])]
    right = all(isinstance(n, int) for n in numbers) and all(isinstance(w, str) for w in words)
    return said if right else None


def _gathered(envelopes: Iterable[bytes]) -> _Seen:
    seen = _Seen()
    for envelope in envelopes:
        payload = _payload(envelope)
        said = _read(payload)
        if said is not None:
            seen.add(said, hashlib.sha256(payload).hexdigest())
    return seen


def _at(record: Record) -> str:
    return _place((record.author, record.recipient), record.seq)


def _place(chain: Chain, seq: int) -> str:
    return f"{chain[0]} to {chain[1]}, number {seq}"
