"""Which trials a mark needs, how large, and its rows when they are done. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillit.validation import marks, real_marks, theory
from tillit.validation.marks import Row

__all__ = ["GROUPS", "HELD_OUT", "Group", "Job", "Sizes"]

HELD_OUT = (70411, 70412, 70413, 70414, 70415)
"""Seeds that nothing was developed on; --seeds takes others."""


@dataclass(frozen=True)
class Job:
    """One trial: its name in ``trials.TRIALS`` and what it is called with."""

    trial: str
    seed: int
    size: int
    more: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Sizes:
    """Relationships a trial, and over how many seeds a trial is spread; whole or quick."""

    population: tuple[int, int] = (300, 5)
    padding: tuple[int, int] = (300, 2)
    cheats: tuple[int, int] = (8, 3)
    tries: tuple[int, int] = (10, 2)
    milking: tuple[int, int] = (30, 2)
    opening: tuple[int, int] = (30, 2)
    falling: tuple[int, int] = (100, 2)
    covering: tuple[int, int] = (12, 2)
    replicas: int = 24
    many: int = 20
    cells: int = 520_000

    @classmethod
    def quick(cls) -> Sizes:
        """A few relationships: shows that everything runs, and proves nothing."""
        one = (2, 1)
        return cls((8, 1), (8, 1), one, one, one, one, (3, 1), one, 2, 2, 20_800)


Seeds = Sequence[int]
Found = Mapping[Job, Mapping[str, Any]]


@dataclass(frozen=True)
class Group:
    """A part of the table that ``--only`` names: the trials it needs, and its rows."""

    jobs: Callable[[Sizes, Seeds], list[Job]]
    rows: Callable[[Found, Sizes, Seeds], list[Row]]


def _spread(trial: str, size: tuple[int, int], seeds: Seeds, **more: Any) -> list[Job]:
    return [Job(trial, seed, size[0], tuple(more.items())) for seed in seeds[: size[1]]]


def _simple(
    jobs: Callable[[Sizes, Seeds], list[Job]],
    rows: Callable[[Sequence[Mapping[str, Any]]], list[Row]],
) -> Group:
    """A group whose rows are those of its trials, one after another."""
    return Group(jobs, lambda found, sizes, seeds: rows([found[job] for job in jobs(sizes, seeds)]))


def _populations(sizes: Sizes, seeds: Seeds) -> list[Job]:
    return _spread("population", sizes.population, seeds)


def _padded(sizes: Sizes, seeds: Seeds) -> list[Job]:
    """The same worlds before and after."""
    before = _spread("population", (sizes.population[0], sizes.padding[1]), seeds)
    return [*before, *_spread("padding", sizes.padding, seeds)]


def _padding_rows(found: Found, sizes: Sizes, seeds: Seeds) -> list[Row]:
    told = [found[job] for job in _padded(sizes, seeds)]
    half = len(told) // 2
    return marks.padding_rows(told[:half], told[half:])


def _fallen(sizes: Sizes, seeds: Seeds) -> dict[str, list[Job]]:
    hows = ("drop", "erosion", "stealth")
    return {how: _spread("falling", sizes.falling, seeds, how=how) for how in hows}


def _alarm_jobs(sizes: Sizes, seeds: Seeds) -> list[Job]:
    fallen = [job for jobs in _fallen(sizes, seeds).values() for job in jobs]
    return [*_populations(sizes, seeds), *fallen]


def _alarm_rows(found: Found, sizes: Sizes, seeds: Seeds) -> list[Row]:
    stable = [found[job] for job in _populations(sizes, seeds)]
    fallen = {how: [found[job] for job in jobs] for how, jobs in _fallen(sizes, seeds).items()}
    return [*marks.falling_rows(fallen), *marks.false_alarm_rows(stable)]


def _no_jobs(sizes: Sizes, seeds: Seeds) -> list[Job]:
    del sizes, seeds
    return []


GROUPS: dict[str, Group] = {
    "trust": _simple(_populations, marks.population_rows),
    "padding": Group(_padded, _padding_rows),
    "cheats": _simple(lambda s, seeds: _spread("cheats", s.cheats, seeds), marks.cheat_rows),
    "tries": _simple(
        lambda s, seeds: _spread("tries", s.tries, seeds, many=s.many), marks.tries_rows
    ),
    "milking": _simple(lambda s, seeds: _spread("milking", s.milking, seeds), marks.milking_rows),
    "opening": _simple(lambda s, seeds: _spread("opening", s.opening, seeds), marks.opening_rows),
    "alarms": Group(_alarm_jobs, _alarm_rows),
    "intervals": _simple(
        lambda s, seeds: _spread("covering", s.covering, seeds, replicas=s.replicas),
        marks.interval_rows,
    ),
    "flusight": Group(_no_jobs, lambda *_: real_marks.flusight_rows()),
    "wasde": Group(_no_jobs, lambda *_: real_marks.wasde_rows()),
    "theory": Group(_no_jobs, lambda _, sizes, seeds: theory.theory_rows(seeds[0], sizes.cells)),
}
"""In the order of the table. What costs nothing is worked out where the table is written."""
