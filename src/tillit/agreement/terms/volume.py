"""The term ``volume``: how much leaves at most. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tillit.agreement.fields import mapping, mapping_schema, refuse, whole, whole_schema
from tillit.agreement.terms.term import Change, Term, widening
from tillit.errors import AgreementRefused, ContractRefused
from tillit.model import Agreement, Every, Kind

__all__ = ["VOLUME", "require_shipments", "require_volume"]

_NAME = "volume"
_MOST = 10**15
_LIMITS = {
    "rowsPerShipment": "Rows in one shipment at most.",
    "bytesPerShipment": "Bytes of one sealed shipment at most.",
    "shipmentsPerPeriod": "Shipments of one period at most, corrections included.",
}


def _read(value: object, at: str) -> dict[str, int]:
    fields = mapping(value, at, (), _LIMITS)
    if not fields:
        raise refuse("missing-key", at, " or ".join(_LIMITS), "nothing")
    return {key: whole(fields[key], f"{at}.{key}", 1, _MOST) for key in _LIMITS if key in fields}


def _fits(agreement: Agreement, at: str, _kind: Kind) -> None:
    limits = agreement.terms[_NAME]
    if "shipmentsPerPeriod" in limits and agreement.cadence.every is Every.EVENT:
        raise ContractRefused(
            "wrong-value",
            f"{at}.shipmentsPerPeriod: events have no period",
            expected="a cadence of hours, days, weeks or months",
            found=agreement.cadence.every,
        )


def require_volume(agreement: Agreement, *, rows: int, sealed_bytes: int) -> None:
    """One shipment is not larger than agreed; AgreementRefused ``volume``."""
    limits = agreement.terms.get(_NAME, {})
    for key, found in (("rowsPerShipment", rows), ("bytesPerShipment", sealed_bytes)):
        if found > limits.get(key, _MOST):
            _refuse(agreement, key, limits[key], found)


def require_shipments(agreement: Agreement, before: int) -> None:
    """Another shipment of a period of which there are ``before``; AgreementRefused ``volume``."""
    limits = agreement.terms.get(_NAME, {})
    if before >= limits.get("shipmentsPerPeriod", _MOST):
        _refuse(agreement, "shipmentsPerPeriod", limits["shipmentsPerPeriod"], before + 1)


def _refuse(agreement: Agreement, key: str, most: int, found: int) -> None:
    raise AgreementRefused(
        "volume",
        f"{agreement.id} does not allow so much: {key}",
        expected=f"at most {most}",
        found=found,
    )


def _compare(old: Mapping[str, int] | None, new: Mapping[str, int] | None, at: str) -> list[Change]:
    changes = []
    for key in _LIMITS:
        was, now = (old or {}).get(key), (new or {}).get(key)
        if was != now:
            says = f"at most {now}" if now else "no limit"
            says += f", and was {f'at most {was}' if was else 'without limit'}"
            more = now is None or (was is not None and now > was)
            changes.append(Change(f"{at}.{key}", says, widening(more, not more)))
    return changes


VOLUME = Term(
    schema={
        **mapping_schema(
            {key: whole_schema(1, _MOST, says) for key, says in _LIMITS.items()},
            (),
            "How much leaves at most; more is refused on both sides.",
        ),
        "minProperties": 1,
    },
    read=_read,
    fits=_fits,
    compare=_compare,
)
