"""Cheats by how it is sent, and by what is promised, complained of and proposed. Pure.

Each takes a history and gives the history in which somebody cheats.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tillit.validation.histories import History, joined, table
from tillit.validation.nature import Column
from tillit.validation.world import START

__all__ = [
    "agreements_split",
    "backdated",
    "commitment_echoed",
    "complained_of_every_line",
    "complained_of_everything",
    "complained_vaguely",
    "corrected_late",
    "ideas_spammed",
    "promised_later",
    "promised_less",
    "resent",
    "split",
    "trifles_promised",
]

Floats = NDArray[np.float64]

_HALF_YEAR = 26
_MINUTE = pa.scalar(60_000_000, pa.duration("us"))


def resent(history: History, c: Column, times: int = 10) -> History:
    """Every shipment is sent again and again, a minute later each time."""
    for copy in range(1, times + 1):
        later = pc.multiply(_MINUTE, copy)
        history = _more(history, c, f"/again-{copy}", later)
    return history


def split(history: History, c: Column) -> History:
    """Every shipment is cut into one for each item."""
    rows = history.tables[c.kind]
    mine = pc.equal(rows["flow"], c.direction)
    cut = joined(rows["shipment_id"], "/", rows["item_id"])
    rows = _set(rows, "shipment_id", pc.if_else(mine, cut, rows["shipment_id"]))
    whole = _of(history.arrivals, c)
    keys = ["relationship_id", "agreement_id"]
    cells = rows.filter(mine).select([*keys, "shipment_id", "item_id"])
    cells = cells.group_by([*keys, "shipment_id", "item_id"]).aggregate([([], "count_all")])
    length = pc.add(pc.utf8_length(cells["item_id"]), 1).to_pylist()
    sources = pa.array(
        [s[:-n] for s, n in zip(cells["shipment_id"].to_pylist(), length, strict=True)]
    )
    parts = cells.append_column("source", sources).join(
        whole.rename_columns({"shipment_id": "source"}), [*keys, "source"]
    )
    parts = _set(parts, "rows", parts["count_all"]).select(history.arrivals.column_names)
    others = history.arrivals.filter(pc.invert(_is(history.arrivals, c)))
    arrivals = pa.concat_tables([others, parts.cast(others.schema)])
    return replace(history.replacing(c.kind, rows), arrivals=arrivals)


def backdated(history: History, c: Column) -> History:
    """The sender writes that it said it a week earlier than it did."""
    rows = history.tables[c.kind]
    week = pa.scalar(7 * 86_400_000_000, pa.duration("us"))
    mine = pc.equal(rows["flow"], c.direction)
    earlier = pc.subtract(rows["issued_at"], week)
    return history.replacing(
        c.kind, _set(rows, "issued_at", pc.if_else(mine, earlier, rows["issued_at"]))
    )


def corrected_late(history: History, truth: History, c: Column) -> History:
    """What is in time stays as it is, and an hour after the cut-off the truth follows it."""
    rows = truth.tables[c.kind].filter(pc.equal(truth.tables[c.kind]["flow"], c.direction))
    rows = _set(rows, "shipment_id", joined(rows["shipment_id"], "/truth"))
    arrivals = _of(truth.arrivals, c)
    hour = pc.multiply(_MINUTE, 60)
    arrivals = _set(arrivals, "shipment_id", joined(arrivals["shipment_id"], "/truth"))
    arrivals = _set(arrivals, "arrived_at", pc.add(arrivals["cut_off_at"], hour))
    both = pa.concat_tables([history.tables[c.kind], rows])
    return replace(
        history.replacing(c.kind, both),
        arrivals=pa.concat_tables([history.arrivals, arrivals]),
    )


def agreements_split(history: History, c: Column) -> History:
    """A second agreement with the same terms; the items of odd number flow under it."""
    rows = history.tables[c.kind]
    odd = pc.match_substring_regex(rows["item_id"], "[13579]$")
    moved = pc.and_(pc.equal(rows["flow"], c.direction), odd)
    ids = {
        name: pc.if_else(moved, joined(rows[name], "/second"), rows[name])
        for name in ("agreement_id", "shipment_id")
    }
    for name, values in ids.items():
        rows = _set(rows, name, values)
    second, terms = _of(history.arrivals, c), _of(history.agreements, c)
    for name in ids:
        second = _set(second, name, joined(second[name], "/second"))
    terms = _set(terms, "agreement_id", joined(terms["agreement_id"], "/second"))
    return replace(
        history.replacing(c.kind, rows),
        arrivals=pa.concat_tables([history.arrivals, second]),
        agreements=pa.concat_tables([history.agreements, terms]),
    )


def commitment_echoed(history: History, orders: Floats) -> History:
    """How far a forecast binds is said by whether the last order (K, W) was a large one.

    The receiver knows that; and after a large order a smaller one is likelier.
    """
    rows = history.tables["demand_forecast"]
    key = pc.cast(pc.utf8_slice_codeunits(rows["item_id"], len("item-")), pa.int64()).to_numpy()
    week = (rows["period_start"].to_numpy() - START).astype(np.int64) // 7
    usual = np.full_like(orders, np.inf)
    for now in range(1, orders.shape[1]):
        usual[:, now] = np.median(orders[:, max(now - _HALF_YEAR, 0) : now], axis=1)
    large = orders[key, np.maximum(week - 1, 0)] > usual[key, week]
    words = pa.array(np.where(large, "material", "planning"))
    return history.replacing("demand_forecast", _set(rows, "commitment", words))


def trifles_promised(history: History) -> History:
    """The first word on every period is firm, and of a single piece; what follows is as it was."""
    rows = history.tables["demand_forecast"]
    keys = ["relationship_id", "item_id", "period_start"]
    said = rows.group_by(keys).aggregate([("issued_at", "min"), ("issued_at", "count_distinct")])
    placed = rows.select([*keys, "issued_at"]).append_column("row", pa.array(range(len(rows))))
    first = placed.join(said, keys).filter(
        (pc.field("issued_at") == pc.field("issued_at_min"))
        & (pc.field("issued_at_count_distinct") > 1)
    )
    is_first = pc.is_in(pa.array(range(len(rows))), first["row"].combine_chunks())
    rows = _set(rows, "commitment", pc.if_else(is_first, "firm", rows["commitment"]))
    return history.replacing(
        "demand_forecast", _set(rows, "quantity", pc.if_else(is_first, 1.0, rows["quantity"]))
    )


def promised_later(history: History, days: int = 21) -> History:
    """Every order line is promised weeks later than it is wanted, and then comes as ever."""
    rows = history.tables["delivery_commitment"]
    shift = pa.scalar(days * 86_400, pa.duration("s"))
    later = pc.cast(pc.add(pc.cast(rows["promised_date"], pa.timestamp("s")), shift), pa.date32())
    return history.replacing("delivery_commitment", _set(rows, "promised_date", later))


def promised_less(history: History, share: float = 0.5) -> History:
    """Of every order line half is promised, and then all that there is comes."""
    rows = history.tables["delivery_commitment"]
    less = pc.ceil(pc.multiply(rows["promised_quantity"], share))
    return history.replacing("delivery_commitment", _set(rows, "promised_quantity", less))


def complained_of_everything(history: History) -> History:
    """The buyer complains of every delivery, whatever it was like; of none that it suffered more.

    What it complained of before stays: the new complaints are about good deliveries alone.
    """
    came = history.tables["delivery"]
    promised = history.tables["delivery_commitment"].select(
        ["relationship_id", "order_id", "line", "promised_date", "promised_quantity"]
    )
    both = came.join(promised, ["relationship_id", "order_id", "line"], join_type="inner")
    good = pc.and_(
        pc.less_equal(both["arrived_on"], both["promised_date"]),
        pc.and_(
            pc.greater_equal(both["quantity"], both["promised_quantity"]),
            pc.equal(both["quantity"], both["accepted_quantity"]),
        ),
    )
    return _complaining(history, both.filter(good), with_subject=True)


def complained_of_every_line(history: History) -> History:
    """The buyer complains of every delivery, good or bad: that tells of none."""
    return _complaining(history, history.tables["delivery"], with_subject=True)


def complained_vaguely(history: History, times: int = 1) -> History:
    """As many complaints as deliveries, about nothing in particular."""
    came = pa.concat_tables([history.tables["delivery"]] * times)
    return _complaining(history, came, with_subject=False)


def ideas_spammed(history: History, flow: str, many: int = 200) -> History:
    """Hundreds of ideas that nobody takes up, all of them the same text."""
    kind = "design_idea" if flow == "s2b" else "process_idea"
    names = history.agreements["relationship_id"].unique()
    for number, name in enumerate(names.to_pylist()):
        rows = history.tables[kind]
        mine = pc.and_(pc.equal(rows["relationship_id"], name), pc.equal(rows["flow"], flow))
        first = rows.filter(pc.and_(mine, pc.equal(rows["status_no"], 1)))
        if not first.num_rows:
            continue
        at = np.resize(np.arange(first.num_rows), many)
        copies = first.take(pa.array(at))
        ids = joined(f"spam-{number}-", np.arange(many))
        copies = _set(_set(copies, "idea_id", ids), "shipment_id", ids)
        for text in ("title", "text"):
            copies = _set(copies, text, pa.array(["something could be better"] * many))
        history = _at_once(history, kind, copies)
    return history


# ---- common -------------------------------------------------------------------------------------


def _complaining(history: History, came: pa.Table, *, with_subject: bool) -> History:
    numbers = np.arange(came.num_rows)
    subject = (
        joined("delivery:", came["delivery_id"], "/", came["order_id"], "/", came["line"])
        if with_subject
        else pa.nulls(came.num_rows, pa.string())
    )
    made = table(
        relationship_id=came["relationship_id"],
        flow="b2s",
        agreement_id=joined(
            pc.replace_substring(came["agreement_id"], "s2b/delivery", "b2s/complaint")
        ),
        shipment_id=joined("spam/", numbers),
        issued_at=came["issued_at"],
        complaint_id=joined("spam-", numbers),
        subject_ref=subject,
        category="other",
        severity="low",
        raised_on=came["arrived_on"],
        status_no=1,
        text="not to our liking",
        status="raised",
        answered_on=pa.nulls(came.num_rows, pa.date32()),
        answer=pa.nulls(came.num_rows, pa.string()),
    )
    return _at_once(history, "complaint", made)


def _at_once(history: History, kind: str, rows: pa.Table) -> History:
    """With rows more, which are a shipment each and come when they are issued."""
    issued = rows["issued_at"].to_numpy()
    return history.adding(kind, rows, issued, issued)


def _is(rows: pa.Table, c: Column) -> Any:
    return pc.and_(pc.equal(rows["direction"], c.direction), pc.equal(rows["kind"], c.kind))


def _of(rows: pa.Table, c: Column) -> pa.Table:
    return rows.filter(_is(rows, c))


def _set(rows: pa.Table, name: str, values: Any) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, values)


def _more(history: History, c: Column, suffix: str, later: pa.Scalar) -> History:
    """The shipments of the original once more, under other names and later."""
    rows = history.tables[c.kind]
    original = pc.and_(
        pc.equal(rows["flow"], c.direction),
        pc.invert(pc.match_substring(rows["shipment_id"], "/again-")),
    )
    copy = rows.filter(original)
    copy = _set(copy, "shipment_id", joined(copy["shipment_id"], suffix))
    copy = _set(copy, "issued_at", pc.add(copy["issued_at"], later))
    arrivals = _of(history.arrivals, c)
    arrivals = arrivals.filter(pc.invert(pc.match_substring(arrivals["shipment_id"], "/again-")))
    arrivals = _set(arrivals, "shipment_id", joined(arrivals["shipment_id"], suffix))
    arrivals = _set(arrivals, "arrived_at", pc.add(arrivals["arrived_at"], later))
    return replace(
        history.replacing(c.kind, pa.concat_tables([rows, copy])),
        arrivals=pa.concat_tables([history.arrivals, arrivals]),
    )
