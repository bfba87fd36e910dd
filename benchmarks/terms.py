"""What terms cost: five columns treated, against the same publication in clear. I/O.

Run: python -m benchmarks.terms agree|clear|treated FOLDER ROUND
"""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path

from benchmarks import world
from benchmarks.measure import PROMISED, Row, child, say, tell, timed

ROUNDS = 3
AGREEMENT = f"{world.BUYER}--{world.SUPPLIER}.treated"
TREATED = {
    "item_id": "pseudonym",
    "quantity": "{rounded: 10}",
    "quantity_low": "{banded: [0, 50, 100, 150, 200]}",
    "quantity_high": "{rounded: 10}",
    "note": "text-redacted",
}


def rows(folder: Path, size: int, rounds: int = ROUNDS) -> list[Row]:
    """The table's rows."""
    child("terms", "agree", folder, 0)
    runs: dict[str, list[dict[str, float]]] = {"clear": [], "treated": []}
    for number in range(1, rounds + 1):
        for act, told in runs.items():
            say(f"round {number} of {rounds}: publish, {act}")
            told.append(child("terms", act, folder, number))
    best = {act: min(run["seconds"] for run in told) for act, told in runs.items()}
    cpu = {act: min(run["cpu"] for run in told) for act, told in runs.items()}
    return [
        Row(
            *("terms.publish", "publish, five columns treated", best["treated"], "s"),
            *(best["clear"], "the same in clear", best["treated"] / best["clear"]),
            1.15 if size >= PROMISED else None,
            note=f"minima of {rounds} rounds in turn; CPU {cpu['treated'] / cpu['clear']:.2f} x",
        )
    ]


def agree(folder: Path) -> None:
    """A second agreement over the same table, signed by both."""
    from tillit.agreement.new import draft
    from tillit.exchange.agreements import sign
    from tillit.exchange.deliver import deliver
    from tillit.exchange.receive import receive
    from tillit.home import Home
    from tillit.model import Cadence, Every

    homes = [Home.open(world.home(folder, party)) for party in (world.BUYER, world.SUPPLIER)]
    text = draft(
        world.BUYER,
        world.SUPPLIER,
        homes[0].kinds["demand_forecast"],
        world.START,
        world.END,
        Cadence(Every.WEEK, 24.0),
        ["production-planning"],
        agreement_id=AGREEMENT,
    )
    for column, treatment in TREATED.items():
        text = re.sub(rf"(?m)^(    {column}:) clear", rf"\1 {treatment}", text)
    try:
        for home in homes:
            sign(home, text.encode(), now=world.NOW)
            deliver(home, now=world.NOW)
            for other in homes:
                taken = receive(other, now=world.NOW)
                assert not [o for o in taken.outcomes if o.code], taken.outcomes
    finally:
        for home in homes:
            home.close()
    tell(rows=0)


def main(act: str, folder: Path, number: int) -> None:
    if act == "agree":
        agree(folder)
        return
    from tillit.exchange.publish import publish
    from tillit.home import Home
    from tillit.quality import expectations

    assert expectations
    now = world.NOW + timedelta(minutes=number)
    agreement = world.AGREEMENT if act == "clear" else AGREEMENT
    with Home.open(world.home(folder, world.BUYER)) as home:
        home.lake.connection.execute("select 1")
        assert home.ledger
        spent = timed(lambda: publish(home, agreement, now=now, revision=100 + number))
    assert not spent["result"].repeated, spent["result"]
    tell(seconds=spent["seconds"], cpu=spent["cpu"], rows=spent["result"].rows)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
