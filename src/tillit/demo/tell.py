"""What a play showed: lines for a terminal, values for a machine, content for a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tillit.demo.run import Played
from tillit.report.compose import compose
from tillit.report.content import Content, Direction

__all__ = ["content", "lines", "summary"]

_SHOWN_REFUSALS = 12


def content(played: Played) -> Content:
    """The page about all relationships, each as both sides measure it."""
    world = played.world
    names = {partner.id: partner.name for partner in world.parties}
    audits = played.audits.values()
    page = compose(
        title=_title(played),
        measures=played.measures,
        pairs=_pairs(played),
        names=names,
        stories={fact.who: fact.what for fact in world.story},
        refused=[
            {**row, "sender": names[row["sender"]], "receiver": names[row["receiver"]]}
            for row in played.refused
        ],
        facts=[
            ("shipments", f"{played.counts['published shipments']:,}"),
            ("rows landed", f"{played.counts['received rows']:,}"),
            ("statements in all ledgers", f"{sum(a['statements'] for a in audits):,}"),
            ("contradictions", str(sum(len(a["findings"]) for a in audits))),
        ],
    )
    return replace(page, agreements=tuple(_agreements(played, names)))


def _agreements(played: Played, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """What became of agreements, a date and a sentence each, once though both sides have it."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for changes in played.agreements.values():
        for change in changes:
            key = change["agreement"], change["version"], change["what"]
            if key not in found or change["at"] < found[key]["at"]:
                found[key] = change
    ordered = sorted(found.values(), key=lambda change: (change["at"], change["agreement"]))
    return [(change["at"][:10], _sentence(played, change, names)) for change in ordered]


def _sentence(played: Played, change: Mapping[str, Any], names: Mapping[str, str]) -> str:
    way = f"{change['kind']}, {names[change['provider']]} to {names[change['consumer']]}"
    by, what = names[change["by"]], "; ".join(change["changes"])
    version, reason = change["version"], change["reason"]
    match change["what"]:
        case "amended":
            return f"{way}: {by} proposed version {version}, and both have signed it: {what}"
        case "declined":
            return f"{way}: {by} declined version {version} ({what}): {reason}"
    tried = played.counts["published revoked"]
    after = f" Publications refused since: {tried}." if tried else ""
    return f"{way}: {by} revoked it: {reason}{after}"


def _title(played: Played) -> str:
    if played.world.name == "simulated":
        return f"{played.world.parties[0].name} and its suppliers"
    return "Real forecasts and deliveries"


def _pairs(played: Played) -> list[tuple[str, str]]:
    """Buyer and supplier of each relationship, once: whoever sends orders or gets them first."""
    found: dict[frozenset[str], tuple[str, str]] = {}
    for want in played.world.wants:
        pair = frozenset({want.provider, want.consumer})
        buys = want.kind in {"order", "demand_forecast"}
        way = (want.provider, want.consumer) if buys else (want.consumer, want.provider)
        if pair not in found or want.kind == "order":
            found[pair] = way
    return list(found.values())


def lines(played: Played) -> Iterator[str]:
    """The table of relationships, what was refused and why, and what the auditor says."""
    page = content(played)
    yield ""
    yield f"{'relationship':<34}{'score':>6}{'there':>7}{'back':>6}   I P C D there / back"
    for r in page.relationships:
        yield (
            f"{r.name:<34}{_score(r.score):>6}{_score(r.there.score):>7}{_score(r.back.score):>6}"
            f"   {_parts(r.there)} / {_parts(r.back)}"
        )
        if r.story:
            yield f"    planted: {r.story}"
        for way in (r.there, r.back):
            yield f"    {way.sender} to {way.receiver} {way.short}"
            yield from (f"    alarm: {mark.says}" for mark in way.alarms if mark.told)
    if page.agreements:
        yield ""
        yield "agreements that changed, or did not"
        for day, sentence in page.agreements:
            yield f"    {day}  {sentence}"
    yield ""
    yield "refused, with the reason (rows, stopped where, from and to, kind, rule)"
    for row in page.refused[:_SHOWN_REFUSALS]:
        yield (
            f"{row.rows:>7}  {row.where:<9} {row.sender} to {row.receiver}, {row.kind}, "
            f"{row.rule}: {row.reason}"
        )
    if len(page.refused) > _SHOWN_REFUSALS:
        yield f"         and {len(page.refused) - _SHOWN_REFUSALS} more in the report"
    yield ""
    statements = sum(audit["statements"] for audit in played.audits.values())
    findings = sum(len(audit["findings"]) for audit in played.audits.values())
    yield (
        f"{played.counts['published shipments']:,} shipments, "
        f"{played.counts['received rows']:,} rows landed, {statements:,} statements in "
        f"{len(played.audits)} ledgers, "
        + ("every signature and link holds" if not findings else f"{findings} CONTRADICTIONS")
    )
    if played.dags:
        runs = [state for states in played.dags.values() for state in states.values()]
        yield f"last week by Airflow: {len(runs)} DAGs, {runs.count('success')} succeeded"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _parts(direction: Direction) -> str:
    values = (direction.information, direction.promises, direction.candour, direction.ideas)
    return " ".join(" - " if value is None else f"{value:.2f}" for value in values)


def summary(played: Played, *, report: Path) -> dict[str, Any]:
    """Everything for a machine."""
    page = content(played)
    return {
        "world": played.world.name,
        "relationships": [
            {
                "buyer": r.buyer,
                "supplier": r.supplier,
                "score": r.score,
                "there": r.there.score,
                "back": r.back.score,
                "story": r.story,
            }
            for r in page.relationships
        ],
        "counts": dict(sorted(played.counts.items())),
        "refused": played.refused,
        "agreements": played.agreements,
        "measures": played.measures,
        "audits": played.audits,
        "dags": played.dags,
        "left_out": dict(played.world.left_out),
        "report": str(report),
    }
