"""LiteFS's expansion of variables in the raw text of litefs.yml: Go's `os.Expand` plus `${A == 'b'}`.

Behaviour after LiteFS 0.5.14 (`cmd/litefs/config.go`) and Go's `os` package. The shell's operators do not exist
here: `${A:-x}` looks for a variable of the odd name `A:-x`, and mostly finds none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..model.config import Sight
from .unseen import UNKNOWN, UNKNOWN_BOOL, has_unknown, marked_name, without_markers

_SPECIAL = frozenset("*#$@!?-0123456789")
_NAME = re.compile(r"[0-9A-Za-z_]*")
_WORD = re.compile(r"[A-Za-z_][0-9A-Za-z_]*\Z")
_GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_COMPARE = tuple(
    re.compile(r"([0-9A-Za-z_]+)[\t\n\f\r ]*(==|!=)[\t\n\f\r ]*" + right + r"\Z")
    for right in ("'([^\n]*)'", '"([^\n]*)"', "([0-9A-Za-z_]+)")
)
_CHAINED = re.compile(r"""['"]\s*(\|\||&&)""")
_WORST = (Sight.KNOWN, Sight.UNSET, Sight.UNDEFINED, Sight.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one variable. `value` counts only where `sight` is KNOWN; else it is empty or unseen."""

    value: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a variable was expanded: offsets in the text before and after, and what came of it.

    `result` holds a stand-in where the value is unseen. `grammatical` is False where LiteFS takes the text for the
    name of a variable that nobody can have meant.
    """

    start: int
    end: int
    out_start: int
    out_end: int
    text: str
    name: str
    operator: str | None
    result: str
    sight: Sight
    grammatical: bool


@dataclass(frozen=True, slots=True)
class Expansion:
    """The expanded text and every use, in order."""

    text: str
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A variable's name at an offset, before it is looked up. `name` None: characters that are simply eaten."""

    end: int
    name: str | None


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """The text as LiteFS reads it. `lookup` gives a variable's value, None where it is unset."""
    return expand_traced(text, lambda name: Answer(lookup(name) or "", Sight.KNOWN)).text


def worst(sights: Sequence[Sight]) -> Sight:
    """The least sure of several; KNOWN for none."""
    return max(sights, key=_WORST.index, default=Sight.KNOWN)


def expand_traced(
    text: str, lookup: Callable[[str], Answer], marked: Sequence[str] = (), *, variables: bool = True
) -> Expansion:
    """Expand and tell of every variable.

    `marked` names the shell's undefined variables that stand in the text as markers. `variables` False leaves every
    `$` alone, as `-no-expand-env` does: only the markers are taken out.
    """
    out: list[str] = []
    uses: list[Use] = []
    length = at = 0
    pattern = re.compile(("[$" if variables else "[") + ("\U000f0000-\U000ffffd]" if marked else "]"))
    if not (variables or marked):
        return Expansion(text, ())
    last_close = text.rfind("}")
    while (match := pattern.search(text, at)) is not None:
        start = match.start()
        use = _marker_use(text, start, marked) if text[start] != "$" else _use(text, start, lookup, last_close)
        end, literal = (use.end, text[at:start]) if use else (start + 1, text[at : start + 1])
        out.append(literal)
        length += len(literal)
        if use is not None:
            out.append(use.result)
            uses.append(replace(use, out_start=length, out_end=length + len(use.result)))
            length += len(use.result)
        at = end
    out.append(text[at:])
    return Expansion("".join(out), tuple(uses))


def _marker_use(text: str, start: int, marked: Sequence[str]) -> Use | None:
    name = marked_name(text[start], marked)
    if name is None:
        return None
    return Use(start, start + 1, 0, 0, f"${name}", name, None, "", Sight.UNDEFINED, True)


def _use(text: str, start: int, lookup: Callable[[str], Answer], last_close: int) -> Use | None:
    """The variable at the `$` at `start`; None where that `$` stays as it is."""
    found = _scan(text, start + 1, last_close)
    if found is None:
        return None
    written = text[start : found.end]
    if found.name is None:
        return Use(start, found.end, 0, 0, written, "", None, "", Sight.UNSET, False)
    name = without_markers(found.name).strip(_GO_SPACE)
    if has_unknown(name):
        return Use(start, found.end, 0, 0, written, name, None, UNKNOWN, Sight.UNKNOWN, True)
    for pattern in _COMPARE:
        match = pattern.match(name)
        if match:
            return _comparison(start, found.end, written, match, lookup, bare=pattern is _COMPARE[2])
    answer = lookup(name)
    word = _WORD.match(name) is not None
    sight = answer.sight
    if sight is Sight.UNDEFINED and not word:
        sight = Sight.UNSET  # no image sets a variable called `X:-default`
    result = UNKNOWN if sight is Sight.UNKNOWN else answer.value
    grammatical = word or (sight is Sight.KNOWN and answer.value != "") or sight is Sight.UNKNOWN
    return Use(start, found.end, 0, 0, written, name, None, result, sight, grammatical)


def _comparison(
    start: int, end: int, written: str, match: re.Match[str], lookup: Callable[[str], Answer], *, bare: bool
) -> Use:
    left = lookup(match[1])
    right = lookup(match[3]) if bare else Answer(match[3], Sight.KNOWN)
    sight = worst([left.sight, right.sight])
    equal = (left.value == right.value) is (match[2] == "==")
    result = UNKNOWN_BOOL if sight is Sight.UNKNOWN else "true" if equal else "false"
    chained = not bare and _CHAINED.search(match[3]) is not None  # `'a' || B == 'c'`: all of it is one literal
    return Use(start, end, 0, 0, written, match[1], match[2], result, sight, not chained)


def _scan(text: str, at: int, last_close: int) -> _Found | None:
    """What stands behind a `$`: a name, something that is eaten, or (None) nothing that concerns it."""
    if at >= len(text):
        return None
    first = text[at]
    if first == "{":
        if text[at + 2 : at + 3] == "}" and text[at + 1] in _SPECIAL:
            return _Found(at + 3, text[at + 1])
        close = text.find("}", at + 1) if at < last_close else -1
        if close < 0:
            return _Found(at + 1, None)
        return _Found(close + 1, text[at + 1 : close] or None)
    if first in _SPECIAL:
        return _Found(at + 1, first)
    match = _NAME.match(text, at)
    assert match is not None  # the pattern matches the empty string
    return _Found(match.end(), match[0]) if match[0] else None
