"""What every mailbox must do, whatever it lies on: one class, run against each store."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tillit.errors import MailboxUnavailable, PayloadRefused, StatementRefused
from tillit.mailbox import Incoming, Outgoing, Waiting
from tillit.mailbox.store import CHUNK, Shape, Store

LIMIT = 64 * 1024
FIRST = "0000000001.dsse.json"


class MailboxContract:
    """Subclasses give the fixtures ``store`` (prepared, empty) and ``full`` (room for 200 kB)."""

    @pytest.fixture
    def inbox(self, store: Store) -> Incoming:
        return Incoming(store)

    @pytest.fixture
    def outbox(self, store: Store) -> Outgoing:
        return Outgoing(store, "fjordstal")

    @pytest.fixture
    def payload(self, tmp_path: Path) -> Path:
        file = tmp_path / "sealed.age"
        file.write_bytes(b"age-encryption.org/v1\n" + bytes(range(256)) * 20_000)
        return file

    def fetch(self, inbox: Incoming, name: str, expected: int) -> bytes:
        sink = io.BytesIO()
        inbox.fetch_payload("fjordstal", name, sink, expected_bytes=expected)
        return sink.getvalue()

    # ---- what goes well -----------------------------------------------------------------------

    def test_an_empty_mailbox_is_no_error(self, inbox: Incoming) -> None:
        assert inbox.senders() == []
        assert inbox.waiting("fjordstal") == []
        assert inbox.strays() == []
        assert not inbox.is_anything_waiting()
        inbox.remove("fjordstal", 1)

    def test_what_is_delivered_arrives(
        self, inbox: Incoming, outbox: Outgoing, payload: Path
    ) -> None:
        outbox.deliver(1, b'{"statement": 1}', payload)
        outbox.deliver(2, b'{"statement": 2}')
        assert inbox.is_anything_waiting()
        assert inbox.senders() == ["fjordstal"]
        first, second = inbox.waiting("fjordstal")
        assert first == Waiting("fjordstal", 1, FIRST, 16)
        assert second.seq == 2
        assert inbox.read_statement(first, max_bytes=LIMIT) == b'{"statement": 1}'
        size = payload.stat().st_size
        assert size > 2 * CHUNK
        assert self.fetch(inbox, "0000000001.age", size) == payload.read_bytes()
        assert inbox.strays() == []

    def test_what_is_removed_is_gone(
        self, inbox: Incoming, outbox: Outgoing, payload: Path, store: Store
    ) -> None:
        outbox.deliver(1, b"one", payload)
        outbox.deliver(2, b"two")
        inbox.remove("fjordstal", 1)
        inbox.remove("fjordstal", 1)
        assert [w.seq for w in inbox.waiting("fjordstal")] == [2]
        assert store.size("fjordstal", "0000000001.age") is None

    def test_numbers_come_in_order(self, inbox: Incoming, outbox: Outgoing) -> None:
        for seq in (2, 10, 1, 9_999_999_999):
            outbox.deliver(seq, str(seq).encode())
        assert [w.seq for w in inbox.waiting("fjordstal")] == [1, 2, 10, 9_999_999_999]
        assert [w.seq for w in inbox.waiting("fjordstal", limit=2)] == [1, 2]

    def test_each_sender_has_a_place(self, store: Store, inbox: Incoming) -> None:
        Outgoing(store, "havglass").deliver(1, b"of havglass")
        Outgoing(store, "fjordstal").deliver(1, b"of fjordstal")
        assert inbox.senders() == ["fjordstal", "havglass"]
        [waiting] = inbox.waiting("havglass")
        assert inbox.read_statement(waiting, max_bytes=LIMIT) == b"of havglass"

    def test_an_empty_payload_is_a_payload(
        self, inbox: Incoming, outbox: Outgoing, tmp_path: Path
    ) -> None:
        (tmp_path / "empty").write_bytes(b"")
        outbox.deliver(1, b"one", tmp_path / "empty")
        assert self.fetch(inbox, "0000000001.age", 0) == b""

    # ---- once more ----------------------------------------------------------------------------

    def test_delivering_again_changes_nothing(
        self, inbox: Incoming, outbox: Outgoing, payload: Path
    ) -> None:
        for _ in range(3):
            outbox.deliver(1, b"one", payload)
        assert len(inbox.waiting("fjordstal")) == 1
        payload.unlink()  # the outbox may have been cleared in between
        outbox.deliver(1, b"one", payload)

    def test_a_payload_without_statement_is_put_again(
        self, inbox: Incoming, outbox: Outgoing, store: Store, payload: Path
    ) -> None:
        """Sealed a second time it has other bytes and the same size: the size decides nothing."""
        store.put(
            "fjordstal", "0000000001.age", payload.read_bytes()[::-1], ".0000000001.age.00.part"
        )
        outbox.deliver(1, b"one", payload)
        size = payload.stat().st_size
        assert self.fetch(inbox, "0000000001.age", size) == payload.read_bytes()

    def test_a_lost_payload_is_put_again(
        self, inbox: Incoming, outbox: Outgoing, store: Store, payload: Path
    ) -> None:
        outbox.deliver(1, b"one", payload)
        store.remove("fjordstal", "0000000001.age")
        outbox.deliver(1, b"one", payload)
        assert self.fetch(inbox, "0000000001.age", payload.stat().st_size)

    @pytest.mark.parametrize("other", [b"One", b"another", b"one and more"])
    def test_another_statement_is_not_written_over(
        self, inbox: Incoming, outbox: Outgoing, other: bytes
    ) -> None:
        outbox.deliver(1, b"one")
        with pytest.raises(MailboxUnavailable) as refused:
            outbox.deliver(1, other)
        assert refused.value.code == "mailbox.conflict"
        [waiting] = inbox.waiting("fjordstal")
        assert inbox.read_statement(waiting, max_bytes=LIMIT) == b"one"

    def test_half_written_leftovers_are_swept(self, store: Store, inbox: Incoming) -> None:
        leftover = ".0000000001.age.0123456789abcdef.part"
        store.put("fjordstal", leftover, b"half", ".0000000001.age.01234567.part")
        assert inbox.waiting("fjordstal") == []
        assert inbox.strays() == []
        assert not inbox.is_anything_waiting()
        Outgoing(store, "fjordstal").deliver(1, b"one")
        assert [entry.name for entry in store.scan("fjordstal")] == [FIRST]

    # ---- what a stranger may try ----------------------------------------------------------------

    def test_a_statement_too_large_is_not_read(self, inbox: Incoming, outbox: Outgoing) -> None:
        outbox.deliver(1, b"x" * (LIMIT + 1))
        outbox.deliver(2, b"x" * LIMIT)
        large, fits = inbox.waiting("fjordstal")
        with pytest.raises(StatementRefused) as refused:
            inbox.read_statement(large, max_bytes=LIMIT)
        assert refused.value.code == "statement.too-large"
        assert len(inbox.read_statement(large, max_bytes=LIMIT, cut=True)) == LIMIT
        assert len(inbox.read_statement(fits, max_bytes=LIMIT)) == LIMIT

    @pytest.mark.parametrize("off", [-1, 1, -100_000, 10**12])
    def test_a_payload_of_another_size_is_refused(
        self, inbox: Incoming, outbox: Outgoing, payload: Path, off: int
    ) -> None:
        outbox.deliver(1, b"one", payload)
        with pytest.raises(PayloadRefused) as refused:
            self.fetch(inbox, "0000000001.age", payload.stat().st_size + off)
        assert refused.value.code == "payload.size"

    @pytest.mark.parametrize(
        "name",
        [
            "0000000002.age",
            FIRST,
            "../../etc/passwd",
            "/etc/passwd",
            "0000000001.age\n",
            "0000000001.age/",
            "000000001.age",
            "",
        ],
    )
    def test_a_payload_that_is_none_is_missing(
        self, inbox: Incoming, outbox: Outgoing, name: str
    ) -> None:
        outbox.deliver(1, b"one")
        with pytest.raises(PayloadRefused) as refused:
            self.fetch(inbox, name, 3)
        assert refused.value.code == "payload.missing"

    def test_other_names_are_strays_and_stay(self, inbox: Incoming, store: Store) -> None:
        names = ["0000000000.dsse.json", "1.dsse.json", "notes.txt", "0000000001.dsse.json.exe"]
        for name in names:
            store.put("fjordstal", name, b"x", f".{name}.part")
        store.put("Not-A-Party", FIRST, b"x", ".x.part")
        assert inbox.waiting("fjordstal") == []
        assert not inbox.is_anything_waiting()
        assert {stray.path for stray in inbox.strays()} == {
            "Not-A-Party",
            *(f"fjordstal/{name}" for name in names),
        }
        assert len(inbox.strays(limit=2)) == 2
        assert inbox.senders() == ["fjordstal"]

    @pytest.mark.parametrize("sender", ["..", "", "a/b", "Fjordstal", "fjordstal/../havglass"])
    def test_a_place_is_a_party_id(self, inbox: Incoming, store: Store, sender: str) -> None:
        for act in (inbox.waiting, lambda s: inbox.remove(s, 1), lambda s: Outgoing(store, s)):
            with pytest.raises(ValueError, match="party"):
                act(sender)

    @pytest.mark.parametrize("seq", [0, -1, 10_000_000_000])
    def test_a_number_is_a_number_of_the_chain(self, outbox: Outgoing, seq: int) -> None:
        with pytest.raises(ValueError, match="sequence"):
            outbox.deliver(seq, b"one")

    # ---- what breaks ----------------------------------------------------------------------------

    def test_a_statement_that_has_gone_says_so(self, inbox: Incoming, outbox: Outgoing) -> None:
        outbox.deliver(1, b"one")
        [waiting] = inbox.waiting("fjordstal")
        inbox.remove("fjordstal", 1)
        with pytest.raises(MailboxUnavailable) as refused:
            inbox.read_statement(waiting, max_bytes=LIMIT)
        assert refused.value.code == "mailbox.missing-object"

    def test_a_sealed_file_that_has_gone_says_so(
        self, inbox: Incoming, outbox: Outgoing, payload: Path
    ) -> None:
        payload.unlink()
        with pytest.raises(MailboxUnavailable) as refused:
            outbox.deliver(1, b"one", payload)
        assert refused.value.code == "mailbox.missing-object"
        assert inbox.waiting("fjordstal") == []

    def test_full_half_way_leaves_nothing_half(self, full: Store, payload: Path) -> None:
        inbox, outbox = Incoming(full), Outgoing(full, "fjordstal")
        outbox.deliver(1, b"fits")
        with pytest.raises(MailboxUnavailable) as refused:
            outbox.deliver(2, b"two", payload)
        assert refused.value.code == "mailbox.full"
        assert [w.seq for w in inbox.waiting("fjordstal")] == [1]
        names = {entry.name for entry in full.scan("fjordstal") if entry.shape is Shape.FILE}
        assert names == {FIRST}, "no half object, and no temporary left"

    def test_the_store_comes_back_after_it_was_closed(
        self, inbox: Incoming, outbox: Outgoing
    ) -> None:
        outbox.deliver(1, b"one")
        inbox.close()
        with outbox:
            pass
        outbox.deliver(2, b"two")
        assert len(inbox.waiting("fjordstal")) == 2
