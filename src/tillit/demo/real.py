"""Worlds of real data: who exchanged what with whom, and when it could be known. I/O: reads files.

FluSight 2023-24: twelve forecasting teams send their forecasts to a hub every week; the hub sees
the hospital admissions themselves, each as they were known at the time. USAID SCMS: a buyer sends
orders to vendors, they promise and deliver. The two share no party and no week.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tillit import places
from tillit.demo.model import OWN, Partner, Step, Want, World
from tillit.demo.real_files import FLUSIGHT, SCMS, STOCK, party_ids, reader, teams, vendors
from tillit.demo.world_tables import BOOKKEEPING, PLANTED, SCHEMAS
from tillit.model import Every

__all__ = ["flusight_world", "real_world", "scms_world"]

HUB = Partner("hub", "FluSight hub")
BUYER = Partner("scms", "USAID SCMS")
STOCK_PARTY = Partner("scms-rdc", "SCMS regional stock")
OTHERS = "other-vendors"

# A team's forecast of a week is due on that week's Thursday, 00:00: an hour after it was submitted.
_FLUSIGHT_CUT_OFF = -72.0
# As in the simulated world: a month's shipment is due 31 days after the month began.
_MONTHLY = -31 * 24.0
_SHIPPING_DAY = 28
"""The day on which SCMS parties send: there is one in every month."""


def real_world(folder: Path, *, largest: int = 8, months: int = 3) -> World:
    """Both worlds as one, one clock after the other; see `flusight_world` and `scms_world`."""
    return _joined(
        "real", (scms_world(folder, largest=largest, months=months), flusight_world(folder))
    )


def flusight_world(folder: Path) -> World:
    """The season's forecasts, week by week; UsageError when a file is missing.

    The SQL that teams send with is their own: a hindcast (of the week before) leaves too, and a
    week without submission sends nothing, instead of the last submission once more.
    """
    ids = party_ids(teams(folder), taken=[HUB.id])
    with reader(folder, FLUSIGHT) as files:
        forecasts = files.query("flusight_demand_forecast")
        seen = files.query("flusight_own_order")
    contents: dict[str, dict[str, pa.Table]] = {
        party: {"demand_forecast": _typed(_where(forecasts, "model", name), "demand_forecast")}
        for name, party in ids.items()
    }
    # The admissions concern every team alike, so the hub's record of them names each.
    own = [seen.append_column("partner", pa.array([party] * len(seen))) for party in ids.values()]
    contents[HUB.id] = {OWN + "order": _typed(pa.concat_tables(own), "order")}
    wants = tuple(
        Want(party, HUB.id, "demand_forecast", Every.WEEK, _FLUSIGHT_CUT_OFF, "public-health")
        for party in ids.values()
    )
    days = sorted({when.date() for when in forecasts["recorded_at"].to_pylist()})
    clock = [datetime(d.year, d.month, d.day, 23, 30, tzinfo=UTC) for d in days]
    sql = places.transforms() / "real" / "outbound" / "demand_forecast.sql"
    return World(
        name="flusight",
        parties=(HUB, *(Partner(party, name) for name, party in ids.items())),
        wants=wants,
        steps=_steps(wants, contents, clock),
        contents=contents,
        planted=PLANTED.empty_table(),
        outbound={party: {"demand_forecast": sql} for party in ids.values()},
        names=_names(ids),
    )


def scms_world(folder: Path, *, largest: int = 8, months: int = 3) -> World:
    """Orders, promises and deliveries of the ``largest`` vendors, and of all others as one party.

    All of them send every ``months`` months. Lines from stock are ordered from a party of their
    own, which refuses every one: they carry no day of order. Nobody promised or delivered them, so
    those two are left out and counted. Raises UsageError when the file is missing.
    """
    counted = [(name, count) for name, count in vendors(folder) if name != STOCK]
    ids = party_ids(
        (name for name, _ in counted[:largest]), taken=(BUYER.id, STOCK_PARTY.id, OTHERS)
    )
    party_of = {name: ids.get(name, OTHERS) for name, _ in counted} | {STOCK: STOCK_PARTY.id}
    contents, stock = _scms_tables(folder, party_of)
    suppliers = [*ids.values(), *([OTHERS] if len(counted) > len(ids) else [])]
    wants = [Want(BUYER.id, STOCK_PARTY.id, "order", Every.MONTH, _MONTHLY, "order-fulfilment")]
    for party in suppliers:
        wants += [
            Want(BUYER.id, party, "order", Every.MONTH, _MONTHLY, "order-fulfilment"),
            Want(party, BUYER.id, "delivery_commitment", Every.MONTH, _MONTHLY, "planning"),
            Want(party, BUYER.id, "delivery", Every.MONTH, _MONTHLY, "goods-receipt"),
        ]
    known = [when for tables in contents.values() for when in _instants(tables.values())]
    called = {party: name for name, party in ids.items()}
    called[OTHERS] = f"{len(counted) - len(ids)} smaller vendors"
    return World(
        name="scms",
        parties=(BUYER, STOCK_PARTY, *(Partner(party, called[party]) for party in suppliers)),
        wants=tuple(wants),
        steps=_steps(wants, contents, _shipping_days(min(known), max(known), months)),
        contents=contents,
        planted=PLANTED.empty_table(),
        names=_names(party_of),
        left_out={
            f"delivery_commitment: {STOCK} is stock, not a supplier": stock,
            f"delivery: {STOCK} is stock, not a supplier": stock,
        },
    )


def _scms_tables(
    folder: Path, party_of: Mapping[str, str]
) -> tuple[dict[str, dict[str, pa.Table]], int]:
    """Each party's tables, and the number of lines that come from stock."""
    mapping = pa.table(
        {
            "name": list(party_of),
            "party": list(party_of.values()),
            "is_stock": [name == STOCK for name in party_of],
        }
    )
    with reader(folder, SCMS) as file:
        file.give("vendor_party", mapping)
        file.query("scms_line")
        file.query("scms_item")
        orders = file.query("scms_order")
        promised = file.query("scms_delivery_commitment")
        delivered = file.query("scms_delivery")
        own_orders = _typed(file.query("scms_own_order"), "order")
        own_deliveries = _typed(file.query("scms_own_delivery"), "delivery")
    contents: dict[str, dict[str, pa.Table]] = {
        party: {
            "delivery_commitment": _as_text(
                _where(promised, "party", party), "delivery_commitment"
            ),
            "delivery": _as_text(_where(delivered, "party", party), "delivery"),
        }
        for party in sorted(set(party_of.values()) - {STOCK_PARTY.id})
    }
    contents[STOCK_PARTY.id] = {}
    contents[BUYER.id] = {
        "order": _as_text(orders, "order"),
        OWN + "order": own_orders,
        OWN + "delivery": own_deliveries,
    }
    return contents, len(_where(orders, "partner", STOCK_PARTY.id))


def _where(table: pa.Table, column: str, value: str) -> pa.Table:
    return table.filter(pc.equal(table[column], value))


def _typed(table: pa.Table, kind: str) -> pa.Table:
    return table.select(SCHEMAS[kind].names).cast(SCHEMAS[kind])


def _as_text(table: pa.Table, kind: str) -> pa.Table:
    """The kind's columns as text, but for what the exchange itself reads."""
    kept = dict(BOOKKEEPING)
    schema = pa.schema([(name, kept.get(name, pa.string())) for name in SCHEMAS[kind].names])
    return table.select(schema.names).cast(schema)


def _instants(tables: Iterable[pa.Table]) -> list[datetime]:
    return [when for table in tables for when in table["recorded_at"].unique().to_pylist()]


def _shipping_days(first: datetime, last: datetime, months: int) -> list[datetime]:
    """Evenings of every ``months``-th month's shipping day, until all is known."""
    found: list[datetime] = []
    month = first.year * 12 + first.month - 1
    while not found or found[-1] <= last:
        month += months
        found.append(datetime(month // 12, month % 12 + 1, _SHIPPING_DAY, 18, tzinfo=UTC))
    return found


def _steps(
    wants: Iterable[Want],
    contents: Mapping[str, Mapping[str, pa.Table]],
    clock: Iterable[datetime],
) -> tuple[Step, ...]:
    """A step at each time of the clock, with the wants that have anything new to say by then."""
    news: dict[Want, list[datetime]] = {}
    for want in wants:
        table = _where(contents[want.provider][want.kind], "partner", want.consumer)
        news[want] = sorted(_instants([table]))
    since = datetime.min.replace(tzinfo=UTC)
    found: list[Step] = []
    for now in clock:
        due = tuple(w for w, times in news.items() if any(since <= when < now for when in times))
        found.append(Step(now, now + timedelta(minutes=15), due))
        since = now
    return tuple(found)


def _names(party_of: Mapping[str, str]) -> pa.Table:
    """Who is behind each party's id."""
    pairs = sorted((party, name) for name, party in party_of.items())
    return pa.table({"party": [p for p, _ in pairs], "name": [n for _, n in pairs]})


def _joined(name: str, worlds: Iterable[World]) -> World:
    some = tuple(worlds)
    tables = [world.names for world in some if world.names is not None]
    return World(
        name=name,
        parties=tuple(party for world in some for party in world.parties),
        wants=tuple(want for world in some for want in world.wants),
        steps=tuple(sorted((s for w in some for s in w.steps), key=lambda step: step.now)),
        contents={party: tables for world in some for party, tables in world.contents.items()},
        planted=PLANTED.empty_table(),
        outbound={party: sql for world in some for party, sql in world.outbound.items()},
        names=pa.concat_tables(tables),
        left_out={why: rows for world in some for why, rows in world.left_out.items()},
    )
