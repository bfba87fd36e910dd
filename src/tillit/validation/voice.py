"""What partners say in words: complaints, ideas, and that they met. Pure.

How much somebody talks has nothing to do with trust here; whether trouble is named, whether ideas
are good enough to be taken up, and what meetings are about has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tillit.validation.nature import DIRECTIONS, candour, idea_rate, transactional
from tillit.validation.trade import Trade
from tillit.validation.world import World, stream

__all__ = ["WORDS", "Complaints", "Ideas", "Meetings", "Voice", "make_voice", "phrase"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_TALK = """
bracket housing weld coating alloy tolerance thread gasket pallet label route batch mould shaft
seal rivet flange surface drawing gauge burr torque bearing sleeve insert foam crate barcode
buffer tugger fixture jig cutter coolant scrap setup changeover takt shift kanban replace reduce
combine move test merge widen shorten turn grind drop align harden polish
"""
WORDS = tuple(_TALK.split())


@dataclass(frozen=True)
class Complaints:
    """Of each (N,): the line of the trade it is about, when it was raised, when it was answered.

    Days count from the first Monday; the buyer raises it, an answer of day -1 never came.
    """

    about: Ints
    raised_day: Ints
    answered_day: Ints


@dataclass(frozen=True)
class Ideas:
    """Of each (N,): by whom and whom to, when offered, whether taken up and when, and the words.

    ``direction`` is 0 for b2s and 1 for s2b; a decision of day -1 never came.
    """

    owner: Ints
    direction: Ints
    offered_day: Ints
    accepted: Flags
    decided_day: Ints
    words: Ints


@dataclass(frozen=True)
class Meetings:
    """Of each (N,): who, when, how long, how many people, and about the deal or the work."""

    owner: Ints
    day: Ints
    minutes: Ints
    people: Ints
    transactional: Flags


@dataclass(frozen=True)
class Voice:
    """All that was said in words."""

    complaints: Complaints
    ideas: Ideas
    meetings: Meetings


def make_voice(world: World, trade: Trade) -> Voice:
    """Draw who says what about what happened."""
    rng = stream(world.seed, world.replica, "voice")
    return Voice(
        complaints=_complaints(world, trade, rng),
        ideas=_ideas(world, rng),
        meetings=_meetings(world, rng),
    )


def _complaints(world: World, trade: Trade, rng: np.random.Generator) -> Complaints:
    about = np.nonzero(trade.trouble)[0]
    owner, week = world.owner[trade.key[about]], trade.week[about]
    speaks = rng.random(about.size) < candour(world.felt["b2s", "complain"][owner, week])
    about, owner, week = about[speaks], owner[speaks], week[speaks]
    # What did not come is seen on the promised day, what is bad when it is there.
    seen = np.minimum(trade.arrived_day[about], trade.promised_day[about] + 3)
    raised = np.maximum(seen, trade.promised_day[about]) + rng.integers(1, 11, about.size)
    answers = rng.random(about.size) < 0.4 + 0.5 * world.felt["s2b", "complain"][owner, week]
    answered = raised + 1 + rng.geometric(0.12, about.size)
    return Complaints(about, raised, np.where(answers, answered, -1))


def _ideas(world: World, rng: np.random.Generator) -> Ideas:
    parts: list[list[NDArray[np.int64]]] = []
    for number, direction in enumerate(DIRECTIONS):
        good = rng.poisson(idea_rate(world.felt[direction, "ideas"]))
        # Chatter: the talkative offer what has been offered before, and nobody takes it up.
        idle = rng.poisson(0.03 * world.chatter[:, None] + np.zeros(world.trust.shape))
        for count, taken in ((good, 1), (idle, 0)):
            owner, week = np.nonzero(count)
            many = count[owner, week]
            owner, week = np.repeat(owner, many), np.repeat(week, many)
            size = owner.size
            offered = 7 * week + rng.integers(0, 5, size)
            decided = offered + rng.integers(14, 57, size)
            heard = np.full(size, 1) if taken else (rng.random(size) < 0.5).astype(np.int64)
            words = rng.integers(0, len(WORDS), (size, 14)) if taken else _worn(rng, size)
            parts.append(
                [
                    owner,
                    np.full(size, number),
                    offered,
                    np.full(size, taken),
                    np.where(heard == 1, decided, -1),
                    words,
                ]
            )
    joint = [np.concatenate([part[at] for part in parts]) for at in range(6)]
    owners, side, days, accepted, decisions, texts = joint
    return Ideas(owners, side, days, accepted == 1, decisions, texts)


def _worn(rng: np.random.Generator, size: int) -> Ints:
    """One of three phrases that everybody knows."""
    known = np.arange(42).reshape(3, 14) % len(WORDS)
    worn: Ints = known[rng.integers(0, 3, size)]
    return worn


def phrase(words: Ints) -> list[str]:
    """The text of each row of word numbers."""
    return [" ".join(WORDS[at] for at in row) for row in words.tolist()]


def _meetings(world: World, rng: np.random.Generator) -> Meetings:
    count = rng.poisson(world.chatter[:, None] + np.zeros(world.trust.shape))
    owner, week = np.nonzero(count)
    many = count[owner, week]
    owner, week = np.repeat(owner, many), np.repeat(week, many)
    share = transactional(world.trust[owner, week])
    return Meetings(
        owner=owner,
        day=7 * week + rng.integers(0, 5, owner.size),
        minutes=15 * rng.integers(1, 9, owner.size),
        people=rng.integers(2, 7, owner.size),
        transactional=rng.random(owner.size) < share,
    )
