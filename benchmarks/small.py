"""A shipment of a thousand rows in a warm process: CPU of both homes against DuckDB alone. I/O.

Run: python -m benchmarks.small twenty FOLDER ROUNDS
"""

from __future__ import annotations

import statistics
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
from benchmarks import floor, world
from benchmarks.measure import Row, child, say, tell, timed

SIZE = 1_000
ROUNDS = 20
_WARM = 3


def rows(folder: Path, rounds: int = ROUNDS) -> list[Row]:
    """The table's rows."""
    say(f"{SIZE} rows, {rounds} times after {_WARM} to warm up")
    told = child("small", "twenty", folder, rounds)
    note = (
        f"medians of {rounds}, all threads of both homes; PostgreSQL's own processes not counted; "
        f"wall {told['wall_ours']:.2f} s"
    )
    return [
        Row(
            *("small", "publish + receive, 1,000 rows, warm, CPU", told["ours"], "s"),
            *(told["floor"], "DuckDB alone: checks, key, Parquet"),
            *(told["ours"] / told["floor"], 0.6),
            judged="value",
            note=note,
        )
    ]


def main(folder: Path, rounds: int) -> None:
    from tillit.exchange.publish import publish
    from tillit.exchange.receive import receive
    from tillit.home import Home

    ours, walls, by_hand = [], [], []
    with (
        Home.open(world.home(folder, world.BUYER)) as buyer,
        Home.open(world.home(folder, world.SUPPLIER)) as supplier,
        duckdb.connect() as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        floor.publish(connection, folder)
        floor.open_lake(connection, folder)
        for number in range(1, _WARM + rounds + 1):
            now = world.NOW + timedelta(minutes=number)

            def both(now: object = now, number: int = number) -> tuple[bool, int]:
                made = publish(buyer, world.AGREEMENT, now=now, revision=number)
                return made.delivered, receive(supplier, now=now).rows

            def alone() -> None:
                floor.publish(connection, folder)
                floor.receive(connection, folder)

            spent, least = timed(both), timed(alone)
            delivered, landed = spent["result"]
            assert delivered
            assert landed > 0
            # What the supplier answered is taken too, outside the time: the pair stays in step.
            receive(buyer, now=now)
            if number > _WARM:
                ours.append(spent["cpu"])
                walls.append(spent["seconds"])
                by_hand.append(least["cpu"])
    tell(
        ours=statistics.median(ours),
        wall_ours=statistics.median(walls),
        floor=statistics.median(by_hand),
    )


if __name__ == "__main__":
    main(Path(sys.argv[2]), int(sys.argv[3]))
