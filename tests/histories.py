"""A history as a folder of Parquet files: one relationship, or some, written from plain figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
Row = dict[str, Any]

# Column, whether of the key, classification.
COLUMNS = {
    ("b2s", "demand_forecast"): [("item_id", True, 2), ("quantity", False, 3)],
    ("b2s", "order"): [("order_id", True, 2), ("quantity", False, 2)],
    ("b2s", "complaint"): [("complaint_id", True, 2), ("text", False, 3)],
    ("b2s", "design_idea"): [("idea_id", True, 2), ("text", False, 4)],
    ("s2b", "delivery_commitment"): [
        ("order_id", True, 2),
        ("promised_date", False, 2),
        ("promised_quantity", False, 2),
    ],
    ("s2b", "delivery"): [("delivery_id", True, 2), ("quantity", False, 2)],
    ("s2b", "design_idea"): [("idea_id", True, 2), ("text", False, 4)],
}
HOURS = {"demand_forecast": 24.0}


@dataclass
class Told:
    """Rows of each file, to be changed at will before they are written."""

    tables: dict[str, list[Row]] = field(default_factory=dict)

    def send(
        self,
        relationship: str,
        flow: str,
        kind: str,
        shipment: str,
        rows: Iterable[Row],
        *,
        arrived: datetime,
        cut_off: datetime | None = None,
    ) -> None:
        """One shipment, and its arrival."""
        agreement = f"{relationship}.{flow}.{kind}"
        ids = {"relationship_id": relationship, "agreement_id": agreement, "shipment_id": shipment}
        found = [{**ids, "flow": flow, "issued_at": arrived, **row} for row in rows]
        self.tables.setdefault(kind, []).extend(found)
        self.tables.setdefault("arrivals", []).append(
            {
                **ids,
                "direction": flow,
                "kind": kind,
                "rows": len(found),
                "arrived_at": arrived,
                "cut_off_at": cut_off,
            }
        )

    def agree(self, relationship: str) -> None:
        """Every column of COLUMNS is permitted."""
        for (flow, kind), columns in COLUMNS.items():
            for name, is_key, level in columns:
                self.tables.setdefault("agreements", []).append(
                    {
                        "agreement_id": f"{relationship}.{flow}.{kind}",
                        "relationship_id": relationship,
                        "direction": flow,
                        "sender_id": "nordvik" if flow == "b2s" else relationship,
                        "receiver_id": relationship if flow == "b2s" else "nordvik",
                        "kind": kind,
                        "column_name": name,
                        "is_key": is_key,
                        "permitted": True,
                        "classification": level,
                        "cadence": "week",
                        "cut_off": "before the period",
                        "cut_off_hours": HOURS.get(kind, -192.0),
                    }
                )

    def write(self, folder: Path) -> Path:
        """Write every table that has rows."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
        return folder


def history(
    relationship: str = "fjordstal",
    *,
    weeks: int = 70,
    items: int = 2,
    noise: float = 15.0,
    seed: int = 1,
    told: Told | None = None,
    forecast: Callable[[int, int, float], float | None] | None = None,
    arrived: timedelta = -2 * DAY,
) -> Told:
    """A buyer that forecasts and orders, and a supplier that promises and delivers.

    ``forecast`` is told item, week and the quantity that will be ordered; the forecast of a week
    arrives so long after it begins, and is due a day before.
    """
    rng = np.random.default_rng(seed)
    found = told or Told()
    found.agree(relationship)
    send = found.send
    level = np.zeros(items)
    for week in range(weeks):
        start = MONDAY + week * WEEK
        level = 0.6 * level + rng.normal(0, 30, items)
        quantity = np.round(300 + level)
        said = np.round(quantity + rng.normal(0, noise, items))
        late = np.where(rng.random(items) < 0.2, 5, 0)
        guesses = [
            float(said[i]) if forecast is None else forecast(i, week, float(quantity[i]))
            for i in range(items)
        ]
        send(
            *(relationship, "b2s", "demand_forecast", f"F-{week}"),
            [
                {"item_id": f"item-{i}", "period_start": start.date(), "quantity": guess}
                for i, guess in enumerate(guesses)
                if guess is not None
            ],
            arrived=start + arrived,
            cut_off=start - DAY,
        )
        lines = [{"order_id": f"PO-{week}", "line": i + 1} for i in range(items)]
        wanted = (start + 3 * DAY).date()
        send(
            *(relationship, "b2s", "order", f"O-{week}"),
            [
                {**line, "item_id": f"item-{i}", "quantity": quantity[i], "requested_date": wanted}
                for i, line in enumerate(lines)
            ],
            arrived=start + DAY,
        )
        send(
            *(relationship, "s2b", "delivery_commitment", f"P-{week}"),
            [
                {
                    **line,
                    "commitment_no": 1,
                    "promised_date": wanted,
                    "promised_quantity": quantity[i],
                }
                for i, line in enumerate(lines)
            ],
            arrived=start + 2 * DAY,
        )
        send(
            *(relationship, "s2b", "delivery", f"D-{week}"),
            [
                {
                    **line,
                    "delivery_id": f"DN-{week}-{i}",
                    "arrived_on": (start + (3 + int(late[i])) * DAY).date(),
                    "quantity": quantity[i],
                }
                for i, line in enumerate(lines)
            ],
            arrived=start + 9 * DAY,
        )
        complaints = [
            {
                "complaint_id": f"C-{week}-{i}",
                "status_no": 1,
                "subject_ref": f"DN-{week}-{i}",
                "text": f"{week} came {late[i]} days after what was promised",
            }
            for i in range(items)
            if late[i]
        ]
        if complaints:
            send(
                relationship, "b2s", "complaint", f"C-{week}", complaints, arrived=start + 10 * DAY
            )
        if week % 8 == 0:
            for flow in ("b2s", "s2b"):
                idea = {
                    "idea_id": f"{flow}-{week}",
                    "text": f"{flow} {week}: a thinner wall",
                }
                for number, status in ((1, "offered"), (2, "accepted")):
                    send(
                        *(relationship, flow, "design_idea", f"I-{week}-{number}"),
                        [{**idea, "status_no": number, "status": status}],
                        arrived=start + number * DAY,
                    )
    return found
