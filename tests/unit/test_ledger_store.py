"""The ledger in PostgreSQL: what it takes, what it refuses, and that nothing in it changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from tests.ledgers import AGREEMENT, NOW, make, notice, receipt, seal, shipment, verify

from tillit.errors import (
    ConfigError,
    DatabaseUnavailable,
    LedgerBroken,
    PayloadRefused,
    StatementRefused,
    UsageError,
)
from tillit.ledger.fsck import verify_ledger
from tillit.ledger.schema import STATEMENT
from tillit.ledger.statement import Statement, Witness
from tillit.ledger.store import Entry, Ledger, Position, Transaction, Writer

Fresh = Callable[[], sa.Engine]


@pytest.fixture
def ledger(fresh_schema: Fresh) -> Ledger:
    return Ledger(fresh_schema(), "nordvik")


def say(into: Writer, recipient: str = "fjordstal", text: str = "nothing", **kw: Any) -> Entry:
    def build(position: Position) -> tuple[bytes, Statement]:
        said = make(into.party_id, recipient, position, notice(text))
        return seal(said), said

    return into.append_sent(build, recipient, now=NOW, **kw)


def ship(into: Writer, revision: int = 1, recipient: str = "fjordstal", at: Any = NOW) -> Entry:
    def build(position: Position) -> tuple[bytes, Statement]:
        body, subjects = shipment(position.seq, revision)
        said = make(into.party_id, recipient, position, body, subjects, issued_at=at)
        return seal(said), said

    return into.append_sent(build, recipient, now=NOW)


def hear(into: Writer, said: Statement) -> Entry:
    return into.append_received(seal(said), said, now=NOW)


def test_a_chain_grows(ledger: Ledger) -> None:
    first, second = say(ledger), say(ledger, text="more")
    assert (first.seq, second.seq) == (1, 2)
    assert second.statement.previous == first.digest
    assert ledger.head("nordvik", "fjordstal").digest == second.digest
    assert ledger.head("fjordstal", "nordvik") is None
    assert [e.digest for e in ledger.entries()] == [first.digest, second.digest]
    assert second.direction == "sent"
    assert second.recorded_at == NOW


def test_each_relationship_has_its_own_chain(ledger: Ledger) -> None:
    say(ledger)
    say(ledger, "havglass")
    own = say(ledger, "nordvik")
    assert (own.seq, own.direction) == (1, "local")
    assert [(h.author, h.recipient, h.seq) for h in ledger.heads()] == [
        ("nordvik", "fjordstal", 1),
        ("nordvik", "havglass", 1),
        ("nordvik", "nordvik", 1),
    ]


def test_what_we_say_witnesses_what_we_heard(ledger: Ledger) -> None:
    theirs = make("fjordstal", "nordvik", Position(1, None, None))
    hear(ledger, theirs)
    said = say(ledger).statement
    assert said.witnessed == Witness(1, theirs.digest)
    answer = make("fjordstal", "nordvik", Position(2, theirs.digest, Witness(1, said.digest)))
    assert hear(ledger, answer).direction == "received"
    assert ledger.head("fjordstal", "nordvik").witnessed == 1


def test_what_does_not_follow_is_refused_and_not_kept(ledger: Ledger) -> None:
    first = make("fjordstal", "nordvik", Position(1, None, None))
    hear(ledger, first)
    cases = {
        "statement.replayed": first,
        "statement.forked": make("fjordstal", "nordvik", Position(1, None, None), notice("other")),
        "statement.gap": make("fjordstal", "nordvik", Position(3, first.digest, None)),
        "statement.chain": make("fjordstal", "nordvik", Position(2, "f" * 64, None)),
        "statement.witness": make(
            "fjordstal", "nordvik", Position(2, first.digest, Witness(1, "f" * 64))
        ),
        "statement.wrong-recipient": make("fjordstal", "havglass", Position(1, None, None)),
    }
    for code, said in cases.items():
        with pytest.raises(StatementRefused) as caught:
            hear(ledger, said)
        assert caught.value.code == code
        with pytest.raises(StatementRefused) as caught:
            ledger.check(said, now=NOW)
        assert caught.value.code == code
    assert len(ledger.entries()) == 1


def test_nobody_speaks_to_us_in_our_own_name(ledger: Ledger) -> None:
    with pytest.raises(StatementRefused) as caught:
        hear(ledger, make("nordvik", "nordvik", Position(1, None, None)))
    assert caught.value.code == "statement.wrong-recipient"


def test_a_shipment_and_its_receipt_stand_together_or_not_at_all(ledger: Ledger) -> None:
    body, subjects = shipment(1)
    theirs = make("fjordstal", "nordvik", Position(1, None, None), body, subjects)

    def answer(into: Transaction) -> None:
        hear(into, theirs)

        def build(position: Position) -> tuple[bytes, Statement]:
            assert position.witnessed == Witness(1, theirs.digest)
            said = make("nordvik", "fjordstal", position, receipt(theirs))
            return seal(said), said

        into.append_sent(build, "fjordstal", now=NOW)

    with pytest.raises(PayloadRefused):  # noqa: PT012, SIM117 (raised half-way)
        with ledger.transaction() as transaction:
            answer(transaction)
            raise PayloadRefused("digest", "found out too late")
    assert ledger.entries() == []
    with ledger.transaction() as transaction:
        answer(transaction)
    assert [e.type for e in ledger.entries()] == ["shipment", "receipt"]
    assert [e.rows for e in ledger.entries()] == [12, 12]
    assert len(ledger.entries(shipment=body.shipment_id)) == 2
    assert len(ledger.entries(agreement=AGREEMENT.id)) == 2


def test_what_was_built_for_another_place_is_a_bug(ledger: Ledger) -> None:
    say(ledger)

    def build(position: Position) -> tuple[bytes, Statement]:
        said = make("nordvik", "fjordstal", replace(position, seq=9))
        return seal(said), said

    with pytest.raises(ValueError, match="place"):
        ledger.append_sent(build, "fjordstal", now=NOW)


def test_an_envelope_with_another_statement_in_it_is_a_bug(ledger: Ledger) -> None:
    one, other = (make("fjordstal", "nordvik", Position(1, None, None), notice(t)) for t in "ab")
    with pytest.raises(ValueError, match="another statement"):
        ledger.append_received(seal(one), other, now=NOW)
    assert ledger.entries() == []


def test_one_shipment_is_made_once(ledger: Ledger) -> None:
    made = ship(ledger)
    with pytest.raises(LedgerBroken) as caught:
        ship(ledger)
    assert caught.value.code == "ledger.conflict"
    assert ledger.find_shipment(made.shipment_id, author="nordvik") == made
    assert ledger.find_shipment(made.shipment_id, author="fjordstal") is None
    assert ship(ledger, revision=2).seq == 2


def test_the_last_shipment(ledger: Ledger) -> None:
    assert ledger.last_shipment(AGREEMENT.id) is None
    early = ship(ledger, 1, at=NOW - timedelta(days=7))
    late = ship(ledger, 2)
    assert ledger.last_shipment(AGREEMENT.id) == late
    assert ledger.last_shipment(AGREEMENT.id, before=NOW) == early
    assert ledger.last_shipment("another") is None


def test_entries_can_be_narrowed(ledger: Ledger) -> None:
    kept = [say(ledger, text=f"{i}") for i in range(5)]
    other = say(ledger, "havglass")
    shipped = ship(ledger)
    assert ledger.entries(partner="havglass") == [other]
    assert ledger.entries(type="shipment") == [shipped]
    assert ledger.entries(limit=2) == kept[:2]
    assert ledger.entries(limit=2, newest=True) == [other, shipped]
    assert ledger.entries(since=NOW + timedelta(seconds=1)) == []


def test_a_statement_is_found_by_the_beginning_of_its_digest(ledger: Ledger) -> None:
    entry = say(ledger)
    assert ledger.get(entry.digest) == ledger.get(entry.digest[:4]) == entry
    assert ledger.get("zz' or true --") is None
    assert ledger.get(entry.digest[:3]) is None
    assert ledger.get("0" * 64) is None


def test_a_beginning_that_several_have(ledger: Ledger) -> None:
    seen: set[str] = set()
    with ledger.transaction() as transaction:
        while True:
            digest = say(transaction).digest[:4]
            if digest in seen:
                break
            seen.add(digest)
    with pytest.raises(UsageError):
        ledger.get(digest)


def test_the_outbox(ledger: Ledger, tmp_path: Path) -> None:
    payload = tmp_path / "payload.age"
    first = say(ledger, payload_path=payload)
    second, other = say(ledger), say(ledger, "havglass")
    say(ledger, "nordvik")
    waiting = ledger.pending_outbox("fjordstal")
    assert [(w.digest, w.seq, w.payload_path) for w in waiting] == [
        (first.digest, 1, payload),
        (second.digest, 2, None),
    ]
    assert waiting[0].envelope == first.envelope
    ledger.mark_delivered(first.digest, NOW)
    ledger.mark_delivered(first.digest, NOW + timedelta(days=1))
    assert {w.digest for w in ledger.pending_outbox()} == {second.digest, other.digest}


def test_a_refused_object_is_kept_once_for_each_reason(ledger: Ledger) -> None:
    refusal = StatementRefused("stranger", "not signed by anybody known")
    entry = say(ledger, "nordvik")

    def record(content: bytes, why: StatementRefused) -> None:
        ledger.record_refused_object(
            digest="d" * 64,
            sender="fjordstal",
            name="0000000001.dsse.json\x00",
            content=content,
            refusal=why,
            statement_digest=entry.digest,
            now=NOW,
        )

    assert not ledger.knows_refused("d" * 64, refusal.code)
    record(b"first", refusal)
    record(b"again", refusal)
    record(b"x" * 3_000_000, StatementRefused("gap", "too early"))
    assert ledger.knows_refused("d" * 64, refusal.code)
    stored = ledger.refused_objects(sender="fjordstal")
    assert [(o.code, o.content[:5], len(o.content)) for o in stored] == [
        ("statement.stranger", b"first", 5),
        ("statement.gap", b"xxxxx", 1024 * 1024),
    ]
    assert ledger.refused_objects(sender="havglass") == []


def agree(into: Writer, envelope: bytes, *, complete: bool, digest: str = "a" * 64) -> None:
    into.add_agreement(
        digest=digest,
        agreement_id=AGREEMENT.id,
        version="1.0.0",
        provider="nordvik",
        consumer="fjordstal",
        kind="order",
        envelope=envelope,
        complete=complete,
        now=NOW,
    )


def test_agreements(ledger: Ledger) -> None:
    agree(ledger, b"one signature", complete=False)
    agree(ledger, b"two signatures", complete=True)
    agree(ledger, b"two signatures", complete=True)
    assert ledger.agreement_envelopes() == [b"one signature", b"two signatures"]
    assert [a.envelope for a in ledger.agreements(AGREEMENT.id, complete=True)] == [
        b"two signatures"
    ]
    with pytest.raises(LedgerBroken) as caught:
        agree(ledger, b"another text", complete=False, digest="b" * 64)
    assert caught.value.code == "ledger.conflict"


def test_party_documents(ledger: Ledger) -> None:
    ledger.add_party_document("fjordstal", 1, b"one", now=NOW)
    ledger.add_party_document("fjordstal", 2, b"two", now=NOW)
    ledger.add_party_document("fjordstal", 2, b"two", now=NOW)
    assert ledger.party_documents("fjordstal") == [b"one", b"two"]
    with pytest.raises(LedgerBroken):
        ledger.add_party_document("fjordstal", 2, b"other", now=NOW)


@pytest.fixture
def full(fresh_schema: Fresh) -> tuple[Ledger, sa.Engine]:
    """A ledger with something in every table."""
    engine = fresh_schema()
    ledger = Ledger(engine, "nordvik")
    entry = say(ledger)
    agree(ledger, b"envelope", complete=False)
    ledger.add_party_document("fjordstal", 1, b"one", now=NOW)
    ledger.record_refused_object(
        digest="d" * 64,
        sender="fjordstal",
        name="x",
        content=b"x",
        refusal=StatementRefused("stranger", "x"),
        now=NOW,
    )
    ledger.mark_delivered(entry.digest, NOW)
    return ledger, engine


TABLES = {
    "statement": "seq = seq + 1",
    "outbox": "delivered_at = now()",
    "agreement_signature": "complete = true",
    "party_document": "version = 9",
    "refused_object": "content = ''",
    "ledger_of": "party = 'mallory'",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_nothing_that_is_recorded_changes(
    full: tuple[Ledger, sa.Engine], table: str, role: str
) -> None:
    _, engine = full
    with engine.connect() as connection:
        before = connection.execute(sa.text(f"select * from {table}")).all()
        assert before
        connection.rollback()
        for act in (
            f"update {table} set {TABLES[table]}",
            f"delete from {table}",
            f"truncate {table} cascade",
        ):
            connection.execute(sa.text(f"set session_replication_role = {role}"))
            with pytest.raises(IntegrityError, match="append-only"):
                connection.execute(sa.text(act))
            connection.rollback()
        assert connection.execute(sa.text(f"select * from {table}")).all() == before


def test_the_outbox_learns_of_a_delivery_and_of_nothing_else(fresh_schema: Fresh) -> None:
    engine = fresh_schema()
    say(Ledger(engine, "nordvik"))
    for change in (
        "recipient = 'mallory', delivered_at = now()",
        "payload_path = '/etc/passwd', delivered_at = now()",
        "queued_at = queued_at - interval '1 day'",
    ):
        with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
            connection.execute(sa.text(f"update outbox set {change}"))


def test_the_database_itself_holds_to_the_rules(full: tuple[Ledger, sa.Engine]) -> None:
    ledger, engine = full
    [entry] = ledger.entries()
    row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    row |= {"previous": entry.digest, "witnessed_seq": 0, "seq": 2, "digest": "e" * 64}
    wrong: dict[str, dict[str, Any]] = {
        "a number twice": {"seq": 1, "previous": None},
        "a digest twice": {"digest": entry.digest},
        "no digest": {"digest": "E" * 64},
        "one that follows nothing we hold": {"previous": "f" * 64},
        "a later one that follows nothing": {"previous": None},
        "a number below one": {"seq": 0},
        "an unknown type": {"type": "gossip"},
        "a local one to somebody else": {"direction": "local"},
    }
    for change in wrong.values():
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(sa.insert(STATEMENT).values(row | change))
    with engine.begin() as connection:
        connection.execute(sa.insert(STATEMENT).values(row))  # it is the change that is refused


def test_a_database_belongs_to_one_party(full: tuple[Ledger, sa.Engine]) -> None:
    _, engine = full
    with pytest.raises(ConfigError, match="another party"):
        Ledger(engine, "fjordstal").entries()


def test_tables_of_a_newer_program_are_left_alone(full: tuple[Ledger, sa.Engine]) -> None:
    _, engine = full
    with engine.begin() as connection:
        connection.execute(sa.text("insert into schema_version values (999)"))
    with pytest.raises(LedgerBroken, match="newer"):
        Ledger(engine, "nordvik").entries()


def test_opening_at_once_makes_the_tables_once(fresh_schema: Fresh) -> None:
    engine = fresh_schema()
    failed: list[BaseException] = []

    def use() -> None:
        try:
            say(Ledger(engine, "nordvik"))
        except BaseException as error:  # noqa: BLE001 (shown by the assertion)
            failed.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [e.seq for e in Ledger(engine, "nordvik").entries()] == [1, 2, 3, 4]


def test_a_chain_that_somebody_else_holds_is_waited_for_but_not_for_ever(
    fresh_schema: Fresh,
) -> None:
    engine = fresh_schema()
    ledger = Ledger(engine, "nordvik")
    say(ledger)
    with engine.connect() as look:
        path = look.scalar(sa.text("show search_path"))
    impatient = sa.create_engine(
        engine.url, connect_args={"options": f"-c search_path={path} -c lock_timeout=100"}
    )
    with ledger.transaction() as transaction:
        say(transaction)
        with pytest.raises(DatabaseUnavailable) as caught:
            say(Ledger(impatient, "nordvik"))
        say(Ledger(impatient, "nordvik"), "havglass")  # another relationship does not wait
    assert caught.value.code == "database.lock-timeout"
    impatient.dispose()


def test_a_server_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    url = sa.URL.create("postgresql+psycopg2", query={"host": str(tmp_path)}, database="x")
    engine = sa.create_engine(url)
    with pytest.raises(DatabaseUnavailable) as caught:
        Ledger(engine, "nordvik").entries()
    assert caught.value.code == "database.unreachable"


def test_export(ledger: Ledger) -> None:
    theirs = make("fjordstal", "nordvik", Position(1, None, None))
    hear(ledger, theirs)
    said = say(ledger)
    say(ledger, "havglass")
    say(ledger, "nordvik")
    lines = list(ledger.export_chain("fjordstal"))
    assert [verify(line, a) for line, a in zip(lines, ["fjordstal", "nordvik"], strict=True)] == [
        theirs.to_bytes(),
        said.statement.to_bytes(),
    ]
    assert all(line.endswith(b"\n") and json.loads(line) for line in lines)


def test_the_auditor_reads_what_was_written(full: tuple[Ledger, sa.Engine]) -> None:
    ledger, engine = full
    hear(ledger, make("fjordstal", "nordvik", Position(1, None, None)))
    ship(ledger)
    say(ledger, "nordvik")
    report = verify_ledger(engine, "nordvik", verify)
    assert (report.statements, report.chains, report.findings) == (4, 3, ())


def test_the_auditor_finds_what_was_done_behind_the_triggers(
    full: tuple[Ledger, sa.Engine],
) -> None:
    ledger, engine = full
    forged = seal(make("nordvik", "fjordstal", Position(1, None, None), notice("forged")))
    with engine.begin() as connection:
        connection.execute(sa.text("alter table statement disable trigger all"))
        connection.execute(sa.update(STATEMENT).values(envelope=forged))
    [finding] = verify_ledger(engine, "nordvik", verify).findings
    assert (finding.code, finding.digest) == ("digest", ledger.entries()[0].digest)


def test_the_auditor_of_a_ledger_that_was_never_used(fresh_schema: Fresh) -> None:
    assert verify_ledger(fresh_schema(), "nordvik", verify).statements == 0
