"""One party of a demonstration, in its own process. I/O: its own home, and mailboxes.

The parent says what to do and when it is; the party does it with the use cases that production
runs, and answers with plain values. Parties share no memory and no file but the mailboxes; two
processes of one party share its home.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from tillit.errors import TillitError

__all__ = ["Party", "PartyFailed", "ask_all", "prepare"]

_PATIENT = 10
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
    def start(cls, party_id: str, folder: Path, *, patient: bool = False) -> Self:
        """Start a process of the party whose home is, or will be, in a folder.

        A ``patient`` one works only with what the others leave of the machine.
        """
        prepare()
        context = get_context("forkserver")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, folder, patient), name=f"tillit-{party_id}", daemon=False
        )
        process.start()
        theirs.close()
        return cls(party_id, process, ours)

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

    def stop(self) -> None:
        """Let the process close its home and end; ends it by force after a while."""
        if self._process.is_alive():
            with suppress(BrokenPipeError):
                self._pipe.send(("stop", {}))
            self._process.join(20)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(5)
        self._pipe.close()


def ask_all(parties: Sequence[Party], act: str, **arguments: Any) -> dict[str, Any]:
    """Ask all at once and wait for all; the answers by party."""
    for party in parties:
        party.ask(act, **arguments)
    return {party.id: party.answer() for party in parties}


def _serve(pipe: Connection, folder: Path, patient: bool) -> None:
    """The process: one home, one question after another until told to stop."""
    import signal
    import traceback

    from tillit.demo import acts

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us in its own order
    if patient:
        os.nice(_PATIENT)
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
