"""Proposals that wait for a person of ours, told so that one can decide. I/O: the ledger, keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillit.agreement.diff import Change, diff
from tillit.agreement.language import Finding, check
from tillit.agreement.life import Life, Version, waits_for
from tillit.errors import AgreementRefused, Refusal, UsageError
from tillit.exchange.agreements import counter, decline, find, sign
from tillit.exchange.standing import lives
from tillit.home import Home
from tillit.model import Agreement

__all__ = ["DECISIONS", "Proposal", "decide", "waiting"]

DECISIONS = ("approve", "decline", "counter")


@dataclass(frozen=True)
class Proposal:
    """One text that waits for our word.

    ``before`` is the version that both have signed and that this one would take the place of, and
    ``changes`` what it would change; ``findings`` are what is worth a second look. ``problem`` says
    why it cannot be signed as it is, where that is so.
    """

    partner: str
    agreement: Agreement
    before: Agreement | None
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    problem: str | None

    def as_markdown(self) -> str:
        """For a person to read: what it is, what it changes, its exact text."""
        found = self.agreement
        lines = [
            f"**{self.partner}** proposes `{found.id}` {found.version}:",
            f"{found.provider} lets {found.consumer} have {found.kind}.",
            "",
        ]
        if self.problem:
            lines += [f"It cannot be signed as it is: {_plain(self.problem)}", ""]
        if self.before is not None:
            lines += [f"Against version {self.before.version}, which is signed by both:", ""]
            lines += [f"- {c.direction}: {_plain(f'{c.at} {c.says}')}" for c in self.changes]
        else:
            lines += ["Worth a second look:", ""]
            lines += [f"- {_plain(f'{f.at} {f.says}')}" for f in self.findings] or ["- nothing"]
        # Indented and fenced by nothing: a partner's text must not end what encloses it.
        quoted = [f"    {line}" for line in found.text.decode().splitlines()]
        return "\n".join([*lines, "", "The text, to the byte:", "", *quoted])


def waiting(home: Home, *, now: datetime) -> list[Proposal]:
    """Every text that waits for our word, the oldest agreement first."""
    return [
        _told(home, partner, life, version)
        for (_, partner), life in lives(home).items()
        for version in life.newest_first[::-1]
        if home.party_id in waits_for(life, version, now)
    ]


def _told(home: Home, partner: str, life: Life, version: Version) -> Proposal:
    agreement = version.agreement
    signed = [v.agreement for v in life.versions.values() if v.complete and v.order < version.order]
    before = signed[-1] if signed else None
    kind = home.kinds.get(agreement.kind)
    findings: tuple[Finding, ...] = ()
    problem = None
    if kind is None:
        problem = f"the kind {agreement.kind} is not installed"
    else:
        try:
            findings = tuple(check(agreement.text, kind))
        except Refusal as refusal:
            problem = str(refusal)
    changes = () if before is None else tuple(diff(before, agreement))
    return Proposal(partner, agreement, before, changes, findings, problem)


def decide(
    home: Home,
    agreement_id: str,
    digest: str,
    decision: str,
    *,
    reason: str = "",
    text: str = "",
    now: datetime,
) -> str:
    """Carry out what a person decided about the text of that digest; what was done, in words.

    Raises UsageError for another word than `DECISIONS` or a counter without a text,
    AgreementRefused when nothing of that digest waits for us any more.
    """
    partner, life = find(home, agreement_id)
    version = life.versions.get(digest)
    if version is None or home.party_id not in waits_for(life, version, now):
        raise AgreementRefused(
            "no-proposal",
            f"what was decided about {agreement_id} does not wait for us any more",
            expected=digest,
            found="another word of one of the two",
        )
    named = f"{agreement_id} {version.agreement.version} of {partner}"
    if decision == "approve":
        done = sign(home, version.agreement.text, now=now)
        return f"signed {named}" + ("; it is complete" if done.complete else "")
    if decision == "decline":
        decline(home, agreement_id, reason, version=version.agreement.version, now=now)
        return f"declined {named}: {reason}"
    if decision == "counter" and text.strip():
        made = counter(home, text.encode(), answers=version.agreement.version, now=now)
        return f"answered {named} with {made.version}"
    raise UsageError(
        "argument",
        "a decision about a proposal",
        expected=f"{', '.join(DECISIONS)}; with counter the text of another version",
        found=decision,
    )


def _plain(text: str) -> str:
    """In one line and without what Markdown would take for its own."""
    flat = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|~" else c for c in flat)
