"""The ledger's tables, and how a database comes to have them. I/O: DDL.

Tables refuse to be changed: triggers raise on UPDATE, DELETE and TRUNCATE, also for the owner and
in a session that replicates. Whoever may drop the triggers can still forge, and is found out by
`fsck` and by the partners. Where the database is not embedded, give the account that tillit uses
no more than it needs once the tables are there:

    revoke all on all tables in schema public from public;
    grant select, insert on all tables in schema public to <account>;
    grant update (delivered_at) on outbox to <account>;
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Connection, MetaData, Table, text
from sqlalchemy.types import BigInteger, Boolean, DateTime, Integer, LargeBinary, Text

from tillit.database import advisory_key
from tillit.errors import ConfigError, LedgerBroken

__all__ = [
    "AGREEMENT_SIGNATURE",
    "OUTBOX",
    "PARTY_DOCUMENT",
    "REFUSED_OBJECT",
    "STATEMENT",
    "migrate",
]

_META = MetaData()
_TIME = DateTime(timezone=True)

STATEMENT = Table(
    "statement",
    _META,
    Column("id", BigInteger, sa.Identity(always=True), primary_key=True),
    Column("author", Text),
    Column("recipient", Text),
    Column("seq", BigInteger),
    Column("digest", Text),
    Column("previous", Text),
    Column("witnessed_seq", BigInteger),
    Column("type", Text),
    Column("shipment_id", Text),
    Column("agreement_id", Text),
    Column("issued_at", _TIME),
    Column("recorded_at", _TIME),
    Column("direction", Text),
    Column("envelope", LargeBinary),
)
OUTBOX = Table(
    "outbox",
    _META,
    Column("digest", Text, primary_key=True),
    Column("recipient", Text),
    Column("payload_path", Text),
    Column("queued_at", _TIME),
    Column("delivered_at", _TIME),
)
AGREEMENT_SIGNATURE = Table(
    "agreement_signature",
    _META,
    Column("id", BigInteger, sa.Identity(always=True), primary_key=True),
    Column("digest", Text),
    Column("agreement_id", Text),
    Column("version", Text),
    Column("provider", Text),
    Column("consumer", Text),
    Column("kind", Text),
    Column("envelope", LargeBinary),
    Column("complete", Boolean),
    Column("recorded_at", _TIME),
)
PARTY_DOCUMENT = Table(
    "party_document",
    _META,
    Column("id", BigInteger, sa.Identity(always=True), primary_key=True),
    Column("party", Text),
    Column("version", Integer),
    Column("envelope", LargeBinary),
    Column("recorded_at", _TIME),
)
REFUSED_OBJECT = Table(
    "refused_object",
    _META,
    Column("id", BigInteger, sa.Identity(always=True), primary_key=True),
    Column("digest", Text),
    Column("sender", Text),
    Column("name", Text),
    Column("content", LargeBinary),
    Column("code", Text),
    Column("reason", Text),
    Column("recorded_at", _TIME),
    Column("statement_digest", Text),
)

# Digests are compared as bytes (collate "C"), so that the beginning of one finds it by the index.
_FIRST = r"""
create domain digest as text collate "C" check (value ~ '^[0-9a-f]{64}$');

create table ledger_of (party text primary key);

create table statement (
    id bigint generated always as identity primary key,
    author text not null,
    recipient text not null,
    seq bigint not null check (seq >= 1),
    digest digest not null unique,
    previous digest references statement (digest),
    witnessed_seq bigint not null check (witnessed_seq >= 0),
    type text not null check (type in ('party', 'agreement', 'shipment', 'receipt', 'notice')),
    shipment_id text,
    agreement_id text,
    issued_at timestamptz not null,
    recorded_at timestamptz not null,
    direction text not null check (direction in ('sent', 'received', 'local')),
    envelope bytea not null,
    unique (author, recipient, seq),
    check ((seq = 1) = (previous is null)),
    check ((direction = 'local') = (author = recipient))
);
create index on statement (shipment_id) where shipment_id is not null;
create index on statement (agreement_id, id) where agreement_id is not null;
-- Two publishers at once make one shipment, not two.
create unique index one_shipment on statement (author, shipment_id)
    where type = 'shipment' and direction = 'sent';

create table outbox (
    digest digest primary key references statement (digest),
    recipient text not null,
    payload_path text,
    queued_at timestamptz not null,
    delivered_at timestamptz
);
create index on outbox (recipient) where delivered_at is null;

create table agreement_signature (
    id bigint generated always as identity primary key,
    digest digest not null,
    agreement_id text not null,
    version text not null,
    provider text not null,
    consumer text not null,
    kind text not null,
    envelope bytea not null,
    complete boolean not null,
    recorded_at timestamptz not null
);
create unique index on agreement_signature (digest, sha256(envelope));
create index on agreement_signature (agreement_id, version);

create table party_document (
    id bigint generated always as identity primary key,
    party text not null,
    version integer not null check (version >= 1),
    envelope bytea not null,
    recorded_at timestamptz not null,
    unique (party, version)
);

create table refused_object (
    id bigint generated always as identity primary key,
    digest digest not null,
    sender text not null,
    name text not null,
    content bytea not null check (octet_length(content) <= 1048576),
    code text not null,
    reason text not null,
    recorded_at timestamptz not null,
    statement_digest digest references statement (digest),
    unique (digest, code)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: % of % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

create function only_delivered_once() returns trigger language plpgsql as $$
begin
    if old.delivered_at is not null or new.delivered_at is null
        or (old.digest, old.recipient, old.queued_at)
            is distinct from (new.digest, new.recipient, new.queued_at)
        or old.payload_path is distinct from new.payload_path
    then
        raise exception 'the ledger is append-only: the outbox only learns of a delivery, once'
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger append_only before update or delete or truncate on ledger_of
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on statement
    for each statement execute function refuse_change();
create trigger append_only before delete or truncate on outbox
    for each statement execute function refuse_change();
create trigger only_delivered_once before update on outbox
    for each row execute function only_delivered_once();
create trigger append_only before update or delete or truncate on agreement_signature
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on party_document
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on refused_object
    for each statement execute function refuse_change();

-- Also in a session that replicates, where triggers usually sleep.
alter table ledger_of enable always trigger append_only;
alter table statement enable always trigger append_only;
alter table outbox enable always trigger append_only;
alter table outbox enable always trigger only_delivered_once;
alter table agreement_signature enable always trigger append_only;
alter table party_document enable always trigger append_only;
alter table refused_object enable always trigger append_only;
"""

# The steps of one agreement's life, without the thousands of shipments under it.
_STEPS = """
create index on statement (agreement_id, id) where type = 'agreement';
"""

# Two more words: what was deleted as agreed, and for what purpose something was read.
_WORDS = """
alter table statement drop constraint statement_type_check;
alter table statement add constraint statement_type_check check (type in
    ('party', 'agreement', 'shipment', 'receipt', 'notice', 'deletion', 'use'));
"""

_MIGRATIONS = (_FIRST, _STEPS, _WORDS)
"""Each brings the tables to its number in this list, from 1; none is ever edited once released."""


def migrate(connection: Connection, party_id: str) -> None:
    """Bring the tables up to date and see that the ledger is this party's; all or nothing.

    Raises LedgerBroken for tables of a newer program, ConfigError for another party's ledger.
    """
    if _version(connection) < len(_MIGRATIONS):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(advisory_key("migrate"))))
        for number in range(_version(connection) + 1, len(_MIGRATIONS) + 1):
            if number == 1:
                connection.execute(text("create table schema_version (version int primary key)"))
            connection.execute(text(_MIGRATIONS[number - 1]))
            connection.execute(
                text("insert into schema_version values (:number)"), {"number": number}
            )
    found = _version(connection)
    if found > len(_MIGRATIONS):
        raise LedgerBroken(
            "conflict",
            "the ledger's tables are of a newer tillit",
            expected=f"at most {len(_MIGRATIONS)}",
            found=found,
        )
    _claim(connection, party_id)


def _version(connection: Connection) -> int:
    # Not to_regclass: it may answer from before we waited for the lock.
    made = connection.scalar(
        text(
            "select exists (select from pg_class"
            " where relname = 'schema_version' and pg_table_is_visible(oid))"
        )
    )
    if not made:
        return 0
    version = connection.scalar(text("select max(version) from schema_version"))
    return int(version or 0)


def _claim(connection: Connection, party_id: str) -> None:
    """Two homes that are given one database by mistake would mix their records."""
    owner = connection.scalar(text("select party from ledger_of"))
    if owner is None:
        connection.execute(
            text("insert into ledger_of values (:party) on conflict do nothing"),
            {"party": party_id},
        )
        owner = connection.scalar(text("select party from ledger_of"))
    if owner != party_id:
        raise ConfigError(
            "wrong-value",
            "the database holds the ledger of another party",
            expected=party_id,
            found=owner,
        )
