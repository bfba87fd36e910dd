"""A score explained to a person: how sure it is, why it moved, what is alarming or waits. Pure.

It says in sentences and small tables what `tillit.trust.show.show` says in values; nothing is
worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tillit.model import counted

__all__ = ["Section", "alarm_line", "beside_lines", "explained", "in_short", "neglect_lines"]

Shown = Mapping[str, Any]

_PARTS = {
    "information": "information shared",
    "promises": "promises kept",
    "candour": "complaints when there is cause",
    "ideas": "ideas taken up",
}
_LEVELS = {1: "public", 2: "internal", 3: "confidential", 4: "restricted"}
# What a part counts as in the score, where that is not itself.
_FACTORS = {"promises": "promise_factor", "candour": "candour_factor"}
# Points that are worth a sentence, a factor that holds a score down, bits that a word misleads by.
_MOVED = 5.0
_LOW = 0.2
_MISLEADS = 0.2
_COLUMNS = ("column", "level", "due", "in time", "late", "missing", "bits a cell", "90 %", "share")
_MOST = 6


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it: a table with ``head``, or lines where it has none."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    head: tuple[str, ...] = ()


def explained(direction: Shown) -> tuple[Section, ...]:
    """What one direction of `tillit trust show --json` says, the most asked for first."""
    return tuple(
        section
        for section in (
            _summary(direction),
            _parts(direction),
            _why(direction),
            _columns(direction),
            _unmeasured(direction),
            _lines("Alarms", (alarm_line(alarm) for alarm in direction["alarms"])),
            _lines("What waits", neglect_lines(direction["beside"]["neglected"])),
            _lines("Beside the score, and not in it", beside_lines(direction["beside"])),
        )
        if section.rows
    )


def in_short(direction: Shown) -> str:
    """One sentence for whoever reads only one: what moved the score, or what holds it down."""
    score, why = direction["score"], direction["why"]
    if score is None:
        return "there is not enough evidence for a score yet"
    if why is not None and abs(why["points"]) >= _MOVED:
        return _moved(direction, score, why)
    low = {
        name: direction[name]
        for name in _PARTS
        if direction[name] is not None and (direction[_FACTORS.get(name, name)] or 0.0) < _LOW
    }
    said = f"stands at {score:.0f}"
    if low:
        said += ", held down by " + ", ".join(f"{name} ({v:.2f})" for name, v in low.items())
    misleads = max(direction["columns"], key=lambda c: c["honesty_gap"] or 0.0, default=None)
    if misleads is not None and (misleads["honesty_gap"] or 0.0) >= _MISLEADS:
        said += (
            f"; {misleads['kind']}.{misleads['column']} taken at its word misleads, by "
            f"{misleads['honesty_gap']:.1f} bits a value"
        )
    return said


def _moved(direction: Shown, score: float, why: Shown) -> str:
    points = why["points"]
    part, most = max(why["parts"].items(), key=lambda pair: pair[1] * points)
    said = (
        f"{'rose' if points > 0 else 'fell'} {abs(points):.0f} points to {score:.0f} since the "
        f"week of {why['since']}, by {part} most ({most:+.1f})"
    )
    if part != "information":
        return said
    name, most = max(why["columns"].items(), key=lambda pair: pair[1] * points)
    column = next(
        (c for c in direction["columns"] if f"{c['kind']}.{c['column']}" == name and c["due"]), None
    )
    said += f", and there by {'the least score' if name == 'floor' else name} ({most:+.1f})"
    if column is not None and points < 0:
        came = column["arrived"] / column["due"]
        said += f", of which {came:.0%} of the values came in time"
    return said


def alarm_line(alarm: Shown) -> str:
    """One alarm, with how sure it is and whether it stands."""
    if alarm["ended"] is not None:
        state = f"over since the week of {alarm['ended']}"
    elif alarm["told"]:
        state = f"stands; {alarm['chance']:.1%} by chance in a quiet year"
    else:
        state = "stands, but may be chance among so many relationships"
    return f"{alarm['says']} ({state})"


def neglect_lines(neglected: Shown, us: str = "us", them: str = "them") -> Iterator[str]:
    """What is overdue, unanswered, or was to be looked at again; with names for both sides."""
    for row in neglected["overdue"]:
        yield f"{row['column']}: {counted(row['cells'], 'cell')} of the last four weeks never came"
    for row in neglected["unanswered"]:
        who = us if row["waits_for"] == "us" else them
        yield f"{row['kind']} {row['id']} has waited {counted(row['days'], 'day')} for {who}"
    for row in neglected["reassess"]:
        late = counted(row["days"], "day")
        yield f"agreement {row['agreement']} was to be looked at again {late} ago"


def _summary(direction: Shown) -> Section:
    score, bounds = direction["score"], direction["interval"]["score"]
    if score is None:
        unknown = ", ".join(_PARTS[name] for name in direction["not_measured"])
        said = f"no score: not enough evidence of {unknown}"
    else:
        said = f"score {score:.0f}{_between(bounds, '.0f')}"
    worth = direction["beside"]["worth"]["says"]
    return Section(
        f"{direction['sender'] or '?'} to {direction['receiver'] or '?'}, "
        f"week of {direction['week']}",
        ((said,), (worth,)),
    )


def _parts(direction: Shown) -> Section:
    rows = (
        (
            words,
            _number(direction[name], ".2f"),
            "its prior"
            if direction[name] is None
            else _number(direction[_FACTORS.get(name, name)], ".2f"),
            _between(direction["interval"][name], ".2f").strip(" ()") or "-",
        )
        for name, words in _PARTS.items()
    )
    head = ("part", "value", "counts as", "90 % of that")
    return Section("Its four parts, from 0 to 1", tuple(rows), head)


def _why(direction: Shown) -> Section:
    why = direction["why"]
    if why is None:
        return Section("", ())
    rows = [(_PARTS[name], f"{points:+.1f}") for name, points in why["parts"].items()]
    columns = sorted(why["columns"].items(), key=lambda pair: -abs(pair[1]))
    rows[1:1] = [
        (f"  of it {name}", f"{points:+.1f}") for name, points in columns[:_MOST] if abs(points) > 0
    ]
    return Section(
        f"Why it moved {why['points']:+.1f} points since the week of {why['since']}",
        tuple(rows),
        ("part", "points"),
    )


def _columns(direction: Shown) -> Section:
    rows = (
        (
            f"{column['kind']}.{column['column']}",
            _LEVELS[column["level"]],
            *(f"{column[name]:,}" for name in ("due", "arrived", "late", "missing")),
            _number(column["bits_per_cell"], ".2f") if column["enough"] else "too few",
            _between(column["interval"]["bits_per_cell"], ".2f").strip(" ()") or "-",
            _number(column["u"], ".2f"),
        )
        for column in direction["columns"]
    )
    return Section("Column by column, over a year", tuple(rows), _COLUMNS)


def _unmeasured(direction: Shown) -> Section:
    rows = (
        (f"{c['kind']}.{c['column_name']}", _LEVELS[c["level"]], c["reason"])
        for c in direction["columns_not_measured"]
        if c["reason"] == "not measured yet"
    )
    return Section("Permitted, and not measured", tuple(rows), ("column", "level", "why"))


def beside_lines(beside: Shown) -> Iterator[str]:
    """What stands beside a score, and is not in it: peers, directness, talk, stock saved."""
    if beside["better_than"] is not None:
        peers = counted(beside["peers"], f"measured {beside['role']}")
        yield f"shares more than {beside['better_than']:.0%} of {peers}"
    if (direct := beside["directness"]) is not None:
        hours = direct["median_hours"]
        side = "before" if hours <= 0 else "after"
        yield (
            f"arrives {abs(hours):.0f} h {side} the cut-off at the median; "
            f"{direct['late_share']:.0%} of shipments late"
        )
    if (talk := beside["transactional"]) is not None:
        yield (
            f"{talk['share']:.0%} of {talk['hours']:.0f} h together in a year was on price, "
            "contract and claims"
        )
    if (stock := beside["safety_stock"]) is not None:
        yield (
            f"their forecasts save {stock['share']:.0%} of safety stock, where "
            + "; ".join(stock["where"])
        )


def _lines(title: str, lines: Iterator[str]) -> Section:
    return Section(title, tuple((line,) for line in lines))


def _between(bounds: list[float] | None, form: str) -> str:
    return "" if bounds is None else f" ({bounds[0]:{form}} to {bounds[1]:{form}})"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"
