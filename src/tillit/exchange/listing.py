"""All agreements as a list shows them, remembered from one call to the next. I/O: ledger, a file.

To verify ten thousand agreements takes half a minute, and each stays what it was. So what every
step said is kept in the home, in `cache/agreements.jsonl`. **That is for eyes only**: whatever lets
something out or in asks `standing`, which verifies the signatures themselves and never looks here;
and an agreement that comes from here has no columns, so nothing could leave under it.

What is remembered is bound to all that it follows from: the statement's digest, all keys of its
author that we trust, and the language of agreements. Where one of them changes nothing is found,
and the statement is verified again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from tillit import __version__
from tillit.agreement.language import schema
from tillit.agreement.life import EVENTS, Event, Life, order, replay
from tillit.collector import uncollected
from tillit.errors import Refusal
from tillit.exchange.standing import event_of
from tillit.home import Home
from tillit.ledger.reading import Entry, Step
from tillit.model import Agreement, Cadence, Every, isoformat, parse_instant
from tillit.remembered import Remembered

__all__ = ["listed", "remember"]

Progress = Callable[[int, int], None]

_BATCH = 200
_REFUSED, _UNKNOWN = "refused", "unknown"
_WITH_TEXT = ("proposed", "countered", "signed")


@uncollected()
def listed(home: Home, progress: Progress | None = None) -> dict[tuple[str, str], Life]:
    """The lives of all agreements by id and partner, to be shown; see the module.

    They are those of `standing.lives`, but each text has only what a list needs. ``progress`` is
    told how many steps are verified of those that have to be.
    """
    file, keys, read = _file(home), _Keys(home), _Reading()
    before = file.load()
    steps = home.ledger.steps()
    named = {step.digest: keys.of(step.author, step.digest) for step in steps}
    events = {step.digest: read.event(step, before.get(named[step.digest])) for step in steps}
    new: dict[str, Any] = {}
    missing = {step.digest: step for step in steps if events[step.digest] is _UNKNOWN}
    for start in range(0, len(missing), _BATCH):
        entries = home.ledger.with_digests(list(missing)[start : start + _BATCH])
        said = {entry.digest: _said_by(home, entry) for entry in entries}
        file.add({named[digest]: answer for digest, answer in said.items()})
        new |= {named[digest]: answer for digest, answer in said.items()}
        events |= {digest: read.event(missing[digest], answer) for digest, answer in said.items()}
        if progress is not None:
            progress(min(start + _BATCH, len(missing)), len(missing))
    if len(before) > 2 * len(steps) + _BATCH:  # most of it is about keys or texts that are gone
        kept = {key: before[key] for key in named.values() if key in before}
        file.replace(kept | new)
    found: dict[tuple[str, str], list[Event]] = {}
    for step in steps:
        event = events[step.digest]
        if isinstance(event, Event):
            partner = step.recipient if step.author == home.party_id else step.author
            found.setdefault((step.agreement_id, partner), []).append(event)
    lives = {key: replay(said_of) for key, said_of in sorted(found.items())}
    return {key: life for key, life in lives.items() if life.versions}


def remember(home: Home, digest: str, event: Event) -> None:
    """Keep what a statement of that digest said, which was just verified, or made by us."""
    _file(home).add({_Keys(home).of(event.author, digest): _said(event)})


def _file(home: Home) -> Remembered:
    return Remembered(home.place("cache") / "agreements.jsonl")


class _Keys:
    """What each answer is remembered under."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._bound: dict[str, str] = {}

    def of(self, author: str, digest: str) -> str:
        """Bound to the statement, its author's keys, and what an agreement may say."""
        if author not in self._bound:
            # All that its keys follow from; to read them would take longer than all the rest.
            known = b"".join(hashlib.sha256(d).digest() for d in self._home.documents(author))
            self._bound[author] = f"{author} {known.hex()} {_language()}"
        return hashlib.sha256(f"{digest} {self._bound[author]}".encode()).hexdigest()


@cache
def _language() -> str:
    """The program and its language; another one may refuse what this one reads."""
    return f"{__version__} {hashlib.sha256(json.dumps(schema()).encode()).hexdigest()}"


# ---- what a step said, written and read ----------------------------------------------------------


def _said_by(home: Home, entry: Entry) -> dict[str, Any]:
    try:
        return _said(event_of(home, entry.statement, entry.recorded_at))
    except Refusal:  # and it was refused when it came
        return {"what": _REFUSED}


def _said(event: Event) -> dict[str, Any]:
    """What no column of the ledger says."""
    text = None if event.agreement is None else _summary(event.agreement)
    return {
        "what": event.what,
        "version": event.version,
        "digest": event.digest,
        "answers": event.answers,
        "reason": event.reason,
        "text": text,
    }


def _summary(agreement: Agreement) -> dict[str, Any]:
    again = agreement.reassess
    return {
        "version": agreement.version,
        "provider": agreement.provider,
        "consumer": agreement.consumer,
        "kind": agreement.kind,
        "start": isoformat(agreement.start),
        "end": isoformat(agreement.end),
        "reassess": None if again is None else isoformat(again),
        # A list tells of days of notice, and of no term that is more than a number.
        "terms": {name: v for name, v in agreement.terms.items() if type(v) is int},
    }


class _Reading:
    """Reads what was remembered; each text once, for both of its signers say it."""

    def __init__(self) -> None:
        self._texts: dict[str, Agreement] = {}

    def event(self, step: Step, said: Any) -> Event | str:
        """The step; `_REFUSED`, or `_UNKNOWN` for what nobody could have remembered."""
        try:
            return _REFUSED if said["what"] == _REFUSED else self._event(step, said)
        except (KeyError, TypeError, ValueError, AttributeError):
            return _UNKNOWN

    def _event(self, step: Step, said: dict[str, Any]) -> Event:
        what, text = said["what"], said["text"]
        order(said["version"])
        if what not in EVENTS or (text is None and what in _WITH_TEXT):
            raise ValueError(what)
        return Event(
            what=what,
            author=step.author,
            seq=step.seq,
            at=step.recorded_at,
            agreement_id=step.agreement_id,
            version=said["version"],
            digest=said["digest"],
            agreement=None if text is None else self._text(step, said["digest"], text),
            answers=said["answers"],
            reason=said["reason"],
        )

    def _text(self, step: Step, digest: str, text: dict[str, Any]) -> Agreement:
        known = self._texts.get(digest)
        if known is not None and known.id == step.agreement_id:
            return known
        order(text["version"])
        again = text["reassess"]
        made = Agreement(
            id=step.agreement_id,
            version=text["version"],
            digest=digest,
            provider=str(text["provider"]),
            consumer=str(text["consumer"]),
            kind=str(text["kind"]),
            kind_version="",
            kind_digest="",
            start=parse_instant(text["start"]),
            end=parse_instant(text["end"]),
            reassess=None if again is None else parse_instant(again),
            purposes=(),
            columns={},
            cadence=Cadence(Every.EVENT),
            terms={str(name): int(value) for name, value in text["terms"].items()},
        )
        return self._texts.setdefault(digest, made)
