"""Charts of weeks, as SVG text for a page that opens without a network. Pure but for Matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from tillit.report.content import ColumnBits, Direction, Relationship
from tillit.report.drawing import COLOURS, FAINT, colours, days, figure_of, svg, weekly

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bits_by_week", "bits_over_time", "score_by_week", "score_of", "score_over_time"]

_LINES = 4


def score_over_time(relationships: Sequence[Relationship]) -> str:
    """A line a relationship: the score of both directions together, week by week, 0 to 100."""
    with figure_of(7.4, 3.3) as (figure, axes):
        ends: list[tuple[float, str, str]] = []
        for relationship, colour in zip(relationships, colours(), strict=False):
            weeks = [(w, s) for w, s in _both(relationship) if s is not None]
            if not weeks:
                continue
            days, scores = zip(*weeks, strict=True)
            axes.plot(days, scores, color=colour, linewidth=1.8, solid_capstyle="round")
            ends.append((scores[-1], relationship.supplier, colour))
        _label_ends(axes, ends)
        axes.set_ylim(0, max([40.0, *(1.15 * s for s, _, _ in ends)]))
        axes.set_ylabel("score, both directions")
        weekly(axes)
        figure.subplots_adjust(left=0.07, right=0.84, top=0.96, bottom=0.1)
        return svg(figure, "Score over time, a line a relationship")


def score_by_week(
    relationships: Sequence[Relationship],
) -> list[tuple[date, tuple[float | None, ...]]]:
    """What `score_over_time` draws, as rows: a week, and the score of each relationship."""
    lines = [dict(_both(relationship)) for relationship in relationships]
    weeks = sorted({week for line in lines for week in line})
    return [(week, tuple(line.get(week) for line in lines)) for week in weeks]


def score_of(direction: Direction) -> str:
    """The score of one direction, the band in which it lies, and a mark for each alarm told."""
    with figure_of(4.6, 2.1) as (figure, axes):
        weeks = [(w.week, w.score) for w in direction.history if w.score is not None]
        band = direction.band
        axes.fill_between(
            days(s.week for s in band),
            [s.low for s in band],
            [s.high for s in band],
            color=COLOURS[0],
            alpha=0.16,
            linewidth=0,
        )
        axes.plot(days(w for w, _ in weeks), [s for _, s in weeks], color=COLOURS[0], linewidth=1.6)
        top = max([40.0, *(1.2 * s for _, s in weeks), *(1.05 * s.high for s in band)])
        told = days(alarm.week for alarm in direction.alarms if alarm.told)
        axes.vlines(told, 0, top, color=COLOURS[1], linewidth=1.0, linestyles="dotted")
        axes.plot(told, [0.94 * top] * len(told), "v", color=COLOURS[1], markersize=6)
        axes.set_ylim(0, top)
        weekly(axes)
        figure.subplots_adjust(left=0.08, right=0.97, top=0.97, bottom=0.14)
        return svg(figure, f"Score with its interval, {direction.sender} to {direction.receiver}")


def bits_over_time(direction: Direction) -> str:
    """A line a column of those that told most, or once did: bits a due cell over the year."""
    with figure_of(4.6, 2.1) as (figure, axes):
        told = _telling(direction)
        for column, colour in zip(told, colours(), strict=False):
            points = [(week, bits) for week, bits in column.history if bits is not None]
            axes.plot(
                days(week for week, _ in points),
                [bits for _, bits in points],
                color=colour,
                linewidth=1.5,
                label=f"{column.kind}.{column.column}",
            )
        if told:
            axes.legend(
                loc="upper center",
                bbox_to_anchor=(0.5, -0.16),
                ncols=2,
                frameon=False,
                fontsize=7.5,
                handlelength=1.2,
            )
        axes.axhline(0, color=FAINT, linewidth=0.8)
        weekly(axes)
        figure.subplots_adjust(left=0.08, right=0.97, top=0.97, bottom=0.3)
        title = f"Bits by column over time, {direction.sender} to {direction.receiver}"
        return svg(figure, title)


def bits_by_week(
    direction: Direction,
) -> tuple[tuple[str, ...], list[tuple[date, tuple[float | None, ...]]]]:
    """What `bits_over_time` draws, as names of columns and rows of a week and bits."""
    told = _telling(direction)
    lines = [dict(column.history) for column in told]
    weeks = sorted({week for line in lines for week in line})
    names = tuple(f"{column.kind}.{column.column}" for column in told)
    return names, [(week, tuple(line.get(week) for line in lines)) for week in weeks]


def _telling(direction: Direction) -> list[ColumnBits]:
    """At most four columns: those with the most bits in any week."""

    def most(column: ColumnBits) -> float:
        return max((abs(bits) for _, bits in column.history if bits is not None), default=0.0)

    told = [column for column in direction.columns if most(column) > 0]
    return sorted(told, key=most, reverse=True)[:_LINES]


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
