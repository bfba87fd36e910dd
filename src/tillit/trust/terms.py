"""What each agreement lets a partner share with us, one row a column. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tillit.agreement.life import order
from tillit.model import Agreement, Kind, Treatment

__all__ = ["Held", "TermColumn", "reassessments", "term_columns"]


@dataclass(frozen=True)
class Held:
    """An agreement that both sides signed: ``signed`` when the second of them had.

    ``ended`` if somebody took it back before its end.
    """

    agreement: Agreement
    signed: datetime | None = None
    ended: datetime | None = None

    @property
    def begins(self) -> datetime:
        """Nothing could be shared under it before both had signed."""
        start = self.agreement.start
        return start if self.signed is None else max(self.signed, start)

    def ends(self, versions: Iterable[Held]) -> datetime:
        """When it ended, or a newer one of its versions took its place, whenever signed."""
        mine = self.agreement
        newer = [
            other.begins
            for other in versions
            if order(other.agreement.version) > order(mine.version)
        ]
        return min([mine.end, *newer] if self.ended is None else [mine.end, self.ended, *newer])


@dataclass(frozen=True)
class TermColumn:
    """A column of an agreement, as the table ``agreement_columns`` holds it.

    ``direction`` is ``in`` for what a partner shares with us. ``permitted`` is false for a column
    that the terms withhold: it earns nothing and is not missed.
    """

    agreement_id: str
    agreement_version: str
    partner: str
    direction: str
    kind: str
    column_name: str
    is_key: bool
    permitted: bool
    classification: int
    witness: str | None
    cadence: str
    cut_off_hours: float
    starts_at: datetime
    ends_at: datetime


def term_columns(
    held: Sequence[Held], kinds: Mapping[str, Kind], party: str
) -> tuple[TermColumn, ...]:
    """The columns of every agreement in which ``party`` is the consumer.

    A kind that is not installed, or in another version than was signed for, gives no rows: what
    cannot be read is not measured. A column that the terms do not name is not permitted. What was
    signed after its start begins when it was signed; a version that a newer one had overtaken by
    then gives no rows.
    """
    rows: list[TermColumn] = []
    versions: dict[str, list[Held]] = {}
    for item in held:
        versions.setdefault(item.agreement.id, []).append(item)
    for item in held:
        agreement = item.agreement
        kind = kinds.get(agreement.kind)
        if agreement.consumer != party or kind is None or kind.digest != agreement.kind_digest:
            continue
        starts_at, ends_at = item.begins, item.ends(versions[agreement.id])
        if ends_at <= starts_at:
            continue
        for column in kind.columns:
            treatment = agreement.columns.get(column.name, Treatment.WITHHELD)
            rows.append(
                TermColumn(
                    agreement_id=agreement.id,
                    agreement_version=agreement.version,
                    partner=agreement.provider,
                    direction="in",
                    kind=kind.name,
                    column_name=column.name,
                    is_key=column.key > 0,
                    permitted=treatment is not Treatment.WITHHELD,
                    classification=column.level,
                    witness=column.witness,
                    cadence=str(agreement.cadence.every),
                    cut_off_hours=agreement.cadence.cut_off_hours,
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
            )
    return tuple(rows)


def reassessments(
    agreements: Iterable[Agreement], party: str, *, now: datetime
) -> tuple[dict[str, Any], ...]:
    """When each agreement in force was to be looked at again, by partner; of versions the newest.

    Both directions count: that an agreement was looked at again shows in its newer version.
    """
    newest = {
        agreement.id: agreement for agreement in sorted(agreements, key=lambda a: (a.id, a.start))
    }
    return tuple(
        {
            "partner": agreement.provider if agreement.consumer == party else agreement.consumer,
            "agreement_id": agreement.id,
            "reassess": agreement.reassess,
        }
        for agreement in newest.values()
        if agreement.reassess is not None and agreement.start <= now < agreement.end
    )
