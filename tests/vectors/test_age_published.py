"""The published test vectors of the age format (C2SP/CCTV), read in place, one test each."""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tillit.crypto import age
from tillit.errors import PayloadRefused

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "age-vectors"
NAMES = sorted(path.name for path in FOLDER.iterdir()) if FOLDER.is_dir() else []

CODES = {
    "no match": {"payload.no-identity"},
    "HMAC failure": {"payload.hmac"},
    "header failure": {"payload.header"},
    "payload failure": {"payload.corrupt", "payload.truncated"},
    "armor failure": {"payload.armor"},
}
# A header that fails in its first line fails under a name that says more.
CLOSER = {
    "armor_empty": "payload.not-age",
    "empty": "payload.not-age",
    "version_unsupported": "payload.unsupported",
}


@dataclass
class Vector:
    expect: str
    payload: str | None
    identities: list[str]
    passphrases: list[str]
    armored: bool
    file: bytes


def read(name: str) -> Vector:
    head, _, file = (FOLDER / name).read_bytes().partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.decode("utf-8").splitlines():
        key, _, value = line.partition(": ")
        fields.setdefault(key, []).append(value)
    if fields.get("compressed") == ["zlib"]:
        file = zlib.decompress(file)
    return Vector(
        expect=fields["expect"][0],
        payload=fields.get("payload", [None])[0],  # type: ignore[list-item]
        identities=fields.get("identity", []),
        passphrases=fields.get("passphrase", []),
        armored=fields.get("armored") == ["yes"],
        file=file,
    )


def open_all_ways(vector: Vector) -> list[tuple[str | None, bytes]]:
    """The outcome by the identities and by each passphrase: the code of the refusal, the output."""
    outcomes = []
    ways = [("", vector.identities)] if vector.identities or not vector.passphrases else []
    for passphrase, identities in [*ways, *((p, []) for p in vector.passphrases)]:
        source, sink = io.BytesIO(vector.file), io.BytesIO()
        try:
            if passphrase:
                age.decrypt_with_passphrase(
                    source, sink, passphrase.encode(), armored=vector.armored
                )
            else:
                age.decrypt(source, sink, identities, armored=vector.armored)
        except PayloadRefused as refusal:
            outcomes.append((refusal.code, sink.getvalue()))
        else:
            outcomes.append((None, sink.getvalue()))
    return outcomes


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("armor")])
def test_armor_is_found_out(name: str) -> None:
    vector = read(name)
    if vector.expect == "success" and vector.identities:
        sink = io.BytesIO()
        age.decrypt(io.BytesIO(vector.file), sink, vector.identities)
        assert hashlib.sha256(sink.getvalue()).hexdigest() == vector.payload


def test_all_vectors_are_there() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"the published vectors are not at {FOLDER.name} beside the project")
    assert len(NAMES) == 143


@pytest.mark.parametrize("name", NAMES)
def test_published_vector(name: str) -> None:
    vector = read(name)
    for code, output in open_all_ways(vector):
        if vector.expect == "success":
            assert code is None
            assert hashlib.sha256(output).hexdigest() == vector.payload
        else:
            allowed = {CLOSER[name]} if name in CLOSER else CODES[vector.expect]
            assert code in allowed
