"""The life of an agreement: from what both sides have said of it to what holds now. Pure.

Both sides fold the same statements, each in the order in which its own ledger recorded them. What
a side may say depends only on what it had said itself and on what it had heard before, so one
side cannot be brought to another end than the other: at worst a step that crossed another one on
its way is refused where it arrives, and then the agreement lets less through, never more.

    proposed -> countered ... -> signed by one -> signed by both -> in force -> expired
       |                             |                                |
       +-> declined                  +------------> revoked <---------+-> superseded
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from tillit.agreement.terms.notice import warnings_at
from tillit.errors import AgreementRefused
from tillit.model import Agreement, isoformat

__all__ = [
    "EVENTS",
    "UNDER_WAY",
    "Event",
    "Life",
    "Made",
    "State",
    "Version",
    "after",
    "order",
    "replay",
    "revocation",
    "state",
    "successor",
    "told",
    "waits_for",
]

EVENTS = ("proposed", "countered", "declined", "signed", "revoked")

UNDER_WAY = timedelta(days=7)
"""How long a shipment may have been on its way when a step that it did not know of was taken.

A provider that does not look into its mailbox must not keep an agreement alive for ever.
"""


@dataclass(frozen=True)
class Event:
    """One step: what ``author`` said as number ``seq`` of its chain, recorded here ``at``.

    ``agreement`` is the text, where the step carries one; ``answers`` the digest of the text that
    a counter-proposal answers.
    """

    what: str
    author: str
    seq: int
    at: datetime
    agreement_id: str
    version: str
    digest: str
    agreement: Agreement | None = field(default=None, repr=False)
    answers: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Version:
    """One text of an agreement, and what both sides have said of it."""

    agreement: Agreement
    introduced: Event
    signed: Mapping[str, Event] = field(default_factory=dict)
    declined: Event | None = None
    countered: Event | None = None
    revoked: tuple[Event, ...] = ()

    @property
    def parties(self) -> frozenset[str]:
        """Provider and consumer."""
        return frozenset({self.agreement.provider, self.agreement.consumer})

    @property
    def complete(self) -> bool:
        """Whether both have signed."""
        return self.parties <= self.signed.keys()

    @property
    def order(self) -> tuple[int, ...]:
        """What versions are sorted by."""
        return order(self.agreement.version)


@dataclass(frozen=True)
class Life:
    """All versions of one agreement by the digest of their text, the oldest version first."""

    versions: Mapping[str, Version] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def newest_first(self) -> tuple[Version, ...]:
        """All versions, the one with the highest number first."""
        return tuple(self.versions.values())[::-1]


class State(StrEnum):
    """What a version is at an instant."""

    PROPOSED = "proposed"
    COUNTERED = "countered"
    DECLINED = "declined"
    SIGNED = "signed by one"
    NOT_YET = "not yet in force"
    IN_FORCE = "in force"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"


@lru_cache(maxsize=1_000)
def order(version: str) -> tuple[int, ...]:
    """A version as numbers: 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split("."))


def replay(events: Iterable[Event]) -> Life:
    """Fold steps into a life, without those that were refused when they came."""
    life = Life()
    for event in events:
        try:
            life = after(life, event)
        except AgreementRefused:
            continue
    return life


def after(life: Life, event: Event) -> Life:
    """The life after one more step.

    Raises AgreementRefused: ``wrong-parties``, ``conflict`` (two texts with one id and version),
    ``version`` (one that goes back), ``no-proposal`` (an answer to what was never said),
    ``own-proposal``, ``signed``, ``declined``, ``revoked``, ``not-signed``.
    """
    return _STEPS[event.what](life, event)


# ---- the steps ----------------------------------------------------------------------------------


def _with(life: Life, *changed: Version) -> Life:
    every = {**life.versions, **{version.agreement.digest: version for version in changed}}
    ordered = sorted(every.items(), key=lambda item: item[1].order)
    return Life(MappingProxyType(dict(ordered)))


def _proposed(life: Life, event: Event) -> Life:
    return _with(life, _new(life, event))


def _countered(life: Life, event: Event) -> Life:
    answered = _addressed(life, event, event.answers or "")
    new = _new(life, event)
    return _with(life, replace(answered, countered=event), new)


def _declined(life: Life, event: Event) -> Life:
    answered = _addressed(life, event, event.digest)
    return _with(life, answered if answered.declined else replace(answered, declined=event))


def _signed(life: Life, event: Event) -> Life:
    """Sign what is on the table, or offer a text of one's own, signed at once."""
    version = life.versions.get(event.digest) or _new(life, event)
    _require_party(version, event)
    if version.revoked:
        raise _refuse("revoked", event, "was revoked", "a new version, signed by both")
    if version.declined is not None:
        raise _refuse("declined", event, "was declined", "a new version")
    if event.author in version.signed:
        return life
    return _with(
        life, replace(version, signed=MappingProxyType({**version.signed, event.author: event}))
    )


def _revoked(life: Life, event: Event) -> Life:
    """Take back whatever one has signed or proposed of this agreement, in every version."""
    for version in life.versions.values():
        _require_party(version, event)
    own = [
        version
        for version in life.versions.values()
        if event.author in version.signed or version.introduced.author == event.author
    ]
    if not own:
        raise _refuse(
            "not-signed",
            event,
            f"was never signed or proposed by {event.author}",
            "what the revoker has signed or proposed itself",
        )
    standing = [v for v in own if all(r.author != event.author for r in v.revoked)]
    if not standing:
        raise _refuse("revoked", event, f"was revoked by {event.author} before", "once")
    return _with(life, *(replace(v, revoked=(*v.revoked, event)) for v in standing))


_STEPS = {
    "proposed": _proposed,
    "countered": _countered,
    "declined": _declined,
    "signed": _signed,
    "revoked": _revoked,
}


def _new(life: Life, event: Event) -> Version:
    """A text that is on the table from now on; it comes after all that were there before."""
    if event.agreement is None:
        raise ValueError("a step that carries no text cannot introduce one")
    new = Version(event.agreement, event)
    _require_party(new, event)
    newest = next(iter(life.newest_first), None)
    if newest is None:
        return new
    if newest.parties != new.parties:
        raise _refuse(
            "wrong-parties", event, "is between others", ", ".join(sorted(newest.parties))
        )
    for held in life.versions.values():
        if held.order == new.order:
            if held.agreement.digest == new.agreement.digest:
                raise _refuse("version", event, "is on the table already", "a newer version")
            raise AgreementRefused(
                "conflict",
                f"{event.agreement_id} {event.version} is held with other bytes",
                expected=held.agreement.digest,
                found=event.digest,
            )
    if new.order < newest.order:
        above = f"a version above {newest.agreement.version}"
        raise _refuse("version", event, "goes back behind what was said before", above)
    return new


def _addressed(life: Life, event: Event, digest: str) -> Version:
    """The text that is answered: the other side's, and not signed by whoever answers."""
    version = life.versions.get(digest)
    if version is None:
        raise AgreementRefused(
            "no-proposal",
            f"an answer to a proposal of {event.agreement_id} that was never made",
            expected=", ".join(life.versions) or "a proposal",
            found=digest,
        )
    _require_party(version, event)
    if version.introduced.author == event.author:
        raise _refuse("own-proposal", event, "is the answer to one's own proposal", "the other's")
    if event.author in version.signed:
        signed = "signed by both" if version.complete else f"signed by {event.author}"
        raise _refuse(
            "signed", event, f"answers a text that is {signed}", "revocation, or a new version"
        )
    return version


def _require_party(version: Version, event: Event) -> None:
    if event.author not in version.parties:
        raise AgreementRefused(
            "wrong-parties",
            f"{event.author} is no party to {event.agreement_id}",
            expected=" or ".join(sorted(version.parties)),
            found=event.author,
        )


def _refuse(code: str, event: Event, what: str, expected: str) -> AgreementRefused:
    return AgreementRefused(
        code, f"{event.agreement_id} {event.version} {what}", expected=expected, found=event.what
    )


# ---- what holds at an instant -------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """Where a shipment stands in the two chains, which says what its author knew."""

    author: str
    seq: int
    witnessed: int
    issued_at: datetime

    def knew(self, event: Event) -> bool:
        """Whether a step came before the shipment, or had arrived where it was made."""
        if event.author == self.author:
            return event.seq < self.seq
        return event.seq <= self.witnessed


def revocation(version: Version, now: datetime, made: Made | None = None) -> Event | None:
    """The revocation that stands in the way at ``now``, or None.

    It takes effect where it was made at once, and on the other side on its arrival: a shipment
    ``made`` without knowing of it was under way, and passes for as long as `UNDER_WAY`.
    """
    for event in version.revoked:
        if event.at <= now and not _under_way((event,), now, made):
            return event
    return None


def successor(
    life: Life, version: Version, now: datetime, made: Made | None = None
) -> Version | None:
    """The newer version that has taken the place of this one at ``now``, or None.

    It must be signed by both and have begun. What was ``made`` under the old one before, or
    without knowing of the new one, stays as it was agreed.
    """
    moment = now if made is None else max(made.issued_at, now - UNDER_WAY)
    for newer in life.newest_first:
        if newer.order <= version.order:
            return None
        begun = newer.complete and newer.agreement.start <= moment
        if begun and not _under_way(newer.signed.values(), now, made):
            return newer
    return None


def _under_way(steps: Iterable[Event], now: datetime, made: Made | None) -> bool:
    return made is not None and any(
        not made.knew(step) and now - step.at <= UNDER_WAY for step in steps
    )


def state(life: Life, version: Version, now: datetime) -> State:
    """What a version is at ``now``, in one word."""
    if version.revoked:
        return State.REVOKED
    if version.declined is not None:
        return State.DECLINED
    return _agreed(life, version, now) if version.complete else _open(life, version, now)


def _agreed(life: Life, version: Version, now: datetime) -> State:
    if now >= version.agreement.end:
        return State.EXPIRED
    if successor(life, version, now) is not None:
        return State.SUPERSEDED
    return State.IN_FORCE if now >= version.agreement.start else State.NOT_YET


def _open(life: Life, version: Version, now: datetime) -> State:
    if any(v.complete and v.order > version.order for v in life.versions.values()):
        return State.SUPERSEDED
    if version.countered is not None and version.countered.author not in version.signed:
        return State.COUNTERED
    if now >= version.agreement.end:
        return State.EXPIRED
    return State.SIGNED if version.signed else State.PROPOSED


def waits_for(life: Life, version: Version, now: datetime) -> tuple[str, ...]:
    """The parties whose word a version waits for; none where nothing is open."""
    found = state(life, version, now)
    if found is State.PROPOSED:
        return tuple(sorted(version.parties - {version.introduced.author}))
    if found is State.SIGNED:
        return tuple(sorted(version.parties - version.signed.keys()))
    return ()


def told(life: Life, version: Version, now: datetime, us: str) -> str:
    """The state as a person of one party reads it."""
    found = state(life, version, now)
    waiting = waits_for(life, version, now)
    if waiting:
        whom = "us" if us in waiting else "the partner"
        return f"{found}, waits for {whom}"
    if found is State.DECLINED and version.declined is not None:
        return f"declined by {version.declined.author}: {version.declined.reason}"
    if found is State.REVOKED:
        by = version.revoked[0]
        return f"revoked by {by.author} at {isoformat(by.at)}: {by.reason}"
    warnings = warnings_at(version.agreement, now) if found is State.IN_FORCE else []
    return ", ".join([str(found), *warnings])
