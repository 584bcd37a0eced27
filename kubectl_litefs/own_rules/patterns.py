"""Is a regular expression safe to run on lines that anybody may have written?

Python's `re` tries again and again where an expression can match one text in several ways: that is exponential for some, and
a log line can be made to hit it. What is refused here cannot be shown to be harmless by looking at its form.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as sre_parse  # type: ignore[attr-defined]
else:
    import sre_parse

LONGEST = 500
"""Characters of a pattern, and of each line that it is run on."""
MANY = 10
"""A repetition of at most so many is a number of choices; a longer one may be as long as the line."""
MOST_STEPS = 10_000_000
"""What the worst line may cost: some tenths of a second."""

_OTHER = 128
_ALL = frozenset(range(_OTHER + 1))
"""ASCII, and one that stands for everything else."""

Chars = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Follows:
    """What may stand behind a part: the characters it may begin with (none at the end), and the text it surely begins with."""

    first: Chars = frozenset()
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Cost:
    """`loose`: for each long repetition that can give characters to what follows, at how many characters' distance it can end.
    `scans`: whether another long one stands behind the last of these. `choices`: ways that short ones multiply to."""

    loose: tuple[int, ...] = ()
    scans: bool = False
    choices: int = 1

    def __add__(self, other: _Cost) -> _Cost:
        scans = other.scans if other.loose else self.scans or other.scans
        return _Cost((*self.loose, *other.loose)[:MANY], scans, min(self.choices * other.choices, MOST_STEPS))

    def times(self, number: int) -> _Cost:
        return _Cost((self.loose * number)[:MANY], self.scans, min(self.choices**number, MOST_STEPS))

    def steps(self, start: int | None) -> float:
        """On a line of LONGEST characters made to be slow: all its ends share them. `start` is None for an anchored pattern."""
        ends = (*(() if start is None else (start,)), *(self.loose if self.scans else self.loose[:-1]))
        total = float(LONGEST) * self.choices
        for distance in ends:
            total *= max(1.0, LONGEST / (len(ends) * distance))
        return total


class _Refused(Exception):
    """Why a pattern is not taken."""


def problem(pattern: str) -> str | None:
    """Why the pattern cannot be used, None if it can."""
    if len(pattern) > LONGEST:
        return f"longer than {LONGEST} characters"
    try:
        compiled = re.compile(pattern)
        parsed: Any = sre_parse.parse(pattern)
        tree = list(parsed)
        steps = _sequence(tree, _Follows()).steps(_start(tree))
    except re.error as error:
        return f"no regular expression: {error}"
    except (RecursionError, OverflowError):
        return "nested too deeply"
    except _Refused as refused:
        return str(refused)
    if compiled.search("") is not None:
        return "matches an empty line, so it would match every line"
    if steps > MOST_STEPS:
        return "too slow on some lines: too many repetitions, such as .*, that can end in several places"
    return None


def _start(items: list[Any]) -> int | None:
    """At what distance it can begin to match; None for the line's beginning alone."""
    if items and items[0][0].name == "AT" and items[0][1].name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return None
    return _period(_literal(items))


def _literal(items: list[Any]) -> str:
    """The text that it surely begins with."""
    text = ""
    for item in items:
        if item[0].name != "LITERAL":
            break
        text += chr(item[1])
    return text


def _period(text: str) -> int:
    """At what distance two places can be where the text stands: `abab` every 2 characters, `timeout` every 7; no text: every 1."""
    folded = text.lower()
    return next((d for d in range(1, len(folded)) if folded.startswith(folded[d:])), len(folded)) or 1


def _sequence(items: list[Any], after: _Follows) -> _Cost:
    """The cost of items that stand in a row: from right to left, so that it is known what may follow."""
    cost = _Cost()
    for at in range(len(items) - 1, -1, -1):
        cost = _item(items[at], after) + cost
        first, empty = _first(items[at])
        text = _literal(items[at : at + 1])
        after = _Follows(first | after.first if empty else first, text + after.text if text else "")
    return cost


def _item(item: Any, after: _Follows) -> _Cost:
    name, value = item[0].name, item[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeat(value[0], value[1], value[2], after)
    if name == "SUBPATTERN":
        return _sequence(list(value[-1]), after)
    if name == "BRANCH":
        branches = [list(b) for b in value[1]]
        total = _Cost(choices=1 if _disjoint(branches, after.first) else len(branches))
        for branch in branches:
            total = total + _sequence(branch, after)
        return total
    if name in ("ASSERT", "ASSERT_NOT"):
        return _sequence(list(value[1]), _Follows(_ALL))
    if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "AT"):
        return _Cost()
    raise _Refused("written with a back reference, a condition or a possessive form, which are not taken here")


def _repeat(least: int, most: int, body: Any, after: _Follows) -> _Cost:
    first, _ = _sequence_first(list(body))
    inner = _sequence(list(body), _Follows(first | after.first))
    tight = least == most or not first & after.first
    if most <= MANY:
        return inner.times(int(most)) + _Cost(choices=1 if tight else int(most) - least + 1)
    low, high = body.getwidth()
    if low != high or low == 0 or inner.choices > 1 or inner.loose:
        raise _Refused("too slow on some lines: a repetition of something that itself can be matched in several ways")
    if tight:
        return _Cost(scans=bool(after.first))  # at the end of the pattern it cannot fail
    return _Cost(loose=(_period(after.text),))


def _disjoint(branches: list[list[Any]], after: Chars) -> bool:
    """Whether the next character alone decides which alternative is meant."""
    seen: Chars = frozenset()
    for branch in branches:
        first, empty = _sequence_first(branch)
        first = first | after if empty else first
        if first & seen:
            return False
        seen |= first
    return True


def _sequence_first(items: list[Any]) -> tuple[Chars, bool]:
    """The characters it can begin with, and whether it can match nothing."""
    found: Chars = frozenset()
    for item in items:
        first, empty = _first(item)
        found |= first
        if not empty:
            return found, False
    return found, True


def _first(item: Any) -> tuple[Chars, bool]:
    name, value = item[0].name, item[1]
    if name == "LITERAL":
        return _case({min(value, _OTHER)}), False
    if name == "NOT_LITERAL":
        return (_ALL - {value}) | {_OTHER}, False
    if name == "ANY":
        return _ALL, False
    if name == "IN":
        return _set(value), False
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        first, empty = _sequence_first(list(value[2]))
        return first, empty or value[0] == 0
    if name == "SUBPATTERN":
        return _sequence_first(list(value[-1]))
    if name == "BRANCH":
        firsts = [_sequence_first(list(b)) for b in value[1]]
        return frozenset().union(*(f for f, _ in firsts)), any(e for _, e in firsts)
    return frozenset(), True  # an anchor or a look ahead: nothing is consumed


def _case(chars: set[int]) -> Chars:
    """In both cases, whatever the flags: rather too many characters than one too few."""
    return frozenset(chars) | {ord(other) for c in chars if c < _OTHER for other in (chr(c).lower(), chr(c).upper())}


def _set(parts: list[Any]) -> Chars:
    """`[a-z\\d]`; what is outside ASCII counts as in it, negated or not."""
    chars: set[int] = set()
    negated = False
    for op, value in parts:
        if op.name == "NEGATE":
            negated = True
        elif op.name == "LITERAL":
            chars.add(min(value, _OTHER))
        elif op.name == "RANGE":
            chars.update(range(min(value[0], _OTHER), min(value[1], _OTHER) + 1))
        else:
            chars |= _category(value.name)
    return (_ALL - chars) | {_OTHER} if negated else _case(chars)


def _category(name: str) -> Chars:
    letter = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.rsplit("_", 1)[-1]]
    inside = frozenset(c for c in range(_OTHER) if re.match(letter, chr(c)))
    return ((_ALL - inside) if "_NOT_" in name else inside) | {_OTHER}
