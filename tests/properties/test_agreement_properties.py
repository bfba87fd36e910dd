"""What holds of every agreement, not only of those that somebody thought of."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.agreements import DIGEST, KIND, document, text, written

from tillit import safe_yaml
from tillit.agreement.language import check, read, require_kind, schema
from tillit.agreement.new import draft, repin
from tillit.agreement.terms import PURPOSE, shared_columns
from tillit.errors import ContractRefused, Refusal
from tillit.model import PARTY_ID, Cadence, Every, Kind, Treatment

quick = settings(derandomize=True, deadline=None, max_examples=60)

parties = st.from_regex(PARTY_ID, fullmatch=True)
purposes = st.lists(st.from_regex(PURPOSE, fullmatch=True), min_size=1, max_size=5, unique=True)
seconds = st.integers(946_684_800, 7_258_032_000)  # 2000 to 2199
instants = seconds.map(lambda second: datetime.fromtimestamp(second, UTC))
hours = st.one_of(
    st.integers(-8784, 8784), st.floats(-8784, 8784).map(lambda value: round(value, 3))
)
free = [column.name for column in KIND.columns if not column.key]


@st.composite
def cadences(draw: st.DrawFn) -> Cadence:
    every = draw(st.sampled_from(Every))
    value = draw(hours)
    return Cadence(every, float(-abs(value) if every is Every.EVENT else value))


@quick
@given(
    provider=parties,
    consumer=parties,
    span=st.lists(instants, min_size=2, max_size=2, unique=True).map(sorted),
    cadence=cadences(),
    ids=purposes,
    withheld=st.sets(st.sampled_from(free)),
    words=st.text(min_size=1, max_size=200),
)
def test_a_draft_reads_back_as_what_it_was_made_of(
    provider: str,
    consumer: str,
    span: list[datetime],
    cadence: Cadence,
    ids: list[str],
    withheld: set[str],
    words: str,
) -> None:
    assume(provider != consumer and len(provider) + len(consumer) < 100)
    try:
        content = draft(
            provider,
            consumer,
            KIND,
            span[0],
            span[1],
            cadence,
            ids,
            withheld=withheld,
            purpose=words,
        ).encode()
    except ContractRefused as refused:
        assert "description.purpose" in str(refused)  # noqa: PT017 (controls in the words)
        return
    agreement = read(content)
    assert (agreement.provider, agreement.consumer) == (provider, consumer)
    assert [agreement.start, agreement.end] == span
    assert agreement.cadence == cadence
    assert agreement.purposes == tuple(ids)
    assert agreement.purpose == " ".join(words.split())
    assert set(shared_columns(agreement, KIND)) == {c.name for c in KIND.columns} - withheld
    require_kind(agreement, KIND)
    check(content, KIND)


def places(whole: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [at]
    items: Any = ()
    if isinstance(whole, dict):
        items = whole.items()
    elif isinstance(whole, list):
        items = enumerate(whole)
    for key, inner in items:
        found += places(inner, (*at, key))
    return found


PLACES = places(document())
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**6), 10**6),
        st.floats(-1e6, 1e6).map(lambda value: round(value, 2)),
        st.sampled_from(["clear", "withheld", "week", "event", "v1", "order", "1.0.0", ""]),
        st.from_regex(re.compile(r"[ -~]{1,20}"), fullmatch=True),
        st.text(max_size=10).filter(lambda t: not set(t) & set("\x85\u2028\u2029\ufeff")),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", max_size=4), inner),
    max_leaves=4,
)


def changed(at: tuple[str | int, ...], value: Any) -> Any:
    whole: Any = copy.deepcopy(document())
    if not at:
        return value
    place = whole
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = value
    return whole


VALIDATOR = Draft202012Validator(schema())


@settings(derandomize=True, deadline=None, max_examples=400)
@given(at=st.sampled_from(PLACES), value=values)
def test_code_and_schema_agree_whatever_stands_anywhere(
    at: tuple[str | int, ...], value: Any
) -> None:
    content = written(changed(at, value))
    try:
        whole = safe_yaml.load(content, what="it")
    except ContractRefused:
        return  # no document at all, so there is nothing that a schema could be asked
    # That the two parties differ, no schema can say.
    assume(at not in {("provider",), ("consumer",)} or value not in ("nordvik", "fjordstal"))
    try:
        read(content)
        accepted = True
    except ContractRefused:
        accepted = False
    assert VALIDATOR.is_valid(whole) == accepted


@quick
@given(
    at=st.sampled_from([p for p in PLACES if p in {(), ("description",), ("terms", "cadence")}]),
    key=st.from_regex(re.compile(r"[ -~]{1,20}"), fullmatch=True),
    value=values,
)
def test_an_unknown_key_is_refused_at_any_level(
    at: tuple[str | int, ...], key: str, value: Any
) -> None:
    whole: Any = document()
    place = whole
    for step in at:
        place = place[step]
    assume(key not in {*place, "usage", "limitations", "nextReassessmentTimestamp"})
    place[key] = value
    try:
        read(written(whole))
    except ContractRefused as refused:
        assert refused.code == "contract.unknown-key"  # noqa: PT017
    else:
        raise AssertionError(key)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(at=st.integers(0, len(text()) - 1), byte=st.integers(0, 255), how=st.sampled_from("ird"))
def test_a_changed_byte_is_refused_or_makes_another_agreement(at: int, byte: int, how: str) -> None:
    content = bytearray(text())
    if how == "r":
        assume(content[at] != byte)
        content[at] = byte
    elif how == "i":
        content.insert(at, byte)
    else:
        del content[at]
    try:
        agreement = read(bytes(content))
    except Refusal:
        return
    assert agreement.digest != read(text()).digest


@quick
@given(first=st.sets(st.sampled_from(free)), more=st.sets(st.sampled_from(free)))
def test_withholding_more_never_shares_more(first: set[str], more: set[str]) -> None:
    def shared(withheld: set[str]) -> set[str]:
        columns = {
            column.name: str(Treatment.WITHHELD if column.name in withheld else Treatment.CLEAR)
            for column in KIND.columns
        }
        return set(shared_columns(read(text(terms__columns=columns)), KIND))

    assert shared(first | more) <= shared(first)
    assert shared(first | more) == shared(first) - more


@quick
@given(names=st.sets(st.sampled_from(free)))
def test_leaving_a_column_out_is_withholding_it(names: set[str]) -> None:
    listed = {c.name: "clear" for c in KIND.columns if c.name not in names}
    agreement = read(text(terms__columns=listed))
    assert set(shared_columns(agreement, KIND)) == set(listed)


@quick
@given(
    version=st.from_regex(re.compile(r"[1-9][0-9]?\.[0-9]\.[0-9]"), fullmatch=True),
    digest=st.from_regex(re.compile(r"[0-9a-f]{64}"), fullmatch=True),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_new_pins_change_nothing_else(version: str, digest: str, ending: str) -> None:
    lines = draft(
        "nordvik", "fjordstal", KIND, *_YEAR, Cadence(Every.WEEK, 48.0), ["plan"]
    ).splitlines()
    before = ending.join([*lines, ""]).encode()
    newer = Kind(KIND.name, version, digest, KIND.columns, ())
    after = repin(before, newer)
    require_kind(read(after), newer)
    undone = after.replace(digest.encode(), DIGEST.encode()).replace(
        f"dataContractVersion: {version}".encode(), b"dataContractVersion: 1.0.0"
    )
    assert undone == before
    assert repin(after, KIND) == before


_YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
