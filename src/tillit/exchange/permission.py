"""What a purpose lets be seen of what partners sent. I/O: reads ledger and lake.

A shipment was made under one version of an agreement, and the purposes of that one hold for it:
a later version that allows more does not open what came before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tillit.errors import AgreementRefused, Refusal, UsageError
from tillit.exchange.standing import held
from tillit.home import Home
from tillit.lake import Permission, Source, Touched, derived_sources, landed_under
from tillit.ledger.bodies import ShipmentBody
from tillit.model import Agreement

__all__ = ["Permitted", "agreement_of", "permitted"]


@dataclass(frozen=True)
class Permitted:
    """What may be read; ``sources`` under which its rows came, ``left_out`` whose stay unseen."""

    permission: Permission
    sources: frozenset[Source] = frozenset()
    left_out: tuple[str, ...] = ()

    @property
    def agreements(self) -> tuple[str, ...]:
        """The ids of the agreements whose rows may be read."""
        return tuple(sorted({source.agreement_id for source in self.sources}))


@dataclass
class _Found:
    """What was found so far, agreement by agreement."""

    whole: set[tuple[str, str]] = field(default_factory=set)
    single: set[tuple[str, str]] = field(default_factory=set)
    sources: set[Source] = field(default_factory=set)
    not_all: set[str] = field(default_factory=set)


def permitted(
    home: Home, touched: Touched, purpose: str | None, only: Collection[str] = ()
) -> Permitted:
    """What a question may read for a purpose, of all agreements or ``only`` of these.

    Raises AgreementRefused ``purpose`` without a purpose, and where nothing may be read that is
    there; UsageError for an agreement under which nothing came.
    """
    there = landed_under(home.lake, touched)
    if only:
        unknown = set(only) - {agreement_id for _, agreement_id in there}
        if unknown:
            raise _nothing_came(unknown, there)
        there = {pair for pair in there if pair[1] in only}
    derivations = derived_sources(home.lake)
    behind = {name: derivations.get(name, frozenset()) for name in touched.derived}
    if purpose is None:
        _require_none(home, touched, there, behind.values())
        return Permitted(Permission(derived=frozenset(behind)))
    found = _Found()
    for partner, agreement_id in there:
        _look(home, partner, agreement_id, purpose, found)
    for name, sources in behind.items():
        closed = [s for s in sources if purpose not in _purposes(home, s)]
        if closed:
            raise _no_purpose(purpose, f"derived.{name}", (s.agreement_id for s in closed))
    if there and not found.sources:
        raise _no_purpose(purpose, ", ".join(touched.names), (name for _, name in there))
    permission = Permission(
        agreements=frozenset(found.whole),
        shipments=frozenset(found.single),
        derived=frozenset(behind),
        everything=not only and not found.not_all,
    )
    made_of = found.sources.union(*behind.values())
    return Permitted(permission, frozenset(made_of), tuple(sorted(found.not_all)))


def agreement_of(home: Home, source: Source) -> Agreement:
    """The version under which rows came; AgreementRefused ``missing`` when it is not held."""
    for agreement in _versions(home, source.partner, source.agreement_id):
        if agreement.digest == source.digest:
            return agreement
    raise AgreementRefused(
        "missing",
        f"what is derived came under a text that is not held: {source.agreement_id}",
        expected=source.digest,
        found="none",
    )


def _look(home: Home, partner: str, agreement_id: str, purpose: str, found: _Found) -> None:
    """Add what a purpose lets be seen of what came under one agreement."""
    versions = _versions(home, partner, agreement_id)
    lets = {a.digest for a in versions if purpose in a.purposes}
    found.sources |= {Source(partner, agreement_id, digest) for digest in lets}
    if lets and len(lets) == len(versions):
        found.whole.add((partner, agreement_id))
        return
    found.not_all.add(agreement_id)
    if lets:
        found.single |= _shipments(home, partner, agreement_id, lets)


def _versions(home: Home, partner: str, agreement_id: str) -> list[Agreement]:
    """The versions of a partner's agreement that both have signed."""
    found = [signed.agreement for signed in held(home, agreement_id) if signed.complete]
    return [agreement for agreement in found if agreement.provider == partner]


def _shipments(
    home: Home, partner: str, agreement_id: str, digests: Collection[str]
) -> set[tuple[str, str]]:
    entries = home.ledger.entries(type="shipment", partner=partner, agreement=agreement_id)
    return {
        (partner, body.shipment_id)
        for entry in entries
        if isinstance(body := entry.statement.body, ShipmentBody)
        and body.agreement.digest in digests
        and entry.author == partner
    }


def _purposes(home: Home, source: Source) -> tuple[str, ...]:
    return agreement_of(home, source).purposes


def _require_none(
    home: Home,
    touched: Touched,
    there: Iterable[tuple[str, str]],
    behind: Iterable[frozenset[Source]],
) -> None:
    """Nothing of a partner's is asked for; AgreementRefused if something is."""
    pairs = {*there, *((s.partner, s.agreement_id) for sources in behind for s in sources)}
    if not (touched.kinds or touched.refused or pairs):
        return
    named = {p for pair in pairs for a in _versions(home, *pair) for p in a.purposes}
    raise AgreementRefused(
        "purpose",
        "what partners sent is read for a purpose",
        expected=f"--purpose, of {', '.join(sorted(named)) or 'those agreed'}",
        found="none",
    )


def _no_purpose(purpose: str, what: str, agreements: Iterable[str]) -> Refusal:
    return AgreementRefused(
        "purpose",
        f"no agreement lets {what} be used for {purpose}",
        expected="a purpose of the agreement",
        found=", ".join(sorted(set(agreements))),
    )


def _nothing_came(unknown: Iterable[str], there: Iterable[tuple[str, str]]) -> UsageError:
    return UsageError(
        "not-found",
        "nothing that is asked for came under an agreement of that name",
        expected=", ".join(sorted({name for _, name in there})) or "none: nothing came",
        found=", ".join(sorted(unknown)),
    )
