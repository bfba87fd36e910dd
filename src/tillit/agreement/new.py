"""Write the draft of an agreement, and renew its pins to a kind that has changed. Pure.

A draft is for people to read before they sign: it says of each column what it is and how
confidential, and what it says is what will be enforced, because the draft is read back here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from tillit.agreement.language import API_VERSION, KIND, read
from tillit.errors import ContractRefused
from tillit.model import Cadence, Column, Every, Kind, isoformat

__all__ = ["draft", "repin"]

_CLASSES = {1: "public", 2: "internal", 3: "confidential", 4: "restricted"}
_SCHEMA = "../../agreement.schema.json"


def draft(  # noqa: PLR0913 (an agreement is all of this at once)
    provider: str,
    consumer: str,
    kind: Kind,
    start: datetime,
    end: datetime,
    cadence: Cadence,
    purposes: Collection[str],
    *,
    withheld: Collection[str] = (),
    agreement_id: str | None = None,
    version: str = "1.0.0",
    purpose: str | None = None,
    reassess: datetime | None = None,
) -> str:
    """An agreement as YAML with comments: every column of the kind clear but ``withheld``.

    ``agreement_id`` is ``<provider>--<consumer>.<kind>`` when not given, and ``purpose`` the
    kind's own. Raises ContractRefused when it would be no agreement.
    """
    unknown = set(withheld) - {column.name for column in kind.columns}
    if unknown:
        raise ContractRefused(
            "wrong-value",
            f"{kind.name} has no such column to withhold",
            expected=", ".join(column.name for column in kind.columns),
            found=", ".join(sorted(unknown)),
        )
    identifier = agreement_id or f"{provider}--{consumer}.{kind.name}"
    why = purpose or kind.purpose or f"Share {kind.name} with {consumer}."
    again = [f"nextReassessmentTimestamp: {_instant(reassess)}"] if reassess else []
    lines = [
        f"# yaml-language-server: $schema={_SCHEMA}",
        f"# {provider} lets {consumer} have {kind.name}. Both sides sign these bytes, this line",
        "# included: whoever changes anything here makes another agreement.",
        f"apiVersion: {API_VERSION}",
        f"kind: {KIND}",
        f"id: {_quoted(identifier)}",
        f"version: {version}",
        f"provider: {_quoted(provider)}",
        f"consumer: {_quoted(consumer)}",
        f"dataContractId: urn:tillit:kind:{kind.name}",
        f"dataContractVersion: {kind.version}",
        f"dataContractDigest: sha256:{kind.digest}",
        "description:",
        *_folded("purpose", why),
        f"startTimestamp: {_instant(start)}",
        f"endTimestamp: {_instant(end)}",
        *again,
        *_terms(kind, frozenset(withheld), cadence, purposes),
    ]
    text = "\n".join(lines) + "\n"
    read(text.encode())
    return text


def _terms(
    kind: Kind, withheld: frozenset[str], cadence: Cadence, purposes: Collection[str]
) -> list[str]:
    return [
        "terms:",
        "  # clear: as it is; withheld: never leaves. A column that is not listed is withheld.",
        "  columns:",
        *_columns(kind, withheld),
        "  # What the consumer may use the rows for, and nothing else.",
        "  purposes:",
        *(f"    - {_quoted(item)}" for item in purposes),
        f"  # {_told(cadence)}",
        "  cadence:",
        f"    every: {cadence.every}",
        f"    cutOffHours: {_hours(cadence.cut_off_hours)}",
    ]


def _instant(when: datetime) -> str:
    return isoformat(when.replace(microsecond=0))


def _columns(kind: Kind, withheld: frozenset[str]) -> list[str]:
    words = {c.name: "withheld" if c.name in withheld else "clear" for c in kind.columns}
    entries = [f"    {name}: {word}" for name, word in words.items()]
    width = max(len(entry) for entry in entries)
    return [
        f"{entry:<{width}}  # {_about(column)}"
        for entry, column in zip(entries, kind.columns, strict=True)
    ]


def _about(column: Column) -> str:
    said = [_CLASSES.get(column.level, "restricted")]
    if column.key:
        said.append("key")
    if column.witness:
        said.append(f"checked against {column.witness}")
    return ", ".join(said)


_PLAIN = re.compile(r"[a-z][a-z0-9_.-]*")
_READ_AS_ELSE = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def _quoted(text: str) -> str:
    """As YAML writes it: plain where nobody can take it for anything but this text."""
    if _PLAIN.fullmatch(text) and text not in _READ_AS_ELSE:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(c if c.isprintable() else _escape(c) for c in escaped)}"'


def _escape(character: str) -> str:
    return f"\\U{ord(character):08x}"


def _folded(key: str, text: str) -> list[str]:
    """One line, whatever blanks the words had between them."""
    return [f"  {key}: {_quoted(' '.join(text.split()))}"]


def _hours(hours: float) -> str:
    return str(int(hours)) if hours == int(hours) else repr(hours)


def _told(cadence: Cadence) -> str:
    """The cadence in a sentence, because minus signs are misread."""
    hours, every = cadence.cut_off_hours, cadence.every
    amount = f"{_hours(abs(hours))} h"
    if every is Every.EVENT:
        when = f"within {amount}" if hours else "at once"
        return f"A shipment when something happens, and {when}."
    if not hours:
        return f"The shipment of a {every} must be there when that {every} begins."
    side = "before" if hours > 0 else "after"
    return f"The shipment of a {every} must be there by {amount} {side} that {every} begins."


_PIN = re.compile(rb"^(dataContract(?:Version|Digest)):[^\S\r\n]*[^#\s][^\s]*", re.MULTILINE)


def repin(text: bytes, kind: Kind) -> bytes:
    """The same bytes with version and digest of the kind as it is now.

    The result is another agreement: it has to be signed again by both. Raises ContractRefused
    when the text is no agreement or is about another kind.
    """
    agreement = read(text)
    if agreement.kind != kind.name:
        raise ContractRefused(
            "wrong-value",
            "the agreement is about another kind",
            expected=kind.name,
            found=agreement.kind,
        )
    pins = {
        b"dataContractVersion": kind.version.encode(),
        b"dataContractDigest": b"sha256:" + kind.digest.encode(),
    }
    renewed = _PIN.sub(lambda found: found[1] + b": " + pins[found[1]], text)
    again = read(renewed)
    if (again.kind_version, again.kind_digest) != (kind.version, kind.digest):
        raise ContractRefused(
            "unsupported",
            "the pins are not written on lines of their own",
            expected="dataContractVersion: and dataContractDigest: at the start of a line",
        )
    return renewed
