"""The experiments: each makes histories, has them scored, and returns numbers. I/O: scoring.

A trial is a function of a seed and a size, so that it can run in a process of its own; what its
numbers are held against stands in ``marks``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tillit.validation import cheats_told as told
from tillit.validation.agreed import names_of
from tillit.validation.cheats import CHEATS, FORECAST, PLAN, dice
from tillit.validation.histories import together
from tillit.validation.nature import COLUMNS, Column
from tillit.validation.ranks import counts
from tillit.validation.scoring import Scored, played, score
from tillit.validation.world import START, drop, erosion, make_world
from tillit.validation.writing import Scene, write_down

__all__ = ["TRIALS", "Found"]

Floats = NDArray[np.float64]
Found = dict[str, Any]
_TREND = frozenset({"drop", "erosion"})


def population(seed: int, size: int) -> Found:
    """A whole population: trust, scores, simple counts, and alarms although nothing changed."""
    scene, names = _scene(seed, size)
    history = write_down(scene)
    scored = score(history)
    return {
        "trust": scene.world.trust[:, -1],
        "score": _scores(scored, names),
        "counts": counts(history, names),
        "alarms": _alarms(scored, names),
        "weeks": scene.world.weeks,
        **{flow: _points(scored, names, flow) for flow in ("b2s", "s2b")},
    }


def padding(seed: int, size: int) -> Found:
    """The same population; half of it fills every cell that it keeps back with noise."""
    scene, names = _scene(seed, size)
    rng = dice(scene)
    who = rng.random(size) < 0.5
    history = write_down(told.padded(scene, who, rng))
    scored = score(history)
    return {
        "who": who,
        "trust": scene.world.trust[:, -1],
        "score": _scores(scored, names),
        "counts": counts(history, names),
        "passed": _ever_passed(scored, names, scene, who),
        **{flow: _points(scored, names, flow) for flow in ("b2s", "s2b")},
    }


def cheats(seed: int, size: int, only: tuple[str, ...] = ()) -> Found:
    """Every cheat beside what it is held against: gains in points, a row a relationship."""
    scene, names = _scene(seed, size, lean=True)
    wanted = [cheat for cheat in CHEATS if not only or cheat.name in only]
    insteads = list(dict.fromkeys(cheat.instead for cheat in wanted))
    parts = [act(scene).named(f"#i{number}") for number, act in enumerate(insteads)]
    parts += [cheat.act(scene).named(f"#a{number}") for number, cheat in enumerate(wanted)]
    scored = score(together(parts))
    found: Found = {}
    for number, cheat in enumerate(wanted):
        instead = f"#i{insteads.index(cheat.instead)}"
        before = _points(scored, _with(names, instead), cheat.direction)
        after = _points(scored, _with(names, f"#a{number}"), cheat.direction)
        found[cheat.name] = {"before": before, "gain": after - before}
    return found


def tries(seed: int, size: int, many: int = 20) -> Found:
    """Noise in a column kept back, tried again and again; the sender keeps what scored best."""
    scene, names = _scene(seed, size, lean=True)
    found: Found = {}
    for c in (FORECAST, PLAN):
        parts = [write_down(told.withheld(scene, c)).named("#0")]
        for number in range(1, many + 1):
            noisy = told.noise(scene, c, dice(scene, number))
            parts.append(write_down(noisy).named(f"#{number}"))
        scored = score(together(parts))
        points = np.stack(
            [_points(scored, _with(names, f"#{number}"), c.direction) for number in range(many + 1)]
        )
        found[c.kind] = {"before": points[0], "gain": points[1:] - points[0]}
    return found


def milking(seed: int, size: int, weeks: int = 26) -> Found:
    """Good until half a year before the end, then stale or noisy; held against silence since."""
    scene, names = _scene(seed, size, lean=True)
    turn = scene.world.weeks - weeks
    found: Found = {}
    for c in (FORECAST, PLAN):
        scene_open = told.opened(scene, c)
        acts = {
            "stopped": told.stopped_after(scene_open, c, turn),
            "stale": told.stale_after(scene_open, c, turn),
            "noisy": told.noise_after(scene_open, c, turn, dice(scene)),
        }
        scored = score(
            together([write_down(made).named(f"#{name}") for name, made in acts.items()])
        )
        paths = {
            name: _paths(scored, _with(names, f"#{name}"), c.direction, weeks) for name in acts
        }
        found[c.kind] = {name: paths[name] - paths["stopped"] for name in ("stale", "noisy")}
    return found


def opening(seed: int, size: int) -> Found:
    """Each sender opens one more column that it kept back, and says what it knows."""
    scene, names = _scene(seed, size, lean=True)
    parts, columns = (
        [write_down(scene).named("#0")],
        [c for c in COLUMNS if _kept_back(scene, c).any()],
    )
    for number, c in enumerate(columns, 1):
        parts.append(write_down(told.opened(scene, c)).named(f"#{number}"))
    scored = score(together(parts))
    found: Found = {}
    for number, c in enumerate(columns, 1):
        before = _points(scored, _with(names, "#0"), c.direction)
        after = _points(scored, _with(names, f"#{number}"), c.direction)
        found["/".join(c[:3])] = (after - before)[_kept_back(scene, c)]
    return found


def falling(seed: int, size: int, how: str = "drop") -> Found:
    """Trust that falls at once, or wears away, or a sender that goes stale; and when it is seen."""
    weeks = 120
    rng = np.random.default_rng([seed, 17])
    trust = rng.uniform(0.45, 0.95, size)
    at = {"drop": 80, "erosion": 60, "stealth": 88}[how]
    course = {"drop": drop(weeks, at, 0.2), "erosion": erosion(weeks, at, 26, 0.35)}.get(how, 0.0)
    scene = played(make_world(seed, size, weeks, course=course, trust=trust, lean=True))
    if how == "stealth":
        for c in COLUMNS:
            scene = told.stale_after(scene, c, at)
    names = names_of(scene.world).to_pylist()
    return {"at": at, "alarms": _alarms(score(write_down(scene)), names)}


def covering(seed: int, size: int, replicas: int = 24) -> Found:
    """The same partners lived through again and again: does the interval hold the mean score?"""
    parts, names = [], []
    for replica in range(replicas):
        scene = played(make_world(seed, size, replica=replica, lean=True))
        names = names_of(scene.world).to_pylist()
        parts.append(write_down(scene).named(f"#{replica}"))
    scored = score(together(parts))
    bounds = np.array(
        [
            [
                [
                    scored.told[f"{name}#{replica}"].get(key)
                    for key in ("score", "score_low", "score_high")
                ]
                for replica in range(replicas)
            ]
            for name in names
        ],
        dtype=np.float64,
    )
    return {"bounds": bounds}


TRIALS: dict[str, Callable[..., Found]] = {
    trial.__name__: trial
    for trial in (population, padding, cheats, tries, milking, opening, falling, covering)
}


# ---- reading ------------------------------------------------------------------------------------


def _scene(seed: int, size: int, *, lean: bool = False) -> tuple[Scene, list[str]]:
    scene = played(make_world(seed, size, lean=lean))
    return scene, names_of(scene.world).to_pylist()


def _with(names: list[str], suffix: str) -> list[str]:
    return [f"{name}{suffix}" for name in names]


def _scores(scored: Scored, names: list[str]) -> Floats:
    return np.array([scored.score(name) for name in names])


def _points(scored: Scored, names: list[str], flow: str) -> Floats:
    return np.array([scored.points(name, flow) for name in names])


def _paths(scored: Scored, names: list[str], flow: str, weeks: int) -> Floats:
    """The scores of a direction over the last weeks (N, weeks)."""
    paths = [scored.direction(name, flow)["history"][-weeks:] for name in names]
    return np.array([[week["score"] or 0.0 for week in path] for path in paths])


def _alarms(scored: Scored, names: list[str]) -> list[list[tuple[int, str]]] | None:
    """By relationship, week and kind of every alarm of either direction; None: not told."""
    told_all = [scored.told[name]["directions"] for name in names]
    if not any("alarms" in direction for directions in told_all for direction in directions):
        return None
    return [
        [
            (_week(alarm["week"]), alarm["kind"])
            for direction in directions
            for alarm in direction.get("alarms", [])
        ]
        for directions in told_all
    ]


def _week(monday: str) -> int:
    """The number of a week from its day."""
    return int((np.datetime64(monday[:10], "D") - START).astype(np.int64) // 7)


def _kept_back(scene: Scene, c: Column) -> NDArray[np.bool_]:
    """The relationships (R,) that are permitted to share a column and never do."""
    said = np.isfinite(scene.told.values[c]).any(axis=(0, 2))
    ever = np.bincount(scene.world.owner, said, scene.world.relationships) > 0
    return scene.world.permitted[c] & ~ever


def _ever_passed(
    scored: Scored, names: list[str], scene: Scene, who: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Of every column of pure noise, whether it passed the evidence test in any week."""
    passed = []
    for c in COLUMNS:
        for at in np.nonzero(who & _kept_back(scene, c))[0]:
            columns = scored.direction(names[at], c.direction).get("columns", [])
            for column in columns:
                if (column["kind"], column["column"]) == (c.kind, c.name):
                    weeks = column.get("history", [])
                    passed.append(any((week.get("u") or 0.0) > 0.0 for week in weeks))
    return np.array(passed, dtype=np.bool_)
