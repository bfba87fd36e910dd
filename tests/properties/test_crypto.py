"""What holds for any file, any key and any change of a byte."""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillit.crypto import age, dsse
from tillit.crypto.keys import KeyRing
from tillit.crypto.signing import SigningKeys
from tillit.errors import KeyFileError, PayloadRefused, StatementRefused

usual = settings(deadline=None, max_examples=60, derandomize=True)

CHUNK = 64 * 1024
BLOCK = 16 * CHUNK
TYPE = "application/vnd.tillit.test+json"


def seeded(seed: object) -> Callable[[int], bytes]:
    return random.Random(str(seed)).randbytes


HYBRID = [age.generate_identity("mlkem768x25519", seeded(n)) for n in range(3)]
CLASSIC = [age.generate_identity("X25519", seeded(n)) for n in range(3)]
BUYER, SUPPLIER = SigningKeys.generate(seeded("buyer")), SigningKeys.generate(seeded("supplier"))

borders = st.builds(
    lambda border, off: max(0, border + off),
    st.sampled_from([0, CHUNK, 2 * CHUNK, BLOCK, BLOCK + CHUNK, 2 * BLOCK]),
    st.integers(-2, 2),
)
sizes = st.one_of(st.integers(0, 300), borders)


class Dripping(io.RawIOBase):
    """A source that gives less than it is asked for, and a sink that takes less."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._at, self._step = data, 0, step
        self.taken = bytearray()

    def read(self, size: int = -1) -> bytes:
        part = self._data[self._at : self._at + min(size, self._step)]
        self._at += len(part)
        return part

    readinto = None  # type: ignore[assignment]

    def write(self, data: object) -> int:
        taken = bytes(data)[: self._step]  # type: ignore[call-overload]
        self.taken += taken
        return len(taken)


def sealed(data: bytes, identities: list[age.Identity], *, armored: bool = False) -> bytes:
    sink = io.BytesIO()
    recipients = [age.recipient_of(identity) for identity in identities]
    made = age.encrypt(io.BytesIO(data), sink, recipients, random=seeded(1), armored=armored)
    assert made.bytes == len(sink.getvalue())
    assert made.sha256 == hashlib.sha256(sink.getvalue()).hexdigest()
    assert made.plaintext_bytes == len(data)
    return sink.getvalue()


def opened(file: bytes, *identities: age.Identity) -> bytes:
    sink = io.BytesIO()
    size = age.decrypt(io.BytesIO(file), sink, identities)
    assert size == len(sink.getvalue())
    return sink.getvalue()


@usual
@given(
    size=sizes,
    group=st.sampled_from([HYBRID, CLASSIC]),
    count=st.integers(1, 3),
    armored=st.booleans(),
    seed=st.integers(0, 9),
)
def test_every_recipient_opens_what_was_sealed(
    size: int, group: list[age.Identity], count: int, armored: bool, seed: int
) -> None:
    data = seeded(seed)(size)
    file = sealed(data, group[:count], armored=armored and size < BLOCK)
    for identity in group[:count]:
        assert opened(file, identity) == data
    assert opened(file, *HYBRID, *CLASSIC) == data
    for identity in group[count:]:
        with pytest.raises(PayloadRefused, match="somebody else"):
            opened(file, identity)


@usual
@given(size=sizes, step=st.sampled_from([777, 65_536, 65_552, 2_000_000]))
def test_how_a_file_is_read_and_written_does_not_matter(size: int, step: int) -> None:
    data = seeded(size)(size)
    sink, recipients = Dripping(b"", step), [age.recipient_of(CLASSIC[0])]
    made = age.encrypt(Dripping(data, step), sink, recipients, random=seeded(1))  # type: ignore[arg-type]
    assert bytes(sink.taken) == sealed(data, CLASSIC[:1])
    back = Dripping(b"", step)
    age.decrypt(Dripping(bytes(sink.taken), step), back, CLASSIC)  # type: ignore[arg-type]
    assert bytes(back.taken) == data
    assert made.bytes == len(sink.taken)


FILES = {
    "hybrid": (sealed(b"ten castings" * 9, HYBRID[:2]), HYBRID[0]),
    "x25519": (sealed(b"ten castings" * 9, CLASSIC[:2]), CLASSIC[0]),
    "two chunks": (sealed(seeded(2)(CHUNK + 9), CLASSIC[:1]), CLASSIC[0]),
    "two full chunks": (sealed(seeded(2)(2 * CHUNK), CLASSIC[:1]), CLASSIC[0]),
    "empty": (sealed(b"", CLASSIC[:1]), CLASSIC[0]),
    "armored": (sealed(b"ten castings" * 9, CLASSIC[:1], armored=True), CLASSIC[0]),
}


@pytest.mark.parametrize("name", FILES)
@usual
@given(where=st.floats(0, 1, exclude_max=True), to=st.integers(1, 255))
def test_a_changed_byte_is_refused(name: str, where: float, to: int) -> None:
    file, identity = FILES[name]
    changed = bytearray(file)
    changed[int(where * len(file))] ^= to
    with pytest.raises(PayloadRefused):
        opened(bytes(changed), identity)


@pytest.mark.parametrize("name", FILES)
@usual
@given(where=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(name: str, where: float) -> None:
    file, identity = FILES[name]
    cut = file[: int(where * len(file))]
    if name == "armored" and cut == file[:-1]:
        return  # a text without its last end of line is the same text
    with pytest.raises(PayloadRefused):
        opened(cut, identity)


@pytest.mark.parametrize("name", FILES)
@usual
@given(more=st.binary(min_size=1, max_size=40))
def test_a_continued_file_is_refused(name: str, more: bytes) -> None:
    file, identity = FILES[name]
    if name == "armored" and not more.strip():
        return  # white space around a text is allowed
    with pytest.raises(PayloadRefused):
        opened(file + more, identity)


@usual
@given(data=st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data: bytes) -> None:
    for file in (data, b"age-encryption.org/v1\n" + data, b"-----BEGIN" + data):
        with pytest.raises(PayloadRefused):
            opened(file, *CLASSIC)


@usual
@given(data=st.binary(max_size=200), limit=st.integers(0, 220))
def test_no_more_comes_out_than_was_stated(data: bytes, limit: int) -> None:
    file, sink = io.BytesIO(sealed(data, CLASSIC[:1])), io.BytesIO()
    if len(data) <= limit:
        assert age.decrypt(file, sink, CLASSIC, max_bytes=limit) == len(data)
    else:
        with pytest.raises(PayloadRefused) as refused:
            age.decrypt(file, sink, CLASSIC, max_bytes=limit)
        assert refused.value.code == "payload.unpacks-too-large"
        assert sink.getvalue() == b""


ENVELOPE = dsse.sign(b'{"plan":10}', TYPE, [BUYER, SUPPLIER])
TRUSTED = {"buyer": (BUYER.public,), "supplier": (SUPPLIER.public,)}


@settings(usual, max_examples=300)
@given(where=st.integers(0, len(ENVELOPE) - 1), to=st.integers(1, 255))
def test_a_changed_envelope_is_refused_or_says_the_same(where: int, to: int) -> None:
    changed = bytearray(ENVELOPE)
    changed[where] ^= to
    try:
        verified = dsse.verify(bytes(changed), TRUSTED, TYPE, required=TRUSTED)
    except StatementRefused:
        return
    assert verified.payload == b'{"plan":10}'
    assert verified.signers == {"buyer", "supplier"}


@usual
@given(payload=st.binary(max_size=200), kind=st.text(st.characters(exclude_categories=["Cs"])))
def test_an_envelope_gives_back_what_was_signed(payload: bytes, kind: str) -> None:
    envelope = dsse.add_signatures(dsse.sign(payload, kind, [BUYER]), [SUPPLIER])
    verified = dsse.verify(envelope, TRUSTED, kind, required=TRUSTED)
    assert verified.payload == dsse.unverified_payload(envelope) == payload
    spaced = json.dumps(json.loads(envelope), indent=2).encode()
    assert dsse.verify(spaced, TRUSTED, kind, required=TRUSTED).payload == payload


@usual
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_no_envelope(data: bytes) -> None:
    with pytest.raises(StatementRefused):
        dsse.verify(data, TRUSTED, TYPE)


@settings(usual, max_examples=12)
@given(
    seed=st.integers(0, 1000),
    rotations=st.integers(0, 2),
    passphrase=st.none() | st.binary(min_size=1, max_size=20),
)
def test_a_key_ring_comes_back_as_it_was(
    seed: int, rotations: int, passphrase: bytes | None
) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        ring = KeyRing.create(place, passphrase=passphrase, random=seeded(seed), work_factor=2)
        for turn in range(rotations):
            ring.rotate(seeded((seed, turn)))
        back = KeyRing.load(place, passphrase=passphrase)
        assert back.generations == ring.generations
        assert back.identities == ring.identities
        assert len(back.generations) == rotations + 1
        if passphrase is not None:
            for wrong in (None, passphrase + b"!"):
                with pytest.raises(KeyFileError) as refused:
                    KeyRing.load(place, passphrase=wrong)
                assert refused.value.code == "key.passphrase"
