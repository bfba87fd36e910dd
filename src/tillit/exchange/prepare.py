"""Prepare and judge: from a party's source to rows that may leave. I/O: the lake's connection.

What is left on the connection, all of it temporary:

- ``incoming``: ``row_no`` and every column of the kind, typed;
- ``refused``: ``row_no, rules, reasons`` of each row that stops here;
- ``unread``: rows as they stood in the source, for quarantine.

Where rows were treated on their way, and none had to stay, there is only what leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tillit.agreement.agreed import leaving
from tillit.errors import TableRefused
from tillit.exchange.treat import treating_at_once
from tillit.home import Home
from tillit.lake import require_own
from tillit.model import Agreement, Kind, Period
from tillit.quality.rules import cast_query
from tillit.warehouse import Outbound, Run, prepare_outbound, read_model

if TYPE_CHECKING:
    from tillit.quality.expectations import Judgement

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """What stands ready: how many rows there were, and what the rules say of them.

    ``whole`` is the file with all of them in the kind's types, where there is one; ``treated`` the
    file with all of them as they may leave, where they were treated at once.
    """

    rows: int
    judgement: Judgement
    whole: Path | None = None
    treated: Path | None = None

    @property
    def leaving(self) -> int:
        """Rows that may leave."""
        return self.rows - self.judgement.refused


def prepare(
    home: Home,
    agreement: Agreement,
    kind: Kind,
    period: Period,
    *,
    since: datetime,
    now: datetime,
    clean: bool = False,
) -> Prepared:
    """Run the kind's outbound SQL over the party's sources and judge what it gives.

    ``clean`` says that rows which break a rule are not to be expected: then they are treated while
    they are written and judged, as far as the terms allow it, and only when one does break a rule
    everything is done again one after the other.

    Raises TableRefused when a source cannot be read, a column is missing or there are no rows,
    AgreementRefused ``onward-sharing`` when the SQL reads anything else than sources of our own.
    """
    # Three seconds of imports, which nothing but rows that are to leave has to pay for.
    from tillit.quality.expectations import judge

    lake = home.lake
    query = _outbound(home, kind)
    require_own(lake, read_model(query).sql, f"outbound/{query.name}")
    run = Run(
        as_of=now,
        since=since,
        period_start=period.start,
        period_end=period.end,
        partner=agreement.consumer,
        party=home.party_id,
    )
    terms = leaving(agreement, kind)
    whole = terms.untouched and len(terms.columns) == len(kind.columns)

    def made_and_judged(change: Callable[[str], str] | None) -> tuple[Outbound, Judgement]:
        sources = home.config.sources
        made = prepare_outbound(
            lake.connection, query, run, kind, sources, leaves=whole, change=change
        )
        if made.rows == 0:
            raise TableRefused(
                "empty",
                f"{kind.name} for {agreement.consumer} has no rows",
                expected=f"rows recorded from {since} to {now}",
                found="none",
            )
        if made.unread:
            _read(home, kind)
        judged = judge(lake.connection, "incoming", kind, kind.columns, rows_held=made.changed)
        return made, judged

    at_once = clean and not whole
    with treating_at_once(home, agreement, kind) if at_once else nullcontext() as change:
        made, judgement = made_and_judged(change)
    if made.changed and not judgement.refused:
        return Prepared(made.rows, judgement, treated=made.path)
    if made.changed:
        made, judgement = made_and_judged(None)
    return Prepared(made.rows, judgement, whole=made.path if whole and not made.unread else None)


def _read(home: Home, kind: Kind) -> None:
    """Give ``incoming`` the contract's types; what cannot be read is named, row by row."""
    connection = home.lake.connection
    described = connection.execute("describe unread").fetchall()
    actual = [(str(name), str(sql_type)) for name, sql_type, *_ in described]
    query = cast_query(kind, kind.columns, "unread", actual)
    connection.execute(f"create or replace temp view incoming as {query}")


def _outbound(home: Home, kind: Kind) -> Path:
    """The party's own outbound SQL where it has some, else the product's."""
    for folder in (home.folder / "transforms", home.transforms):
        path = folder / "outbound" / f"{kind.name}.sql"
        if path.is_file():
            return path
    raise TableRefused(
        "query",
        f"there is no SQL that prepares {kind.name}",
        expected=f"transforms/outbound/{kind.name}.sql",
        found="none",
    )
