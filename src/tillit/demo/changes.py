"""What became of an agreement after both had signed it: its life as a list of events. Pure."""

from __future__ import annotations

from typing import Any

from tillit.agreement.diff import diff
from tillit.agreement.life import Event, Life, Version
from tillit.model import isoformat

__all__ = ["changes_of"]


def changes_of(life: Life) -> list[dict[str, Any]]:
    """Amendments, declined proposals and revocations, in the order of versions.

    ``at`` is when the ledger that is asked recorded it; for an amendment, that both had signed.
    """
    found: list[dict[str, Any]] = []
    signed: Version | None = None
    for version in life.versions.values():
        if version.declined is not None:
            found.append(_told("declined", version, version.declined, signed))
        elif version.complete:
            if signed is not None:
                last = max(version.signed.values(), key=lambda event: event.at)
                by = version.introduced.author
                found.append(_told("amended", version, last, signed) | {"by": by})
            signed = version
    # One revocation takes back all that its author has signed, in every version.
    revoked = {event: v for v in life.versions.values() for event in v.revoked}
    found += [_told("revoked", version, event, None) for event, version in revoked.items()]
    return found


def _told(what: str, version: Version, event: Event, before: Version | None) -> dict[str, Any]:
    agreement = version.agreement
    changes = [] if before is None else diff(before.agreement, agreement)
    return {
        "what": what,
        "agreement": agreement.id,
        "version": agreement.version,
        "provider": agreement.provider,
        "consumer": agreement.consumer,
        "kind": agreement.kind,
        "by": event.author,
        "at": isoformat(event.at),
        "reason": event.reason,
        "changes": [f"{change.at} {change.says}" for change in changes],
    }
