"""A forecast of ten million rows: publish and receive, each against the same work by hand. I/O.

Run: python -m benchmarks.large publish|receive FOLDER ROUND
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from benchmarks import world
from benchmarks.measure import PROMISED, Row, child, say, tell, timed

ROUNDS = 3
_FLOOR = {
    "publish": "DuckDB alone: checks, key, zstd Parquet",
    "receive": "DuckDB alone: checks, key, encrypted DuckLake",
}


def rows(folder: Path, size: int, rounds: int = ROUNDS) -> tuple[list[Row], dict[str, float]]:
    """The table's rows, and the seconds of the product for the peer to be held against."""
    runs: dict[str, list[dict[str, float]]] = {}
    for number in range(1, rounds + 1):
        for act in ("publish", "receive"):
            for module in ("floor", "large"):
                say(f"round {number} of {rounds}: {act}, {module}")
                told = child(module, act, folder, number)
                runs.setdefault(f"{module} {act}", []).append(told)
    table, seconds = [], {}
    for act in ("publish", "receive"):
        ours, floor = runs[f"large {act}"], runs[f"floor {act}"]
        best, least = _least(ours, "seconds"), _least(floor, "seconds")
        seconds[act] = best
        cpu = _least(ours, "cpu") / _least(floor, "cpu")
        table.append(
            Row(
                *(f"large.{act}", act, best, "s", least, _FLOOR[act], best / least),
                1.5 if size >= PROMISED else None,
                note=f"minima of {rounds} rounds in turn; CPU {cpu:.2f} x",
            )
        )
    for act in ("publish", "receive"):
        server = max(run["server_mb"] for run in runs[f"large {act}"])
        peak = max(run["peak_mb"] for run in runs[f"large {act}"]) + server
        least = max(run["peak_mb"] for run in runs[f"floor {act}"])
        table.append(
            Row(
                *(f"large.{act}.memory", f"{act}, peak memory", peak, "MB"),
                *(least, "DuckDB alone, no limit", peak / least, 2048.0),
                judged="value",
                note=f"{server:.0f} MB of it the embedded PostgreSQL",
            )
        )
    return table, seconds


def _least(runs: list[dict[str, float]], what: str) -> float:
    return min(run[what] for run in runs)


def main(act: str, folder: Path, number: int) -> None:
    # What a running worker has done before the first shipment: imports, and the home opened.
    from tillit.exchange.publish import publish
    from tillit.exchange.receive import receive
    from tillit.home import Home
    from tillit.quality import expectations

    assert expectations
    now = world.NOW + timedelta(minutes=number)
    party = world.BUYER if act == "publish" else world.SUPPLIER
    with Home.open(world.home(folder, party)) as home:
        home.lake.connection.execute("select 1")
        assert home.ledger
        if act == "publish":
            spent = timed(lambda: publish(home, world.AGREEMENT, now=now, revision=number))
            done = spent["result"].delivered and not spent["result"].repeated
            moved = spent["result"].rows
        else:
            spent = timed(lambda: receive(home, now=now))
            done = [o.result for o in spent["result"].outcomes if o.type == "shipment"] == [
                "accepted"
            ]
            moved = spent["result"].rows
    assert done, spent["result"]
    tell(seconds=spent["seconds"], cpu=spent["cpu"], rows=moved)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
