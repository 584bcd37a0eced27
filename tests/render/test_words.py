"""Small pieces of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.model.origin import Evidence
from kubectl_litefs.render.topology import short_id
from kubectl_litefs.render.words import clean, clip, count, listed, place, text_with_flags, with_flags, wrap

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_clean_text_is_one_printable_line_that_encodes(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf8")
    assert len(cleaned.splitlines()) <= 1
    assert not any(c in cleaned for c in "\x1b\x00\x07\x08\x9b\u202e\u2066")
    assert clean(cleaned) == cleaned


@given(ANY_TEXT, st.integers(4, 120))
def test_clipped_text_fits(text: str, width: int) -> None:
    assert len(clip(text, width)) <= width


@given(st.text("ab ", max_size=300), st.integers(20, 80))
def test_wrapping_loses_no_word(text: str, width: int) -> None:
    assert " ".join(wrap(text, width)).split() == text.split()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("kubectl -n a get pvc", "kubectl --as x -n a get pvc"),
        ("kubectl -n a logs p | grep kubectl", "kubectl --as x -n a logs p | grep kubectl"),
        ("kubectl get x && kubectl get y", "kubectl --as x get x && kubectl --as x get y"),
        ("kubectl litefs diagnose p -n a", "kubectl litefs diagnose --as x p -n a"),
        ("kubectl litefs diagnose", "kubectl litefs diagnose --as x"),
        ("kubectl litefs explain LFS101", "kubectl litefs explain LFS101"),
        ("sqlite3 kubectl.db", "sqlite3 kubectl.db"),
    ],
)
def test_flags_go_where_kubectl_takes_them(command: str, expected: str) -> None:
    assert with_flags(command, ("--as", "x")) == expected
    assert with_flags(command, ()) == command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Then `kubectl litefs rescue plan` shows the way back.", "Then `kubectl litefs rescue plan --as x` shows the way back."),
        ("Save it again: kubectl litefs rescue save.", "Save it again: kubectl litefs rescue save --as x."),
        ("kubectl litefs rescue run abaci-app -n abaci --resume", "kubectl litefs rescue run --as x abaci-app -n abaci --resume"),
        ("kubectl litefs fix-cluster-id p --resume, or kubectl -n a get pvc", "kubectl litefs fix-cluster-id --as x p --resume, or kubectl --as x -n a get pvc"),
        ("`kubectl litefs explain` and `kubectl auth whoami`", "`kubectl litefs explain` and `kubectl --as x auth whoami`"),
        ("ask kubectl.", "ask kubectl."),
    ],
)
def test_flags_in_a_sentence_come_after_the_whole_command(text: str, expected: str) -> None:
    assert text_with_flags(text, ("--as", "x")) == expected


@pytest.mark.parametrize(
    ("source", "line", "expected"),
    [
        ("logs/a/p-1/app.log", 14, "p-1 log:14"),
        ("logs/a/p-1/app.previous.log", 3, "p-1 previous log:3"),
        ("litefs/a/p-1/info.json", 2, "p-1 /info"),
        ("litefs/a/p-1/vars.json", None, "p-1 /debug/vars"),
        ("sweeps/1/litefs/a/p-1/info.json", 2, "p-1 /info (earlier)"),
        ("objects/a/statefulsets.json", None, "statefulsets"),
        ("objects/a/configmaps.json", 13, "litefs.yml:13"),
        ("rules/LFS101", None, "rules/LFS101"),
    ],
)
def test_places_are_short(source: str, line: int | None, expected: str) -> None:
    assert place(Evidence(source, line, "x")) == expected


def test_ids_are_shortened_only_as_far_as_they_differ() -> None:
    one, two = "LFSC00000000AAAA1111", "LFSC00000000BBBB1111"
    assert short_id(one, [one]) == "LFSC..1111"
    assert short_id(one, [one, two]) == "LFSC..AAAA1111"
    assert short_id(None, [one]) == "no id"


def test_counts_and_lists_read_well() -> None:
    assert (count(1, "error"), count(0, "error"), count(2, "error")) == ("1 error", "0 errors", "2 errors")
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
