"""Mailboxes that are gone or full, and programs that die: the next run does the rest, once."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.crook import (
    FORECAST,
    REVISIONS,
    all_goes_on,
    receipt_of,
    ship,
    take_one,
    with_a_bad_row,
)
from tests.scenarios.pair import BUYER, SUPPLIER, Company, Pair

import tillit.exchange.publish as publishing
import tillit.exchange.receipts as receiving_receipts
import tillit.exchange.receive as receiving
import tillit.exchange.shipments as receiving_shipments
import tillit.mailbox.folder as folders
import tillit.quality.expectations as judging
from tillit.errors import MailboxUnavailable
from tillit.exchange.publish import Published
from tillit.home import Home
from tillit.lake import Lake
from tillit.ledger.store import Ledger
from tillit.mailbox import open_outgoing
from tillit.mailbox.box import Incoming, Outgoing
from tillit.mailbox.folder import FolderStore

KNOWN_HOSTS = "127.0.0.1 ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + "\n"


def publish(pair: Pair, revision: int) -> Published:
    """The buyer publishes a forecast; again, if it has done so already."""
    return pair.buyer.publish(FORECAST, now=pair.later(), revision=revision)


def lands_once(pair: Pair, made: Published) -> None:
    """What was published is in the supplier's mailbox, and lands there once and whole."""
    before = pair.supplier.landed()
    assert len(pair.supplier.waiting()) == 2
    outcome = take_one(pair.supplier, pair)
    assert (outcome.result, outcome.shipment_id) == ("accepted", made.shipment_id)
    pair.buyer.receive(now=pair.later())
    stands_once(pair, str(made.shipment_id), before)


def stands_once(pair: Pair, shipment_id: str, before: int) -> None:
    """One landing, one statement and one answer in both ledgers; then all goes on."""
    (landing,) = pair.supplier.rows(
        "select rows_accepted + rows_refused, rows_accepted from exchange.shipments "
        "where shipment_id = ?",
        [shipment_id],
    )
    for company in pair.both:
        (shipment,) = company.statements(type="shipment", shipment=shipment_id)
        assert landing[0] == shipment.rows
        assert receipt_of(company, shipment_id) is None
    assert pair.supplier.landed() == before + landing[1]
    all_goes_on(pair)


# ---- a mailbox that is not there ------------------------------------------------------------------


def gone(company: Company) -> Callable[[], None]:
    """The share is not mounted."""
    aside = company.mailbox.with_name("aside")
    company.mailbox.rename(aside)
    return lambda: aside.rename(company.mailbox) and None


def a_file(company: Company) -> Callable[[], None]:
    """Something else is in its place."""
    back = gone(company)
    company.mailbox.write_text("not a mailbox")

    def mend() -> None:
        company.mailbox.unlink()
        back()

    return mend


GONE = pytest.mark.parametrize("break_it", [gone, a_file])


@GONE
def test_the_partners_mailbox_is(
    partners: Pair, break_it: Callable[[Company], Callable[[], None]]
) -> None:
    revision = next(REVISIONS)
    mend = break_it(partners.supplier)
    made = publish(partners, revision)
    assert not made.delivered
    again = publish(partners, revision)
    assert (again.repeated, again.delivered) == (True, False)
    (waiting,) = partners.buyer.home.ledger.pending_outbox()
    assert waiting.payload_path is not None
    assert waiting.payload_path.exists()
    mend()
    assert publish(partners, revision).delivered
    lands_once(partners, made)


@GONE
def test_our_own_mailbox_is(
    partners: Pair, break_it: Callable[[Company], Callable[[], None]]
) -> None:
    made = publish(partners, next(REVISIONS))
    mend = break_it(partners.supplier)
    with pytest.raises(MailboxUnavailable) as error:
        partners.supplier.receive(now=partners.later())
    assert error.value.exit_code == 75
    mend()
    assert partners.supplier.statements(shipment=made.shipment_id) == []
    lands_once(partners, made)


def test_the_answer_cannot_be_delivered(partners: Pair) -> None:
    """The shipment lands all the same; its receipt goes with the next run."""
    made = publish(partners, next(REVISIONS))
    before = partners.supplier.landed()
    mend = gone(partners.buyer)
    taken = partners.supplier.receive(now=partners.later())
    assert taken.outcomes[0].result == "accepted"
    ((partner, error),) = taken.delivered.unreachable
    assert (partner, error.code) == (BUYER, "mailbox.unreachable")
    mend()
    assert partners.supplier.receive(now=partners.later()).delivered.sent == 1
    partners.buyer.receive(now=partners.later())
    stands_once(partners, str(made.shipment_id), before)


def test_a_server_refuses_the_connection(
    partners: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SFTP at a port where nobody listens."""
    (tmp_path / "known_hosts").write_text(KNOWN_HOSTS)
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    options = {
        "known_hosts": str(tmp_path / "known_hosts"),
        "password_file": str(tmp_path / "password"),
        "user": BUYER,
    }
    revision = next(REVISIONS)
    with monkeypatch.context() as patch:
        patch.setattr(
            Home,
            "outgoing",
            lambda home, _: open_outgoing("sftp://127.0.0.1:1/inbox", home.party_id, options),
        )
        made = publish(partners, revision)
        assert not made.delivered
        outcome = partners.buyer.receive(now=partners.later())
        ((_, error),) = outcome.delivered.unreachable
        assert error.code == "mailbox.unreachable"
    assert publish(partners, revision).delivered
    lands_once(partners, made)


@pytest.mark.parametrize("nth", [1, 2], ids=["the payload", "the statement"])
def test_the_mailbox_is_full_half_way_through(
    partners: Pair, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    calls = iter(range(1, 100))
    whole = folders.pieces

    def pieces(content: bytes | Path) -> Iterator[bytes]:
        if next(calls) != nth:
            yield from whole(content)
            return
        for piece in whole(content):
            yield piece[: len(piece) // 2]
            raise OSError(errno.ENOSPC, "no space left on device")

    revision = next(REVISIONS)
    with monkeypatch.context() as patch:
        patch.setattr(folders, "pieces", pieces)
        made = publish(partners, revision)
    assert not made.delivered
    # Nothing half is visible, not even under another name.
    assert len(partners.supplier.waiting()) == nth - 1
    assert partners.supplier.waiting(".dsse.json") == []
    assert partners.supplier.receive(now=partners.later()).outcomes == ()
    assert publish(partners, revision).delivered
    lands_once(partners, made)


def test_what_we_may_not_read_holds_up_only_its_sender(
    partners: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender writes a statement that only it may read; the others' are taken."""
    place = partners.supplier.mailbox / "aardvark"
    place.mkdir()
    (place / "0000000001.dsse.json").write_bytes(b"{}")
    whole = FolderStore.read

    def read(store: FolderStore, folder: str, name: str) -> Iterator[bytes]:
        if folder == "aardvark":
            raise MailboxUnavailable("denied", "permission denied")
        return whole(store, folder, name)

    made = publish(partners, next(REVISIONS))
    before = partners.supplier.landed()
    with monkeypatch.context() as patch:
        patch.setattr(FolderStore, "read", read)
        held, taken = partners.supplier.receive(now=partners.later()).outcomes
    assert (held.sender, held.result, held.code) == ("aardvark", "held", "mailbox.denied")
    assert (taken.sender, taken.result) == (BUYER, "accepted")
    (place / "0000000001.dsse.json").unlink()
    place.rmdir()
    partners.buyer.receive(now=partners.later())
    stands_once(partners, str(made.shipment_id), before)


# ---- a program that dies -------------------------------------------------------------------------


class Killed(BaseException):
    """What no handler for errors catches."""


def kill(
    patch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool = False, nth: int = 1
) -> None:
    """Die before, or right after, the nth call of a step."""
    step = getattr(owner, name)
    calls = iter(range(1, 1000))

    def dying(*args: Any, **kwargs: Any) -> Any:
        if next(calls) != nth:
            return step(*args, **kwargs)
        if after:
            step(*args, **kwargs)
        raise Killed

    patch.setattr(owner, name, dying)


PUBLISHING: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "before preparing": (publishing, "prepare", {}),
    "after preparing": (publishing, "prepare", {"after": True}),
    "before sealing": (publishing, "seal", {}),
    "after sealing": (publishing, "seal", {"after": True}),
    "before recording": (publishing, "send", {}),
    "after recording": (publishing, "send", {"after": True}),
    "before the payload is put": (Outgoing, "_put", {}),
    "after the payload is put": (Outgoing, "_put", {"after": True}),
    "after the statement is put": (Outgoing, "_put", {"after": True, "nth": 2}),
    "before delivery is recorded": (Ledger, "mark_delivered", {}),
    "after delivery is recorded": (Ledger, "mark_delivered", {"after": True}),
    "before a put becomes visible": (folders.os, "rename", {}),
}


@pytest.mark.parametrize("where", PUBLISHING)
def test_publish_dies(partners: Pair, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    owner, name, how = PUBLISHING[where]
    revision = next(REVISIONS)
    with monkeypatch.context() as patch:
        kill(patch, owner, name, **how)
        with pytest.raises(Killed):
            publish(partners, revision)
    made = publish(partners, revision)
    assert made.delivered
    lands_once(partners, made)


RECEIVING: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "before verifying": (receiving, "collect", {}),
    "after verifying": (receiving, "collect", {"after": True}),
    "before opening": (receiving_shipments, "open_sealed", {}),
    "before measuring": (receiving_shipments, "open_payload", {}),
    "before judging": (judging, "judge", {}),
    "before landing": (Lake, "land", {}),
    "after landing": (Lake, "land", {"after": True}),
    "before recording": (receiving_shipments, "answer", {}),
    "between shipment and receipt": (receiving_receipts, "send", {}),
    "before both are recorded": (receiving_receipts, "send", {"after": True}),
    "after recording": (receiving_shipments, "answer", {"after": True}),
    "after its payload is removed": (FolderStore, "remove", {"after": True}),
    "after it is removed": (Incoming, "remove", {"after": True}),
    "before the answer is delivered": (receiving, "deliver", {}),
    "after the answer is delivered": (receiving, "deliver", {"after": True}),
}


@pytest.mark.parametrize("where", RECEIVING)
def test_receive_dies(partners: Pair, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    owner, name, how = RECEIVING[where]
    made = publish(partners, next(REVISIONS))
    before = partners.supplier.landed()
    with monkeypatch.context() as patch:
        kill(patch, owner, name, **how)
        with pytest.raises(Killed):
            partners.supplier.receive(now=partners.later())
    partners.supplier.receive(now=partners.later())
    partners.buyer.receive(now=partners.later())
    stands_once(partners, str(made.shipment_id), before)


RETURNING: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "before the rows are opened": (receiving_receipts, "open_sealed", {}),
    "before the rows are kept": (receiving_receipts, "keep_returned", {}),
    "after the rows are kept": (receiving_receipts, "keep_returned", {"after": True}),
    "before it is removed": (Incoming, "remove", {}),
}


@pytest.mark.parametrize("where", RETURNING)
def test_taking_refused_rows_back_dies(
    partners: Pair, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    owner, name, how = RETURNING[where]
    before = partners.supplier.landed()
    shipment_id = ship(partners, spoil=with_a_bad_row)
    assert take_one(partners.supplier, partners).result == "partly"
    with monkeypatch.context() as patch:
        kill(patch, owner, name, **how)
        with pytest.raises(Killed):
            partners.buyer.receive(now=partners.later())
    partners.buyer.receive(now=partners.later())
    returned = "select count(*), any_value(partner) from quarantine.returned where shipment_id = ?"
    assert partners.buyer.rows(returned, [shipment_id]) == [(1, SUPPLIER)]
    stands_once(partners, shipment_id, before)
