"""DSSE envelopes: what the vectors do not say."""

from __future__ import annotations

import json
import random

import pytest

from tillit.crypto import dsse
from tillit.crypto.signing import PublicKeys, SigningKeys
from tillit.errors import StatementRefused

TYPE = "application/vnd.tillit.test+json"


def keys(name: str) -> SigningKeys:
    return SigningKeys.generate(random.Random(name).randbytes)


BUYER, BEFORE, SUPPLIER, STRANGER = map(keys, ["buyer", "before", "supplier", "stranger"])
TRUSTED = {"buyer": (BUYER.public, BEFORE.public), "supplier": (SUPPLIER.public,)}


def refusal(envelope: bytes, **how: object) -> StatementRefused:
    with pytest.raises(StatementRefused) as refused:
        dsse.verify(envelope, TRUSTED, TYPE, **how)  # type: ignore[arg-type]
    return refused.value


def test_the_specifications_example() -> None:
    """Encoding and envelope of the DSSE protocol; its ECDSA signature is no signature of ours."""
    encoded = dsse.pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    envelope = b"""{"payload": "aGVsbG8gd29ybGQ=",
 "payloadType": "http://example.com/HelloWorld",
 "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}"""
    assert dsse.unverified_payload(envelope) == b"hello world"
    with pytest.raises(StatementRefused) as refused:
        dsse.verify(envelope, TRUSTED, "http://example.com/HelloWorld")
    assert refused.value.code == "statement.signature"


def test_lengths_are_counted_in_bytes() -> None:
    encoded = dsse.pre_authentication_encoding("tekst/å", "ø".encode())
    assert encoded == "DSSEv1 8 tekst/å 2 ø".encode()


def test_each_signer_signs_twice() -> None:
    envelope = json.loads(dsse.sign(b"plan", TYPE, [BUYER, SUPPLIER]))
    names = [signature["keyid"].split(":")[0] for signature in envelope["signatures"]]
    assert names == ["ed25519", "mldsa65"] * 2


def test_verified_says_who_signed_and_under_which_keys() -> None:
    verified = dsse.verify(dsse.sign(b"plan", TYPE, [BEFORE, STRANGER]), TRUSTED, TYPE)
    assert verified.payload == b"plan"
    assert verified.signers == {"buyer"}
    assert verified.keys == {"buyer": BEFORE.public}


def test_only_the_newest_generation_when_only_that_is_passed() -> None:
    envelope = dsse.sign(b"plan", TYPE, [BEFORE])
    with pytest.raises(StatementRefused) as refused:
        dsse.verify(envelope, {"buyer": TRUSTED["buyer"][:1]}, TYPE)
    assert refused.value.code == "statement.stranger"


def test_a_countersignature_is_over_the_same_bytes() -> None:
    text = b"apiVersion: 1  # with a comment\r\n"
    first = dsse.sign(text, TYPE, [BUYER])
    assert refusal(first, required=["buyer", "supplier"]).code == "statement.stranger"
    both = dsse.add_signatures(first, [SUPPLIER])
    assert dsse.verify(both, TRUSTED, TYPE, required=["buyer", "supplier"]).payload == text
    again = dsse.add_signatures(both, [SUPPLIER])
    assert len(json.loads(again)["signatures"]) == 4


def test_a_required_party_that_is_not_trusted_is_never_satisfied() -> None:
    envelope = dsse.sign(b"plan", TYPE, [STRANGER, BUYER])
    assert refusal(envelope, required=["stranger"]).code == "statement.stranger"


def test_a_stranger_is_told_by_its_name_and_a_forger_by_what_is_missing() -> None:
    assert refusal(dsse.sign(b"plan", TYPE, [STRANGER])).code == "statement.stranger"
    forged = json.loads(dsse.sign(b"plan", TYPE, [BUYER]))
    forged["signatures"][1]["sig"] = forged["signatures"][0]["sig"]
    refused = refusal(json.dumps(forged).encode(), required=["buyer"])
    assert refused.code == "statement.signature"
    assert refused.found == "none that verifies for mldsa65"


def test_the_payload_type_is_signed() -> None:
    envelope = json.loads(dsse.sign(b"plan", "application/vnd.other+json", [BUYER]))
    envelope["payloadType"] = TYPE
    assert refusal(json.dumps(envelope).encode()).code == "statement.signature"


def test_size_is_bounded() -> None:
    envelope = dsse.sign(b"plan", TYPE, [BUYER])
    assert refusal(envelope, max_bytes=len(envelope) - 1).code == "statement.too-large"
    assert dsse.verify(envelope, TRUSTED, TYPE, max_bytes=len(envelope)).payload == b"plan"


@pytest.mark.parametrize("field", ["payload", "payloadType", "keyid", "sig"])
def test_half_a_surrogate_pair_is_refused(field: str) -> None:
    signature = {"keyid": "", "sig": ""}
    envelope = {"payload": "", "payloadType": TYPE, "signatures": [signature]}
    (signature if field in signature else envelope)[field] = "\ud800"  # type: ignore[index]
    data = json.dumps(envelope).encode()
    assert refusal(data).code == "statement.malformed"
    with pytest.raises(StatementRefused):
        dsse.add_signatures(data, [BUYER])


def test_nothing_shows_a_secret() -> None:
    for shown in (repr(BUYER), str(BUYER)):
        assert BUYER.ed25519.hex() not in shown
        assert repr(BUYER.ed25519) not in shown
        assert shown == f"SigningKeys({BUYER.public.fingerprint})"


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError):
        PublicKeys(b"short", BUYER.public.mldsa65)
    with pytest.raises(ValueError):
        PublicKeys(BUYER.public.ed25519, b"short")
    with pytest.raises(ValueError):
        SigningKeys(b"short", bytes(32))
