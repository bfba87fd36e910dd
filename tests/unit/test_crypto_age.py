"""age files: what the vectors do not say."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import pytest

from tillit.crypto import age
from tillit.crypto.age import bech32
from tillit.crypto.age.reader import Reader
from tillit.crypto.age.stream import CHUNK, decrypt_stream
from tillit.errors import KeyFileError, PayloadRefused, UsageError


def seeded(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def seal(data: bytes, recipients: list[str], **how: object) -> tuple[bytes, age.Sealed]:
    sink = io.BytesIO()
    made = age.encrypt(io.BytesIO(data), sink, recipients, **how)  # type: ignore[arg-type]
    return sink.getvalue(), made


@pytest.mark.parametrize("kind", ["mlkem768x25519", "X25519"])
def test_identities_and_recipients_read_back(kind: str) -> None:
    identity = age.generate_identity(kind, seeded(1))
    assert age.Identity.parse(identity.encode()) == identity
    recipient = age.recipient_of(identity)
    assert age.Recipient.parse(recipient).encode() == recipient
    assert recipient.startswith({"mlkem768x25519": "age1pq1", "X25519": "age1"}[kind])


def test_keys_of_the_specification() -> None:
    """The identity and recipient that the specification shows for X25519."""
    identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    assert age.recipient_of(age.Identity.parse(identity)) == recipient


def test_nothing_shows_a_secret() -> None:
    identity = age.generate_identity(random=seeded(1))
    for shown in (repr(identity), str(identity), f"{identity}", repr([identity])):
        assert identity.encode()[20:40] not in shown.upper()
        assert identity.secret.hex() not in shown
        assert repr(identity.secret) not in shown
    broken = identity.encode()[:-1] + "Q"
    with pytest.raises(KeyFileError) as refused:
        age.Identity.parse(broken)
    assert broken[20:40] not in str(refused.value)


def test_what_is_written_is_counted_and_digested() -> None:
    import hashlib

    recipient = age.recipient_of(age.generate_identity(random=seeded(1)))
    data = seeded(2)(3_000_000)
    file, made = seal(data, [recipient])
    assert made == age.Sealed(len(file), hashlib.sha256(file).hexdigest(), len(data))
    # A block that the second thread digests, and a rest that must not overtake it.
    file, made = seal(data[: 2**20 + 9], [recipient])
    assert made.sha256 == hashlib.sha256(file).hexdigest()
    armored, made = seal(data[:100_000], [recipient], armored=True)
    assert made == age.Sealed(len(armored), hashlib.sha256(armored).hexdigest(), 100_000)
    assert max(map(len, armored.splitlines())) == 64


def test_fixed_randomness_gives_a_fixed_file() -> None:
    recipient = age.recipient_of(age.generate_identity("X25519", seeded(1)))
    one, other = (seal(b"plan", [recipient], random=seeded(n))[0] for n in (2, 3))
    assert seal(b"plan", [recipient], random=seeded(2))[0] == one != other


def test_a_mixture_of_kinds_is_refused() -> None:
    both = [age.recipient_of(age.generate_identity(k)) for k in ("mlkem768x25519", "X25519")]
    with pytest.raises(UsageError, match="all of one kind"):
        seal(b"plan", both)
    with pytest.raises(UsageError, match="none"):
        seal(b"plan", [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk",
        "ssh-ed25519 AAAA",
        bech32.encode("age", bytes(32)),
        bech32.encode("age", bytes(31)),
        bech32.encode("age1pq", b"\xff" * 1216),
        bech32.encode("age1tag", bytes(33)),
    ],
    ids=["empty", "short", "capitals", "checksum", "ssh", "low-order", "size", "no-key", "tag"],
)
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seal(b"plan", [text])


@pytest.mark.parametrize("kind", ["x25519", "scrypt", ""])
def test_an_unknown_kind_of_identity(kind: str) -> None:
    with pytest.raises(UsageError):
        age.generate_identity(kind)


@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    ],
)
def test_bech32_of_its_proposal(text: str) -> None:
    """Valid strings of BIP 173."""
    assert bech32.encode(*bech32.decode(text)) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "A12uEL5L",
        "10a06t8",
        "1qzzfhee",
    ],
)
def test_bech32_refuses(text: str) -> None:
    """Invalid strings of BIP 173, and one in mixed case."""
    with pytest.raises(ValueError):
        bech32.decode(text)


def test_an_empty_last_chunk_is_refused() -> None:
    """Otherwise one payload would have two files."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    key, reader = bytes(32), io.BytesIO()
    cipher = ChaCha20Poly1305(key)
    reader.write(cipher.encrypt(bytes(12), bytes(CHUNK), None))
    reader.write(cipher.encrypt(bytes(10) + b"\1\1", b"", None))
    reader.seek(0)
    with pytest.raises(PayloadRefused):
        decrypt_stream(key, Reader(reader), lambda _: None, None)


def test_a_passphrase_opens_and_another_does_not() -> None:
    sink = io.BytesIO()
    age.encrypt_with_passphrase(io.BytesIO(b"plan"), sink, b"right", work_factor=3)
    out = io.BytesIO()
    assert age.decrypt_with_passphrase(io.BytesIO(sink.getvalue()), out, b"right") == 4
    assert out.getvalue() == b"plan"
    for passphrase, limit, code in [(b"wrong", 22, "no-identity"), (b"right", 2, "header")]:
        with pytest.raises(PayloadRefused) as refused:
            age.decrypt_with_passphrase(
                io.BytesIO(sink.getvalue()), io.BytesIO(), passphrase, max_work_factor=limit
            )
        assert refused.value.code == f"payload.{code}"


@pytest.mark.parametrize(("passphrase", "work"), [(b"", 3), (b"x", 0), (b"x", 23)])
def test_no_passphrase_or_too_much_work(passphrase: bytes, work: int) -> None:
    with pytest.raises(UsageError):
        age.encrypt_with_passphrase(io.BytesIO(), io.BytesIO(), passphrase, work_factor=work)


def test_a_refusal_says_what_the_file_is_sealed_with() -> None:
    sink = io.BytesIO()
    age.encrypt_with_passphrase(io.BytesIO(b"plan"), sink, b"right", work_factor=3)
    with pytest.raises(PayloadRefused, match="scrypt"):
        age.decrypt(io.BytesIO(sink.getvalue()), io.BytesIO(), [age.generate_identity()])


def test_a_header_without_end_is_not_read_to_the_end() -> None:
    """A stranger's file may not fill our memory, nor cost a key agreement per line."""

    class Endless(io.RawIOBase):
        def __init__(self, line: bytes) -> None:
            self.given, self._line = 0, line

        def read(self, size: int = -1) -> bytes:
            first = b"age-encryption.org/v1\n" if not self.given else b""
            self.given += size
            return (first + self._line * (size // len(self._line)))[:size]

    for line in (b"-> X25519 AAAA\nAAAA\n", b"-> " + b"x" * 100, b"\n", b" "):
        source = Endless(line)
        with pytest.raises(PayloadRefused) as refused:
            age.decrypt(source, io.BytesIO(), [age.generate_identity()])  # type: ignore[arg-type]
        assert refused.value.code == "payload.header"
        assert source.given < 1_000_000


def test_memory_stays_constant() -> None:
    """64 MiB pass through; what is allocated at once stays under ten."""
    import tracemalloc

    class Zeros:
        left = 64 * 1024 * 1024

        def read(self, size: int) -> bytes:
            raise AssertionError

        def readinto(self, buffer: memoryview) -> int:
            got = min(len(buffer), self.left)
            self.left -= got
            return got

    class Nowhere(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)  # type: ignore[arg-type]

    recipient = age.recipient_of(age.generate_identity(random=seeded(1)))
    tracemalloc.start()
    try:
        age.encrypt(Zeros(), Nowhere(), [recipient])  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * 1024 * 1024
