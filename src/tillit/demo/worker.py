"""One party of a demonstration, in its own process. I/O: its own home, and mailboxes.

The parent says what to do and when it is; the party does it with the use cases that production
runs, and answers with plain values. Parties share no memory and no file but the mailboxes; two
processes of one party share its home.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from tillit.errors import TillitError

__all__ = ["Party", "PartyFailed", "ask_all", "prepare", "stop_all"]

_PATIENT = 5
"""How much processes that work ahead step back behind those that somebody waits for."""


def prepare() -> None:
    """Begin to import, beside whatever is done until the first party is started.

    All processes are forked from one that has imported everything; see `tillit.demo.preload`.
    """
    get_context("forkserver").set_forkserver_preload(["tillit.demo.preload"])
    forkserver.ensure_running()


class PartyFailed(RuntimeError):
    """A party's process ended or raised what it should not have."""


@dataclass
class Party:
    """A handle on a party's process: `ask` for something, `answer` waits for it.

    Asking all parties first and waiting afterwards lets them work at the same time.
    """

    id: str
    _process: BaseProcess
    _pipe: Connection

    @classmethod
    def start(cls, party_id: str, folder: Path) -> Self:
        """Start a process of the party whose home is, or will be, in a folder."""
        prepare()
        context = get_context("forkserver")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, folder), name=f"tillit-{party_id}", daemon=False
        )
        process.start()
        theirs.close()
        return cls(party_id, process, ours)

    @classmethod
    def start_for_airflow(cls, homes: Mapping[str, Path], spare: Path) -> dict[str, Self]:
        """Start a process for each party's Airflow, with what the others leave of the machine.

        All are forked from one that has imported Airflow, in a ``spare`` folder: what takes each of
        them nine seconds of a core is done once. What they are asked meanwhile waits.
        """
        prepare()
        context = get_context("forkserver")
        pipes = {party_id: context.Pipe() for party_id in homes}
        process = context.Process(
            target=_serve_airflow,
            args=([(pipes[party_id][1], folder) for party_id, folder in homes.items()], spare),
            name="tillit-airflow",
            daemon=False,
        )
        process.start()
        for _, theirs in pipes.values():
            theirs.close()
        return {party_id: cls(party_id, process, ours) for party_id, (ours, _) in pipes.items()}

    def ask(self, act: str, **arguments: Any) -> None:
        """Say what to do: the name of a function of `tillit.demo.acts`."""
        self._pipe.send((act, arguments))

    def answer(self) -> Any:
        """Wait for the answer to the oldest question; raises what was raised there."""
        try:
            ok, value = self._pipe.recv()
        except EOFError:
            raise PartyFailed(f"the process of {self.id} ended") from None
        if ok:
            return value
        if isinstance(value, TillitError):
            raise value
        raise PartyFailed(f"{self.id}: {value}")

    def do(self, act: str, **arguments: Any) -> Any:
        """Ask and wait."""
        self.ask(act, **arguments)
        return self.answer()

    def ask_to_stop(self) -> None:
        """Let the process close its home and end, and do not wait for that."""
        if self._process.is_alive():
            with suppress(BrokenPipeError):
                self._pipe.send(("stop", {}))

    def wait_for_end(self) -> None:
        """Wait until the process has ended; it is ended by force after a while."""
        self._process.join(20)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(5)
        self._pipe.close()


def stop_all(parties: Sequence[Party]) -> None:
    """Stop all at once, and wait until they have ended."""
    for party in parties:
        party.ask_to_stop()
    for party in parties:
        party.wait_for_end()


def ask_all(parties: Sequence[Party], act: str, **arguments: Any) -> dict[str, Any]:
    """Ask all at once and wait for all; the answers by party."""
    for party in parties:
        party.ask(act, **arguments)
    return {party.id: party.answer() for party in parties}


def _serve_airflow(homes: Sequence[tuple[Connection, Path]], spare: Path) -> None:
    """The process that those of `Party.start_for_airflow` are forked from; it ends after them."""
    import signal

    from tillit.airflow.runner import imported

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_PATIENT)
    imported(spare)
    gc.freeze()
    context = get_context("fork")
    children = [context.Process(target=_serve_one_of, args=(homes, at)) for at in range(len(homes))]
    for child in children:
        child.start()
    for pipe, _ in homes:
        pipe.close()

    def end(*_: object) -> None:
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, end)
    for child in children:
        child.join()


def _serve_one_of(homes: Sequence[tuple[Connection, Path]], at: int) -> None:
    """A forked process; the ends of the others' pipes are theirs alone, so that their end shows."""
    for pipe, _ in (*homes[:at], *homes[at + 1 :]):
        pipe.close()
    _serve(*homes[at])


def _serve(pipe: Connection, folder: Path) -> None:
    """The process: one home, one question after another until told to stop."""
    import signal
    import traceback

    from tillit.demo import acts

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us in its own order
    stage = acts.Stage(folder)
    known: dict[str, Callable[..., Any]] = {name: getattr(acts, name) for name in acts.__all__}
    try:
        while True:
            act, arguments = pipe.recv()
            if act == "stop":
                return
            try:
                pipe.send((True, known[act](stage, **arguments)))
            except TillitError as error:
                pipe.send((False, error))
            except Exception:  # noqa: BLE001 (the parent is told, and ends the play)
                pipe.send((False, traceback.format_exc()))
    except EOFError:
        return
    finally:
        stage.close()
