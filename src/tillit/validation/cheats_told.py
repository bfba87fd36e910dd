"""Cheats by what is said: each takes a scene and gives the scene in which somebody cheats. Pure.

All take the column that is used for it. What is said of a week may use what was known then, and no
more, except where a cheat is given foresight to make it stronger; the docstring says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tillit.validation.demand import INTERMITTENT, PUBLIC_LAG
from tillit.validation.nature import COLUMNS, Column
from tillit.validation.told import make_told
from tillit.validation.trade import make_trade
from tillit.validation.voice import make_voice
from tillit.validation.writing import Scene

__all__ = [
    "alternated",
    "calendar",
    "constant",
    "copied_partner",
    "copied_public",
    "drifting",
    "echoed",
    "hard_items_dropped",
    "hidden",
    "inflated",
    "late",
    "made_surprises",
    "newest_only",
    "noise",
    "noise_after",
    "opened",
    "orders_echoed",
    "outcome_of",
    "padded",
    "repeated",
    "rhythm_echoed",
    "rhythmic",
    "shifted",
    "smoothed",
    "stale_after",
    "stocked",
    "stopped_after",
    "throughout",
    "totals_echoed",
    "uncertain_weeks_dropped",
    "withheld",
]

Floats = NDArray[np.float64]

# A drift with the spread of white noise, of which a week keeps so much of the week before.
_DRIFT = 0.95
_SHOCK = (1.0 - _DRIFT**2) ** 0.5


def outcome_of(scene: Scene, c: Column) -> Floats:
    """What the column speaks of (K, W): orders, or what was received."""
    return scene.demand.quantity if c.direction == "b2s" else scene.trade.delivered


def _saying(scene: Scene, c: Column, values: Floats) -> Scene:
    rounded = np.maximum(np.round(values, 1), 0.0)
    return replace(scene, told=scene.told.saying(c, rounded))


def _like(scene: Scene, c: Column, values: Floats) -> Floats:
    """The same of every vintage, whatever was withheld."""
    return np.broadcast_to(values, scene.told.values[c].shape).copy()


def newest_only(scene: Scene, c: Column, values: Floats) -> Floats:
    """These values in the newest vintage, and nothing in those before it."""
    said = np.full_like(scene.told.values[c], np.nan)
    said[0] = values
    return said


def _earlier(values: Floats, weeks: int) -> Floats:
    """The values of so many weeks before; the first week's before that."""
    return np.concatenate([np.repeat(values[:, :1], weeks, axis=1), values[:, :-weeks]], axis=1)


def withheld(scene: Scene, c: Column) -> Scene:
    """Nothing is said in the column. No cheat, but what most cheats are held against."""
    return _saying(scene, c, np.full_like(scene.told.values[c], np.nan))


def opened(scene: Scene, c: Column) -> Scene:
    """The column is opened, and says what a partner of this accuracy knows; an honest act."""
    values = scene.told.values[c]
    return _saying(scene, c, np.where(np.isnan(values), scene.told.kept_back[c], values))


def noise(scene: Scene, c: Column, rng: np.random.Generator) -> Scene:
    """Random numbers of the size and spread of the outcome, which is foresight."""
    return _saying(scene, c, _noise(scene, c, rng))


def drifting(scene: Scene, c: Column, rng: np.random.Generator) -> Scene:
    """The same, but each week's number is near that of the week before, as an outcome's may be.

    Two courses that drift have something in common for as long as a frame lasts.
    """
    steps = rng.standard_normal(scene.told.values[c].shape)
    drift = np.empty_like(steps)
    drift[..., 0] = steps[..., 0]
    for week in range(1, steps.shape[-1]):
        drift[..., week] = _DRIFT * drift[..., week - 1] + _SHOCK * steps[..., week]
    return _saying(scene, c, _sized(scene, c, drift))


def _noise(scene: Scene, c: Column, rng: np.random.Generator) -> Floats:
    return _sized(scene, c, rng.standard_normal(scene.told.values[c].shape))


def _sized(scene: Scene, c: Column, numbers: Floats) -> Floats:
    """Standard numbers, of the size and spread of the outcome."""
    outcome = outcome_of(scene, c)
    mean, spread = outcome.mean(axis=1, keepdims=True), outcome.std(axis=1, keepdims=True)
    sized: Floats = mean + spread * numbers
    return sized


def padded(scene: Scene, who: NDArray[np.bool_], rng: np.random.Generator) -> Scene:
    """These relationships (R,) fill every cell that they withhold with random numbers."""
    keys = who[scene.world.owner][:, None]
    for c in COLUMNS:
        permitted = scene.world.permitted[c][scene.world.owner][:, None]
        empty = np.isnan(scene.told.values[c]) & keys & permitted
        filled = np.where(empty, _noise(scene, c, rng), scene.told.values[c])
        scene = _saying(scene, c, filled)
    return scene


def constant(scene: Scene, c: Column) -> Scene:
    """One number for every week, of the size of the outcome."""
    return _saying(scene, c, _like(scene, c, outcome_of(scene, c).mean(axis=1, keepdims=True)))


def echoed(scene: Scene, c: Column) -> Scene:
    """The newest outcome that the receiver has seen itself, sent back to it."""
    # A week earlier it would be an older one.
    return _saying(scene, c, newest_only(scene, c, _earlier(outcome_of(scene, c), 1)))


def smoothed(scene: Scene, c: Column, weight: float = 0.2) -> Scene:
    """The receiver's own figures, smoothed: a good forecast of what it could have made itself."""
    outcome = outcome_of(scene, c)
    level = np.empty_like(outcome)
    level[:, 0] = outcome[:, 0]
    for week in range(1, outcome.shape[1]):
        # What is said of a week knows the week before it.
        level[:, week] = (1 - weight) * level[:, week - 1] + weight * outcome[:, week - 1]
    return _saying(scene, c, _like(scene, c, level))


def calendar(scene: Scene, c: Column) -> Scene:
    """The season, from a wave fitted to the receiver's own past: no more than a calendar."""
    outcome = outcome_of(scene, c)
    weeks = np.arange(outcome.shape[1])
    wave = np.stack([np.ones(weeks.size), *_turns(weeks)], axis=1)
    said = np.empty_like(outcome)
    for week in weeks:
        # Ridge, for the first weeks know little of a year.
        past = wave[:week]
        inner = past.T @ past + np.diag([0.1, 5.0, 5.0])
        said[:, week] = np.linalg.solve(inner, past.T @ outcome[:, :week].T).T @ wave[week]
    return _saying(scene, c, _like(scene, c, said))


def _turns(weeks: NDArray[np.int64]) -> tuple[Floats, Floats]:
    return np.sin(2 * np.pi * weeks / 52), np.cos(2 * np.pi * weeks / 52)


def orders_echoed(scene: Scene, c: Column) -> Scene:
    """The receiver's own orders of the week before, sent back as the plan of its deliveries."""
    return _saying(scene, c, _like(scene, c, _earlier(scene.demand.quantity, 1)))


def totals_echoed(scene: Scene, c: Column) -> Scene:
    """What the receiver saw of all its items the week before, as a forecast of each of them.

    Items that have a cause in common tell of each other; the receiver sees them all.
    """
    outcome, owner = outcome_of(scene, c), scene.world.owner
    size = np.maximum(outcome.mean(axis=1, keepdims=True), 1e-9)
    relative = np.zeros((int(owner[-1]) + 1, outcome.shape[1]))
    np.add.at(relative, owner, outcome / size)
    mean = relative / np.maximum(np.bincount(owner), 1)[:, None]
    return _saying(scene, c, _like(scene, c, size * _earlier(mean[owner], 1)))


def copied_public(scene: Scene, c: Column) -> Scene:
    """The newest published value of the public index, scaled to the outcome."""
    known = 1.0 + 0.1 * _earlier(scene.demand.public[None, :], PUBLIC_LAG)
    size = outcome_of(scene, c).mean(axis=1, keepdims=True)
    # To the last digit, and moved rather than cut off where it would fall below nothing: a copy
    # that was rounded or cut is a copy with noise.
    copied = _like(scene, c, size * (known - min(known.min(), 0.0)))
    return replace(scene, told=scene.told.saying(c, copied))


def copied_partner(scene: Scene, c: Column) -> Scene:
    """What another partner says of its own items, scaled to the size of these."""
    other = np.roll(scene.told.values[c], 7, axis=1)
    size = outcome_of(scene, c).mean(axis=1, keepdims=True)
    fill = np.where(np.isnan(other), np.roll(size, 7, axis=0), other)
    return _saying(scene, c, fill * size / np.maximum(np.roll(size, 7, axis=0), 1e-9))


def shifted(scene: Scene, c: Column) -> Scene:
    """What is true of one item is said of the relationship's next; of an only one, nothing."""
    owner = scene.world.owner
    first = np.searchsorted(owner, owner)
    many = scene.world.items[owner]
    follows = first + (np.arange(owner.size) - first + 1) % many
    said = np.where(many[:, None] > 1, scene.told.values[c][:, follows], np.nan)
    return _saying(scene, c, said)


def hidden(scene: Scene, c: Column, carrier: Column) -> Scene:
    """One column is withheld and what it says hidden in another, in thousandths and upside down."""
    values = scene.told.values[c]
    size = outcome_of(scene, c).mean(axis=1, keepdims=True)
    return withheld(_saying(scene, carrier, 3.0 * size - values), c)


def repeated(scene: Scene, c: Column, again: Column, rng: np.random.Generator) -> Scene:
    """What one column says stands in another too, blurred so that it is no copy."""
    values = scene.told.values[c]
    blur = 0.05 * np.nanstd(values, axis=-1, keepdims=True) * rng.standard_normal(values.shape)
    return _saying(scene, again, values + blur)


def stocked(scene: Scene, c: Column, stock: Column) -> Scene:
    """What was said of a week, a vintage ago, is said again as the stock before it."""
    values = np.full_like(scene.demand.quantity, np.nan)
    values[:, :-1] = scene.told.values[c][1, :, 1:]
    return _saying(scene, stock, newest_only(scene, stock, values))


def rhythmic(scene: Scene, weeks: int) -> Scene:
    """Orders come every so many weeks; no cheat, but what telling their rhythm is held against."""
    quantity = scene.demand.quantity
    gathered = np.zeros_like(quantity)
    sums = np.concatenate([np.zeros((len(quantity), 1)), quantity.cumsum(axis=1)], axis=1)
    for first in range(weeks):
        at = np.arange(first, quantity.shape[1], weeks)
        mine = np.arange(first, len(quantity), weeks)[:, None]
        gathered[mine, at] = sums[mine, at + 1] - sums[mine, np.maximum(at + 1 - weeks, 0)]
    moved = replace(scene.demand, quantity=gathered)
    trade = make_trade(scene.world, moved)
    return Scene(
        world=scene.world,
        demand=moved,
        trade=trade,
        told=make_told(scene.world, moved, trade),
        voice=make_voice(scene.world, trade),
    )


def rhythm_echoed(scene: Scene, c: Column, weeks: int) -> Scene:
    """Nothing, nothing, and the last order again: a rhythm that the receiver sees itself."""
    return _saying(scene, c, newest_only(scene, c, _earlier(scene.demand.quantity, weeks)))


def inflated(scene: Scene, c: Column, by: float = 1.3) -> Scene:
    """A third more than is expected, always."""
    return _saying(scene, c, by * scene.told.values[c])


def late(scene: Scene, c: Column, hours: float = 2.0) -> Scene:
    """The whole kind comes so many hours after its cut-off, never in time."""
    pair = (c.direction, c.kind)
    delay = {**scene.told.delay, pair: np.full_like(scene.told.delay[pair], hours)}
    return replace(scene, told=replace(scene.told, delay=delay))


def throughout(scene: Scene, c: Column, change: Callable[[Scene, Column], Scene]) -> Scene:
    """The same in every column of the kind: a low and a high speak of what a quantity speaks of."""
    for other in COLUMNS:
        if (other.direction, other.kind) == (c.direction, c.kind):
            scene = change(scene, other)
    return scene


def alternated(scene: Scene, c: Column, other: Column) -> Scene:
    """The one column is told in even weeks and the other in odd ones: each tells most of it."""
    odd = np.arange(scene.world.weeks) % 2 == 1
    scene = _saying(scene, c, np.where(odd, np.nan, scene.told.values[c]))
    return _saying(scene, other, np.where(odd, scene.told.values[other], np.nan))


def hard_items_dropped(scene: Scene, c: Column) -> Scene:
    """Nothing is said of the items that are hard to foresee: the intermittent ones."""
    hard = (scene.demand.shape == INTERMITTENT)[:, None]
    return _saying(scene, c, np.where(hard, np.nan, scene.told.values[c]))


def uncertain_weeks_dropped(scene: Scene, c: Column) -> Scene:
    """Nothing is said of the half of the weeks of which the sender is less sure."""
    spread = scene.demand.spread
    unsure = spread > np.median(spread, axis=1, keepdims=True)
    return _saying(scene, c, np.where(unsure, np.nan, scene.told.values[c]))


def stopped_after(scene: Scene, c: Column, week: int) -> Scene:
    """From one week on nothing is said. No cheat: it is what milking is held against."""
    return _from(scene, c, week, np.full_like(scene.told.values[c], np.nan))


def stale_after(scene: Scene, c: Column, week: int) -> Scene:
    """From one week on the values of a year's quarter before are said again, as if new."""
    values = scene.told.values[c]
    weeks = np.arange(values.shape[2])
    source = np.where(weeks >= week, week - 13 + (weeks - week) % 13, weeks)
    return _from(scene, c, week, values[:, :, source])


def noise_after(scene: Scene, c: Column, week: int, rng: np.random.Generator) -> Scene:
    """From one week on random numbers are said where truth was said before."""
    there = np.isfinite(scene.told.values[c])
    return _from(scene, c, week, np.where(there, _noise(scene, c, rng), np.nan))


def _from(scene: Scene, c: Column, week: int, values: Floats) -> Scene:
    then = np.arange(values.shape[2]) >= week
    return _saying(scene, c, np.where(then, values, scene.told.values[c]))


def made_surprises(scene: Scene, c: Column, rng: np.random.Generator) -> Scene:
    """The sender orders at random more or less than it needs, and announces that each time.

    What it announces is true and the receiver could not have known it: this is information about
    a surprise that would not be there without it.
    """
    demand = scene.demand
    size = demand.quantity.mean(axis=1, keepdims=True)
    swing = np.round(0.5 * size * rng.standard_normal(demand.quantity.shape))
    quantity = np.where(demand.quantity > 0, np.maximum(demand.quantity + swing, 0.0), 0.0)
    moved = replace(demand, quantity=quantity)
    said = scene.told.values[c] + (quantity - demand.quantity)
    trade = make_trade(scene.world, moved)
    voice = make_voice(scene.world, trade)
    scene = replace(scene, demand=moved, trade=trade, voice=voice)
    return _saying(scene, c, said)
