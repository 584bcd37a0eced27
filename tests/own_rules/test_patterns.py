"""Which regular expressions are taken: those that no line can make slow."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_litefs.own_rules.patterns import problem

from ..work import steps

TAKEN = [
    "timeout", r"took \d+ms for \S+ on \S+", r"error.*timeout.*db", r".*error.*timeout.*", r"(?P<host>\S+) error.*timeout.*db", r"a.*b", r"(?i)out of memory", r"^panic: .+$", r"(?:GET|POST|PUT) /\w+", r"\d{1,3}(?:\.\d{1,3}){3}",
    r"(?P<db>\w+)\.sqlite", r"[^ ]+ [^ ]+ failed", r"\bdeadline exceeded\b", r"a{200}", r"(?:ab){20,}", r"user=(?P<who>[^;]*);", r"über|größer", r"(?=.*x)y",
    r"[\d.]+ ms", r"(?:foo|bar|qux)+ end", r"\[[^\]]*\] boom", r"a?b?c?d", r"(?:\d+\.){3}\d+",
]  # fmt: skip
REFUSED = [
    (r"(a+)+b", "several ways"), (r"(a*)*b", "several ways"), (r"(a|a)*b", None), (r"(a|aa)+b", "several ways"), (r"(?:a|ab|b)*c", "several ways"),
    (r"(\w+\s?)*$", "several ways"), (r"(.*)*x", "several ways"), (r"(?:[a-z]+[0-9]*)+x", "several ways"), (r"(a?){50}b", "several ways"),
    (r".*.*.*x", "too many repetitions"), (r"a.*b.*c.*d.*e", "too many repetitions"), (r"a.*b.*c", "too many repetitions"), (r"aa*.*a*z", "too many repetitions"), (r"\s+\s+\s+\s+x", "too many repetitions"), (r"(?:.*x){5}", "too many repetitions"),
    (r"a?a?a?a?a?a?a?a?a?a?aaaaaaaaaa", "too many repetitions"), (r"(?:a|b|ab){1,10}c", "too many repetitions"), (r"(?:ab?|b)+c", "several ways"),
    (r"(?:.a|a.)+x", "several ways"), (r"(\w)\1", "back reference"), (r"(a)?(?(1)b|c)", "condition"), (r"x*", "every line"), ("", "every line"),
    (r"(", "no regular expression"), (r"[z-a]", "no regular expression"), ("a" * 501, "longer"), ("(" * 240 + "a" + ")" * 240, None), (r"a{3,2}", "no regular"),
]  # fmt: skip


@pytest.mark.parametrize("pattern", TAKEN)
def test_what_people_write_is_taken(pattern: str) -> None:
    assert problem(pattern) is None


@pytest.mark.parametrize(("pattern", "why"), REFUSED)
def test_what_can_be_made_slow_is_refused(pattern: str, why: str | None) -> None:
    said = problem(pattern)
    if why is None:  # Python may have simplified it to something harmless: then it is harmless
        assert said is None or "slow" in said or "deep" in said or "expression" in said
    else:
        assert said is not None and why in said


SHORT = 40
MANY = 5_000_000
"""Steps on a line of SHORT characters that nothing harmless takes, though short repetitions may be tried in some ten thousand
ways; what tries every way to part a line takes a billion."""
CUBE = 8.5
"""How many times the steps may be at twice the length: 8 for three things that are sought behind one another. What is refused is above."""


def _lines(pattern: str, length: int) -> Iterator[str]:
    """Made of the pattern's own characters, and with an end that does not fit."""
    letters = list(dict.fromkeys(re.sub(r"\\.|[^\w ]", "a0 ", pattern)))[:4] or ["a"]
    for unit in (*itertools.product(letters, repeat=1), *itertools.product(letters, repeat=2)):
        yield ("".join(unit) * length)[: length - 1] + "\x00"


def _stays_small(pattern: str) -> None:
    """AssertionError where a line of twice the length takes far more steps."""
    compiled = re.compile(pattern)
    for line, twice in zip(_lines(pattern, SHORT), _lines(pattern, 2 * SHORT), strict=True):
        assert steps(compiled, twice) < CUBE * steps(compiled, line), line


@pytest.mark.parametrize("pattern", TAKEN)
def test_what_is_taken_ends_on_lines_made_to_be_slow(pattern: str) -> None:
    _stays_small(pattern)


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(?:a|ab|b)*c", r".*.*.*x", r"aa*.*a*z", r"(?:.a|a.)+x"])
def test_the_count_of_steps_tells_what_is_refused(pattern: str) -> None:
    with pytest.raises(AssertionError):
        _stays_small(pattern)


PIECES = st.sampled_from(["a", "b", "ab", ".", r"\w", r"\d", "[ab]", "[^a]", " ", "(?:a|b)", "(?:a|ab)", "(?:ab|b)", "a?", "b*", ".*", r"\w+", "(?:ab)*", "(?:a|b)+"])


@given(st.lists(st.tuples(PIECES, st.sampled_from(["", "", "?", "*", "+", "{2,5}"])), min_size=1, max_size=6))
def test_whatever_is_taken_is_fast(parts: list[tuple[str, str]]) -> None:
    pattern = "".join(f"(?:{piece}){repeat}" for piece, repeat in parts) + "z"
    if problem(pattern) is None:
        compiled = re.compile(pattern)
        for unit in ("ab", "a", "b"):
            assert steps(compiled, (unit * SHORT)[:SHORT], MANY) < MANY
