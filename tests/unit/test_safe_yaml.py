"""YAML that can only mean one thing, or is refused by a code of its own."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from tillit.errors import ContractRefused
from tillit.safe_yaml import load


def code(text: bytes | str, **limits: int) -> str:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(ContractRefused) as caught:
        load(raw, what="the text", **limits)
    assert "the text" in caught.value.message
    assert caught.value.exit_code == 3
    return caught.value.code.removeprefix("contract.")


def test_what_plain_scalars_become() -> None:
    text = b"""
none: ~
nothing:
no_word: null
yes_word: true
whole: -12
part: 1.50
scientific: 1.5e+3
date: 2026-03-01
instant: 2026-03-01T06:00:00Z
version: 1.0.0
word: Nordvik Motor
quoted: "no"
number: '010'
"""
    assert load(text, what="it") == {
        "none": None,
        "nothing": None,
        "no_word": None,
        "yes_word": True,
        "whole": -12,
        "part": 1.5,
        "scientific": 1500.0,
        "date": "2026-03-01",
        "instant": "2026-03-01T06:00:00Z",
        "version": "1.0.0",
        "word": "Nordvik Motor",
        "quoted": "no",
        "number": "010",
    }


def test_lists_and_mappings_in_any_style() -> None:
    assert load(b"a: [1, {b: c}]\nd:\n- e\n- f: |\n    g\n", what="it") == {
        "a": [1, {"b": "c"}],
        "d": ["e", {"f": "g\n"}],
    }


@pytest.mark.parametrize(
    "scalar",
    [
        *("no", "Yes", "ON", "off"),
        *("010", "0x1f", "0o17", "0b11", "1_000", "12:30", "190:20:30", "1e3", "1.5e3", "1E5"),
        *(".inf", "-.INF", ".nan", "+.5", ".5", "+1_0.0", "-0_1", "0777", "9" * 39),
    ],
)
def test_what_two_readers_read_differently_must_be_quoted(scalar: str) -> None:
    assert code(f"a: {scalar}") == "wrong-value"
    assert load(f'a: "{scalar}"'.encode(), what="it") == {"a": scalar}
    assert load(f"a: '{scalar}'".encode(), what="it") == {"a": scalar}


@pytest.mark.parametrize("key", ["no", "1", "1.5", "true", "~", "010"])
def test_a_key_is_text(key: str) -> None:
    assert code(f"{key}: a") == "wrong-value"
    assert load(f'"{key}": a'.encode(), what="it") == {key: "a"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\n", "alias"),
        ("a: &x [1]\n", "alias"),
        ("&x a: 1\n", "alias"),
        ("a: 1\na: 2\n", "duplicate-key"),
        ("a:\n  b: 1\n  'b': 2\n", "duplicate-key"),
        ("a: {b: 1, b: 1}\n", "duplicate-key"),
        ("<<: {a: 1}\n", "unsupported"),
        ("a: !!python/object/apply:os.system ['id']\n", "unsupported"),
        ("a: !!str 1\n", "unsupported"),
        ("!x\na: 1\n", "unsupported"),
        ("a: 1\n---\nb: 2\n", "unsupported"),
        ("a: 1\n...\n---\n", "unsupported"),
        ("", "wrong-value"),
        ("# only a remark\n", "wrong-value"),
        ("- a\n", "wrong-value"),
        ("a\n", "wrong-value"),
        ("? [a]\n: b\n", "wrong-value"),
        ("a: [1\n", "not-yaml"),
        ("a: b: c\n", "not-yaml"),
        ("a: '\n", "not-yaml"),
        ("a: \x07\n", "not-yaml"),
        ("\ta: 1\n", "not-yaml"),
        (b"a: \xff\n", "not-utf8"),
        ("a: 1\n".encode("utf-16"), "not-utf8"),
        (b"a: \xed\xa0\x80\n", "not-utf8"),  # half of a surrogate pair
    ],
)
def test_everything_else_is_refused_by_its_own_code(text: bytes | str, expected: str) -> None:
    assert code(text) == expected


def test_a_merge_key_in_quotes_is_a_key() -> None:
    assert load(b"'<<': a\n", what="it") == {"<<": "a"}


def test_the_line_is_named() -> None:
    with pytest.raises(ContractRefused) as caught:
        load(b"a: 1\nb: 2\nc: no\n", what="it")
    assert caught.value.found == "line 3"


def test_size_is_looked_at_before_anything_else() -> None:
    assert code(b"\xff" * 65, max_bytes=64) == "too-large"
    assert load(b"a: " + b"x" * 61, what="it", max_bytes=64) == {"a": "x" * 61}


def test_depth_has_a_limit() -> None:
    assert code("a: " + "[" * 20 + "]" * 20) == "too-deep"
    assert code("a: " + "{b: " * 20 + "1" + "}" * 20) == "too-deep"
    assert load(b"a: " + b"[" * 19 + b"]" * 19, what="it")
    assert code("a: [[1]]", max_depth=2) == "too-deep"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 120_000,
        "a: " + "9" * 250_000,
        "a: " + "1:" * 120_000 + "0",
        "a: " + "1_" * 120_000,
        "a: .\n" + " " * 200_000,
        "a: " + "+" * 250_000,
    ],
    ids=["nested", "digits", "sixties", "underscores", "spaces", "signs"],
)
def test_a_large_text_is_answered_soon(text: str) -> None:
    began = time.process_time()
    with suppress(ContractRefused):
        load(text.encode(), what="it")
    assert time.process_time() - began < 1.0


def test_a_bomb_of_aliases_builds_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    assert code("\n".join(lines)) == "alias"
