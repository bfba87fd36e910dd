"""Everything that tillit refuses or cannot do, as one tree. Pure.

TillitError
├── UsageError                 the caller asked for what cannot be             exit 2
│   ├── ConfigError            a home's config.toml, an argument
│   ├── HomeError              missing, exists already, without keys
│   └── KeyFileError           unreadable, wrong mode, wrong passphrase
├── Unavailable                nothing is known to be wrong: try again         exit 75
│   ├── MailboxUnavailable
│   └── DatabaseUnavailable
└── Refusal                    checked, and wrong; recorded in the ledger
    ├── ContractRefused        a contract's or agreement's text                exit 3
    ├── PartyRefused           who somebody says to be                         exit 4
    ├── AgreementRefused       nothing in force that allows this               exit 5
    ├── StatementRefused       signatures, sequence, chain                     exit 6
    ├── PayloadRefused         the sealed object and what is in it             exit 7
    ├── TableRefused           a table as a whole: columns, types, keys        exit 8
    └── LedgerBroken           the record contradicts itself                   exit 9

A leaf is not a class but a ``code``: ``AgreementRefused("expired", ...)`` has the code
``agreement.expired``, which is stable, is what the ledger keeps and what a partner is told.
The codes of a class are listed on it; one that is not listed cannot be raised.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AgreementRefused",
    "ConfigError",
    "ContractRefused",
    "DatabaseUnavailable",
    "HomeError",
    "KeyFileError",
    "LedgerBroken",
    "MailboxUnavailable",
    "PartyRefused",
    "PayloadRefused",
    "Refusal",
    "StatementRefused",
    "TableRefused",
    "TillitError",
    "Unavailable",
    "UsageError",
]


class TillitError(Exception):
    """Base of everything that tillit raises on purpose.

    ``expected`` and ``found`` are shown to the person who has to mend it; they hold no key,
    no row and no free text of a partner beyond 200 characters.
    """

    exit_code: ClassVar[int] = 1
    family: ClassVar[str] = ""
    codes: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, code: str, message: str, *, expected: object = None, found: object = None
    ) -> None:
        if code not in self.codes:
            raise ValueError(f"{type(self).__name__} has no code {code!r}")
        self.code = f"{self.family}.{code}"
        self.message = message
        self.expected = None if expected is None else _short(expected)
        self.found = None if found is None else _short(found)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.message
        if self.expected is not None:
            text += f"; expected {self.expected}"
        if self.found is not None:
            text += f"; found {self.found}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by parts, because the parts are keywords."""
        return (_rebuild, (type(self), self.code, self.message, self.expected, self.found))


def _rebuild(
    cls: type[TillitError], code: str, message: str, expected: str | None, found: str | None
) -> TillitError:
    return cls(code.removeprefix(f"{cls.family}."), message, expected=expected, found=found)


def _short(value: object) -> str:
    """At most 200 printable characters: what is shown may come from a partner."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
    return text if len(text) <= 200 else text[:197] + "..."


class UsageError(TillitError):
    """The caller asked for what cannot be."""

    exit_code = 2
    family = "usage"
    codes = frozenset({"argument", "not-found", "exists"})


class ConfigError(UsageError):
    """A home's config.toml or an argument cannot be used."""

    family = "config"
    codes = frozenset({"unreadable", "unknown-key", "missing-key", "wrong-value"})


class HomeError(UsageError):
    """The folder is not a home, is one already, or lacks its keys."""

    family = "home"
    codes = frozenset({"missing", "exists", "without-keys"})


class KeyFileError(UsageError):
    """A key file cannot be used."""

    family = "key"
    codes = frozenset({"missing", "mode", "passphrase", "unreadable", "unwritable"})


class Unavailable(TillitError):
    """Nothing is known to be wrong, something could not be reached: try again."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h
    family = "unavailable"
    codes = frozenset({"busy"})


class MailboxUnavailable(Unavailable):
    """A mailbox could not be reached, read or written."""

    family = "mailbox"
    codes = frozenset(
        {"unreachable", "full", "denied", "missing-object", "address", "host-key", "conflict"}
    )


class DatabaseUnavailable(Unavailable):
    """PostgreSQL or the lake could not be reached."""

    family = "database"
    codes = frozenset({"unreachable", "lock-timeout", "memory", "disk-full"})


class Refusal(TillitError):
    """Checked, and wrong. A refusal is data: it is recorded and, where possible, answered."""


class ContractRefused(Refusal):
    """The text of a contract or an agreement cannot be accepted."""

    exit_code = 3
    family = "contract"
    codes = frozenset(
        {
            "too-large",
            "not-utf8",
            "not-yaml",
            "alias",
            "duplicate-key",
            "unknown-key",
            "missing-key",
            "wrong-value",
            "unknown-term",
            "unsupported",
            "too-deep",
        }
    )


class PartyRefused(Refusal):
    """Somebody is not who the document says, or is not known here."""

    exit_code = 4
    family = "party"
    codes = frozenset({"unknown", "fingerprint", "signature", "rotation", "malformed", "conflict"})


class AgreementRefused(Refusal):
    """No agreement in force allows this."""

    exit_code = 5
    family = "agreement"
    codes = frozenset(
        {
            "missing",
            "expired",
            "not-yet-in-force",
            "one-signature",
            "signature",
            "other-bytes",
            "revoked",
            "wrong-parties",
            "wrong-kind",
            "kind-changed",
            "conflict",
            "column-not-permitted",
            "purpose",
            "superseded",
            "no-proposal",
            "own-proposal",
            "version",
            "signed",
            "not-signed",
            "reason",
            "declined",
            "treatment",
            "embargo",
            "volume",
            "reciprocity",
            "onward-sharing",
            "retention",
        }
    )


class StatementRefused(Refusal):
    """A signed statement is not what it must be."""

    exit_code = 6
    family = "statement"
    codes = frozenset(
        {
            "malformed",
            "too-large",
            "unsigned",
            "signature",
            "stranger",
            "wrong-recipient",
            "wrong-place",
            "replayed",
            "gap",
            "forked",
            "chain",
            "witness",
            "future",
            "agreement-mismatch",
        }
    )


class PayloadRefused(Refusal):
    """A sealed object is not what its statement says, or cannot be opened."""

    exit_code = 7
    family = "payload"
    codes = frozenset(
        {
            "missing",
            "size",
            "digest",
            "not-age",
            "header",
            "no-identity",
            "hmac",
            "corrupt",
            "truncated",
            "armor",
            "passphrase",
            "unsupported",
            "not-parquet",
            "unpacks-too-large",
            "rows",
        }
    )


class TableRefused(Refusal):
    """A table as a whole cannot be taken: no row of it is looked at."""

    exit_code = 8
    family = "table"
    codes = frozenset(
        {
            "empty",
            "missing-column",
            "extra-column",
            "wrong-type",
            "source-unreadable",
            "all-rows-refused",
            "row-count",
            "query",
            "closed",
        }
    )


class LedgerBroken(Refusal):
    """The record contradicts itself, or what the other side holds of it."""

    exit_code = 9
    family = "ledger"
    codes = frozenset({"digest", "signature", "sequence", "link", "witness", "conflict", "missing"})
