"""What the trials' numbers are held against: the frozen marks, and some more. Pure.

A mark is frozen: it says what we hold the measure to, whatever a run says. A row without a verdict
is shown for comparison, or could not be measured, and says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tillit.validation.cheats import CHEATS
from tillit.validation.ranks import COUNTS, kendall, spearman

__all__ = [
    "EXACT",
    "Row",
    "cheat_rows",
    "falling_rows",
    "false_alarm_rows",
    "interval_rows",
    "milking_rows",
    "opening_rows",
    "padding_rows",
    "population_rows",
    "tries_rows",
]

Floats = NDArray[np.float64]
Found = Mapping[str, Any]

EXACT = 1e-9
"""What is exactly nothing, in points: sums in another order differ in the last digits."""
_TREND = frozenset({"drop", "erosion", "stealth"})


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` is None where nothing is judged; ``note`` says why then."""

    group: str
    what: str
    measured: str
    mark: str = ""
    met: bool | None = None
    note: str = ""
    values: Mapping[str, float] | None = None


def population_rows(found: Sequence[Found]) -> list[Row]:
    """Agreement with latent trust over the seeds, ours and that of what can be counted."""
    ours = [(kendall(f["score"], f["trust"]), spearman(f["score"], f["trust"])) for f in found]
    rows = [
        _ranked("Kendall with latent trust", [k for k, _ in ours], 0.80, 0.75),
        _ranked("Spearman with latent trust", [s for _, s in ours], 0.95, 0.92),
    ]
    for flow, words in (("b2s", "buyer to supplier"), ("s2b", "supplier to buyer")):
        values = [kendall(f[flow], f["trust"]) for f in found]
        rows.append(_shown("trust", f"Kendall of one direction: {words}", values))
    for name in COUNTS:
        values = [kendall(f["counts"][name], f["trust"]) for f in found]
        rows.append(_shown("trust", f"Kendall of a simple count: {name}", values))
    return rows


def _ranked(what: str, values: Sequence[float], mean: float, worst: float) -> Row:
    return Row(
        "trust",
        what,
        f"mean {np.mean(values):.3f}, worst {min(values):.3f}",
        f">= {mean:.2f} mean, >= {worst:.2f} worst",
        bool(np.mean(values) >= mean and min(values) >= worst),
        values={"mean": float(np.mean(values)), "worst": min(values)},
    )


def _shown(group: str, what: str, values: Sequence[float]) -> Row:
    return Row(
        group,
        what,
        f"mean {np.mean(values):.3f}, from {min(values):.3f} to {max(values):.3f}",
        note="shown beside ours",
        values={"mean": float(np.mean(values)), "worst": min(values), "best": max(values)},
    )


def padding_rows(before: Sequence[Found], after: Sequence[Found]) -> list[Row]:
    """What noise in the cells kept back does to the ranking, to scores, and to the evidence."""

    def lost(values: Sequence[tuple[Floats, Floats]]) -> float:
        trust = [f["trust"] for f in before]
        return float(
            np.mean(
                [kendall(b, t) - kendall(a, t) for (b, a), t in zip(values, trust, strict=True)]
            )
        )

    pairs = list(zip(before, after, strict=True))
    ours = lost([(b["score"], a["score"]) for b, a in pairs])
    rows = [
        Row(
            "padding", "half of the senders pad with noise: loss of Kendall", f"{ours:+.3f}",
            "<= .03", ours <= 0.03, values={"loss": ours},
        )
    ]  # fmt: skip
    for name in ("share of cells filled", "compressed bytes"):
        counted = lost([(b["counts"][name], a["counts"][name]) for b, a in pairs])
        rows.append(
            Row("padding", f"the same, of a simple count: {name}", f"{counted:+.3f}",
                note="shown beside ours", values={"loss": counted})
        )  # fmt: skip
    gains = [(a[flow] - b[flow])[a["who"]] for b, a in pairs for flow in ("b2s", "s2b")]
    rows.append(_gain("padding", "noise in withheld columns", np.concatenate(gains), 0.3, 2.0))
    passed = np.concatenate([a["passed"] for _, a in pairs])
    share = float(np.mean(passed)) if passed.size else float("nan")
    told = f"{share:.3f} of {passed.size} columns"
    rows.append(
        Row("padding", "pure noise ever passes the evidence test", told, "<= .05",
            share <= 0.05 if passed.size else None, values={"share": share})
    )  # fmt: skip
    return rows


def _gain(group: str, what: str, gains: Floats, mean: float | None, most: float) -> Row:
    """A gain in points, bounded in its mean and at its most; to a billionth where that is zero."""
    values = {"mean": float(np.mean(gains)), "most": float(np.max(gains))}
    met = values["most"] <= max(most, EXACT) and (mean is None or values["mean"] <= mean)
    said = "no gain" if most == 0.0 else f"<= {mean:g} mean, <= {most:g} most" if mean else ""
    return Row(
        group,
        what,
        f"mean {values['mean']:+.3f}, most {values['most']:+.3f}",
        said or f"<= {most:g} most",
        bool(met),
        f"{gains.size} times",
        values,
    )


def cheat_rows(found: Sequence[Found]) -> list[Row]:
    """Every cheat with its gain; an exact one is held to neither gain nor loss."""
    rows = []
    for cheat in CHEATS:
        gains = [f[cheat.name]["gain"] for f in found if cheat.name in f]
        if not gains:
            continue
        gain = np.concatenate(gains)
        row = _gain("cheats", f"{cheat.name}: {cheat.says}", gain, cheat.mean, cheat.most or 0.0)
        if cheat.exact:
            off = float(np.max(np.abs(gain)))
            row = _but(row, mark="exactly 0", met=off <= EXACT)
        elif cheat.most is None:
            row = _but(row, mark="", met=None, note=cheat.why)
        rows.append(row)
    return rows


def _but(row: Row, **changed: Any) -> Row:
    return Row(**{**vars(row), **changed})


def tries_rows(found: Sequence[Found]) -> list[Row]:
    """The best of many tries at noise, of every sender."""
    best = np.concatenate([np.max(kind["gain"], axis=0) for f in found for kind in f.values()])
    return [_gain("tries", "best of 20 tries at noise with feedback", best, None, 2.0)]


def milking_rows(found: Sequence[Found]) -> list[Row]:
    """What a reputation is worth when it is spent, against going silent honestly."""
    rows = []
    ends, paths = [], []
    for how in ("stale", "noisy"):
        path = np.concatenate([kind[how] for f in found for kind in f.values()])
        ends.append(path[:, -1])
        paths.append(path)
        rows.append(
            _but(
                _gain("milking", f"{how}, after 26 weeks", path[:, -1], None, 2.0),
                mark="", met=None, note="part of the row below",
            )
        )  # fmt: skip
    rows.append(
        _gain("milking", "stale or noisy for 26 weeks, at the end", np.concatenate(ends), None, 2.0)
    )
    over = np.concatenate(paths)
    rows.append(
        _gain("milking", "the same, on the mean of the weeks", over.mean(axis=1), None, 2.0)
    )
    worst = _gain("milking", "the same, in the luckiest single week", over.max(axis=1), None, 2.0)
    rows.append(
        _but(worst, mark="", met=None, note="shown: one of 26 weeks, looked for afterwards")
    )
    return rows


def opening_rows(found: Sequence[Found]) -> list[Row]:
    """Opening one more column honestly never costs, whatever else speaks of its outcome."""
    names = dict.fromkeys(name for f in found for name in f)
    rows = []
    for name in names:
        gains = np.concatenate([f[name] for f in found if name in f])
        if gains.size:
            rows.append(_opened(f"opening {name}", gains))
    every = np.concatenate([f[name] for f in found for name in f])
    return [_opened("honestly opening one more withheld column", every), *rows]


def _opened(what: str, gains: Floats) -> Row:
    least, mean = float(np.min(gains)), float(np.mean(gains))
    return Row(
        "opening", what, f"least {least:+.3f}, mean {mean:+.2f}", "never a loss",
        least >= -EXACT, f"{gains.size} times, {np.mean(gains < -EXACT):.0%} lost",
        {"least": least, "mean": mean},
    )  # fmt: skip


def falling_rows(found: Mapping[str, Sequence[Found]]) -> list[Row]:
    """How many of those whose trust fell, or who went stale, were noticed in time."""
    limits = {
        "drop": ("sudden drop of .20, within 8 weeks", 0, 8, 0.95),
        "erosion": ("erosion of .35 over 26 weeks, within 13 weeks after", 0, 26 + 13, 0.80),
        "stealth": ("gone stale behind the same cell count, within 26 weeks", 0, 26, 0.80),
    }
    rows = []
    for how, (what, first, last, mark) in limits.items():
        seen: list[bool] = []
        for f in found.get(how, ()):
            if f["alarms"] is None:
                continue
            for alarms in f["alarms"]:
                weeks = [week - f["at"] for week, kind in alarms if kind in _TREND]
                seen.append(any(first <= week <= last for week in weeks))
        rows.append(_share("alarms", what, seen, mark))
    return rows


def _share(group: str, what: str, seen: Sequence[bool], mark: float) -> Row:
    if not seen:
        return Row(group, what, "not measured", f">= {mark:.0%}", None, "no alarms are told")
    share = float(np.mean(seen))
    return Row(
        group, what, f"{share:.0%} of {len(seen)}", f">= {mark:.0%}", share >= mark,
        values={"share": share},
    )  # fmt: skip


def false_alarm_rows(found: Sequence[Found]) -> list[Row]:
    """Relationship-years of a population in which nothing changes that have an alarm."""
    what, mark = "false alarms per relationship-year on a stable population", "<= 2 %"
    years, alarmed = 0.0, 0
    for f in found:
        if f["alarms"] is None:
            return [Row("alarms", what, "not measured", mark, None, "no alarms are told")]
        years += len(f["alarms"]) * f["weeks"] / 52
        for alarms in f["alarms"]:
            alarmed += len({week // 52 for week, kind in alarms if kind in _TREND})
    share = alarmed / years
    told = f"{share:.1%} of {years:.0f}"
    return [Row("alarms", what, told, mark, share <= 0.02, values={"share": share})]


def interval_rows(found: Sequence[Found]) -> list[Row]:
    """How often the interval holds the mean score of the same partners lived through again."""
    what, mark = "90 % intervals cover", ".88 to .92"
    held: list[Floats] = []
    for f in found:
        score, low, high = np.moveaxis(f["bounds"], 2, 0)
        truth = np.nanmean(score, axis=1, keepdims=True)
        there = np.isfinite(score) & np.isfinite(low) & np.isfinite(high)
        held.append(((low <= truth) & (truth <= high))[there])
    every: Iterable[Floats] = held
    inside = np.concatenate(list(every)) if held else np.zeros(0)
    if not inside.size:
        return [Row("intervals", what, "not measured", mark, None, "no intervals are told")]
    share = float(np.mean(inside))
    told = f"{share:.3f} of {inside.size}"
    return [Row("intervals", what, told, mark, 0.88 <= share <= 0.92, values={"share": share})]
