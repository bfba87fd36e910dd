"""`datacontract test` several times in one process, because to start it takes most of the time.

Runs in the environment of datacontract-cli, not in ours: `python datacontract_runs.py RUNS.json`,
where each run has `contract`, `server` and `output`. Beside each output stands how it ended, as
`<output>.exit`. Nobody is called: a connection that is tried ends the run.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from datacontract.cli import app


def refuse(*_: Any) -> NoReturn:
    message = "this program was to stay on this machine"
    raise RuntimeError(message)


def main() -> None:
    """Run them all."""
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    for run in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        arguments = ["test", run["contract"], "--server", run["server"]]
        arguments += ["--output", run["output"], "--output-format", "json"]
        code = app(arguments, standalone_mode=False)
        Path(run["output"] + ".exit").write_text(str(code or 0), encoding="utf-8")


if __name__ == "__main__":
    main()
