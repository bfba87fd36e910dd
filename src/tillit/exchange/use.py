"""Use what partners sent: for a purpose that was agreed, and recorded. I/O through the home.

Every question about partners' rows names its purpose. What no agreement allows for it is not
there, and that is told; where nothing is left the question is refused. Allowed or refused, it
stands in our own chain, signed, with the digest of the question.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from tillit.agreement.terms.onward import require_onward
from tillit.errors import AgreementRefused, Refusal, UsageError
from tillit.exchange.record import send
from tillit.exchange.standing import held
from tillit.home import Home
from tillit.lake import (
    Permission,
    Question,
    Source,
    Written,
    derive,
    derived_sources,
    landed_under,
    write_derived,
)
from tillit.ledger.bodies import ShipmentBody, UseBody
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.model import Agreement

__all__ = ["Answer", "ask", "export"]


@dataclass(frozen=True)
class Answer:
    """What a question gave, and the agreements whose rows it could not see."""

    names: list[str]
    rows: list[tuple[Any, ...]]
    left_out: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()


def ask(
    home: Home,
    sql: str,
    *,
    purpose: str | None,
    now: datetime,
    into: str | None = None,
    replace: bool = False,
) -> Answer:
    """Ask the lake in one SELECT; with ``into`` keep the answer as ``derived.<into>``.

    Raises TableRefused for what is no question, AgreementRefused ``purpose`` where partners' rows
    are asked for without a purpose, or for one that no agreement allows.
    """
    home.lake.prepare(home.kinds.values())
    question = Question.read(home.lake, sql)
    touched = question.touched
    use = _Use(home, sql, purpose, touched.names, now)
    if not touched.anything:
        names, rows, table = question.run(home.lake, Permission(), home.kinds.values())
        if into is not None:
            derive(home.lake, into, table, (), purpose=purpose, now=now, replace=replace)
        return Answer(names, rows)
    try:
        permission, allowed, left_out = _permitted(home, question, purpose)
    except Refusal as refusal:
        use.record("refused", code=refusal.code)
        raise
    names, rows, table = question.run(home.lake, permission, home.kinds.values())
    if into is not None:
        derive(home.lake, into, table, allowed, purpose=purpose, now=now, replace=replace)
    agreements = tuple(sorted(source.agreement_id for source in allowed))
    use.record("allowed", agreements=agreements, rows=len(rows), into=into)
    return Answer(names, rows, left_out, agreements)


def export(home: Home, name: str, party: str, path: Path, *, now: datetime) -> Written:
    """Write ``derived.<name>`` to a file that is meant for a party, where all agreements let us.

    Only we can read the file, and it is filled after it is recorded: what is out is on record.
    Raises UsageError when there is no such table or the file cannot be made, AgreementRefused
    ``onward-sharing``; that is recorded too.
    """
    table = name.removeprefix("derived.")
    sources = derived_sources(home.lake).get(table)
    if sources is None:
        raise UsageError(
            "not-found",
            "only a derived table is exported (tillit query ... --into NAME)",
            expected=", ".join(sorted(derived_sources(home.lake))) or "one",
            found=name,
        )
    use = _Use(home, f"export {table}", None, (f"derived.{table}",), now)
    agreements = tuple(sorted(source.agreement_id for source in sources))
    try:
        for source in sorted(sources):
            for agreement in _versions(home, source):
                require_onward(agreement, party)
    except Refusal as refusal:
        use.record("refused", code=refusal.code, agreements=agreements, to=party)
        raise
    with (
        tempfile.TemporaryDirectory(prefix="export-", dir=home.lake.folder) as folder,
        _new_file(path) as file,
    ):
        written = write_derived(home.lake, table, Path(folder, "table.parquet"))
        use.record("allowed", agreements=agreements, rows=written.rows, to=party)
        with written.path.open("rb") as made:
            shutil.copyfileobj(made, file)
    return written


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that was not there and that only we can read; gone again if it is not filled."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise UsageError("exists", f"there is a file {path} already") from None
    except OSError as error:
        raise UsageError(
            "argument", f"{path} cannot be written", found=error.strerror or "an error"
        ) from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


# ---- what a purpose lets be seen --------------------------------------------------------------


def _permitted(
    home: Home, question: Question, purpose: str | None
) -> tuple[Permission, set[Source], tuple[str, ...]]:
    """What may be read, of which agreements that is, and of which others nothing."""
    touched = question.touched
    there = {Source(*pair) for pair in landed_under(home.lake, touched)}
    derivations = derived_sources(home.lake)
    kept = {name: derivations.get(name, frozenset()) for name in touched.derived}
    behind = set().union(*kept.values()) if kept else set()
    if purpose is None:
        named = {p for s in there | behind for a in _versions(home, s) for p in a.purposes}
        raise AgreementRefused(
            "purpose",
            "what partners sent is read for a purpose",
            expected=f"--purpose, of {', '.join(sorted(named)) or 'those agreed'}",
            found="none",
        )
    whole, single = set(), set()
    for source in there | behind:
        every, some = _allowed(home, source, purpose)
        whole |= {source} if every else set()
        single |= some
    for name, sources in kept.items():
        if not sources <= whole:
            raise _no_purpose(purpose, f"derived.{name}", sources - whole)
    partly = {Source(partner, shipment.rsplit(".", 2)[0]) for partner, shipment in single}
    if there and not (whole | partly) & there:
        raise _no_purpose(purpose, ", ".join(touched.names), there)
    permission = Permission(
        agreements=frozenset((s.partner, s.agreement_id) for s in whole),
        shipments=frozenset(single),
        derived=frozenset(kept),
    )
    left_out = tuple(sorted(s.agreement_id for s in there - whole))
    return permission, (whole | partly) & (there | behind), left_out


def _no_purpose(purpose: str, what: str, sources: set[Source] | frozenset[Source]) -> Refusal:
    return AgreementRefused(
        "purpose",
        f"no agreement lets {what} be used for {purpose}",
        expected="a purpose of the agreement",
        found=", ".join(sorted(source.agreement_id for source in sources)),
    )


def _versions(home: Home, source: Source) -> list[Agreement]:
    """The versions of a partner's agreement that both have signed."""
    found = [s.agreement for s in held(home, source.agreement_id) if s.complete]
    return [agreement for agreement in found if agreement.provider == source.partner]


def _allowed(home: Home, source: Source, purpose: str) -> tuple[bool, set[tuple[str, str]]]:
    """Whether all rows of an agreement may be used so; else the shipments that may.

    A shipment was made under one version, and that one's purposes hold for it.
    """
    versions = _versions(home, source)
    lets = {a.digest for a in versions if purpose in a.purposes}
    if not lets:
        return False, set()
    if len(lets) == len(versions):
        return True, set()
    shipments = home.ledger.entries(
        type="shipment", partner=source.partner, agreement=source.agreement_id
    )
    return False, {
        (source.partner, body.shipment_id)
        for entry in shipments
        if isinstance(body := entry.statement.body, ShipmentBody)
        and body.agreement.digest in lets
        and entry.author == source.partner
    }


@dataclass(frozen=True)
class _Use:
    """What is recorded of a use, allowed or refused."""

    home: Home
    question: str
    purpose: str | None
    tables: tuple[str, ...]
    now: datetime

    def record(
        self,
        outcome: str,
        *,
        code: str | None = None,
        agreements: tuple[str, ...] = (),
        rows: int = 0,
        into: str | None = None,
        to: str | None = None,
    ) -> None:
        digest = hashlib.sha256(self.question.encode()).hexdigest()
        body = UseBody(outcome, code, self.purpose, agreements, self.tables, digest, rows, into, to)

        def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
            return (Subject(name="question", sha256=digest),), body

        send(self.home, self.home.ledger, self.home.party_id, describe, now=self.now)
