"""Agreements as ODRL policies of the Catena-X profile, and drafts from such policies. Pure.

The document is the ``agreement`` of a Dataspace Protocol 2025-1 contract agreement, with the
constraints of Catena-X's 2025-9 profile. What ODRL has no words for stands in the document beside
it, in words, under a key of our own: nothing is dropped in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tillit import safe_yaml
from tillit.agreement.new import draft
from tillit.agreement.terms import shared_columns, treated
from tillit.agreement.terms.treatments import told
from tillit.errors import ContractRefused
from tillit.model import PARTY_ID, Agreement, Cadence, Every, Kind, isoformat, parse_instant

__all__ = ["NOT_SAID", "PURPOSES", "Imported", "from_odrl", "to_odrl"]

NOT_SAID = "urn:tillit:notSaid"
PURPOSES = "urn:tillit:purposes"
_PARTY = "urn:tillit:party:"
_KIND = "urn:tillit:kind:"

_CATALOGUE = re.compile(r"cx\.[A-Za-z0-9.]{1,60}:[0-9]{1,3}")
# Catena-X's catalogue has purposes for applications, not for tables: those in which ours are used.
_FOR_KIND: Mapping[str, tuple[str, ...]] = {
    "demand_forecast": ("cx.dcm.base:1", "cx.puris.base:1"),
    "order": ("cx.puris.base:1",),
    "delivery_commitment": ("cx.puris.base:1",),
    "delivery": ("cx.puris.base:1", "cx.logistics.base:1"),
    "complaint": ("cx.core.qualityNotifications:1", "cx.quality.base:1"),
    "production_plan": ("cx.dcm.base:1", "cx.puris.base:1"),
    "inventory": ("cx.puris.base:1",),
    "disruption": ("cx.dcm.base:1", "cx.puris.base:1"),
}


def to_odrl(
    agreement: Agreement,
    kind: Kind,
    *,
    parties: Mapping[str, str] | None = None,
    purposes: tuple[str, ...] = (),
    concluded_at: datetime | None = None,
) -> dict[str, Any]:
    """The agreement as a policy, ready for JSON.

    ``parties`` maps our ids to the ids that a dataspace knows (BPNL numbers); ``purposes`` are of
    Catena-X's catalogue, and are needed for a kind that has none there; ``concluded_at`` is when
    the second party signed, else the start stands there. Raises ContractRefused.
    """
    names = parties or {}
    chosen = purposes or _FOR_KIND.get(kind.name, ())
    wrong = [word for word in chosen if not _CATALOGUE.fullmatch(word)]
    if wrong or not chosen:
        raise ContractRefused(
            "unsupported",
            f"Catena-X's catalogue has no purpose for {kind.name}"
            if not chosen
            else "not a purpose of Catena-X's catalogue",
            expected="purposes like cx.core.industrycore:1",
            found=", ".join(wrong) or "none",
        )
    allowed = [
        _constraint("FrameworkAgreement", "eq", "DataExchangeGovernance:1.0"),
        _constraint("Membership", "eq", "active"),
        _constraint("UsagePurpose", "isAnyOf", list(chosen)),
        _constraint("ContractReference", "isAllOf", [_reference(agreement)]),
        _constraint("DataUsageEndDate", "eq", isoformat(agreement.end)),
    ]
    return {
        "@id": _reference(agreement),
        "@type": "Agreement",
        "target": f"{_KIND}{agreement.kind}",
        "timestamp": isoformat((concluded_at or agreement.start).replace(microsecond=0)),
        "assigner": names.get(agreement.provider, f"{_PARTY}{agreement.provider}"),
        "assignee": names.get(agreement.consumer, f"{_PARTY}{agreement.consumer}"),
        "permission": [{"action": "use", "constraint": [{"and": allowed}]}],
        "prohibition": [{"action": "use", "constraint": [{"and": [_THIRD_PARTIES]}]}],
        "obligation": [
            {
                "action": "use",
                "constraint": [
                    _constraint("DataProvisioningEndDate", "eq", isoformat(agreement.end))
                ],
            }
        ],
        PURPOSES: list(agreement.purposes),
        NOT_SAID: list(_not_said(agreement, kind)),
    }


def _constraint(left: str, operator: str, right: str | list[str]) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


_THIRD_PARTIES = _constraint("UsageRestriction", "isAllOf", ["cx.thirdParty.forbidden:1"])


def _reference(agreement: Agreement) -> str:
    return f"urn:tillit:agreement:{agreement.id}:{agreement.version}:sha256:{agreement.digest}"


def _not_said(agreement: Agreement, kind: Kind) -> Iterator[str]:
    """In words, what is agreed and what no constraint of the profile can say."""
    shared = shared_columns(agreement, kind)
    withheld = [column.name for column in kind.columns if column.name not in shared]
    yield f"nothing is shared before {isoformat(agreement.start)}"
    done = {name: told(treated(agreement, name)) for name in shared}
    yield f"columns shared: {', '.join(f'{name} ({what})' for name, what in done.items())}"
    if withheld:
        yield f"columns withheld: {', '.join(withheld)}"
    yield f"purposes, as both sides know them: {', '.join(agreement.purposes)}"
    cadence = agreement.cadence
    yield f"cadence: every {cadence.every}, cut-off {cadence.cut_off_hours:g} h before its start"
    yield f"the kind is pinned: {kind.name} {agreement.kind_version} sha256:{agreement.kind_digest}"
    if agreement.reassess is not None:
        yield f"to be looked at again on {isoformat(agreement.reassess)}"
    written = safe_yaml.load(agreement.text, what="the agreement")["terms"]
    for name in agreement.terms:
        yield f"{name}: {json.dumps(written[name], ensure_ascii=False)}"


# ---- from a policy --------------------------------------------------------------------------


@dataclass(frozen=True)
class Imported:
    """A draft, and what of the policy it does not carry."""

    text: str
    left_out: tuple[str, ...]


def from_odrl(
    policy: bytes,
    kind: Kind,
    *,
    provider: str | None = None,
    consumer: str | None = None,
    start: datetime | None = None,
) -> Imported:
    """A draft from a stranger's policy: only the key's columns are clear, the rest is withheld.

    A policy says nothing of columns, so a person opens them. ``provider``, ``consumer`` and
    ``start`` stand in for what the policy does not say in our words. Raises ContractRefused for
    what is no such policy, or lacks an end.
    """
    document = safe_yaml.load(policy, what="the policy")  # JSON is YAML, read as strictly
    if not isinstance(document, dict):
        raise ContractRefused("wrong-value", "the policy", expected="an object", found=document)
    agreed = document.get("agreement", document)
    if not isinstance(agreed, dict):
        raise ContractRefused("wrong-value", "the policy's agreement", expected="an object")
    said, left_out = _said(agreed)
    ends = [said[name] for name in ("DataProvisioningEndDate", "DataUsageEndDate") if name in said]
    if not ends:
        raise ContractRefused(
            "missing-key",
            "the policy says no end",
            expected="DataProvisioningEndDate or DataUsageEndDate",
            found=", ".join(sorted(said)) or "no constraint that we know",
        )
    purposes = _purposes(agreed, said)
    keys = {column.name for column in kind.columns if column.key}
    text = draft(
        _party(agreed, "assigner", provider),
        _party(agreed, "assignee", consumer),
        kind,
        start or _instant(agreed.get("timestamp"), "timestamp"),
        min(_instant(end, "the end") for end in ends),
        Cadence(Every.WEEK, 0),
        purposes,
        withheld=[column.name for column in kind.columns if column.name not in keys],
    )
    return Imported(text, tuple(left_out))


def _said(agreed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Constraints that a draft can carry, by left operand, and the others in words."""
    said: dict[str, Any] = {}
    left_out: list[str] = []
    for rule in ("permission", "prohibition", "obligation"):
        for constraint in _atoms(agreed.get(rule, [])):
            name = str(constraint.get("leftOperand", "")).rpartition(":")[2]
            if name in _CARRIED and constraint.get("operator") in {"eq", "isAnyOf"}:
                said.setdefault(name, constraint.get("rightOperand"))
            else:
                words = (name, constraint.get("operator"), constraint.get("rightOperand"))
                # A stranger's text goes to a terminal: shown as Python would, cut short.
                left_out.append(" ".join([rule, *(repr(word)[:_LONGEST] for word in words)]))
    return said, left_out


_LONGEST = 200
_CARRIED = frozenset({"DataProvisioningEndDate", "DataUsageEndDate", "UsagePurpose"})


def _atoms(value: object) -> Iterator[Mapping[str, Any]]:
    """Every constraint in rules, lists and conjunctions; other logic is not taken apart."""
    if isinstance(value, list):
        for item in value:
            yield from _atoms(item)
    elif isinstance(value, dict):
        if "leftOperand" in value:
            yield value
        elif others := sorted(set(value) & {"or", "xone", "andSequence"}):
            yield {"leftOperand": others[0], "rightOperand": value[others[0]]}
        else:
            for key in ("constraint", "and"):
                yield from _atoms(value.get(key, []))


def _purposes(agreed: Mapping[str, Any], said: Mapping[str, Any]) -> list[str]:
    ours = agreed.get(PURPOSES)
    if isinstance(ours, list) and ours:
        return [str(word) for word in ours]
    theirs = said.get("UsagePurpose", [])
    words = theirs if isinstance(theirs, list) else [theirs]
    return [re.sub(r"[^a-z0-9]+", "-", str(word).lower()).strip("-") for word in words]


def _party(agreed: Mapping[str, Any], role: str, given: str | None) -> str:
    named = given or str(agreed.get(role, "")).removeprefix(_PARTY)
    if not PARTY_ID.fullmatch(named):
        raise ContractRefused(
            "wrong-value",
            f"the policy's {role} is no party of ours; say whom it stands for",
            expected=f"{_PARTY}<id>",
            found=named or "none",
        )
    return named


def _instant(value: object, at: str) -> datetime:
    try:
        return parse_instant(value)  # type: ignore[arg-type]
    except ValueError:
        raise ContractRefused(
            "wrong-value",
            f"the policy's {at}",
            expected="an instant like 2026-03-01T06:00:00Z",
            found=value,
        ) from None
