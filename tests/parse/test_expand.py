"""LiteFS's expansion, against a table of its own answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.model.config import Sight
from kubectl_litefs.parse.expand import Answer, expand, expand_traced
from kubectl_litefs.parse.unseen import UNKNOWN, UNKNOWN_BOOL, marker

TABLE = json.loads((Path(__file__).parent / "expansion.json").read_text("utf8"))
CASES = [(group, text, out) for group, pairs in TABLE["cases"].items() for text, out in pairs]


@pytest.mark.parametrize(("group", "text", "out"), CASES, ids=[f"{g}: {t!r}" for g, t, _ in CASES])
def test_expands_as_litefs_does(group: str, text: str, out: str) -> None:
    assert expand(text, TABLE["environment"].get) == out


def test_the_table_is_whole() -> None:
    assert len(CASES) > 100
    assert {g for g, _, _ in CASES} >= {"plain", "equality", "silently empty", "braces"}


@given(st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"])))
def test_text_without_a_dollar_stays(text: str) -> None:
    assert expand(text, lambda name: "x") == text


@given(st.text(st.sampled_from("${}A=!'\" \n:-é1*\ue000\U000f0000")))
def test_never_raises_and_uses_lie_where_they_say(text: str) -> None:
    result = expand_traced(text, lambda name: Answer(f"<{name}>", Sight.KNOWN), ("B",))
    for use in result.uses:
        assert result.text[use.out_start : use.out_end] == use.result
        assert text[use.start : use.start + 1] in ("$", "\U000f0000")
    outside = sum(u.end - u.start for u in result.uses), sum(len(u.result) for u in result.uses)
    assert len(text) - outside[0] == len(result.text) - outside[1]


def seen(name: str) -> Answer:
    known = {"A": Answer("1", Sight.KNOWN), "S": Answer("", Sight.UNKNOWN), "dotted.name": Answer("d", Sight.KNOWN)}
    return known.get(name, Answer("", Sight.UNDEFINED))


@pytest.mark.parametrize(
    ("text", "out", "sight", "grammatical"),
    [
        ("${A}", "1", Sight.KNOWN, True),
        ("$S", UNKNOWN, Sight.UNKNOWN, True),
        ("${S == 'b'}", UNKNOWN_BOOL, Sight.UNKNOWN, True),
        ("${A == S}", UNKNOWN_BOOL, Sight.UNKNOWN, True),
        ("${NOPE == 'b'}", "false", Sight.UNDEFINED, True),
        ("${NOPE}", "", Sight.UNDEFINED, True),
        ("${NOPE:-x}", "", Sight.UNSET, False),
        ("${A == app-0}", "", Sight.UNSET, False),
        ("${dotted.name}", "d", Sight.KNOWN, True),
        ("$$", "", Sight.UNSET, False),
        ("${", "", Sight.UNSET, False),
        ("${}", "", Sight.UNSET, False),
        ("${A == 'x' || A == '1'}", "false", Sight.KNOWN, False),
    ],
)
def test_tells_what_is_known(text: str, out: str, sight: Sight, grammatical: bool) -> None:
    result = expand_traced(text, seen)
    assert result.text == out
    assert [(u.sight, u.grammatical) for u in result.uses] == [(sight, grammatical)]


def test_a_marker_names_the_shells_undefined_variable() -> None:
    result = expand_traced(f"candidate: {marker(0)}\n", seen, ("LITEFS_CANDIDATE",))
    assert result.text == "candidate: \n"
    assert [(u.name, u.text, u.sight) for u in result.uses] == [
        ("LITEFS_CANDIDATE", "$LITEFS_CANDIDATE", Sight.UNDEFINED)
    ]


def test_many_unclosed_braces_are_quick() -> None:
    assert expand("${" * 50_000, lambda name: None) == ""
