"""The page: content and charts into one HTML file. I/O: `write` only."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tillit.report import bars, charts
from tillit.report.content import Content

__all__ = ["render", "write"]

_CHARTS = (
    bars.bits_by_column,
    charts.bits_over_time,
    bars.due_cells,
    bars.peers,
    charts.score_of,
    bars.what_moved,
)
_LEVELS = {1: "public", 2: "internal", 3: "confidential", 4: "restricted"}


def render(content: Content) -> str:
    """The whole page as text; what partners wrote is escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["score"] = _score
    environment.filters["percent"] = _percent
    environment.filters["bits"] = _bits
    for chart in _CHARTS:
        environment.globals[chart.__name__] = _drawn(chart)
    environment.globals.update(levels=_LEVELS, bits_by_week=charts.bits_by_week)
    source = files("tillit.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    over_time = Markup(charts.score_over_time(content.relationships))  # noqa: S704
    weeks = charts.score_by_week(content.relationships)
    ways = [(r, d) for r in content.relationships for d in (r.there, r.back)]
    return environment.from_string(source).render(
        page=content,
        over_time=over_time,
        weeks=weeks,
        in_short=[d for _, d in ways if d.short],
        alarms=[(r, d, a) for r, d in ways for a in d.alarms],
        shared=sorted(
            (d for _, d in ways if d.score is not None), key=lambda d: (-(d.score or 0), d.sender)
        ),
    )


def _drawn(chart: Callable[..., str]) -> Callable[..., Markup]:
    """A chart as markup: it is made here, and escapes what partners wrote itself."""
    return lambda *values: Markup(chart(*values))  # noqa: S704


def write(content: Content, path: Path) -> Path:
    """Write the page, replacing one that is there; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(content), encoding="utf-8")
    return path


def _score(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0f}"


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.0f} %"


def _bits(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"
