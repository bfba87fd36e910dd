"""The mailbox contract over a real SFTP server: Debian's, on a port of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest
from tests.mailboxes import FIRST, LIMIT, MailboxContract
from tests.services.conftest import missing

from tillit.errors import MailboxUnavailable
from tillit.mailbox import Incoming, Outgoing, Waiting, check_address
from tillit.mailbox.sftp import SftpStore
from tillit.mailbox.ssh import Login
from tillit.mailbox.store import Store

pytestmark = pytest.mark.services

ROOM_BLOCKS = 400  # of 512 bytes, as dash counts them


@dataclass(frozen=True)
class Server:
    """A running sshd with throwaway keys; ``narrow`` is the port where files stay small."""

    port: int
    narrow: int
    user: str
    known_hosts: Path
    key_file: Path
    folder: Path

    @property
    def login(self) -> Login:
        return Login(self.known_hosts, self.user, self.key_file)

    def store(
        self, path: Path, *, login: Login | None = None, port: int | None = None
    ) -> SftpStore:
        address = check_address(f"sftp://127.0.0.1:{port or self.port}{path}")
        return SftpStore(address, login or self.login, seconds=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, *places: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if found is None:
        missing(f"{name} is not installed (Debian: apt-get install openssh-server)")
    return found


def make_key(file: Path) -> str:
    subprocess.run(
        [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True
    )
    return file.with_suffix(".pub").read_text().strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    sshd = program("sshd", "/usr/sbin")
    sftp = program("sftp-server", "/usr/lib/openssh", "/usr/libexec")
    folder = tmp_path_factory.mktemp("sshd")
    folder.chmod(0o700)
    host_key = make_key(folder / "host")
    (folder / "authorized").write_text(make_key(folder / "client") + "\n")
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    ports = free_port(), free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    narrow = f"sh -c 'trap \"\" XFSZ; ulimit -f {ROOM_BLOCKS}; exec {sftp}'"
    servers = [
        start(sshd, folder, port, command)
        for port, command in zip(ports, (sftp, narrow), strict=True)
    ]
    known = " ".join(host_key.split()[:2])
    (folder / "known_hosts").write_text("".join(f"[127.0.0.1]:{p} {known}\n" for p in ports))
    try:
        for port in ports:
            wait_for(port, folder)
        yield Server(*ports, user, folder / "known_hosts", folder / "client", folder)
    finally:
        for running in servers:
            running.terminate()
            running.wait(10)


def start(sshd: str, folder: Path, port: int, command: str) -> subprocess.Popen[bytes]:
    config = folder / f"sshd_config_{port}"
    config.write_text(
        "\n".join(
            [
                f"ListenAddress 127.0.0.1:{port}",
                f"HostKey {folder / 'host'}",
                f"AuthorizedKeysFile {folder / 'authorized'}",
                f"PidFile {folder / f'pid_{port}'}",
                "AuthenticationMethods publickey",
                "PermitRootLogin prohibit-password",
                "StrictModes no",
                "UsePAM no",
                "Subsystem sftp internal-sftp",
                f"ForceCommand {command}",
            ]
        )
    )
    log = folder / f"log_{port}"
    return subprocess.Popen([sshd, "-D", "-f", str(config), "-E", str(log)])


def wait_for(port: int, folder: Path) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail((folder / f"log_{port}").read_text())


@pytest.fixture
def root(server: Server, tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def store(server: Server, root: Path) -> Iterator[Store]:
    store = server.store(root)
    store.prepare()
    yield store
    store.close()


class TestSftp(MailboxContract):
    @pytest.fixture
    def full(self, server: Server, store: Store, root: Path) -> Iterator[Store]:
        narrow = server.store(root, port=server.narrow)
        yield narrow
        narrow.close()


def test_preparing_twice_is_preparing_once(store: Store, root: Path) -> None:
    store.prepare()
    assert root.is_dir()


def refusal(store: SftpStore) -> MailboxUnavailable:
    with pytest.raises(MailboxUnavailable) as refused:
        Outgoing(store, "fjordstal").deliver(1, b"one")
    store.close()
    return refused.value


def test_a_server_that_is_not_known_is_not_talked_to(
    server: Server, store: Store, root: Path, tmp_path: Path
) -> None:
    """Its key is shown, to be compared, and it is not added."""
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    login = Login(empty, server.user, server.key_file)
    refused = refusal(server.store(root, login=login))
    assert refused.code == "mailbox.host-key"
    assert "SHA256:" in str(refused)
    assert empty.read_text() == ""
    assert list(root.iterdir()) == []


def test_a_server_with_another_key_is_not_talked_to(
    server: Server, store: Store, root: Path, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other").split()[1]
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 {other}\n")
    refused = refusal(server.store(root, login=Login(known, server.user, server.key_file)))
    assert refused.code == "mailbox.host-key"


def test_a_stranger_is_not_let_in(server: Server, store: Store, root: Path, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    login = Login(server.known_hosts, server.user, tmp_path / "stranger")
    assert refusal(server.store(root, login=login)).code == "mailbox.denied"
    password = tmp_path / "password"
    password.write_text("guess\n")
    password.chmod(0o600)
    login = Login(server.known_hosts, server.user, None, password)
    refused = refusal(server.store(root, login=login))
    assert refused.code == "mailbox.denied"
    assert "guess" not in str(refused)


def test_a_secret_that_others_can_read_is_not_used(
    server: Server, store: Store, root: Path, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o644)
    login = Login(server.known_hosts, server.user, server.key_file, password)
    refused = refusal(server.store(root, login=login))
    assert refused.code == "mailbox.denied"
    assert "0o644" in str(refused)


def test_the_environment_may_say_how_to_log_in(server: Server) -> None:
    environment = {
        "TILLIT_SFTP_KNOWN_HOSTS": str(server.known_hosts),
        "TILLIT_SFTP_USER": "other",
        "TILLIT_SFTP_KEY_FILE": str(server.key_file),
    }
    assert Login.of({"user": server.user}, environment) == server.login


def test_nobody_listening_is_unreachable(server: Server, root: Path, tmp_path: Path) -> None:
    port = free_port()
    known = tmp_path / "known_hosts"
    known.write_text(server.known_hosts.read_text())
    assert refusal(server.store(root, port=port)).code == "mailbox.unreachable"


def test_an_inbox_that_is_not_there_is_unreachable(server: Server, tmp_path: Path) -> None:
    store = server.store(tmp_path / "nowhere")
    with pytest.raises(MailboxUnavailable) as refused:
        Incoming(store).senders()
    assert refused.value.code == "mailbox.unreachable"
    assert refusal(store).code == "mailbox.unreachable"
    assert not (tmp_path / "nowhere").exists()


def test_links_are_not_followed(server: Server, store: Store, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    place = root / "fjordstal"
    place.mkdir()
    (place / FIRST).symlink_to(tmp_path / "secret")
    (place / "0000000001.age").symlink_to(tmp_path / "secret")
    (root / "havglass").symlink_to(tmp_path)
    inbox = Incoming(store)
    assert inbox.senders() == ["fjordstal"]
    assert inbox.waiting("fjordstal") == []
    assert inbox.waiting("havglass") == []
    assert len(inbox.strays()) == 3
    with pytest.raises(MailboxUnavailable) as refused:
        inbox.read_statement(Waiting("fjordstal", 1, FIRST, 6), max_bytes=LIMIT)
    assert refused.value.code == "mailbox.denied"


def test_one_name_that_is_no_text_does_not_close_the_inbox(store: Store, root: Path) -> None:
    """paramiko's listing raises UnicodeDecodeError: a sender could shut the owner out."""
    Outgoing(store, "fjordstal").deliver(1, b"one")
    (root / "fjordstal" / os.fsdecode(b"\xff\xfe")).write_bytes(b"x")
    inbox = Incoming(store)
    assert [w.seq for w in inbox.waiting("fjordstal")] == [1]
    [stray] = inbox.strays()
    assert stray.path.isascii()


def test_a_connection_that_was_cut_is_made_again(store: Store) -> None:
    outbox = Outgoing(store, "fjordstal")
    outbox.deliver(1, b"one")
    transport = store._open[1].get_transport()  # type: ignore[attr-defined]
    transport.sock.shutdown(socket.SHUT_RDWR)
    try:
        outbox.deliver(2, b"two")
    except MailboxUnavailable as error:
        assert error.code == "mailbox.unreachable"  # noqa: PT017 (whether it is noticed in time)
        outbox.deliver(2, b"two")
    assert [w.seq for w in Incoming(store).waiting("fjordstal")] == [1, 2]


def test_a_connection_that_cannot_even_say_goodbye_is_closed(store: Store) -> None:
    """paramiko tells the server that it closes, and raises EOFError where nobody hears it."""
    Outgoing(store, "fjordstal").deliver(1, b"one")

    def cut(*_: object) -> None:
        raise EOFError

    _, _, client = store._open  # type: ignore[attr-defined]
    client.close, closes = cut, client.close
    store.close()
    closes()
    Outgoing(store, "fjordstal").deliver(2, b"two")
    assert [w.seq for w in Incoming(store).waiting("fjordstal")] == [1, 2]


def test_what_is_put_is_private_to_the_two(store: Store, root: Path) -> None:
    Outgoing(store, "fjordstal").deliver(1, b"one")
    assert not stat.S_IMODE((root / "fjordstal" / FIRST).stat().st_mode) & stat.S_IWOTH


def test_paramiko_itself_would_have_stumbled(server: Server, store: Store, root: Path) -> None:
    """When this fails, `tillit.mailbox.ssh.Client` is needed no longer."""
    store.prepare()
    (root / os.fsdecode(b"\xff")).write_bytes(b"x")
    with paramiko.SSHClient() as ssh:
        ssh.load_host_keys(str(server.known_hosts))
        ssh.connect("127.0.0.1", server.port, server.user, key_filename=str(server.key_file))
        with ssh.open_sftp() as plain, pytest.raises(UnicodeDecodeError):
            plain.listdir(str(root))
