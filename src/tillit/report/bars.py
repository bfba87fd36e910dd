"""Charts of bars, as SVG text: columns, due cells, peers, what moved. Pure but for Matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tillit.report.content import Direction, Mover
from tillit.report.drawing import COLOURS, FAINT, INK, figure_of, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bits_by_column", "due_cells", "peers", "what_moved"]

_CAME = {"arrived": COLOURS[0], "late": "#e0b64a", "missing": "#dfe4e8"}


def bits_by_column(direction: Direction) -> str:
    """A bar a permitted column: bits a due cell, on the receiver's own outcomes."""
    shown = sorted(direction.columns, key=lambda c: (c.bits is None, -(c.bits or 0.0)))
    with figure_of(4.6, 0.42 + 0.3 * max(1, len(shown))) as (figure, axes):
        names = [f"{c.kind}.{c.column}" for c in shown]
        values = [c.bits or 0.0 for c in shown]
        colours = [COLOURS[0] if v > 0 else COLOURS[1] for v in values]
        axes.barh(range(len(shown)), values, color=colours, height=0.55)
        for place, column in enumerate(shown):
            text = "not measured" if column.bits is None else f"{column.bits:.2f}"
            if column.bits is not None and not column.enough:
                text += " (little evidence)"
            colour = FAINT if column.bits is None else INK
            _written(axes, text, max(values[place], 0.0), place, colour=colour)
        _named(axes, names)
        low, high = min([0.0, *values]), max([0.5, *values])
        axes.set_xlim(low - 0.02, high * 1.35)
        axes.set_xlabel("bits a due cell", fontsize=8)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        figure.subplots_adjust(
            left=0.55, right=0.98, top=0.97, bottom=0.38 / figure.get_figheight()
        )
        return svg(figure, f"Bits by column, {direction.sender} to {direction.receiver}")


def due_cells(direction: Direction) -> str:
    """A bar a column: of its due cells, those that came in time, came late, and never came."""
    shown = [column for column in direction.columns if column.due]
    with figure_of(4.6, 0.62 + 0.3 * max(1, len(shown))) as (figure, axes):
        left = [0.0] * len(shown)
        for name, colour in _CAME.items():
            part = [getattr(c, name) / c.due for c in shown]
            label = "in time" if name == "arrived" else name
            axes.barh(range(len(shown)), part, left=left, color=colour, height=0.55, label=label)
            left = [a + b for a, b in zip(left, part, strict=True)]
        for place, column in enumerate(shown):
            _written(axes, f"{column.arrived:,} of {column.due:,}", 1.0, place)
        _named(axes, [f"{c.kind}.{c.column}" for c in shown])
        axes.set_xlim(0, 1.45)
        axes.set_xticks([])
        height = figure.get_figheight()
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(0.0, -0.02),
            ncols=3,
            frameon=False,
            fontsize=7.5,
            handlelength=0.9,
        )
        figure.subplots_adjust(left=0.55, right=0.98, top=0.98, bottom=0.34 / height)
        return svg(figure, f"Due cells by column, {direction.sender} to {direction.receiver}")


def peers(directions: Sequence[Direction]) -> str:
    """A line a measured direction: its score, and the interval in which it lies."""
    measured = [d for d in directions if d.score is not None]
    with figure_of(7.4, 0.5 + 0.28 * max(1, len(measured))) as (figure, axes):
        for place, direction in enumerate(measured):
            score = direction.score or 0.0
            low, high = direction.interval or (score, score)
            axes.plot([low, high], [place, place], color=COLOURS[0], linewidth=5, alpha=0.22)
            axes.plot([score], [place], "o", color=COLOURS[0], markersize=6)
        _named(axes, [f"{d.sender} to {d.receiver}" for d in measured])
        axes.set_ylim(len(measured) - 0.4, -0.6)
        axes.set_xlim(0, 100)
        axes.grid(visible=True, axis="x")
        axes.set_xlabel("score of the direction, and its 90 % interval", fontsize=8)
        figure.subplots_adjust(
            left=0.22, right=0.98, top=0.98, bottom=0.42 / figure.get_figheight()
        )
        return svg(figure, "What each partner shares, among its peers")


def what_moved(moved: Sequence[Mover]) -> str:
    """A bar a part, and below it one for each column in it: points added or taken."""
    bars = [row for m in moved for row in ((m, False), *((inner, True) for inner in m.within))]
    with figure_of(4.6, 0.42 + 0.3 * max(1, len(bars))) as (figure, axes):
        values = [m.points for m, _ in bars]
        for place, (mover, inner) in enumerate(bars):
            axes.barh(
                place,
                mover.points,
                color=COLOURS[0] if mover.points >= 0 else COLOURS[1],
                height=0.34 if inner else 0.58,
                alpha=0.55 if inner else 1.0,
            )
        reach = max([1.0, *(abs(v) for v in values)])
        for place, (mover, _) in enumerate(bars):
            points = mover.points
            _written(axes, f"{points:+.1f}", points, place, right=points >= 0)
        _named(axes, [m.part for m, _ in bars])
        for label, (_, inner) in zip(axes.get_yticklabels(), bars, strict=True):
            label.set(color=FAINT if inner else INK, fontsize=7.5 if inner else 8.5)
        axes.set_xlim(-1.4 * reach, 1.4 * reach)
        axes.axvline(0, color=FAINT, linewidth=0.8)
        axes.set_xlabel("points of the score", fontsize=8)
        figure.subplots_adjust(
            left=0.55, right=0.98, top=0.97, bottom=0.38 / figure.get_figheight()
        )
        return svg(figure, "What moved the score")


def _named(axes: Axes, names: Sequence[str]) -> None:
    """A name beside each bar, the first at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", labelcolor=INK, labelsize=8)
    axes.invert_yaxis()


def _written(
    axes: Axes, text: str, at: float, place: int, *, right: bool = True, colour: str = INK
) -> None:
    """A figure at the end of a bar, to its right or left."""
    axes.annotate(
        text,
        (at, place),
        xytext=(4 if right else -4, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        color=colour,
        fontsize=8,
    )
