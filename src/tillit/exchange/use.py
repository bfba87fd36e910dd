"""Use what partners sent: for a purpose that was agreed, and recorded. I/O through the home.

Every question about partners' rows names its purpose. What no agreement allows for it is not
there, and that is told; where nothing is left the question is refused. Allowed or refused, it
stands in our own chain, signed, with the digest of the question. It is recorded before anybody
sees the answer.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from tillit.agreement.terms.onward import require_onward
from tillit.errors import Refusal, TableRefused, UsageError
from tillit.exchange.audit import VIEWS, open_views
from tillit.exchange.permission import agreement_of, permitted
from tillit.exchange.record import send
from tillit.home import Home
from tillit.lake import (
    Permission,
    Question,
    Written,
    derive,
    derived_sources,
    require_free,
    write_derived,
)
from tillit.ledger.bodies import UseBody
from tillit.ledger.chain import Position
from tillit.ledger.statement import Body, Subject
from tillit.ledger.use import MAX_USED
from tillit.model import PARTY_ID

__all__ = ["Answer", "ask", "export"]

CUSTODY = "custody"
"""The lock of whoever deletes; what is derived is derived while nobody does."""


@dataclass(frozen=True)
class Answer:
    """What a question gave, and the agreements of whose rows it could not see all."""

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
    only: Collection[str] = (),
    into: str | None = None,
    replace: bool = False,
) -> Answer:
    """Ask the lake in one SELECT; with ``into`` keep the answer as ``derived.<into>``.

    With ``only`` nothing is seen but what came under these agreements. Raises TableRefused for
    what is no question, AgreementRefused ``purpose`` where partners' rows are asked for without a
    purpose, or for one that no agreement allows.
    """
    home.lake.prepare(home.kinds.values())
    if into is not None:
        require_free(home.lake, into, replace=replace)
    use = _Use(home, sql, purpose, now)
    try:
        question = Question.read(home.lake, sql, VIEWS)
    except TableRefused as refusal:
        if refusal.code == "table.closed":  # a way round, and not a slip of the pen
            use.record("refused", code=refusal.code)
        raise
    open_views(home, question.touched.audit, now=now)
    # A shipment that is deleted between the question and the keeping of its answer would stay.
    with home.database.lock(CUSTODY, shared=True) if into is not None else nullcontext():
        if not question.touched.anything:
            names, rows, table = question.run(home.lake, Permission())
            if into is not None:
                derive(home.lake, into, table, (), purpose=purpose, now=now, replace=replace)
            return Answer(names, rows)
        return _of_partners(home, question, use, only=only, into=into, replace=replace)


def _of_partners(
    home: Home,
    question: Question,
    use: _Use,
    *,
    only: Collection[str],
    into: str | None,
    replace: bool,
) -> Answer:
    tables = question.touched.names
    try:
        may = permitted(home, question.touched, use.purpose, only)
        names, rows, table = question.run(home.lake, may.permission)
        if into is not None:
            derive(
                home.lake,
                into,
                table,
                may.sources,
                purpose=use.purpose,
                now=use.now,
                replace=replace,
            )
    except Refusal as refusal:
        use.record("refused", code=refusal.code, tables=tables)
        raise
    use.record("allowed", tables=tables, agreements=may.agreements, rows=len(rows), into=into)
    return Answer(names, rows, may.left_out, may.agreements)


def export(home: Home, name: str, party: str, path: Path, *, now: datetime) -> Written:
    """Write ``derived.<name>`` to a file that is meant for a party, where all agreements let us.

    Only we can read the file, and it is filled after it is recorded: what is out is on record.
    Raises UsageError when there is no such table or party or the file cannot be made,
    AgreementRefused ``onward-sharing``; that is recorded too.
    """
    if not PARTY_ID.fullmatch(party):
        raise UsageError("argument", "a party's id", expected=PARTY_ID.pattern, found=party)
    table = name.removeprefix("derived.")
    known = derived_sources(home.lake)
    if table not in known:
        raise UsageError(
            "not-found",
            "only a derived table is exported (tillit query ... --into NAME)",
            expected=", ".join(sorted(known)) or "one",
            found=name,
        )
    use = _Use(home, f"export {table}", None, now)
    tables = (f"derived.{table}",)
    agreements = tuple(sorted({source.agreement_id for source in known[table]}))
    try:
        for source in sorted(known[table]):
            require_onward(agreement_of(home, source), party)
    except Refusal as refusal:
        use.record("refused", code=refusal.code, tables=tables, agreements=agreements, to=party)
        raise
    with (
        tempfile.TemporaryDirectory(prefix="export-", dir=home.lake.folder) as folder,
        _new_file(path) as file,
    ):
        written = write_derived(home.lake, table, Path(folder, "table.parquet"))
        use.record("allowed", tables=tables, agreements=agreements, rows=written.rows, to=party)
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


@dataclass(frozen=True)
class _Use:
    """What is recorded of a use, allowed or refused."""

    home: Home
    question: str
    purpose: str | None
    now: datetime

    def record(
        self,
        outcome: str,
        *,
        code: str | None = None,
        tables: tuple[str, ...] = (),
        agreements: tuple[str, ...] = (),
        rows: int = 0,
        into: str | None = None,
        to: str | None = None,
    ) -> None:
        digest = hashlib.sha256(self.question.encode()).hexdigest()
        for first in range(0, max(1, len(agreements)), MAX_USED):
            some = agreements[first : first + MAX_USED]
            counted = 0 if first else rows
            body = UseBody(outcome, code, self.purpose, some, tables, digest, counted, into, to)
            self._say(body)

    def _say(self, body: UseBody) -> None:
        def describe(_: Position) -> tuple[tuple[Subject, ...], Body]:
            return (Subject(name="question", sha256=body.question),), body

        send(self.home, self.home.ledger, self.home.party_id, describe, now=self.now)
