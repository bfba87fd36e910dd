"""Append, in PostgreSQL. INTERIM."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import text

from tillit.crypto import dsse
from tillit.errors import Refusal
from tillit.ledger.chain import Head, Position, check_next
from tillit.ledger.statement import Statement, Witness

_DDL = """
create table if not exists statement(author text, recipient text, seq bigint, digest text unique, previous text,
 type text, shipment_id text, agreement_id text, issued_at timestamptz, recorded_at timestamptz, direction text, envelope bytea,
 unique(author, recipient, seq));
create table if not exists outbox(digest text primary key, recipient text, payload_path text, queued_at timestamptz, delivered_at timestamptz);
create table if not exists agreement_signature(n bigserial, digest text, agreement_id text, version text, provider text, consumer text, kind text, envelope bytea, complete bool, recorded_at timestamptz);
create table if not exists refused_object(digest text, sender text, name text, content bytea, code text, reason text, recorded_at timestamptz, statement_digest text, primary key(digest, code));
"""


@dataclass(frozen=True)
class Entry:
    author: str
    recipient: str
    seq: int
    digest: str
    type: str
    shipment_id: str | None
    agreement_id: str | None
    issued_at: datetime
    recorded_at: datetime
    direction: str
    envelope: bytes

    @property
    def statement(self) -> Statement:
        return Statement.parse(dsse.unverified_payload(self.envelope))


@dataclass(frozen=True)
class Outgoing:
    digest: str
    recipient: str
    seq: int
    envelope: bytes
    payload_path: Path | None


class Transaction:
    def __init__(self, me: str, c: sa.Connection) -> None:
        self.me, self.c = me, c

    def head(self, author: str, recipient: str) -> Head | None:
        r = self.c.execute(text("select seq, digest from statement where author=:a and recipient=:r order by seq desc limit 1"), {"a": author, "r": recipient}).first()
        return None if r is None else Head(r[0], r[1])

    def digest_at(self, author: str, recipient: str, seq: int) -> str | None:
        return self.c.execute(text("select digest from statement where author=:a and recipient=:r and seq=:s"), {"a": author, "r": recipient, "s": seq}).scalar()

    def _lock(self, a: str, r: str) -> None:
        self.c.execute(text("select pg_advisory_xact_lock(hashtext(:k))"), {"k": f"{a}>{r}"})

    def append_sent(self, build: Callable[[Position], tuple[bytes, Statement]], recipient: str, *, now: datetime, payload_path: Path | None = None) -> Entry:
        self._lock(self.me, recipient)
        h = self.head(self.me, recipient)
        t = None if recipient == self.me else self.head(recipient, self.me)
        pos = Position(1 if h is None else h.seq + 1, None if h is None else h.digest, None if t is None else Witness(t.seq, t.digest))
        envelope, st = build(pos)
        e = self._insert(envelope, st, "local" if recipient == self.me else "sent", now)
        if recipient != self.me:
            self.c.execute(text("insert into outbox values(:d,:r,:p,:n,null)"), {"d": e.digest, "r": recipient, "p": None if payload_path is None else str(payload_path), "n": now})
        return e

    def append_received(self, envelope: bytes, st: Statement, *, now: datetime) -> Entry:
        self._lock(st.author, self.me)
        self.check(st, now=now)
        return self._insert(envelope, st, "received", now)

    def check(self, st: Statement, *, now: datetime) -> None:
        check_next(st, head=self.head(st.author, self.me), held=lambda s: self.digest_at(st.author, self.me, s), ours=lambda s: self.digest_at(self.me, st.author, s), now=now)

    def _insert(self, envelope: bytes, st: Statement, direction: str, now: datetime) -> Entry:
        e = Entry(st.author, st.recipient, st.seq, st.digest, st.type, st.shipment_id, st.agreement_id, st.issued_at, now, direction, envelope)
        self.c.execute(text("insert into statement values(:author,:recipient,:seq,:digest,:previous,:type,:shipment_id,:agreement_id,:issued_at,:recorded_at,:direction,:envelope)"), {**e.__dict__, "previous": st.previous})
        return e

    def add_agreement(self, *, digest: str, agreement_id: str, version: str, provider: str, consumer: str, kind: str, envelope: bytes, complete: bool, now: datetime) -> None:
        self.c.execute(text("insert into agreement_signature(digest,agreement_id,version,provider,consumer,kind,envelope,complete,recorded_at) values(:digest,:agreement_id,:version,:provider,:consumer,:kind,:envelope,:complete,:now)"), locals() | {"self": None})


class Ledger:
    def __init__(self, engine: sa.Engine, me: str) -> None:
        self.e, self.me = engine, me
        with engine.begin() as c:
            c.execute(text("select pg_advisory_xact_lock(77)"))
            for d in _DDL.split(";"):
                if d.strip():
                    c.execute(text(d))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.e.begin() as c:
            yield Transaction(self.me, c)

    def append_sent(self, *a: Any, **k: Any) -> Entry:
        with self.transaction() as t:
            return t.append_sent(*a, **k)

    def check(self, st: Statement, *, now: datetime) -> None:
        with self.transaction() as t:
            t.check(st, now=now)

    def heads(self) -> list[Any]:
        return []

    def entries(self, *, partner: str | None = None, type: str | None = None, limit: int = 50, newest: bool = False) -> list[Entry]:
        q = "select author,recipient,seq,digest,type,shipment_id,agreement_id,issued_at,recorded_at,direction,envelope from statement where (cast(:p as text) is null or author=:p or recipient=:p) and (cast(:t as text) is null or type=:t) order by recorded_at desc, seq desc limit :l"
        with self.e.begin() as c:
            return [Entry(*r[:10], bytes(r[10])) for r in c.execute(text(q), {"p": partner, "t": type, "l": limit})][::-1]

    def get(self, digest: str) -> Entry | None:
        with self.e.begin() as c:
            r = c.execute(text("select author,recipient,seq,digest,type,shipment_id,agreement_id,issued_at,recorded_at,direction,envelope from statement where digest like :d"), {"d": digest + "%"}).first()
        return None if r is None else Entry(*r[:10], bytes(r[10]))

    def find_shipment(self, shipment_id: str, *, author: str) -> Entry | None:
        with self.e.begin() as c:
            r = c.execute(text("select author,recipient,seq,digest,type,shipment_id,agreement_id,issued_at,recorded_at,direction,envelope from statement where shipment_id=:d and author=:a and type='shipment'"), {"d": shipment_id, "a": author}).first()
        return None if r is None else Entry(*r[:10], bytes(r[10]))

    def last_shipment(self, agreement_id: str) -> Entry | None:
        with self.e.begin() as c:
            r = c.execute(text("select author,recipient,seq,digest,type,shipment_id,agreement_id,issued_at,recorded_at,direction,envelope from statement where agreement_id=:d and author=:a and type='shipment' order by seq desc limit 1"), {"d": agreement_id, "a": self.me}).first()
        return None if r is None else Entry(*r[:10], bytes(r[10]))

    def pending_outbox(self, recipient: str | None = None) -> list[Outgoing]:
        with self.e.begin() as c:
            rows = c.execute(text("select o.digest,o.recipient,s.seq,s.envelope,o.payload_path from outbox o join statement s using(digest) where delivered_at is null and (cast(:r as text) is null or o.recipient=:r) order by o.recipient, s.seq"), {"r": recipient}).all()
        return [Outgoing(r[0], r[1], r[2], bytes(r[3]), None if r[4] is None else Path(r[4])) for r in rows]

    def mark_delivered(self, digest: str, now: datetime) -> None:
        with self.e.begin() as c:
            c.execute(text("update outbox set delivered_at=:n where digest=:d"), {"n": now, "d": digest})

    def agreement_envelopes(self) -> list[bytes]:
        with self.e.begin() as c:
            return [bytes(r[0]) for r in c.execute(text("select envelope from agreement_signature order by n"))]

    def knows_refused(self, digest: str, code: str) -> bool:
        with self.e.begin() as c:
            return c.execute(text("select 1 from refused_object where digest=:d and code=:c"), {"d": digest, "c": code}).first() is not None

    def record_refused_object(self, *, digest: str, sender: str, name: str, content: bytes, refusal: Refusal, statement_digest: str, now: datetime) -> None:
        with self.e.begin() as c:
            c.execute(text("insert into refused_object values(:d,:s,:n,:c,:code,:r,:now,:sd)"), {"d": digest, "s": sender, "n": name, "c": content, "code": refusal.code, "r": str(refusal), "now": now, "sd": statement_digest})
