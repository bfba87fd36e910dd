"""Charts as SVG text, for a page that opens without a network. Pure but for Matplotlib's state."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.dates as mdates
from matplotlib.figure import Figure

from tillit.report.content import Direction, Mover, Relationship

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "bits_by_column", "score_by_week", "score_over_time", "what_moved"]

COLOURS = ("#0b6e69", "#c8553d", "#3d5a9b", "#b08a1e", "#7a4a8b", "#5b7f2b", "#8a5a44", "#47727f")
_INK, _FAINT, _GRID = "#1d2733", "#6b7785", "#e3e7ea"
_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: it can be read, searched and scaled
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "tillit",  # the same figures give the same bytes
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _FAINT,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid.axis": "y",
    "grid.color": _GRID,
    "ytick.left": False,
}


def score_over_time(relationships: Sequence[Relationship]) -> str:
    """A line a relationship: the score of both directions together, week by week, 0 to 100."""
    with _figure(7.4, 3.3) as (figure, axes):
        ends: list[tuple[float, str, str]] = []
        for relationship, colour in zip(relationships, _cycle(), strict=False):
            weeks = [(w, s) for w, s in _both(relationship) if s is not None]
            if not weeks:
                continue
            days, scores = zip(*weeks, strict=True)
            axes.plot(days, scores, color=colour, linewidth=1.8, solid_capstyle="round")
            ends.append((scores[-1], relationship.supplier, colour))
        _label_ends(axes, ends)
        axes.set_ylim(0, max([40.0, *(1.15 * s for s, _, _ in ends)]))
        axes.set_ylabel("score, both directions")
        axes.grid(visible=True, axis="y")
        locator = axes.xaxis.get_major_locator()
        formatter = mdates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(formatter)
        figure.subplots_adjust(left=0.07, right=0.84, top=0.96, bottom=0.1)
        return _svg(figure, "Score over time, a line a relationship")


def score_by_week(
    relationships: Sequence[Relationship],
) -> list[tuple[date, tuple[float | None, ...]]]:
    """What `score_over_time` draws, as rows: a week, and the score of each relationship."""
    lines = [dict(_both(relationship)) for relationship in relationships]
    weeks = sorted({week for line in lines for week in line})
    return [(week, tuple(line.get(week) for line in lines)) for week in weeks]


def bits_by_column(direction: Direction) -> str:
    """A bar a permitted column: bits a due cell, on the receiver's own outcomes."""
    shown = sorted(direction.columns, key=lambda c: (c.bits is None, -(c.bits or 0.0)))
    with _figure(4.6, 0.42 + 0.3 * max(1, len(shown))) as (figure, axes):
        names = [f"{c.kind}.{c.column}" for c in shown]
        values = [c.bits or 0.0 for c in shown]
        colours = [COLOURS[0] if v > 0 else COLOURS[1] for v in values]
        axes.barh(range(len(shown)), values, color=colours, height=0.55)
        for place, column in enumerate(shown):
            text = "not measured" if column.bits is None else f"{column.bits:.2f}"
            if column.bits is not None and not column.enough:
                text += " (little evidence)"
            axes.annotate(
                text,
                (max(values[place], 0.0), place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=_FAINT if column.bits is None else _INK,
                fontsize=8,
            )
        axes.set_yticks(range(len(shown)), names)
        axes.tick_params(axis="y", labelcolor=_INK, labelsize=8)
        axes.invert_yaxis()
        low, high = min([0.0, *values]), max([0.5, *values])
        axes.set_xlim(low - 0.02, high * 1.35)
        axes.set_xlabel("bits a due cell", fontsize=8)
        axes.axvline(0, color=_FAINT, linewidth=0.8)
        figure.subplots_adjust(
            left=0.55, right=0.98, top=0.97, bottom=0.38 / figure.get_figheight()
        )
        return _svg(figure, f"Bits by column, {direction.sender} to {direction.receiver}")


def what_moved(moved: Sequence[Mover]) -> str:
    """A bar a part: points that it added to the score or took from it."""
    with _figure(4.6, 0.42 + 0.3 * max(1, len(moved))) as (figure, axes):
        values = [m.points for m in moved]
        colours = [COLOURS[0] if v >= 0 else COLOURS[1] for v in values]
        axes.barh(range(len(moved)), values, color=colours, height=0.55)
        reach = max([1.0, *(abs(v) for v in values)])
        for place, mover in enumerate(moved):
            right = mover.points >= 0
            axes.annotate(
                f"{mover.points:+.1f}",
                (mover.points, place),
                xytext=(4 if right else -4, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=8,
                color=_INK,
            )
        axes.set_yticks(range(len(moved)), [m.part for m in moved])
        axes.tick_params(axis="y", labelcolor=_INK, labelsize=8)
        axes.invert_yaxis()
        axes.set_xlim(-1.4 * reach, 1.4 * reach)
        axes.axvline(0, color=_FAINT, linewidth=0.8)
        axes.set_xlabel("points of the score", fontsize=8)
        figure.subplots_adjust(
            left=0.55, right=0.98, top=0.97, bottom=0.38 / figure.get_figheight()
        )
        return _svg(figure, "What moved the score")


def _both(relationship: Relationship) -> Iterator[tuple[date, float | None]]:
    back = {w.week: w.score for w in relationship.back.history}
    for week in relationship.there.history:
        other = back.get(week.week)
        if week.score is None or other is None:
            yield week.week, None
        else:
            yield week.week, (week.score * other) ** 0.5


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write each line's name at its end, pushed apart so that no two overlap."""
    lowest = -10.0
    for score, name, colour in sorted(ends):
        lowest = max(score, lowest + 3.0)
        axes.annotate(
            f"{name} {score:.0f}",
            (1.0, lowest),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
        )


def _cycle() -> Iterator[str]:
    while True:
        yield from COLOURS


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]  # the stubs want literal keys
        figure = Figure(figsize=(width, height))
        yield figure, figure.add_subplot()


def _svg(figure: Figure, title: str) -> str:
    """The figure as an inline element: no prologue, no fixed size, a title for readers."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace(">", f' role="img" aria-label="{escape(title)}">', 1)
