"""Rebuild our own test vectors: ``python -m tests.vectors.rebuild``; git diff must stay silent.

One file per failure, named after it. ``cases.json`` beside the files says what to open each with
and what must come of it. Keys and randomness are fixed. Hybrid wrapping and ML-DSA signatures draw
their own randomness, so the few files that they need (``base-*``) are made once and kept; all
others are cut from those.
"""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tillit.crypto import age, dsse
from tillit.crypto.age.header import decode64, encode64
from tillit.crypto.signing import SigningKeys

HERE = Path(__file__).resolve().parent
PLAINTEXT = b"Ten castings a day from Monday, Fjordst\xc3\xa5l. " * 8 + b"!"
PASSPHRASE = "not a secret: it stands in a test"
PAYLOAD_TYPE = "application/vnd.tillit.test+json"
PAYLOAD = '{"plan":"ti støpegods?>?>"}'.encode()

Change = Callable[[bytes], bytes]
Cases = dict[str, dict[str, Any]]


def fixed(seed: str) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def replace(old: bytes, new: bytes) -> Change:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


def flip(index: int) -> Change:
    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[index] ^= 1
        return bytes(changed)

    return change


# ---- age --------------------------------------------------------------------------------------

X25519 = age.generate_identity("X25519", fixed("x25519"))
HYBRID = age.generate_identity("mlkem768x25519", fixed("hybrid"))
STRANGER = age.generate_identity("X25519", fixed("stranger"))


def sealed(identity: age.Identity, *, armored: bool = False) -> bytes:
    sink = io.BytesIO()
    recipients = [age.recipient_of(identity)]
    source = io.BytesIO(PLAINTEXT)
    age.encrypt(source, sink, recipients, random=fixed("file"), armored=armored)
    return sink.getvalue()


def sealed_with_passphrase() -> bytes:
    sink = io.BytesIO()
    age.encrypt_with_passphrase(
        io.BytesIO(PLAINTEXT), sink, PASSPHRASE.encode(), work_factor=4, random=fixed("scrypt")
    )
    return sink.getvalue()


def after_header(data: bytes) -> int:
    """Where the payload begins: 16 bytes of nonce first."""
    return data.index(b"\n", data.index(b"\n--- ") + 1) + 1


def low_order(data: bytes) -> bytes:
    """A hybrid file whose X25519 share is the zero point."""
    share = data[data.index(b"mlkem768x25519 ") + 15 :].split(b"\n")[0]
    zeros = encode64(decode64(share.decode())[:-32] + bytes(32))
    return data.replace(share, zeros.encode(), 1)


def not_canonical(armor: bytes) -> bytes:
    """Armor with another last character that stands for the same bytes."""
    at = armor.index(b"=\n") - 1
    while armor[at : at + 1] == b"=":
        at -= 1
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = bytearray(armor)
    changed[at] = alphabet[alphabet.index(armor[at]) + 1]
    return bytes(changed)


def build_age(folder: Path) -> None:
    kept = folder / "base-hybrid.age"
    if not kept.exists():
        kept.write_bytes(sealed(HYBRID))
    files: dict[str, bytes] = {"base-hybrid": kept.read_bytes()}
    cases: Cases = {"base-hybrid": {"identity": HYBRID.encode(), "expect": None}}

    def case(name: str, data: bytes, expect: str | None, **how: Any) -> None:
        files[name] = data
        cases[name] = {"identity": X25519.encode(), "expect": expect, **how}

    plain, armor, locked = sealed(X25519), sealed(X25519, armored=True), sealed_with_passphrase()
    hybrid, body = files["base-hybrid"], after_header(plain)
    by_passphrase = {"identity": None, "passphrase": PASSPHRASE}
    by_hybrid = {"identity": HYBRID.encode()}
    case("valid", plain, None)
    case("valid-armored", armor, None)
    case("valid-passphrase", locked, None, **by_passphrase)
    case("not-age", b"PAR1" + plain, "payload.not-age")
    case("version-unknown", replace(b"/v1\n", b"/v2\n")(plain), "payload.unsupported")
    case("header-cut", plain[: body - 20], "payload.header")
    case("header-windows-lines", plain[:body].replace(b"\n", b"\r\n"), "payload.header")
    case("share-long", replace(b"-> X25519 ", b"-> X25519 AAAA")(plain), "payload.header")
    case("recipient-added", replace(b"\n---", b"\n-> grease\nAAAA\n---")(plain), "payload.hmac")
    case("mac-changed", flip(body - 10)(plain), "payload.hmac")
    case("sealed-for-another", plain, "payload.no-identity", identity=STRANGER.encode())
    case("wrapped-key-changed", flip(body - 90)(plain), "payload.no-identity")
    case("nonce-cut", plain[: body + 7], "payload.header")
    case("nonce-changed", flip(body)(plain), "payload.corrupt")
    case("payload-missing", plain[: body + 16], "payload.truncated")
    case("payload-changed", flip(body + 40)(plain), "payload.corrupt")
    case("payload-cut", plain[:-1], "payload.corrupt")
    case("payload-continued", plain + b"\0", "payload.corrupt")
    case("payload-of-another-file", plain[:body] + hybrid[-400:], "payload.corrupt")
    case("larger-than-stated", plain, "payload.unpacks-too-large", max_bytes=len(PLAINTEXT) - 1)
    body_line = plain[body - 92 : body - 49]
    longer = replace(body_line, encode64(decode64(body_line.decode()) + b"\0").encode())(plain)
    case("wrapped-key-long", longer, "payload.header")
    case("armor-cut", armor[:-40], "payload.armor")
    case("armor-line-short", replace(b"\n", b"\nAAAA\n")(armor), "payload.armor")
    case("armor-continued", armor + b"and more", "payload.armor")
    case("armor-not-canonical", not_canonical(armor), "payload.armor")
    case("passphrase-wrong", locked, "payload.no-identity", identity=None, passphrase="a guess")
    too_hard = replace(b" 4\n", b" 23\n")(locked)
    case("passphrase-too-much-work", too_hard, "payload.header", **by_passphrase)
    beside = replace(b"\n---", b"\n-> grease\n\n---")(locked)
    case("passphrase-beside-another", beside, "payload.header", **by_passphrase)
    case(
        "hybrid-key-changed",
        flip(after_header(hybrid) - 90)(hybrid),
        "payload.no-identity",
        **by_hybrid,
    )
    case("hybrid-share-of-low-order", low_order(hybrid), "payload.header", **by_hybrid)
    case("hybrid-payload-cut", hybrid[:-9], "payload.corrupt", **by_hybrid)
    case("hybrid-for-another-kind", hybrid, "payload.no-identity")
    write(folder, ".age", files, cases)


# ---- dsse -------------------------------------------------------------------------------------

BUYER = SigningKeys.generate(fixed("buyer"))
BUYER_BEFORE = SigningKeys.generate(fixed("buyer before"))
SUPPLIER = SigningKeys.generate(fixed("supplier"))


def kept_envelope(folder: Path) -> dict[str, Any]:
    """One payload signed by both parties, and by the buyer's earlier keys too."""
    kept = folder / "base-all-signatures.dsse.json"
    if not kept.exists():
        kept.write_bytes(dsse.sign(PAYLOAD, PAYLOAD_TYPE, [BUYER, BUYER_BEFORE, SUPPLIER]))
    envelope: dict[str, Any] = json.loads(kept.read_bytes())
    return envelope


def build_dsse(folder: Path) -> None:
    envelope = kept_envelope(folder)
    buyer_ed, buyer_ml, before_ed, before_ml, supplier_ed, supplier_ml = envelope["signatures"]
    both = [buyer_ed, buyer_ml, supplier_ed, supplier_ml]
    files: dict[str, bytes] = {"base-all-signatures": compact(envelope)}
    cases: Cases = {}

    def case(
        name: str, expect: str | None, *, required: tuple[str, ...] = ("buyer",), **fields: Any
    ) -> None:
        files.setdefault(name, compact({**envelope, "signatures": [buyer_ed, buyer_ml], **fields}))
        cases[name] = {"expect": expect, "required": list(required)}

    def raw(name: str, data: bytes, expect: str) -> None:
        files[name] = data
        case(name, expect)

    def changed(signature: Mapping[str, str]) -> dict[str, str]:
        value = flip(20)(base64.b64decode(signature["sig"]))
        return {**signature, "sig": base64.b64encode(value).decode()}

    def renamed(signature: Mapping[str, str], keyid: str) -> dict[str, str]:
        return {**signature, "keyid": keyid}

    url_safe = envelope["payload"].replace("+", "-").replace("/", "_")
    assert url_safe != envelope["payload"]
    assert url_safe.endswith("Q==")
    two = ("buyer", "supplier")
    refused = "statement.signature"
    case("base-all-signatures", None, required=two)
    case("valid", None)
    case("valid-two-parties", None, required=two, signatures=both)
    case("valid-earlier-keys", None, signatures=[before_ed, before_ml])
    case("valid-url-safe", None, payload=url_safe)
    case("valid-unknown-field", None, comment="passed over, as the specification asks")
    nameless = [{"sig": buyer_ed["sig"]}, {"sig": buyer_ml["sig"]}]
    case("valid-without-keyids", None, signatures=nameless)
    case("valid-beside-a-bad-one", None, signatures=[changed(buyer_ed), buyer_ed, buyer_ml])
    case("unsigned", "statement.unsigned", signatures=[])
    case("ed25519-only", refused, signatures=[buyer_ed])
    case("mldsa65-only", refused, signatures=[buyer_ml])
    case("ed25519-changed", refused, signatures=[changed(buyer_ed), buyer_ml])
    case("mldsa65-changed", refused, signatures=[buyer_ed, changed(buyer_ml)])
    case("halves-of-two-generations", refused, signatures=[buyer_ed, before_ml])
    case("halves-of-two-parties", refused, signatures=[buyer_ed, supplier_ml])
    case("payload-changed", refused, payload=base64.b64encode(PAYLOAD + b" ").decode())
    case("type-changed", "statement.malformed", payloadType="application/json")
    swapped = [renamed(supplier_ed, buyer_ed["keyid"]), renamed(supplier_ml, buyer_ml["keyid"])]
    case("signed-under-anothers-keyid", refused, signatures=swapped)
    unknown = [renamed(buyer_ed, "ed25519:0"), renamed(buyer_ml, "mldsa65:0")]
    case("stranger", "statement.stranger", signatures=unknown)
    case("one-of-two-parties", "statement.stranger", required=two)
    half = [buyer_ed, buyer_ml, supplier_ed]
    case("one-and-a-half-parties", refused, required=two, signatures=half)
    wrong = "statement.malformed"
    case("payload-not-base64", wrong, payload="%%%%")
    case("payload-not-canonical", wrong, payload=envelope["payload"][:-3] + "R==")
    case("payload-without-padding", wrong, payload=envelope["payload"].rstrip("="))
    case("payload-not-text", wrong, payload=7)
    case("signatures-not-a-list", wrong, signatures={"sig": buyer_ed["sig"]})
    case("signatures-too-many", wrong, signatures=[buyer_ed] * 9 + [buyer_ml] * 8)
    case("keyid-not-text", wrong, signatures=[{**buyer_ed, "keyid": 1}, buyer_ml])
    valid = compact({**envelope, "signatures": [buyer_ed, buyer_ml]})
    raw("key-twice", replace(b'{"payload":', b'{"payload":"","payload":')(valid), wrong)
    raw("not-json", valid[:-1], wrong)
    raw("not-an-object", b"[" + valid + b"]", wrong)
    raw("not-utf8", replace(b'"payload":', b'"\xff":1,"payload":')(valid), wrong)
    raw("not-a-number", replace(b'{"payload":', b'{"n":NaN,"payload":')(valid), wrong)
    raw("too-deep", b"[" * 20_000, wrong)
    write(folder, ".dsse.json", files, cases)


def compact(fields: object) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def write(folder: Path, suffix: str, files: Mapping[str, bytes], cases: Cases) -> None:
    assert files.keys() == cases.keys()
    for stale in folder.glob(f"*{suffix}"):
        if stale.name.removesuffix(suffix) not in files:
            stale.unlink()
    for name, data in files.items():
        (folder / f"{name}{suffix}").write_bytes(data)
    text = json.dumps(cases, indent=1, ensure_ascii=False)
    (folder / "cases.json").write_text(text + "\n", encoding="utf-8")


def main(folder: Path = HERE) -> None:
    build_age(folder / "age")
    build_dsse(folder / "dsse")


if __name__ == "__main__":
    main()
