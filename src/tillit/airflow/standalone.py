"""Airflow's four parts for one home, on one machine, until one of them ends. I/O: processes.

`airflow standalone` does nearly the same, but it opens two log servers to the network, goes on
when a part has died, and knows nothing of the home's PostgreSQL, which has to run as long as it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from tillit.airflow.environment import environment
from tillit.home import Home

__all__ = ["PARTS", "command", "standalone"]

# Logs lie in the home, where the api-server reads them: nobody has to serve them. The scheduler
# comes last: a task that finds no api-server asks again after ten seconds.
PARTS: Mapping[str, Sequence[str]] = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
}

_PATIENCE_S = 30
_LOOK_S = 0.5


def command(home: Home, arguments: Sequence[str], *, port: int) -> int:
    """Run one of Airflow's own commands for a home, its database up for as long; its exit code."""
    settings = _settings(home, port)
    with _stoppable():
        process = _start(arguments, settings)
        try:
            return process.wait()
        finally:
            _end([process], signal.SIGINT)  # `airflow standalone` leaves its parts at any other


def standalone(home: Home, *, port: int) -> str:
    """Make or upgrade Airflow's tables, then run its parts; the name of the part that ended.

    SIGTERM and SIGINT end all parts and come out as KeyboardInterrupt.
    """
    code = command(home, ["db", "migrate"], port=port)
    if code:
        return "db migrate"
    settings = _settings(home, port)
    with _stoppable():
        running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            while True:
                for name, arguments in PARTS.items():
                    if name not in running and (name != "scheduler" or _answers(port)):
                        running[name] = _start(arguments, settings)
                for name, process in running.items():
                    if process.poll() is not None:
                        return name
                time.sleep(_LOOK_S)
        finally:
            # The scheduler waits for its tasks, and they need the others to say how they ended.
            _end([process for name, process in running.items() if name == "scheduler"])
            _end(list(running.values()))


def _settings(home: Home, port: int) -> dict[str, str]:
    # `airflow standalone` starts `airflow` as the PATH has it: it has to be this one.
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join([here, os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **environment(home, port=port)}


def _start(arguments: Sequence[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A group of its own: a part's workers end with it, and Ctrl-C reaches us first.
    return subprocess.Popen(
        [sys.executable, "-m", "airflow", *arguments], env=settings, start_new_session=True
    )


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=_LOOK_S):
        return True
    return False


def _end(processes: Sequence[subprocess.Popen[bytes]], word: int = signal.SIGTERM) -> None:
    """Ask all to end, then make sure that nothing of them is left."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(word)
    deadline = time.monotonic() + _PATIENCE_S
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM is Ctrl-C here, so that what was started is ended in both cases."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
