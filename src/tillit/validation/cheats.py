"""Every cheat by name, and what it is held against. Pure.

A cheat's gain is the score of the sender's direction with it, less the score of what it replaces:
the same partner, the same weeks, honest or silent. Exact cheats must gain nothing at all; the
others no more than chance explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tillit.validation import cheats_invented as invented
from tillit.validation import cheats_sent as sent
from tillit.validation import cheats_told as told
from tillit.validation.histories import History
from tillit.validation.nature import COLUMNS, Column
from tillit.validation.told import column
from tillit.validation.world import stream
from tillit.validation.writing import Scene, write_down

__all__ = ["CHEATS", "FORECAST", "PLAN", "Cheat", "dice"]

FORECAST = column("demand_forecast", "quantity")
PLAN = column("production_plan", "planned_quantity")
_HIGH = column("demand_forecast", "quantity_high")
_CAPACITY = column("production_plan", "capacity_quantity")
_STOCK = column("inventory", "quantity", "b2s")

Act = Callable[[Scene], History]


@dataclass(frozen=True)
class Cheat:
    """``act`` is held against ``instead``; ``mean`` and ``most`` bound the gain in points.

    ``exact`` allows neither gain nor loss; ``most`` of 0 a loss alone. Without bounds a cheat is
    shown and not judged: ``why`` says why.
    """

    name: str
    says: str
    direction: str
    instead: Act
    act: Act
    mean: float | None = None
    most: float | None = None
    exact: bool = False
    why: str = ""


def dice(scene: Scene, number: int = 0) -> np.random.Generator:
    """A cheat's own random numbers."""
    rng = stream(scene.world.seed, scene.world.replica, "cheat")
    for _ in range(number):
        rng = rng.spawn(1)[0]
    return rng


def _silent(c: Column) -> Act:
    return lambda scene: write_down(told.withheld(scene, c))


def _kind_silent(c: Column) -> Act:
    """Nothing of the whole kind is said: it is what comes late that comes as a whole."""

    def silent(scene: Scene) -> History:
        for other in COLUMNS:
            if (other.direction, other.kind) == (c.direction, c.kind):
                scene = told.withheld(scene, other)
        return write_down(scene)

    return silent


def _fills(c: Column) -> Iterator[Cheat]:
    """A column in which nothing would be said is filled with what tells the receiver nothing."""
    whose, silent = "forecast" if c.direction == "b2s" else "plan", _kind_silent(c)
    fillings: list[tuple[str, str, Callable[[Scene], Scene]]] = [
        ("constants", "one number for every week", lambda s: told.constant(s, c)),
        ("echo", "the receiver's own newest figure is sent back", lambda s: told.echoed(s, c)),
        ("public copy", "a published index, scaled", lambda s: told.copied_public(s, c)),
    ]
    for name, says, fill in fillings:
        yield Cheat(
            f"{name} ({whose})", says, c.direction, _silent(c), _after(fill), most=0.0, exact=True
        )
    yield Cheat(
        f"late ({whose})", "true, and two hours after the cut-off", c.direction,
        silent, _after(lambda s: told.late(s, c)), most=0.0, exact=True,
    )  # fmt: skip
    yield Cheat(
        f"late and backdated ({whose})", "late, and the sender writes that it was in time",
        c.direction, silent,
        lambda s: sent.backdated(write_down(told.late(s, c)), c), most=0.0, exact=True,
    )  # fmt: skip
    yield Cheat(
        f"noise ({whose})", "random numbers", c.direction,
        _silent(c), _after(lambda s: told.noise(s, c, dice(s))), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        f"drifting noise ({whose})", "random numbers, each near the one before", c.direction,
        _silent(c), _after(lambda s: told.drifting(s, c, dice(s))), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        f"smoothed echo ({whose})", "the receiver's own figures, smoothed", c.direction,
        _silent(c), _after(lambda s: told.smoothed(s, c)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        f"totals echoed ({whose})", "of each item, what all were together the week before",
        c.direction, _silent(c), _after(lambda s: told.totals_echoed(s, c)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        f"calendar ({whose})", "a season fitted to the receiver's own figures", c.direction,
        _silent(c), _after(lambda s: told.calendar(s, c)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        f"another partner's ({whose})", "what another partner says of its own items", c.direction,
        _silent(c), _after(lambda s: told.copied_partner(s, c)), mean=0.3, most=2.0,
    )  # fmt: skip


def _after(change: Callable[[Scene], Scene]) -> Act:
    return lambda scene: write_down(change(scene))


def _told() -> Iterator[Cheat]:
    c = FORECAST
    yield Cheat(
        "orders echoed in the plan", "the buyer's own orders come back as the plan of deliveries",
        "s2b", _silent(PLAN), _after(lambda s: told.orders_echoed(s, PLAN)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "shifted truth", "what is true of one item is said of the next", "b2s",
        _silent(c), _after(lambda s: told.shifted(s, c)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "hidden truth", "a column is kept back, and hidden upside down in another", "b2s",
        _after(lambda s: told.withheld(told.opened(s, c), _HIGH)),
        _after(lambda s: told.hidden(told.opened(s, c), c, _HIGH)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "said twice", "what one column says is said again in the next, a little blurred", "s2b",
        _after(lambda s: told.withheld(told.opened(s, PLAN), _CAPACITY)),
        _after(lambda s: told.repeated(told.opened(s, PLAN), PLAN, _CAPACITY, dice(s))),
        mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "inflated", "a third more than is expected", "b2s",
        write_down, _after(lambda s: told.inflated(s, c)), most=0.0,
    )  # fmt: skip
    yield Cheat(
        "hard items dropped", "silent about what is hard to foresee", "b2s",
        write_down, _after(lambda s: told.throughout(s, c, told.hard_items_dropped)),
        mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "uncertain weeks dropped", "silent in the half of the weeks it is less sure of", "b2s",
        write_down, _after(lambda s: told.throughout(s, c, told.uncertain_weeks_dropped)),
        mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "columns alternated", "the quantity in even weeks, its high in odd ones", "b2s",
        _after(lambda s: told.opened(told.opened(s, c), _HIGH)),
        _after(lambda s: told.alternated(told.opened(told.opened(s, c), _HIGH), c, _HIGH)),
        why="a share u rises ever more slowly: the same bits in two columns are worth more",
    )  # fmt: skip
    yield Cheat(
        "made surprises", "orders at random, and announces each time", "b2s",
        write_down, _after(lambda s: told.made_surprises(s, c, dice(s))),
        why="what it announces is true and new: only the cost of erratic orders stops it",
    )  # fmt: skip


def _sent() -> Iterator[Cheat]:
    c = FORECAST
    acts: list[tuple[str, str, Act]] = [
        ("resent", "every shipment ten times", lambda s: sent.resent(write_down(s), c)),
        ("split", "a shipment for each item", lambda s: sent.split(write_down(s), c)),
        ("agreements split", "half of the items under a second agreement of the same terms",
         lambda s: sent.agreements_split(write_down(s), c)),
    ]  # fmt: skip
    for name, says, act in acts:
        # Terms of a second agreement are due as well: that may cost, and must not gain.
        exact = name != "agreements split"
        yield Cheat(name, says, "b2s", write_down, act, most=0.0, exact=exact)
    yield Cheat(
        "commitment echoed", "forecasts bind after a large order, which the receiver has seen",
        "b2s", write_down,
        lambda s: sent.commitment_echoed(write_down(s), s.demand.quantity), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "truth after the cut-off", "noise in time, and the truth an hour too late", "b2s",
        _after(lambda s: told.noise(s, c, dice(s))),
        lambda s: sent.corrected_late(write_down(told.noise(s, c, dice(s))), write_down(s), c),
        most=0.0, exact=True,
    )  # fmt: skip


def _invented() -> Iterator[Cheat]:
    c = FORECAST
    yield Cheat(
        "goods invented", "deliveries of what nobody ordered are reported, as they were planned",
        "s2b", write_down, lambda s: invented.goods_invented(s, dice(s)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "promises rewritten", "what will be late is promised once more, for 2100 and as the first",
        "s2b", write_down, invented.promises_rewritten, mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "stocked forecast", "what was forecast a week ago is said again as stock", "b2s",
        _after(lambda s: told.withheld(told.opened(s, c), _STOCK)),
        _after(lambda s: told.stocked(told.opened(s, c), c, _STOCK)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "rhythm echoed", "orders come every third week, and the last one is forecast again", "b2s",
        _after(lambda s: told.withheld(told.rhythmic(s, 3), c)),
        _after(lambda s: told.rhythm_echoed(told.rhythmic(s, 3), c, 3)), mean=0.3, most=2.0,
    )  # fmt: skip
    yield Cheat(
        "orders invented", "what was forecast at random is ordered afterwards, for two hours",
        "b2s", write_down, lambda s: invented.orders_invented(s, dice(s)),
        why="the buyer's orders are the outcome: who makes it can foretell it",
    )  # fmt: skip


def _said() -> Iterator[Cheat]:
    yield Cheat(
        "complaints of everything", "every good delivery is complained of", "b2s",
        write_down, lambda s: sent.complained_of_everything(write_down(s)), most=0.0,
    )  # fmt: skip
    yield Cheat(
        "complaints of every line", "whatever comes is complained of, good or bad", "b2s",
        write_down, lambda s: sent.complained_of_every_line(write_down(s)), most=0.0,
    )  # fmt: skip
    yield Cheat(
        "vague complaints", "as many complaints as deliveries, about nothing", "b2s",
        write_down, lambda s: sent.complained_vaguely(write_down(s)), most=0.0, exact=True,
    )  # fmt: skip
    yield Cheat(
        "idea spam", "hundreds of ideas that nobody takes up", "s2b",
        write_down, lambda s: sent.ideas_spammed(write_down(s), "s2b"), most=0.0, exact=True,
    )  # fmt: skip
    yield Cheat(
        "trifles promised", "the first forecast of each week is firm, and of a single piece", "b2s",
        write_down, lambda s: sent.trifles_promised(write_down(s)), most=0.0,
    )  # fmt: skip
    yield Cheat(
        "promised later", "every line is promised three weeks later than it comes", "s2b",
        write_down, lambda s: sent.promised_later(write_down(s)),
        why="the definition holds a supplier to its first promise, not to what was wanted",
    )  # fmt: skip
    yield Cheat(
        "promised less", "half of every line is promised", "s2b",
        write_down, lambda s: sent.promised_less(write_down(s)),
        why="the definition holds a supplier to its first promise, not to what was ordered",
    )  # fmt: skip


CHEATS: tuple[Cheat, ...] = (
    *_fills(FORECAST),
    *_fills(PLAN),
    *_told(),
    *_sent(),
    *_said(),
    *_invented(),
)
