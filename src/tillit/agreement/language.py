"""The language of agreements: from the exact YAML bytes to an Agreement. Pure.

Fields are named as in Bitol's draft Open Access Agreement Standard where it has them; ``terms`` is
ours, because no standard has terms that a machine can enforce. The checks are by hand, many times
as fast as a JSON Schema validator and with better words; `schema` gives the same rules as JSON
Schema for editors, and a test holds the two to the same verdicts.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tillit import safe_yaml
from tillit.agreement.fields import (
    INSTANT,
    SEMVER,
    Schema,
    instant,
    mapping,
    mapping_schema,
    matched,
    one_of,
    pattern_schema,
    prose,
    prose_schema,
    refuse,
)
from tillit.agreement.terms import read_terms, shared_columns, terms_fit, terms_schema
from tillit.agreement.terms.ceiling import above_ceiling
from tillit.errors import AgreementRefused
from tillit.model import AGREEMENT_ID, PARTY_ID, Agreement, Kind, Treatment, isoformat

__all__ = ["API_VERSION", "KIND", "Finding", "check", "findings", "read", "require_kind", "schema"]

API_VERSION = "v1"
KIND = "AccessAgreement"

CONTRACT_ID = re.compile(r"urn:tillit:kind:([a-z][a-z0-9_]{0,62})")
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")

_REQUIRED = (
    "apiVersion",
    "kind",
    "id",
    "version",
    "provider",
    "consumer",
    "dataContractId",
    "dataContractVersion",
    "dataContractDigest",
    "description",
    "startTimestamp",
    "endTimestamp",
    "terms",
)
_OPTIONAL = ("nextReassessmentTimestamp",)


def read(text: bytes) -> Agreement:
    """Read an agreement; its digest is that of these bytes, comments included.

    Raises ContractRefused: what is not YAML or not this language, an unknown key or term, ids
    that are no ids, parties that are one, dates that cross.
    """
    # 1. One meaning only: aliases, duplicate keys, tags are gone here.
    document = safe_yaml.load(text, what="the agreement")
    # 2. Its keys, no more and no fewer.
    fields = mapping(document, "", _REQUIRED, _OPTIONAL)
    one_of(fields["apiVersion"], "apiVersion", (API_VERSION,))
    one_of(fields["kind"], "kind", (KIND,))
    # 3. Who and what.
    provider = matched(fields["provider"], "provider", PARTY_ID, _PARTY)
    consumer = matched(fields["consumer"], "consumer", PARTY_ID, _PARTY)
    if provider == consumer:
        raise refuse("wrong-value", "consumer", "another party than the provider", consumer)
    contract = matched(fields["dataContractId"], "dataContractId", CONTRACT_ID, _CONTRACT)
    digest = matched(fields["dataContractDigest"], "dataContractDigest", DIGEST, _DIGEST)
    words = mapping(fields["description"], "description", *_DESCRIPTION)
    for name, value in words.items():
        prose(value, f"description.{name}")
    # 4. When.
    start, end, reassess = _times(fields)
    # 5. Under which terms.
    terms = read_terms(fields["terms"])
    columns = terms.pop("columns")
    return Agreement(
        id=matched(fields["id"], "id", AGREEMENT_ID, f"an id, {AGREEMENT_ID.pattern}"),
        version=matched(fields["version"], "version", SEMVER, _VERSION),
        digest=hashlib.sha256(text).hexdigest(),
        provider=provider,
        consumer=consumer,
        kind=contract.rpartition(":")[2],
        kind_version=matched(
            fields["dataContractVersion"], "dataContractVersion", SEMVER, _VERSION
        ),
        kind_digest=digest.rpartition(":")[2],
        start=start,
        end=end,
        purpose=words["purpose"],
        reassess=reassess,
        text=text,
        columns={name: treated.treatment for name, treated in columns.items()},
        coarseness={name: t.coarseness for name, t in columns.items() if t.coarseness},
        purposes=terms.pop("purposes"),
        cadence=terms.pop("cadence"),
        terms=terms,
    )


_PARTY = f"a party's id, {PARTY_ID.pattern}"
_CONTRACT = "a kind's id like urn:tillit:kind:order"
_DIGEST = "sha256: and 64 lower-case hexadecimal digits"
_VERSION = "a version like 1.0.0"
_DESCRIPTION = (("purpose",), ("usage", "limitations"))


def _times(fields: dict[str, Any]) -> tuple[datetime, datetime, datetime | None]:
    start = instant(fields["startTimestamp"], "startTimestamp")
    end = instant(fields["endTimestamp"], "endTimestamp")
    if not start < end:
        after = f"an instant after the start, {isoformat(start)}"
        raise refuse("wrong-value", "endTimestamp", after, isoformat(end))
    if "nextReassessmentTimestamp" not in fields:
        return start, end, None
    reassess = instant(fields["nextReassessmentTimestamp"], "nextReassessmentTimestamp")
    if not start < reassess <= end:
        between = f"an instant after {isoformat(start)} and not after {isoformat(end)}"
        raise refuse("wrong-value", "nextReassessmentTimestamp", between, isoformat(reassess))
    return start, end, reassess


def require_kind(agreement: Agreement, kind: Kind) -> None:
    """The agreement is about this kind, with these very bytes, and its terms fit it.

    Raises AgreementRefused ``wrong-kind`` or ``kind-changed``; ContractRefused when the terms name
    what the kind does not have or withhold its key.
    """
    if agreement.kind != kind.name:
        raise AgreementRefused(
            "wrong-kind",
            f"{agreement.id} is about another kind",
            expected=agreement.kind,
            found=kind.name,
        )
    pinned = f"{agreement.kind_version} sha256:{agreement.kind_digest}"
    there = f"{kind.version} sha256:{kind.digest}"
    if pinned != there:
        raise AgreementRefused(
            "kind-changed",
            f"the contract of {kind.name} is not the one that {agreement.id} was made over",
            expected=pinned,
            found=there,
        )
    terms_fit(agreement, kind)


@dataclass(frozen=True)
class Finding:
    """What is allowed and still worth a second look before signing."""

    at: str
    says: str


def check(text: bytes, kind: Kind) -> list[Finding]:
    """What a person should look at before signing; whatever is wrong is raised.

    Raises ContractRefused and AgreementRefused as `read` and `require_kind` do.
    """
    agreement = read(text)
    require_kind(agreement, kind)
    return findings(agreement, kind)


def findings(agreement: Agreement, kind: Kind) -> list[Finding]:
    """What a person should look at in an agreement that was read, and that fits its kind."""
    return [*_about_columns(agreement, kind), *_about_time(agreement)]


def _about_columns(agreement: Agreement, kind: Kind) -> list[Finding]:
    found = []
    for column in kind.columns:
        at = f"terms.columns.{column.name}"
        treatment = agreement.columns.get(column.name)
        if treatment is None:
            found.append(Finding(at, "is not listed, so it is withheld"))
        elif treatment is not Treatment.WITHHELD and above_ceiling(agreement, column):
            found.append(Finding(at, "lies above classificationCeiling, so it is withheld"))
        elif treatment is Treatment.REDACTED:
            found.append(Finding(at, "names of people in words are not found by text-redacted"))
        elif treatment is Treatment.CLEAR and column.level >= 4:
            found.append(Finding(at, "is restricted, the highest class, and leaves in clear"))
        elif treatment is Treatment.WITHHELD and column.required:
            found.append(Finding(at, "is withheld though the kind requires it: it will be empty"))
    if set(shared_columns(agreement, kind)) <= set(kind.key):
        found.append(Finding("terms.columns", "nothing but the key is shared"))
    return found


def _about_time(agreement: Agreement) -> list[Finding]:
    if agreement.reassess is None:
        return [Finding("nextReassessmentTimestamp", "is not given: nobody is asked to look again")]
    return []


def schema() -> Schema:
    """The language as JSON Schema, draft 2020-12; what it cannot say is that dates do not cross."""
    moment = pattern_schema(INSTANT, "")
    when = {key: value for key, value in moment.items() if key != "description"}
    properties = {
        "apiVersion": {"const": API_VERSION, "description": "Of this language."},
        "kind": {"const": KIND},
        "id": pattern_schema(AGREEMENT_ID, "The agreement's own id, the same in all versions."),
        "version": pattern_schema(SEMVER, "Another text has another version."),
        "provider": pattern_schema(PARTY_ID, "Id of the party that shares."),
        "consumer": pattern_schema(PARTY_ID, "Id of the party that receives; another one."),
        "dataContractId": pattern_schema(CONTRACT_ID, "The kind: the id of its ODCS contract."),
        "dataContractVersion": pattern_schema(SEMVER, "The version of that contract."),
        "dataContractDigest": pattern_schema(DIGEST, "SHA-256 of that contract's bytes."),
        "description": mapping_schema(
            {
                "purpose": prose_schema("Why this is shared, in a sentence."),
                "usage": prose_schema("How it is meant to be used."),
                "limitations": prose_schema("What it must not be taken for."),
            },
            _DESCRIPTION[0],
            "For people; software enforces the terms.",
        ),
        "startTimestamp": {**when, "description": "In force from this instant on."},
        "endTimestamp": {**when, "description": "No longer in force from this instant on."},
        "nextReassessmentTimestamp": {**when, "description": "When both sides look at it again."},
        "terms": terms_schema(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tillit:schema:agreement:v1",
        "title": "Access agreement of tillit",
        **mapping_schema(properties, _REQUIRED),
    }
