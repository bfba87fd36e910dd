"""The life of an agreement, step by step: which may follow on which, and what holds then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.agreements import END, START, text

from tillit.agreement.language import read
from tillit.agreement.life import (
    UNDER_WAY,
    Event,
    Life,
    Made,
    State,
    after,
    replay,
    revocation,
    state,
    successor,
    told,
    waits_for,
)
from tillit.errors import AgreementRefused
from tillit.model import Agreement

US, THEM = "nordvik", "fjordstal"
NOW = START + timedelta(days=40)
DAY = timedelta(days=1)


def version(number: str, **changes: str) -> Agreement:
    return read(text(version=number, **changes))


V1, V2, V3 = version("1.0.0"), version("1.9.0"), version("1.10.0")


class Told:
    """A history that is told: ``us proposes V1`` and so on, an hour apart."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.seq = {US: 0, THEM: 0}

    def say(
        self, author: str, what: str, about: Agreement, *, answers: Agreement | None = None
    ) -> Event:
        self.seq[author] = self.seq.get(author, 0) + 1
        event = Event(
            what,
            author,
            self.seq[author],
            START + timedelta(hours=len(self.events)),
            about.id,
            about.version,
            about.digest,
            agreement=about if what in {"proposed", "countered", "signed"} else None,
            answers=None if answers is None else answers.digest,
            reason="Too much." if what in {"declined", "revoked"} else None,
        )
        self.events.append(event)
        return event

    @property
    def life(self) -> Life:
        life = Life()
        for event in self.events:
            life = after(life, event)
        return life

    def states(self, now: datetime = NOW) -> dict[str, State]:
        life = self.life
        return {v.agreement.version: state(life, v, now) for v in life.versions.values()}


Step = tuple[str, str, Agreement] | tuple[str, str, Agreement, Agreement]


def tell(*steps: Step) -> Told:
    story = Told()
    for author, what, about, *answers in steps:
        story.say(author, what, about, answers=answers[0] if answers else None)
    return story


PROPOSED = (US, "proposed", V1)
SIGNED = [(US, "signed", V1), (THEM, "signed", V1)]
HISTORIES = {
    "proposed": ([PROPOSED], {"1.0.0": State.PROPOSED}),
    "proposed by the consumer": ([(THEM, "proposed", V1)], {"1.0.0": State.PROPOSED}),
    "countered": (
        [PROPOSED, (THEM, "countered", V2, V1)],
        {"1.0.0": State.COUNTERED, "1.9.0": State.PROPOSED},
    ),
    "countered again": (
        [PROPOSED, (THEM, "countered", V2, V1), (US, "countered", V3, V2)],
        {"1.0.0": State.COUNTERED, "1.9.0": State.COUNTERED, "1.10.0": State.PROPOSED},
    ),
    "declined": ([PROPOSED, (THEM, "declined", V1)], {"1.0.0": State.DECLINED}),
    "a counter declined": (
        [PROPOSED, (THEM, "countered", V2, V1), (US, "declined", V2)],
        {"1.0.0": State.COUNTERED, "1.9.0": State.DECLINED},
    ),
    "signed by one": ([PROPOSED, (THEM, "signed", V1)], {"1.0.0": State.SIGNED}),
    "offered, signed": ([(US, "signed", V1)], {"1.0.0": State.SIGNED}),
    "in force": ([PROPOSED, *SIGNED], {"1.0.0": State.IN_FORCE}),
    "countered, and signed all the same": (
        [PROPOSED, (THEM, "countered", V2, V1), (THEM, "signed", V1), (US, "signed", V1)],
        {"1.0.0": State.IN_FORCE, "1.9.0": State.PROPOSED},
    ),
    "amendment proposed": (
        [*SIGNED, (THEM, "proposed", V2)],
        {"1.0.0": State.IN_FORCE, "1.9.0": State.PROPOSED},
    ),
    "amended": (
        [*SIGNED, (THEM, "proposed", V2), (US, "signed", V2), (THEM, "signed", V2)],
        {"1.0.0": State.SUPERSEDED, "1.9.0": State.IN_FORCE},
    ),
    "overtaken before it was signed": (
        [PROPOSED, (THEM, "countered", V2, V1), (US, "signed", V2), (THEM, "signed", V2)],
        {"1.0.0": State.SUPERSEDED, "1.9.0": State.IN_FORCE},
    ),
    "revoked by us": ([*SIGNED, (US, "revoked", V1)], {"1.0.0": State.REVOKED}),
    "revoked by them": ([*SIGNED, (THEM, "revoked", V1)], {"1.0.0": State.REVOKED}),
    "revoked by both": (
        [*SIGNED, (THEM, "revoked", V1), (US, "revoked", V1)],
        {"1.0.0": State.REVOKED},
    ),
    "an offer taken back": ([(US, "signed", V1), (US, "revoked", V1)], {"1.0.0": State.REVOKED}),
    "revoked in all versions": (
        [*SIGNED, (US, "signed", V2), (US, "revoked", V1)],
        {"1.0.0": State.REVOKED, "1.9.0": State.REVOKED},
    ),
    "another time, after it was revoked": (
        [*SIGNED, (US, "revoked", V1), (US, "signed", V2), (THEM, "signed", V2)],
        {"1.0.0": State.REVOKED, "1.9.0": State.IN_FORCE},
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_holds_after_a_history(name: str) -> None:
    steps, expected = HISTORIES[name]
    assert tell(*steps).states() == expected


REFUSED = {
    "a counter to nothing": ("no-proposal", [(THEM, "countered", V2, V1)]),
    "a counter to another text": ("no-proposal", [PROPOSED, (THEM, "countered", V3, V2)]),
    "no to nothing": ("no-proposal", [(THEM, "declined", V1)]),
    "no to oneself": ("own-proposal", [PROPOSED, (US, "declined", V1)]),
    "a counter to oneself": ("own-proposal", [PROPOSED, (US, "countered", V2, V1)]),
    "no to what one has signed": (
        "signed",
        [PROPOSED, (THEM, "signed", V1), (THEM, "declined", V1)],
    ),
    "no to what both have signed": ("signed", [PROPOSED, *SIGNED, (THEM, "declined", V1)]),
    "a counter to what both have signed": (
        "signed",
        [PROPOSED, *SIGNED, (THEM, "countered", V2, V1)],
    ),
    "a version that goes back": ("version", [(US, "proposed", V2), (THEM, "proposed", V1)]),
    "a counter that goes back": ("version", [(US, "proposed", V2), (THEM, "countered", V1, V2)]),
    "an offer that goes back": ("version", [(US, "proposed", V3), (THEM, "signed", V2)]),
    "the same again": ("version", [PROPOSED, PROPOSED]),
    "two texts with one version": (
        "conflict",
        [PROPOSED, (THEM, "proposed", version("1.0.0", description__usage="Other."))],
    ),
    "two texts, the other one signed": (
        "conflict",
        [PROPOSED, (THEM, "signed", version("1.0.0", description__usage="Other."))],
    ),
    "signed after no": ("declined", [PROPOSED, (THEM, "declined", V1), (THEM, "signed", V1)]),
    "signed after it was revoked": ("revoked", [*SIGNED, (US, "revoked", V1), (US, "signed", V1)]),
    "revoked twice": ("revoked", [*SIGNED, (US, "revoked", V1), (US, "revoked", V1)]),
    "revoked by who never signed": ("not-signed", [PROPOSED, (THEM, "revoked", V1)]),
    "revoked, and there is none": ("not-signed", [(THEM, "revoked", V1)]),
    "revoked by a third": ("wrong-parties", [*SIGNED, ("havglass", "revoked", V1)]),
    "declined by a third": ("wrong-parties", [PROPOSED, ("havglass", "declined", V1)]),
    "signed by a third": ("wrong-parties", [PROPOSED, ("havglass", "signed", V1)]),
    "proposed by a third": ("wrong-parties", [("havglass", "proposed", V1)]),
    "an id of others": (
        "wrong-parties",
        [PROPOSED, (US, "proposed", version("2.0.0", consumer="havglass"))],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_follow(name: str) -> None:
    code, steps = REFUSED[name]
    story = tell(*steps)
    *before, last = story.events
    life = replay(before)
    with pytest.raises(AgreementRefused) as refused:
        after(life, last)
    assert refused.value.code == f"agreement.{code}"
    # What was refused when it came is passed over ever after.
    assert replay(story.events) == life


def test_who_has_to_say_something() -> None:
    for steps, whom in (
        ([PROPOSED], (THEM,)),
        ([(THEM, "proposed", V1)], (US,)),
        ([PROPOSED, (THEM, "signed", V1)], (US,)),
        ([(US, "signed", V1)], (THEM,)),
        ([PROPOSED, *SIGNED], ()),
        ([PROPOSED, (THEM, "declined", V1)], ()),
    ):
        life = tell(*steps).life
        (only,) = life.newest_first
        assert waits_for(life, only, NOW) == whom
        says = told(life, only, NOW, US)
        assert ("for us" in says) == (US in whom)
        assert ("for the partner" in says) == (THEM in whom)


def test_a_version_is_a_number_and_not_a_word() -> None:
    story = tell((US, "proposed", V3), (THEM, "proposed", V2))
    with pytest.raises(AgreementRefused, match=r"1\.9\.0 goes back"):
        _ = story.life


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START - DAY, State.NOT_YET),
        (START, State.IN_FORCE),
        (END - timedelta(seconds=1), State.IN_FORCE),
        (END, State.EXPIRED),
    ],
)
def test_its_time(now: datetime, expected: State) -> None:
    assert tell(*SIGNED).states(now) == {"1.0.0": expected}


def test_an_offer_that_nobody_took_in_time_is_over() -> None:
    assert tell(PROPOSED).states(END) == {"1.0.0": State.EXPIRED}


def test_an_amendment_that_has_not_begun_leaves_the_old_version_in_force() -> None:
    later = version("2.0.0", startTimestamp="2026-06-01T00:00:00Z")
    story = tell(*SIGNED, (US, "signed", later), (THEM, "signed", later))
    assert story.states() == {"1.0.0": State.IN_FORCE, "2.0.0": State.NOT_YET}
    assert story.states(later.start) == {"1.0.0": State.SUPERSEDED, "2.0.0": State.IN_FORCE}


def test_the_words_say_why_and_when_to_look_again() -> None:
    no = tell(PROPOSED, (THEM, "declined", V1))
    assert told(no.life, no.life.newest_first[0], NOW, US) == "declined by fjordstal: Too much."
    gone = tell(*SIGNED, (THEM, "revoked", V1))
    assert (
        told(gone.life, gone.life.newest_first[0], NOW, US)
        == "revoked by fjordstal at 2026-01-01T02:00:00Z: Too much."
    )
    again = version("1.0.0", nextReassessmentTimestamp="2026-03-01T00:00:00Z")
    held = tell((US, "signed", again), (THEM, "signed", again)).life
    (only,) = held.newest_first
    assert again.reassess is not None
    assert told(held, only, again.reassess - DAY, US) == "in force"
    assert told(held, only, again.reassess, US) == "in force, reassessment due"


# ---- shipments that cross a step on their way ---------------------------------------------------


def made(*, seq: int, witnessed: int, at: datetime) -> Made:
    """A shipment of the provider's."""
    return Made(US, seq, witnessed, at)


def test_a_revocation_takes_effect_on_arrival_at_the_other_side() -> None:
    """The consumer revokes, as the second statement of its chain."""
    life = tell(*SIGNED, (THEM, "revoked", V1)).life
    (version_,) = life.newest_first
    at = version_.revoked[0].at
    knew = made(seq=9, witnessed=2, at=at)
    did_not = made(seq=9, witnessed=1, at=at)
    assert revocation(version_, at - DAY) is None
    assert revocation(version_, at) is version_.revoked[0]
    assert revocation(version_, at, knew) is version_.revoked[0]
    assert revocation(version_, at, did_not) is None
    assert revocation(version_, at + UNDER_WAY, did_not) is None
    # Who does not look into its mailbox does not keep it alive for ever.
    assert revocation(version_, at + UNDER_WAY + DAY, did_not) is version_.revoked[0]


def test_after_its_own_revocation_a_provider_knew() -> None:
    life = tell(*SIGNED, (US, "revoked", V1)).life
    (version_,) = life.newest_first
    at = version_.revoked[0].at
    assert revocation(version_, at, made(seq=1, witnessed=0, at=at)) is None
    assert revocation(version_, at, made(seq=3, witnessed=0, at=at)) is version_.revoked[0]


def test_the_old_version_stays_for_old_shipments() -> None:
    """Both have signed the second version: statement 2 of each chain."""
    life = tell(*SIGNED, (US, "signed", V2), (THEM, "signed", V2)).life
    new, old = life.newest_first
    assert successor(life, new, NOW) is None
    assert successor(life, old, NOW) is new
    at = START + timedelta(hours=4)
    assert successor(life, old, at, made(seq=9, witnessed=2, at=at)) is new
    assert successor(life, old, at, made(seq=9, witnessed=1, at=at)) is None
    assert successor(life, old, at + UNDER_WAY + DAY, made(seq=9, witnessed=1, at=at)) is new


def test_what_was_made_before_the_new_version_began_stays_as_it_was() -> None:
    later = version("2.0.0", startTimestamp="2026-06-01T00:00:00Z")
    life = tell(*SIGNED, (US, "signed", later), (THEM, "signed", later)).life
    _, old = life.newest_first
    before, since = later.start - DAY, later.start
    assert successor(life, old, since, made(seq=9, witnessed=9, at=before)) is None
    assert successor(life, old, since, made(seq=9, witnessed=9, at=since)) is not None
    # Nor does it help for long to write an old date.
    assert successor(life, old, since + 2 * UNDER_WAY, made(seq=9, witnessed=9, at=before))
