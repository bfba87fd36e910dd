"""What all charts have in common: colours, sizes, and SVG text in place of a picture."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.dates as mdates
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["COLOURS", "FAINT", "INK", "colours", "days", "figure_of", "svg", "weekly"]

COLOURS = ("#0b6e69", "#c8553d", "#3d5a9b", "#b08a1e", "#7a4a8b", "#5b7f2b", "#8a5a44", "#47727f")
INK, FAINT, _GRID = "#1d2733", "#6b7785", "#e3e7ea"
_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text: it can be read, searched and scaled
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "tillit",  # the same figures give the same bytes
    "axes.edgecolor": _GRID,
    "axes.labelcolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid.axis": "y",
    "grid.color": _GRID,
    "ytick.left": False,
}


@contextmanager
def figure_of(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of inches in the house style, with its one pair of axes."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]  # the stubs want literal keys
        figure = Figure(figsize=(width, height))
        yield figure, figure.add_subplot()


def svg(figure: Figure, title: str) -> str:
    """The figure as an inline element: no prologue, no fixed size, a title for readers."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace(">", f' role="img" aria-label="{escape(title)}">', 1)


def weekly(axes: Axes) -> None:
    """Weeks below, and lines across."""
    axes.grid(visible=True, axis="y")
    axes.tick_params(labelsize=7.5)
    locator = axes.xaxis.get_major_locator()
    formatter = mdates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def days(weeks: Iterable[date]) -> Any:
    """The stubs do not know that dates can be drawn."""
    return list(weeks)


def colours() -> Iterator[str]:
    """The colours of lines, over and over."""
    while True:
        yield from COLOURS
