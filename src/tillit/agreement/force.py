"""Whether an agreement allows anything at an instant. Pure.

Everything here fails closed: an agreement comes back only when each step has held.
"""

from __future__ import annotations

from datetime import datetime

from tillit.agreement.language import require_kind
from tillit.errors import AgreementRefused
from tillit.model import Agreement, Kind, isoformat

__all__ = ["in_force", "require_parties"]


def in_force(
    agreement: Agreement,
    *,
    signers: frozenset[str],
    kind: Kind,
    now: datetime,
    revoked: datetime | None = None,
) -> Agreement:
    """The agreement, when it is in force at ``now``.

    ``signers`` are the parties whose signatures over the agreement's bytes were verified;
    ``revoked`` is the instant from which either side has taken it back. Raises AgreementRefused:
    ``one-signature``, ``wrong-kind``, ``kind-changed``, ``revoked``, ``not-yet-in-force``,
    ``expired``; ContractRefused when the terms do not fit the kind.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a zone")
    # 1. Both sides have signed these bytes.
    missing = {agreement.provider, agreement.consumer} - signers
    if missing:
        raise AgreementRefused(
            "one-signature",
            f"{agreement.id} {agreement.version} is not signed by both sides",
            expected=f"signatures of {agreement.provider} and {agreement.consumer}",
            found=f"none of {', '.join(sorted(missing))}",
        )
    # 2. The kind is the one that they signed for, to the byte.
    require_kind(agreement, kind)
    # 3. Nobody has taken it back.
    if revoked is not None and revoked <= now:
        raise AgreementRefused(
            "revoked", f"{agreement.id} was revoked", found=f"revoked at {isoformat(revoked)}"
        )
    # 4. Its time has come and is not over.
    if now < agreement.start:
        raise AgreementRefused(
            "not-yet-in-force",
            f"{agreement.id} is not in force yet",
            expected=f"from {isoformat(agreement.start)} on",
            found=isoformat(now),
        )
    if now >= agreement.end:
        raise AgreementRefused(
            "expired",
            f"{agreement.id} is over",
            expected=f"before {isoformat(agreement.end)}",
            found=isoformat(now),
        )
    return agreement


def require_parties(agreement: Agreement, *, provider: str, consumer: str) -> Agreement:
    """The agreement, when it lets this provider share with this consumer.

    Raises AgreementRefused ``wrong-parties``, also for the two the other way round.
    """
    if (agreement.provider, agreement.consumer) != (provider, consumer):
        raise AgreementRefused(
            "wrong-parties",
            f"{agreement.id} is not about what {provider} sends to {consumer}",
            expected=f"{agreement.provider} to {agreement.consumer}",
            found=f"{provider} to {consumer}",
        )
    return agreement
