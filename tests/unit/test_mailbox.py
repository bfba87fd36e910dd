"""The stores that need no server: memory, a folder, and an object store's fake."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from tests.mailboxes import FIRST, LIMIT, MailboxContract

from tillit.errors import ConfigError, MailboxUnavailable
from tillit.mailbox import (
    Incoming,
    MemoryStore,
    Outgoing,
    Waiting,
    check_address,
    open_incoming,
    open_outgoing,
)
from tillit.mailbox.folder import FolderStore
from tillit.mailbox.objects import ObjectStore
from tillit.mailbox.store import Store

ROOM = 200_000


class TestMemory(MailboxContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    @pytest.fixture
    def full(self) -> Store:
        store = MemoryStore()
        store.full_after = ROOM
        return store


class TestFolder(MailboxContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        store = FolderStore(tmp_path / "inbox")
        store.prepare()
        return store

    @pytest.fixture
    def full(self, store: Store, payload: Path) -> Iterator[Store]:
        """A limit on the size of a file is as good as a full disk: the write stops half-way."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
        yield store
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class FullOne(MemoryFileSystem):
    """fsspec's own in-memory file system, with a bottom."""

    store: dict[str, Any] = {}  # noqa: RUF012 (fsspec keeps it on the class)
    pseudo_dirs = [""]  # noqa: RUF012
    room: int | None = None

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        if self.room is not None and os.path.getsize(lpath) > self.room:  # noqa: PTH202
            raise OSError(errno.ENOSPC, "no room")
        super().put_file(lpath, rpath, **kwargs)


class TestObjects(MailboxContract):
    @pytest.fixture
    def store(self) -> Store:
        FullOne.store.clear()
        FullOne.pseudo_dirs[:] = [""]
        filesystem = FullOne(skip_instance_cache=True)
        filesystem.room = None
        return ObjectStore("/bucket/inbox", filesystem)

    @pytest.fixture
    def full(self, store: Store) -> Store:
        store._fs.room = ROOM  # type: ignore[attr-defined]
        return store


# ---- memory: switches ---------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["unreachable", "denied"])
def test_nothing_is_lost_when_the_mailbox_does_not_answer(switch: str) -> None:
    store = MemoryStore()
    inbox, outbox = Incoming(store), Outgoing(store, "fjordstal")
    outbox.deliver(1, b"one")
    setattr(store, switch, True)
    waiting = Waiting("fjordstal", 1, FIRST, 3)
    for act in (
        inbox.senders,
        inbox.is_anything_waiting,
        inbox.strays,
        lambda: inbox.waiting("fjordstal"),
        lambda: inbox.read_statement(waiting, max_bytes=LIMIT),
        lambda: inbox.remove("fjordstal", 1),
        lambda: outbox.deliver(2, b"two"),
    ):
        with pytest.raises(MailboxUnavailable) as refused:
            act()
        assert refused.value.code == f"mailbox.{switch}"
    setattr(store, switch, False)
    outbox.deliver(2, b"two")
    assert [w.seq for w in inbox.waiting("fjordstal")] == [1, 2]


def test_a_statement_is_not_put_twice(tmp_path: Path) -> None:
    store = MemoryStore()
    payload = tmp_path / "sealed"
    payload.write_bytes(b"sealed")
    for _ in range(2):
        Outgoing(store, "fjordstal").deliver(1, b"one", payload)
    assert store.puts == 2


class WriteOnly(MemoryStore):
    """A drop box: one may write, and may not look."""

    def scan(self, folder: str = "") -> Iterator[Any]:
        raise MailboxUnavailable("denied", "no looking")

    def size(self, folder: str, name: str) -> int | None:
        raise MailboxUnavailable("denied", "no looking")


def test_a_drop_box_can_be_delivered_to() -> None:
    store = WriteOnly()
    outbox = Outgoing(store, "fjordstal")
    outbox.deliver(1, b"one")
    outbox.deliver(1, b"one")
    assert store.folders["fjordstal"][FIRST] == b"one"


# ---- folder: what others on the same machine may try ---------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "fjordstal").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "inbox"


def test_links_and_pipes_are_not_followed(root: Path, tmp_path: Path) -> None:
    inbox = Incoming(FolderStore(root))
    place = root / "fjordstal"
    (place / FIRST).symlink_to(tmp_path / "secret")
    os.mkfifo(place / "0000000002.dsse.json")
    (place / "0000000003.dsse.json").mkdir()
    (root / "havglass").symlink_to(tmp_path)
    assert inbox.waiting("fjordstal") == []
    assert inbox.senders() == ["fjordstal"]
    assert {stray.path for stray in inbox.strays()} == {
        f"fjordstal/{FIRST}",
        "fjordstal/0000000002.dsse.json",
        "fjordstal/0000000003.dsse.json",
        "havglass",
    }
    for seq in (1, 2):
        with pytest.raises(MailboxUnavailable) as refused:
            inbox.read_statement(Waiting("fjordstal", seq, "", 6), max_bytes=LIMIT)
        assert refused.value.code == "mailbox.denied"
    with pytest.raises(MailboxUnavailable) as refused:
        inbox.waiting("havglass")
    assert refused.value.code == "mailbox.denied"
    inbox.remove("fjordstal", 1)
    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert not (place / FIRST).is_symlink()


def test_a_delivery_does_not_go_through_a_link(root: Path, tmp_path: Path) -> None:
    (root / "havglass").symlink_to(tmp_path)
    with pytest.raises(MailboxUnavailable) as refused:
        Outgoing(FolderStore(root), "havglass").deliver(1, b"one")
    assert refused.value.code == "mailbox.denied"
    assert not (tmp_path / FIRST).exists()


def test_a_name_that_is_no_text_is_a_stray(root: Path) -> None:
    (root / "fjordstal" / os.fsdecode(b"\xff\x1b[31m")).write_bytes(b"x")
    [stray] = Incoming(FolderStore(root)).strays()
    assert stray.path.isprintable()
    assert stray.path.isascii()


def test_a_share_that_is_not_mounted_is_unreachable_and_not_empty(tmp_path: Path) -> None:
    inbox = open_incoming((tmp_path / "gone").as_uri(), {})
    outbox = open_outgoing((tmp_path / "gone").as_uri(), "fjordstal", {})
    for act in (inbox.senders, inbox.is_anything_waiting, lambda: outbox.deliver(1, b"one")):
        with pytest.raises(MailboxUnavailable) as refused:
            act()
        assert refused.value.code == "mailbox.unreachable"
    assert not (tmp_path / "gone").exists()
    inbox.prepare()
    outbox.deliver(1, b"one")
    assert inbox.is_anything_waiting()


def test_an_object_is_whole_when_it_is_seen(root: Path, tmp_path: Path) -> None:
    """A reader that looks all the time while another process writes sees nothing half."""
    payload = tmp_path / "sealed"
    payload.write_bytes(b"p" * 3_000_000)
    writer = (
        "import sys; from pathlib import Path; from tillit.mailbox import open_outgoing\n"
        "out = open_outgoing(sys.argv[1], 'fjordstal', {})\n"
        "for seq in range(1, 21): out.deliver(seq, b's' * 5000, Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", writer, root.as_uri(), str(payload)])
    inbox, store = Incoming(FolderStore(root)), FolderStore(root)
    looks = 0
    try:
        while process.poll() is None or looks == 0:
            looks += 1
            for waiting in inbox.waiting("fjordstal"):
                assert waiting.size == 5000
                assert store.size("fjordstal", f"{waiting.seq:010d}.age") == 3_000_000
    finally:
        assert process.wait(30) == 0
    assert len(inbox.waiting("fjordstal")) == 20


# ---- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///srv/inbox/", "file:///srv/inbox"),
        ("/srv/in box", "file:///srv/in box"),
        ("file:///srv/in%20box", "file:///srv/in box"),
        ("file://localhost/srv", "file:///srv"),
        ("sftp://partner.example/in", "sftp://partner.example/in"),
        ("sftp://me@partner.example:2222/in", "sftp://me@partner.example:2222/in"),
        ("sftp://[::1]:2222/in", "sftp://[::1]:2222/in"),
        ("s3://our-bucket/in/here", "s3://our-bucket/in/here"),
    ],
)
def test_addresses_that_can_be_used(url: str, said: str) -> None:
    assert str(check_address(url)) == said


@pytest.mark.parametrize(
    "url",
    [
        "",
        "inbox",
        "./inbox",
        "/",
        "file:///",
        "file:///srv/../etc",
        "file:///srv/%2e%2e/etc",
        "file:///srv/%00",
        "file://elsewhere/srv",
        "file:///srv?x=1",
        "sftp://host",
        "sftp:///in",
        "sftp://host:99999/in",
        "sftp://host/in#x",
        "sftp://-oProxyCommand=x/in",
        "sftp://us er@host/in",
        "sftp://host\n/in",
        "s3://b/in",
        "s3://user@bucket/in",
        "s3://bucket",
        "ftp://host/in",
        "https://host/in",
        "memory://inbox",
        "simplecache::sftp://host/in",
        "sftp://host\\@evil/in",
        "/" + "x" * 2000,
    ],
)
def test_addresses_that_cannot(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_address(url)
    assert refused.value.code == "config.wrong-value"
    with pytest.raises(ConfigError):
        open_incoming(url, {})
    with pytest.raises(MailboxUnavailable) as unavailable:
        open_outgoing(url, "fjordstal", {})
    assert unavailable.value.code == "mailbox.address"


@pytest.mark.parametrize("url", ["sftp://me:hunter2@host/in", "ftp://me:hunter2@host/in"])
def test_a_password_in_an_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_address(url)
    assert "hunter2" not in str(refused.value)


def test_s3_without_its_package_says_what_to_install() -> None:
    try:
        import s3fs  # noqa: F401
    except ImportError:
        with pytest.raises(MailboxUnavailable, match="s3fs") as refused:
            open_outgoing("s3://our-bucket/in", "fjordstal", {})
        assert refused.value.code == "mailbox.address"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "mailbox.host-key"),
        ({"known_hosts": "/nowhere/known_hosts", "user": "me"}, "mailbox.host-key"),
        ({"known_hosts": "/dev/null"}, "mailbox.denied"),
        ({"known_hosts": "/dev/null", "user": "me", "key_file": "/nowhere"}, "mailbox.denied"),
    ],
)
def test_sftp_is_not_tried_without_what_makes_it_safe(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], code: str
) -> None:
    monkeypatch.delenv("TILLIT_SFTP_KNOWN_HOSTS", raising=False)
    monkeypatch.delenv("TILLIT_SFTP_USER", raising=False)
    with pytest.raises(MailboxUnavailable) as refused:
        open_outgoing("sftp://127.0.0.1:1/in", "fjordstal", options).deliver(1, b"one")
    assert refused.value.code == code
