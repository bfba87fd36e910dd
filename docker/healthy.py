"""Whether a part of Airflow is alive: `healthy.py scheduler`. I/O: asks the api-server.

`airflow jobs check` says the same, but costs four seconds of CPU each time; this costs a tenth.
"""  # noqa: INP001 (a script of the image)

from __future__ import annotations

import json
import os
import sys
from urllib.parse import urljoin
from urllib.request import ProxyHandler, build_opener

_SECONDS = 8


def main(part: str) -> str | None:
    """Nothing, or why the part counts as dead; OSError when the api-server does not answer."""
    server = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    # A proxy of the host's would be asked for a name that only this network knows.
    opener = build_opener(ProxyHandler({}))
    with opener.open(urljoin(server, "/api/v2/monitor/health"), timeout=_SECONDS) as answer:
        state = json.load(answer)[part]["status"]
    return None if state == "healthy" else f"{part} is {state}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
