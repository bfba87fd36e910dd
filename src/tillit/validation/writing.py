"""What was told, traded and said, as the rows of each kind. Pure.

Columns are those of the kinds' contracts. Cut-offs: plans and stocks before the week that they are
about; what is a fact (orders, promises, deliveries) a day after its week has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tillit.validation.agreed import HOURS, agreements, names_of
from tillit.validation.demand import Demand
from tillit.validation.histories import Arrived, History, joined, table
from tillit.validation.nature import COLUMNS, DIRECTIONS
from tillit.validation.told import Told
from tillit.validation.trade import Trade
from tillit.validation.voice import Voice, phrase
from tillit.validation.world import START, World

__all__ = ["Scene", "instant", "prefix", "write_down"]


@dataclass(frozen=True)
class Scene:
    """Everything about one world that is written down."""

    world: World
    demand: Demand
    trade: Trade
    told: Told
    voice: Voice


def write_down(scene: Scene) -> History:
    """The tables of all kinds, with their arrivals and the agreements that they flow under."""
    arrived = Arrived()
    tables = {
        **_plans(scene, arrived),
        **_facts(scene, arrived),
        **_words(scene, arrived),
    }
    published = START + 7 * np.arange(scene.world.weeks)
    return History(
        tables=tables,
        arrivals=arrived.all(),
        agreements=agreements(scene.world),
        public=table(
            # Known on the Friday of the week after: in time for the week after that.
            published_on=published + 11,
            period_start=published,
            value=np.round(100.0 + 10.0 * scene.demand.public, 3),
        ),
    )


# ---- plans and stocks ---------------------------------------------------------------------------


def _plans(scene: Scene, arrived: Arrived) -> dict[str, pa.Table]:
    parts: dict[str, list[pa.Table]] = {}
    for direction, kind in scene.told.delay:
        rows = _plan(scene, arrived, direction, kind)
        if rows is not None:
            parts.setdefault(kind, []).append(rows)
    return {kind: pa.concat_tables(rows) for kind, rows in parts.items()}


def _plan(scene: Scene, arrived: Arrived, direction: str, kind: str) -> pa.Table | None:
    """What is said of keys and weeks: a shipment a week, with every vintage that is due in it."""
    columns = [c for c in COLUMNS if (c.direction, c.kind) == (direction, kind)]
    values = np.stack([scene.told.values[c] for c in columns])
    vintage, key, week = np.nonzero(np.isfinite(values).any(axis=0))
    issued = week - vintage
    there = issued >= 0
    vintage, key, week, issued = (part[there] for part in (vintage, key, week, issued))
    if not key.size:
        return None
    owner = scene.world.owner[key]
    delay = scene.told.delay[direction, kind][owner, issued]
    cut_off = instant(7 * issued, -HOURS[kind])
    at = cut_off + _hours(delay)
    rows = table(
        **prefix(scene, owner, direction, kind, issued, at - _hours(1.0)),
        **_plan_key(kind, direction, key, week),
        **{c.name: values[number, vintage, key, week] for number, c in enumerate(columns)},
        unit="C62",
    )
    if kind == "demand_forecast":
        firm = np.where(vintage == 0, "production", "planning")
        rows = rows.append_column("commitment", pa.array(firm))
    arrived.add(rows, at, cut_off)
    return rows


def _plan_key(
    kind: str, direction: str, key: NDArray[np.int64], week: NDArray[np.int64]
) -> dict[str, Any]:
    day = START + 7 * week
    item = {"item_id": joined("item-", key)}
    if kind == "demand_forecast":
        return {**item, "ship_to": "main", "period_start": day, "period": "week"}
    if kind == "production_plan":
        return {**item, "site_id": "works", "period_start": day}
    side = {"b2s": ("main", "inbound"), "s2b": ("works", "outbound")}[direction]
    return {**item, "site_id": side[0], "as_of": day, "direction": side[1], "blocked": False}


# ---- facts --------------------------------------------------------------------------------------


def _facts(scene: Scene, arrived: Arrived) -> dict[str, pa.Table]:
    trade, weeks = scene.trade, scene.world.weeks
    owner = scene.world.owner[trade.key]
    line = {"order_id": joined("PO-", trade.week, "-", trade.key), "line": trade.line}
    rows = {
        "order": table(
            **prefix(scene, owner, "b2s", "order", trade.week, instant(7 * trade.week, 18.0)),
            **line,
            item_id=joined("item-", trade.key),
            quantity=trade.ordered,
            unit="C62",
            ordered_on=START + 7 * trade.week,
            requested_date=START + 7 * trade.week + 3,
            ship_to="main",
            unit_price=trade.price,
            currency="EUR",
            status="placed",
        ),
        "delivery_commitment": table(
            **prefix(
                scene,
                owner,
                "s2b",
                "delivery_commitment",
                trade.week,
                instant(7 * trade.week + 1, 12.0),
            ),
            **line,
            commitment_no=1,
            promised_date=START + trade.promised_day,
            promised_quantity=trade.ordered,
            unit="C62",
            status="confirmed",
        ).filter(pa.array(trade.committed)),
    }
    came = trade.arrived_day // 7
    rows["delivery"] = table(
        **prefix(scene, owner, "s2b", "delivery", came, instant(7 * came + 5, 12.0)),
        delivery_id=joined("DN-", trade.week, "-", trade.key, "-", trade.line),
        **line,
        item_id=joined("item-", trade.key),
        shipped_on=START + trade.arrived_day - 1,
        arrived_on=START + trade.arrived_day,
        quantity=trade.shipped,
        accepted_quantity=trade.accepted,
        unit="C62",
    ).filter(pa.array(came < weeks))
    rows = {kind: _batched(scene.world, facts) for kind, facts in rows.items()}
    for kind, facts in rows.items():
        issued = facts["issued_at"].to_numpy().astype("datetime64[us]")
        monday = START.astype("datetime64[us]") + 7 * _DAY * ((issued - START) // (7 * _DAY))
        arrived.add(facts, issued + _hours(0.5), monday + _hours(-HOURS[kind]))
    return rows


def _batched(world: World, facts: pa.Table) -> pa.Table:
    """One message a week, or one an item, or one a line, as the relationship is used to."""
    owner = pc.index_in(facts["relationship_id"], value_set=names_of(world)).to_numpy()
    style = world.batching[owner]
    item = joined(facts["shipment_id"], "/", facts["order_id"])
    line = joined(item, "/", facts["line"])
    ids = pc.if_else(style == 0, facts["shipment_id"], pc.if_else(style == 1, item, line))
    return facts.set_column(facts.column_names.index("shipment_id"), "shipment_id", ids)


# ---- words --------------------------------------------------------------------------------------


def _words(scene: Scene, arrived: Arrived) -> dict[str, pa.Table]:
    end = 7 * scene.world.weeks
    tables = {
        "complaint": _complaints(scene, end),
        "design_idea": _ideas(scene, 1, "design_idea", end),
        "process_idea": _ideas(scene, 0, "process_idea", end),
        "interaction": _interactions(scene, end),
    }
    for rows in tables.values():
        at = rows["issued_at"].to_numpy().astype("datetime64[us]")
        arrived.add(rows, at + _hours(0.5), at + _hours(48.0))
    return tables


def _complaints(scene: Scene, end: int) -> pa.Table:
    said, trade = scene.voice.complaints, scene.trade
    about, owner = said.about, scene.world.owner[trade.key[said.about]]
    late = trade.arrived_day[about] > trade.promised_day[about]
    short = trade.shipped[about] < trade.ordered[about]
    shared = {
        "complaint_id": joined("C-", about),
        "subject_ref": joined(
            "delivery:DN-", trade.week[about], "-", trade.key[about], "-", trade.line[about],
            "/PO-", trade.week[about], "-", trade.key[about], "/", trade.line[about],
        ),
        "category": np.where(late, "late", np.where(short, "short", "defective")),
        "severity": "medium",
        "raised_on": START + said.raised_day,
    }  # fmt: skip
    number = np.arange(about.size)
    raised = table(
        **prefix(scene, owner, "b2s", "complaint", number, instant(said.raised_day, 17.0)),
        **shared,
        status_no=1,
        text="not as promised",
        status="raised",
        answered_on=_no_day(about.size),
        answer=_no_text(about.size),
    )
    answered = table(
        **prefix(scene, owner, "s2b", "complaint", number, instant(said.answered_day, 17.0)),
        **shared,
        status_no=2,
        text=_no_text(about.size),
        status="answered",
        answered_on=START + said.answered_day,
        answer="cause found, will be mended",
    )
    return _until(end, (raised, said.raised_day), (answered, said.answered_day))


def _ideas(scene: Scene, number: int, kind: str, end: int) -> pa.Table:
    ideas = scene.voice.ideas
    mine = ideas.direction == number
    owner, offered, decided = ideas.owner[mine], ideas.offered_day[mine], ideas.decided_day[mine]
    there, back = DIRECTIONS[number], DIRECTIONS[1 - number]
    count = np.arange(owner.size)
    texts = pa.array(phrase(ideas.words[mine]), pa.string())
    shared = {
        "idea_id": joined("I-", count),
        "about": "component" if kind == "design_idea" else "production",
        "title": texts,
        "text": texts,
        "offered_on": START + offered,
    }
    first = table(
        **prefix(scene, owner, there, kind, count, instant(offered, 17.0)),
        **shared,
        status_no=1,
        status="offered",
        answered_on=_no_day(owner.size),
        answer=_no_text(owner.size),
    )
    second = table(
        **prefix(scene, owner, back, kind, count, instant(decided, 17.0)),
        **shared,
        status_no=2,
        status=np.where(ideas.accepted[mine], "accepted", "rejected"),
        answered_on=START + decided,
        answer="looked at by those who would have to do it",
    )
    return _until(end, (first, offered), (second, decided))


def _interactions(scene: Scene, end: int) -> pa.Table:
    met = scene.voice.meetings
    parts = []
    for direction in DIRECTIONS:
        number = np.arange(met.owner.size)
        rows = table(
            **prefix(scene, met.owner, direction, "interaction", number, instant(met.day, 18.0)),
            interaction_id=joined("M-", number),
            held_on=START + met.day,
            minutes=met.minutes,
            people=met.people,
            channel="visit",
            purpose=np.where(met.transactional, "price", "improvement"),
        )
        parts.append((rows, met.day))
    return _until(end, *parts)


# ---- common -------------------------------------------------------------------------------------

_DAY = np.timedelta64(1, "D").astype("timedelta64[us]")


def prefix(
    scene: Scene, owner: NDArray[Any], flow: str, kind: str, shipment: Any, issued: Any
) -> dict[str, Any]:
    """The columns that come before a kind's own, of rows that these relationships send."""
    names = names_of(scene.world).take(pa.array(owner))
    return {
        "relationship_id": names,
        "flow": flow,
        "agreement_id": joined(flow, "/", kind + "/", owner),
        "shipment_id": joined(kind + "/", owner, "/" + flow + "/", shipment),
        "issued_at": issued,
    }


def instant(day: Any, hours: float) -> Any:
    """The time so many hours after the beginning of a day that counts from the first Monday."""
    return (START + np.asarray(day)).astype("datetime64[us]") + _hours(hours)


def _hours(hours: Any) -> Any:
    return np.round(np.asarray(hours) * 3600.0).astype("timedelta64[s]").astype("timedelta64[us]")


def _no_day(count: int) -> pa.Array:
    return pa.nulls(count, pa.date32())


def _no_text(count: int) -> pa.Array:
    return pa.nulls(count, pa.string())


def _until(end: int, *parts: tuple[pa.Table, NDArray[np.int64]]) -> pa.Table:
    """The rows of days that were and are not after the end of the history."""
    return pa.concat_tables(
        [
            rows.filter(pa.array((day >= 0) & (day < end))).select(parts[0][0].column_names)
            for rows, day in parts
        ]
    )
