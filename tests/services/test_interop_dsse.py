"""Our envelopes are verified by somebody else's verifier, and theirs by ours."""

from __future__ import annotations

import json

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from tillit.crypto import dsse
from tillit.crypto.signing import SigningKeys

TYPE = "application/vnd.in-toto+json"

pytestmark = pytest.mark.services


def independent_key(keys: SigningKeys) -> SSlibKey:
    public = keys.public
    return SSlibKey(
        public.keyids["ed25519"], "ed25519", "ed25519", {"public": public.ed25519.hex()}
    )


@pytest.mark.parametrize("payload", [b"", b"{}", "Fjordstål".encode(), bytes(range(256))])
@pytest.mark.parametrize("payload_type", [TYPE, "application/vnd.tillit.test+jsón"])
def test_securesystemslib_verifies_the_ed25519_half(payload: bytes, payload_type: str) -> None:
    buyer, supplier = SigningKeys.generate(), SigningKeys.generate()
    envelope = dsse.add_signatures(dsse.sign(payload, payload_type, [buyer]), [supplier])
    theirs = Envelope.from_dict(json.loads(envelope))
    keys = [independent_key(buyer), independent_key(supplier)]
    assert len(theirs.verify(keys, threshold=2)) == 2
    assert theirs.payload == payload
    with pytest.raises(VerificationError):
        theirs.verify([independent_key(SigningKeys.generate())], threshold=1)


def test_securesystemslib_refuses_a_changed_payload() -> None:
    keys = SigningKeys.generate()
    fields = json.loads(dsse.sign(b"ten", TYPE, [keys]))
    fields["payload"] = "b25l"
    with pytest.raises(VerificationError):
        Envelope.from_dict(fields).verify([independent_key(keys)], threshold=1)


def test_both_encode_the_same_bytes() -> None:
    theirs = Envelope(b"hello world", "http://example.com/HelloWorld", {})
    assert theirs.pae() == dsse.pre_authentication_encoding(theirs.payload_type, theirs.payload)
