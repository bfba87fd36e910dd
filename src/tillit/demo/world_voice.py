"""What the partners of the simulated world say of each other's work: complaints, ideas. Pure.

Both are event histories: whoever raises it writes status 1, the other side answers under the same
number with further rows of its own. Once it is quiet nothing new is raised, and what is open stays
unanswered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from tillit.demo.world_cast import BUYER, Character, Item
from tillit.demo.world_clock import EPOCH, instant, monday, workday
from tillit.demo.world_demand import Row
from tillit.demo.world_supply import Fate

__all__ = ["Voices", "complaints", "ideas"]

_CATEGORY = {"late": "late", "short": "short", "rejected": "defective"}
_WORDS = {
    "late": "{note} with {item} came {days} working days late; the line stood still.",
    "short": "{note}: {missing} of {item} are missing.",
    "rejected": "{note}: {missing} of {item} rejected at goods receipt.",
    "broken": "{note}: {missing} of {item} fewer than you had promised.",
}
_ANSWERS = (
    "Cause found in our planning; an extra shift is set up from next week.",
    "Tool repaired, first parts measured and released.",
    "Sorted at our cost; control plan extended by this dimension.",
    "We deliver the rest with the next truck.",
)
_GRUMBLES = (
    ("documents", "The drawing of {item} was changed without a new revision letter."),
    ("documents", "Order for {item} was changed by telephone; please send it in writing."),
    ("other", "Empty racks for {item} have not come back for two weeks."),
    ("price", "Invoice for {item} is paid eleven days after the agreed day."),
    ("service", "The dock was closed when our truck with {item} arrived."),
)
_IDEAS = (
    (
        "component",
        "Two variants of {item} into one",
        "Same interface, one tool less to change.",
        90,
    ),
    (
        "component",
        "Ribs instead of wall thickness on {item}",
        "8 % less mass, same stiffness.",
        140,
    ),
    ("material", "Recycled feedstock for {item}", "Properties proven on 200 trial parts.", 60),
    ("material", "Other surface treatment of {item}", "One bath less, no chromium.", 75),
    (
        "manufacturing",
        "Wider tolerance on {item}, bore",
        "Saves a pass; function not touched.",
        110,
    ),
    ("manufacturing", "Pre-assemble {item} at the supplier", "Nine minutes less at the line.", 180),
    ("manufacturing", "Returnable racks for {item}", "No cardboard, less transport damage.", 45),
)
_QUIET_ANSWERS = 0.15


@dataclass
class Voices:
    """Rows by the party that writes them."""

    buyer: list[Row] = field(default_factory=list)
    supplier: list[Row] = field(default_factory=list)

    def add(self, writer: str, about: Character, row: Row, when: date, hour: float) -> None:
        """Keep a row with the partner that it is for and the moment it was written."""
        mine, partner = (self.buyer, about.id) if writer == BUYER.id else (self.supplier, BUYER.id)
        days = (workday(when) - EPOCH.date()).days
        mine.append({**row, "partner": partner, "recorded_at": instant(0, days, hour)})


def complaints(
    supplier: Character,
    drawn: list[Fate],
    weeks: int,
    quiet_from: int | None,
    rng: np.random.Generator,
) -> Voices:
    """The buyer's complaints about troubles suffered, the supplier's about the buyer."""
    voices = Voices()
    number = 0
    quiet_day = None if quiet_from is None else monday(quiet_from)
    for fate in drawn:
        trouble = fate.trouble
        missing = int(fate.line.row["quantity"]) - fate.accepted
        if trouble == "none" and missing > 0.1 * int(fate.line.row["quantity"]):
            trouble = "broken"
        now = supplier.in_week(fate.line.week, weeks // 2)
        said = rng.random() < now.complaint_rate
        raised = workday(fate.arrived_on + timedelta(days=int(rng.integers(0, 3))))
        if trouble == "none" or not said or _at_or_after(raised, quiet_day):
            continue
        number += 1
        order = fate.line.row
        words = _WORDS[trouble].format(
            note=fate.delivery_id,
            item=fate.line.item.name,
            days=(fate.arrived_on - order["requested_date"]).days,
            missing=missing,
        )
        row: Row = {
            "complaint_id": f"C-{BUYER.id}-{supplier.id}-{number:03d}",
            "subject_ref": f"delivery:{fate.delivery_id}/{order['order_id']}/{order['line']}",
            "item_id": order["item_id"],
            "category": _CATEGORY.get(trouble, "short"),
            "severity": _severity(missing / int(order["quantity"]), trouble),
            "text": words,
        }
        _discuss(voices, supplier, BUYER.id, row, raised, quiet_day, rng)
    _grumble(voices, supplier, weeks, quiet_day, rng)
    return voices


def _severity(share: float, trouble: str) -> str:
    if trouble == "late":
        return "high"
    return "critical" if share > 0.4 else "high" if share > 0.25 else "medium"


def _grumble(
    voices: Voices,
    supplier: Character,
    weeks: int,
    quiet_day: date | None,
    rng: np.random.Generator,
) -> None:
    number = 0
    for week in range(weeks):
        count = int(rng.poisson(supplier.grumbles))
        for _ in range(count):
            item = _pick(supplier, rng)
            category, words = _GRUMBLES[int(rng.integers(len(_GRUMBLES)))]
            day = monday(week) + timedelta(days=int(rng.integers(0, 5)))
            if _at_or_after(day, quiet_day):
                continue
            number += 1
            row: Row = {
                "complaint_id": f"C-{supplier.id}-{number:03d}",
                "subject_ref": None,
                "item_id": item.id,
                "category": category,
                "severity": "low" if category == "documents" else "medium",
                "text": words.format(item=item.name),
            }
            _discuss(voices, supplier, supplier.id, row, day, quiet_day, rng)


def _discuss(
    voices: Voices,
    supplier: Character,
    raiser: str,
    row: Row,
    raised: date,
    quiet_day: date | None,
    rng: np.random.Generator,
) -> None:
    """Raised, answered by the other side, closed by who raised it."""
    other = supplier.id if raiser == BUYER.id else BUYER.id
    row = {**row, "raised_on": raised}
    answered = workday(raised + timedelta(days=int(rng.integers(2, 12))))
    closed = workday(answered + timedelta(days=int(rng.integers(5, 15))))
    willing = rng.random() < (_QUIET_ANSWERS if _at_or_after(answered, quiet_day) else 0.95)
    answer = _ANSWERS[int(rng.integers(len(_ANSWERS)))]
    hours = rng.uniform(7, 15, 3)
    blank: Row = {"answered_on": None, "answer": None}
    first = {**row, **blank, "status_no": 1, "status": "raised"}
    voices.add(raiser, supplier, first, raised, float(hours[0]))
    if not willing:
        return
    reply = {"answered_on": answered, "answer": answer}
    second = {**row, **reply, "text": None, "status_no": 2, "status": "answered"}
    voices.add(other, supplier, second, answered, float(hours[1]))
    third = {**row, **reply, "text": None, "status_no": 3, "status": "closed"}
    voices.add(raiser, supplier, third, closed, float(hours[2]))


def ideas(
    supplier: Character, weeks: int, quiet_from: int | None, rng: np.random.Generator
) -> Voices:
    """Design ideas of both sides: offered, studied, accepted or rejected, made real."""
    voices = Voices()
    quiet_day = None if quiet_from is None else monday(quiet_from)
    for offerer, rate in ((supplier.id, supplier.ideas), (BUYER.id, supplier.ideas_back)):
        total = int(rng.poisson(rate * weeks / 52))
        weeks_of = sorted(int(week) for week in rng.integers(0, weeks, total))
        for number, week in enumerate(weeks_of, 1):
            offered = monday(week) + timedelta(days=int(rng.integers(0, 5)))
            row = _idea(supplier, rng)
            who = f"{BUYER.id}-{supplier.id}" if offerer == BUYER.id else supplier.id
            row |= {"idea_id": f"I-{who}-{number:02d}", "offered_on": offered}
            history = _history(supplier, offered, rng)
            if not _at_or_after(offered, quiet_day):
                _tell(voices, supplier, offerer, row, history, quiet_day)
    return voices


def _idea(supplier: Character, rng: np.random.Generator) -> Row:
    about, title, text, saving = _IDEAS[int(rng.integers(len(_IDEAS)))]
    item = _pick(supplier, rng)
    return {
        "about": about,
        "item_id": item.id,
        "title": title.format(item=item.name),
        "text": text,
        "expected_saving": Decimal(round(saving * 1000 * float(rng.uniform(0.5, 2)), -3)),
        "currency": supplier.currency,
        "attachment_refs": None,
        "answered_on": None,
        "answer": None,
    }


def _history(
    supplier: Character, offered: date, rng: np.random.Generator
) -> list[tuple[str, bool, date, float, str | None]]:
    """(status, written by the offerer, day, hour, answer) of every state."""
    study, verdict, made = (int(n) for n in rng.integers((5, 20, 40), (16, 50, 90)))
    accepted = rng.random() < supplier.acceptance
    hours = [float(hour) for hour in rng.uniform(7, 15, 4)]
    days = [workday(offered + timedelta(days=n)) for n in (0, study, study + verdict)]
    answer = "Trial parts ordered." if accepted else "Release effort is higher than the saving."
    states: list[tuple[str, bool, date, float, str | None]] = [
        ("offered", True, days[0], hours[0], None),
        ("in_study", False, days[1], hours[1], None),
        ("accepted" if accepted else "rejected", False, days[2], hours[2], answer),
    ]
    if accepted:
        real = workday(days[2] + timedelta(days=made))
        states.append(("implemented", True, real, hours[3], answer))
    return states


def _tell(
    voices: Voices,
    supplier: Character,
    offerer: str,
    row: Row,
    history: list[tuple[str, bool, date, float, str | None]],
    quiet_day: date | None,
) -> None:
    other = supplier.id if offerer == BUYER.id else BUYER.id
    verdict = history[2][2]
    for number, (status, own, day, hour, answer) in enumerate(history, 1):
        if number > 1 and _at_or_after(day, quiet_day):
            return
        state = {**row, "status_no": number, "status": status, "answer": answer}
        if answer is not None:
            state["answered_on"] = verdict
        if number > 1:
            state["text"] = None
        voices.add(offerer if own else other, supplier, state, day, hour)


def _pick(supplier: Character, rng: np.random.Generator) -> Item:
    return supplier.items[int(rng.integers(len(supplier.items)))]


def _at_or_after(day: date, limit: date | None) -> bool:
    return limit is not None and day >= limit
