"""When the doorbell rings, and when it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RING = """
import asyncio, json, sys
from tillit.airflow.doorbell import Doorbell
from tillit.airflow import doorbell
from tillit.errors import MailboxUnavailable

looks = iter(json.loads(sys.argv[1]))
rung = []

def look(home):
    found = next(looks, "no more")
    if found == "no more":
        raise RuntimeError(found)
    if found is None:
        raise MailboxUnavailable("unreachable", "gone")
    return found

async def listen(again):
    doorbell.newest_waiting = look
    bell = Doorbell("/home", every_seconds=0, again_seconds=again)
    kind, words = bell.serialize()
    assert kind == "tillit.airflow.doorbell.Doorbell" and Doorbell(**words).home == "/home"
    try:
        async for event in bell.run():
            rung.append(event.payload["waiting"])
    except RuntimeError:
        pass

asyncio.run(listen(float(sys.argv[2])))
print("RUNG" + json.dumps(rung))
"""


def rings(tmp_path: Path, looks: list[dict[str, int] | None], again: float) -> list[dict[str, int]]:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RING, json.dumps(looks), str(again)],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found: list[dict[str, int]] = json.loads(result.stdout.rpartition("RUNG")[2])
    return found


def test_it_rings_once_for_what_is_new_and_not_again_for_what_still_lies_there(
    tmp_path: Path,
) -> None:
    one, two = {"a": 3}, {"a": 4, "b": 1}
    looks = [{}, one, one, two, two, {"b": 1}, {}, None, {"b": 1}, {"b": 1}]
    assert rings(tmp_path, looks, again=1000) == [one, two, {"b": 1}]


def test_it_rings_again_and_again_while_anything_is_left(tmp_path: Path) -> None:
    assert rings(tmp_path, [{"a": 1}, {"a": 1}, {}, {"a": 1}], again=0) == [{"a": 1}] * 3
