"""DSSE v1 envelopes: signed bytes of a named type, in JSON. Pure.

Each signer signs twice, with Ed25519 and ML-DSA-65, and counts only when both verify under one
generation of its keys. What is returned are the exact bytes that were signed, never JSON that was
parsed and written again.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from tillit.crypto.signing import ALGORITHMS, PublicKeys, Signature, SigningKeys
from tillit.errors import StatementRefused

__all__ = [
    "MAX_BYTES",
    "Verified",
    "add_signatures",
    "pre_authentication_encoding",
    "sign",
    "unverified_payload",
    "verify",
]

MAX_BYTES = 4 * 1024 * 1024
# Eight signers: more are more work than a stranger may cause.
_MAX_SIGNATURES = 16


@dataclass(frozen=True)
class Verified:
    """What was signed, by whom, and under which generation of each signer's keys.

    An earlier generation still verifies what it signed in its time. Whether a *new* statement may
    be under an earlier one is the caller's to say: pass only the newest generation, or look here.
    """

    payload: bytes
    signers: frozenset[str]
    keys: Mapping[str, PublicKeys]


@dataclass(frozen=True)
class _Envelope:
    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What is signed: type and payload, each behind its length in bytes, so neither runs over."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, signers: Sequence[SigningKeys]) -> bytes:
    """An envelope over exactly these bytes, with two signatures of each signer."""
    message = pre_authentication_encoding(payload_type, payload)
    signatures = [signature for keys in signers for signature in keys.sign(message)]
    return _write(_Envelope(payload, payload_type, tuple(signatures)))


def add_signatures(
    envelope: bytes, signers: Sequence[SigningKeys], *, max_bytes: int = MAX_BYTES
) -> bytes:
    """The envelope with the signers' signatures beside those that are there, over the same bytes.

    Nobody is verified here. A signer that has signed already signs anew in its place.
    """
    opened = _read(envelope, max_bytes)
    message = pre_authentication_encoding(opened.payload_type, opened.payload)
    added = [signature for keys in signers for signature in keys.sign(message)]
    ours = {signature.keyid for signature in added}
    kept = [signature for signature in opened.signatures if signature.keyid not in ours]
    return _write(_Envelope(opened.payload, opened.payload_type, (*kept, *added)))


def verify(
    envelope: bytes,
    trusted: Mapping[str, Sequence[PublicKeys]],
    payload_type: str,
    *,
    required: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Verified:
    """The payload, once every required party, and somebody trusted at least, has signed it.

    ``trusted`` gives each party's generations of keys, newest first. Signatures of strangers are
    passed over. Raises StatementRefused: ``too-large``, ``malformed`` (another payload type
    included), ``unsigned``, ``stranger`` (nothing by a key that we know), ``signature``.
    """
    opened = _read(envelope, max_bytes)
    if opened.payload_type != payload_type:
        raise StatementRefused(
            "malformed", "payload type", expected=payload_type, found=opened.payload_type
        )
    if not opened.signatures:
        raise StatementRefused("unsigned", "the envelope holds no signature")
    message = pre_authentication_encoding(payload_type, opened.payload)
    keys = {}
    for party, generations in trusted.items():
        for generation in generations:
            if not _missing(opened, generation, message):
                keys[party] = generation
                break
    for party in sorted(required):
        if party not in keys:
            _refuse(opened, {party: trusted.get(party, ())}, message)
    if not keys:
        _refuse(opened, trusted, message)
    return Verified(opened.payload, frozenset(keys), keys)


def unverified_payload(envelope: bytes, *, max_bytes: int = MAX_BYTES) -> bytes:
    """What the envelope claims, signed or not: to find out whose keys to verify it with."""
    return _read(envelope, max_bytes).payload


def _missing(opened: _Envelope, keys: PublicKeys, message: bytes) -> list[str]:
    """Algorithms of these keys without a signature that verifies; empty when both do."""
    return [
        algorithm
        for algorithm in ALGORITHMS
        if not any(
            keys.verifies(algorithm, signature.value, message)
            for signature in opened.signatures
            # The hint spares work; without one every key is tried.
            if signature.keyid in ("", keys.keyids[algorithm])
        )
    ]


def _refuse(
    opened: _Envelope, trusted: Mapping[str, Sequence[PublicKeys]], message: bytes
) -> NoReturn:
    """Say what is missing: the half of a pair, a genuine signature, or anybody we know."""
    claimed = {signature.keyid for signature in opened.signatures}
    whose = " or ".join(sorted(trusted)) or "anybody known"
    for party, generations in trusted.items():
        for keys in generations:
            if claimed & {*keys.keyids.values(), ""}:
                missing = ", ".join(_missing(opened, keys, message))
                raise StatementRefused(
                    "signature",
                    f"{party}'s signature",
                    expected=f"{' and '.join(ALGORITHMS)}, both valid",
                    found=f"none that verifies for {missing}",
                )
    raise StatementRefused(
        "stranger",
        f"not signed by {whose}",
        expected=whose,
        found=", ".join(sorted(claimed)) or "nobody",
    )


def _write(envelope: _Envelope) -> bytes:
    signatures = [{"keyid": s.keyid, "sig": _encode64(s.value)} for s in envelope.signatures]
    fields = {
        "payload": _encode64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": signatures,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _read(envelope: bytes, max_bytes: int) -> _Envelope:
    """The parts of an envelope; unknown fields are passed over, as the specification asks."""
    if len(envelope) > max_bytes:
        raise StatementRefused(
            "too-large", "an envelope", expected=f"at most {max_bytes} bytes", found=len(envelope)
        )
    try:
        fields = json.loads(
            envelope.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        # Not the error's text: it may repeat a part of the envelope.
        raise _malformed(f"JSON ({type(error).__name__})") from None
    if not isinstance(fields, dict):
        raise _malformed("an object")
    signatures = fields.get("signatures")
    if not isinstance(signatures, list) or len(signatures) > _MAX_SIGNATURES:
        raise _malformed(f"a list of at most {_MAX_SIGNATURES} signatures")
    return _Envelope(
        _decode64(_text(fields, "payload")),
        _text(fields, "payloadType"),
        tuple(_signature(fields) for fields in signatures),
    )


def _signature(fields: Any) -> Signature:
    if not isinstance(fields, dict):
        raise _malformed("signatures that are objects")
    keyid = "" if fields.get("keyid") is None else _text(fields, "keyid")
    return Signature(keyid, _decode64(_text(fields, "sig")))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; two readers could see two values where a key stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not _is_unicode(value):
        raise _malformed(f"text under {key}")
    return value


def _is_unicode(text: str) -> bool:
    """Whether it has no half of a surrogate pair, which JSON can name and UTF-8 cannot hold."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _encode64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode64(text: str) -> bytes:
    """Standard or URL-safe Base 64, with its padding and in its one canonical form."""
    standard = text.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("Base 64") from None
    if _encode64(data) != standard:
        raise _malformed("Base 64 in its canonical form")
    return data


def _malformed(expected: str) -> StatementRefused:
    return StatementRefused("malformed", "not a DSSE envelope", expected=expected)
