"""The text of a party document: written, and read as a stranger's. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from tillit.crypto.age import Recipient
from tillit.crypto.signing import PublicKeys
from tillit.errors import PartyRefused, UsageError
from tillit.model import PARTY_ID, isoformat, parse_instant

__all__ = ["Party", "encode_party", "parse_party"]

_FIELDS = frozenset({"id", "name", "mailboxUrl", "version", "issuedAt", "keys", "recipients"})
_SCHEMES = frozenset({"file", "gs", "memory", "s3", "sftp"})
_MAX_NAME = 100
_MAX_URL = 500
_MAX_RECIPIENTS = 8
_MAX_VERSION = 1_000_000


@dataclass(frozen=True)
class Party:
    """Somebody we know. ``keys`` are all generations we followed, newest first.

    ``recipients`` are those of the newest document only: what is sealed now is for them.
    """

    id: str
    name: str
    mailbox_url: str
    version: int
    issued_at: datetime
    keys: tuple[PublicKeys, ...]
    recipients: tuple[str, ...] = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Of the newest signing keys."""
        return self.keys[0].fingerprint


def encode_party(party: Party) -> bytes:
    """The document's text: canonical JSON (sorted keys, no spaces, UTF-8)."""
    newest = party.keys[0]
    fields = {
        "id": party.id,
        "name": party.name,
        "mailboxUrl": party.mailbox_url,
        "version": party.version,
        "issuedAt": isoformat(party.issued_at),
        "keys": {
            "ed25519": base64.b64encode(newest.ed25519).decode("ascii"),
            "mldsa65": base64.b64encode(newest.mldsa65).decode("ascii"),
        },
        "recipients": list(party.recipients),
    }
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # Half a surrogate pair passes here and is refused when the text is read back.
    return text.encode("utf-8", "surrogatepass")


def parse_party(payload: bytes) -> Party:
    """Who the text says it is of, with every field checked; PartyRefused ``malformed``."""
    try:
        fields = json.loads(payload.decode("utf-8"), object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise _malformed("JSON, each key once") from None
    if not isinstance(fields, dict) or fields.keys() != _FIELDS:
        raise _malformed(f"the fields {', '.join(sorted(_FIELDS))}")
    keys, version = fields["keys"], fields["version"]
    if not isinstance(keys, dict) or keys.keys() != {"ed25519", "mldsa65"}:
        raise _malformed("keys of ed25519 and mldsa65")
    if type(version) is not int or not 1 <= version <= _MAX_VERSION:
        raise _malformed("a version from 1")
    try:
        public = PublicKeys(_key(keys["ed25519"]), _key(keys["mldsa65"]))
        issued_at = parse_instant(fields["issuedAt"])
    except ValueError:
        raise _malformed("public keys in Base 64 and an instant in UTC") from None
    return Party(
        id=_id(fields["id"]),
        name=_name(fields["name"]),
        mailbox_url=_url(fields["mailboxUrl"]),
        version=version,
        issued_at=issued_at,
        keys=(public,),
        recipients=_recipients(fields["recipients"]),
    )


def _key(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("text expected")  # noqa: TRY004 (one error for all that is malformed)
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("Base 64 expected") from error


def _id(value: Any) -> str:
    if not isinstance(value, str) or not PARTY_ID.fullmatch(value):
        raise _malformed(f"an id like {PARTY_ID.pattern}", value)
    return value


def _name(value: Any) -> str:
    """A name that can be shown: nothing that moves a cursor or turns the direction of text."""
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= _MAX_NAME
        or not value.isprintable()
        or value != value.strip()
    ):
        raise _malformed(f"a name of 1 to {_MAX_NAME} printable characters", value)
    return value


def _url(value: Any) -> str:
    """A mailbox's address: a known scheme, no secrets (documents are public), no way upwards."""
    expected = f"a URL of {', '.join(sorted(_SCHEMES))}, without password, query or .."
    plain = isinstance(value, str) and len(value) <= _MAX_URL and value.isascii()
    if not plain or not value.isprintable() or " " in value or "\\" in value:
        raise _malformed(expected, value)
    try:
        parts = urlsplit(value)
        unsafe = parts.password is not None or parts.query or parts.fragment
        _ = parts.port  # ValueError for a port that is none
    except ValueError:
        raise _malformed(expected, value) from None
    path = unquote(parts.path)
    unsafe = unsafe or ".." in path.split("/") or "\0" in path
    # A folder has a path and no host; everything else has a host, a bucket or a name.
    placed = path.startswith("/") and not parts.netloc if parts.scheme == "file" else parts.netloc
    if parts.scheme not in _SCHEMES or unsafe or not placed:
        # Not the URL itself: it may hold a password.
        raise _malformed(expected, f"{parts.scheme}://...")
    return str(value)


def _recipients(value: Any) -> tuple[str, ...]:
    """Age recipients, all of one kind: a file is as closed as the weakest of them."""
    if not isinstance(value, list) or not 1 <= len(value) <= _MAX_RECIPIENTS:
        raise _malformed(f"1 to {_MAX_RECIPIENTS} recipients")
    try:
        kinds = {Recipient.parse(text).kind for text in value if isinstance(text, str)}
    except UsageError as error:
        raise PartyRefused("malformed", str(error)) from None
    if len(kinds) != 1 or not all(isinstance(text, str) for text in value):
        raise _malformed("recipients of one kind")
    return tuple(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _malformed(expected: str, found: Any = None) -> PartyRefused:
    return PartyRefused("malformed", "a party document", expected=expected, found=found)
