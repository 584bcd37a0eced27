"""How much is done, as a number that is the same on every machine and at every load: what is linear costs twice as much at
twice the size, what is quadratic four times.

Two measures, for a matcher works where no profiler sees it: calls with the texts that they read (`work`), and the steps of a
backtracking matcher (`Stepped`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

if sys.version_info >= (3, 11):
    from re import _compiler as sre_compile
    from re import _parser as sre_parse
else:
    import sre_compile
    import sre_parse

READ_WHOLE = {"split", "splitlines", "strip", "lower", "replace", "encode", "translate"}
"""Methods of a text that go through all of it."""
READERS = {"search", "match", "sub", "split", "findall", "clean", "shown"}
"""The same of functions, of `re` and of ours. Others may be given a long text to look at one place of it."""

Go = Callable[[int], bool]


def work(function: Callable[[], object]) -> int:
    """Calls of Python's functions while it runs, and the characters that those read which read all they are given."""
    done = 0

    def count(frame: FrameType, event: str, called: Any) -> None:
        nonlocal done
        if event == "call":
            done += 1
            if frame.f_code.co_name in READERS:
                done += sum(len(v) for v in frame.f_locals.values() if type(v) is str)
        elif event == "c_call" and called.__name__ in READ_WHOLE and isinstance(called.__self__, str | bytes):
            done += len(called.__self__)

    profiled(count, function)
    return done


def profiled(count: Callable[[FrameType, str, Any], None], function: Callable[[], object]) -> None:
    """Run it, each call told to `count`."""
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)


def growth(function: Callable[[int], object], size: int) -> float:
    """How many times the work of `size` is that of twice the size. What happens but once, at the first run, is left out."""
    function(size - 1)  # not the same: what was read once may be remembered
    return work(lambda: function(2 * size)) / work(lambda: function(size))


MOST = 300_000
"""Steps after which a search is taken for one that never ends."""


class Stepped:
    """A compiled pattern that counts the steps of its search, as a plain backtracking matcher takes them: `re` does not tell."""

    def __init__(self, pattern: re.Pattern[str], most: int = MOST) -> None:
        self.pattern, self.most = pattern, most
        self.steps = 0
        self._singles: dict[str, re.Pattern[str]] = {}

    def sub(self, by: str | Callable[[re.Match[str]], str], text: str) -> str:
        """As `re` does it, after counting. AssertionError where this matcher and `re` do not find the same."""
        found, at = [], 0
        nodes = list(sre_parse.parse(self.pattern.pattern, self.pattern.flags))
        ends: list[int] = []
        while at <= len(text):
            if self._match(nodes, text, at, lambda end: ends.append(end) or True):
                found.append((at, ends[-1]))
                at = max(ends[-1], at + 1)
            else:
                at += 1
        assert found == [m.span() for m in self.pattern.finditer(text)]
        return self.pattern.sub(by, text)

    def _match(self, nodes: list[Any], text: str, at: int, go: Go) -> bool:
        """Whether the nodes match from `at`, and what follows agrees to where they end."""
        self.steps += 1
        if self.steps > self.most:
            raise AssertionError(f"{self.pattern.pattern}: more than {self.most} steps")
        if not nodes:
            return go(at)
        (op, value), rest = nodes[0], nodes[1:]
        name = str(op)
        if name == "SUBPATTERN":
            return self._match([*value[3], *rest], text, at, go)
        if name == "BRANCH":
            return any(self._match([*branch, *rest], text, at, go) for branch in value[1])
        if name in ("ASSERT", "ASSERT_NOT"):
            start = at - (value[1].getwidth()[1] if value[0] < 0 else 0)
            holds = start >= 0 and self._match(list(value[1]), text, start, lambda end: True)
            return holds == (name == "ASSERT") and self._match(rest, text, at, go)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(value, name == "MAX_REPEAT", rest, text, at, go)
        if name == "AT":
            return self._one([(op, value)], text, at) and self._match(rest, text, at, go)
        return self._one([(op, value)], text, at) and self._match(rest, text, at + 1, go)

    def _repeat(self, value: Any, greedy: bool, rest: list[Any], text: str, at: int, go: Go) -> bool:
        least, most, item = value
        if item.getwidth() != (1, 1):
            return self._again(value, greedy, rest, text, at, go, 0)
        longest = at
        while longest - at < most and self._one(list(item), text, longest):
            self.steps += 1
            longest += 1
        ends = range(at + least, longest + 1)
        return any(self._match(rest, text, end, go) for end in (reversed(ends) if greedy else ends))

    def _again(self, value: Any, greedy: bool, rest: list[Any], text: str, at: int, go: Go, done: int) -> bool:
        """One more repetition of several characters, or what follows."""
        least, most, item = value

        def more() -> bool:
            return done < most and self._match(list(item), text, at, lambda end: (end > at or done < least) and self._again(value, greedy, rest, text, end, go, done + 1))

        def enough() -> bool:
            return done >= least and self._match(rest, text, at, go)

        return (more() or enough()) if greedy else (enough() or more())

    def _one(self, nodes: list[Any], text: str, at: int) -> bool:
        """A single character, or a place between two, as `re` itself judges it."""
        key = repr(nodes)
        if key not in self._singles:
            state = sre_parse.parse("", self.pattern.flags).state
            self._singles[key] = sre_compile.compile(sre_parse.SubPattern(state, nodes), self.pattern.flags)
        return self._singles[key].match(text, at) is not None


def steps(pattern: re.Pattern[str], text: str, most: int = MOST) -> int:
    """Those of one search through all of the text. AssertionError where there are more than `most`."""
    counted = Stepped(pattern, most)
    counted.sub("", text)
    return counted.steps
