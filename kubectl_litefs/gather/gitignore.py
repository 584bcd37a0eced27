"""`.gitignore` as git reads it: patterns, negation, nested files; the last pattern that matches decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

P = TypeVar("P")
MAX_PATTERN = 1000
"""Characters of one pattern; a longer one is no pattern of a person."""


Token = str | re.Pattern[str]
"""Part of a name's pattern: STAR, or what one character must be."""
STAR = "*"
FOLDERS = "**"
Segment = str | tuple[Token, ...]
"""Part of a path's pattern: FOLDERS, or the pattern of one name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a `.gitignore`. `folder` is the file's directory below the top, empty or ending in a slash."""

    folder: str
    pattern: tuple[Segment, ...]
    only_directories: bool
    negated: bool

    def matches(self, path: str, *, directory: bool) -> bool:
        if (self.only_directories and not directory) or not path.startswith(self.folder):
            return False
        return _fits(self.pattern, FOLDERS, path[len(self.folder) :].split("/"), _is_name)


def _fits(pattern: Sequence[P], star: P, items: Sequence[str], one: Callable[[P, str], bool]) -> bool:
    """Whether items match a pattern in which `star` stands for any number of them.

    Only the last star is ever tried again, so the time is at most the product of both lengths, whatever they hold.
    """
    at = here = resume = 0
    last = -1
    while here < len(items):
        if at < len(pattern) and pattern[at] == star:
            last, resume = at, here
            at += 1
        elif at < len(pattern) and one(pattern[at], items[here]):
            at, here = at + 1, here + 1
        elif last >= 0:
            resume += 1
            at, here = last + 1, resume
        else:
            return False
    return all(p == star for p in pattern[at:])


def _is_name(segment: Segment, name: str) -> bool:
    return isinstance(segment, tuple) and _fits(segment, STAR, name, _is_character)


def _is_character(token: Token, char: str) -> bool:
    return token == char if isinstance(token, str) else token.fullmatch(char) is not None


def rules_of(text: str, folder: str) -> tuple[Rule, ...]:
    """The rules of one file. `folder` is where it lies, relative to the top of what is walked."""
    return tuple(_rules(text.removeprefix("\ufeff"), f"{folder}/" if folder else ""))


def ignored(rules: tuple[Rule, ...], path: str, *, directory: bool) -> bool:
    """Whether git would leave out a path below the top. A directory that is left out is never looked into."""
    for rule in reversed(rules):
        if rule.matches(path, directory=directory):
            return not rule.negated
    return False


def _rules(text: str, folder: str) -> Iterator[Rule]:
    for line in text.split("\n"):
        pattern = _without_trailing_blanks(line.removesuffix("\r"))
        if not pattern or pattern.startswith("#") or len(pattern) > MAX_PATTERN:
            continue
        negated = pattern.startswith("!")
        pattern = pattern[1:] if negated else pattern
        only_directories = pattern.endswith("/")
        compiled = _compiled(pattern.rstrip("/") if only_directories else pattern)
        if compiled is not None:
            yield Rule(folder, compiled, only_directories, negated)


def _without_trailing_blanks(line: str) -> str:
    """Blanks at the end do not count, unless a backslash stands before the first of them."""
    kept = line.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return kept + " " if backslashes % 2 and len(kept) < len(line) else kept


def _compiled(pattern: str) -> tuple[Segment, ...] | None:
    """None for a pattern that matches nothing: a class or an escape that does not end."""
    parts = pattern.removeprefix("/").split("/")
    segments: list[Segment] = [] if "/" in pattern else [FOLDERS]
    for part in parts:
        found = FOLDERS if part == FOLDERS else _one_name(part)
        if found is None:
            return None
        segments.append(found)
    if "/" in pattern and segments[-1] == FOLDERS:
        segments.append((STAR,))  # what is inside, and not the folder itself
    return tuple(segments)


_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "xdigit": "0-9a-fA-F", "blank": r" \t", "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
}  # fmt: skip


def _one_name(part: str) -> tuple[Token, ...] | None:
    """A pattern without slashes; a literal star is a pattern of its own, not STAR."""
    out: list[Token] = []
    at = 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            out.append(STAR)
        elif char == "?":
            out.append(_ANYTHING)
        elif char == "\\":
            if at >= len(part):
                return None
            out.append(re.compile(re.escape(part[at])))
            at += 1
        elif char == "[":
            found = _class(part, at)
            if found is None:
                return None
            regex, at = found
            out.append(re.compile(regex, re.DOTALL))
        else:
            out.append(char)
    return tuple(out)


_ANYTHING = re.compile(".", re.DOTALL)


def _class(part: str, at: int) -> tuple[str, int] | None:
    """A `[...]` from behind its bracket: the regular expression, and where it ends."""
    negated = part[at : at + 1] in ("!", "^") and at < len(part)
    at += negated
    inside, first = "", True
    while at < len(part) and (part[at] != "]" or first):
        first = False
        named = re.match(r"\[:(\w+):\]", part[at:])
        if named:
            if named[1] not in _CLASSES:
                return None
            inside += _CLASSES[named[1]]
            at += named.end()
            continue
        low, at = _member(part, at)
        if part[at : at + 1] == "-" and part[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(part, at + 1)
            inside += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
        else:
            inside += re.escape(low)
    if at >= len(part):
        return None
    body = f"[{'^' if negated else ''}{inside}]" if inside else "." if negated else "(?!)"
    return body, at + 1


def _member(part: str, at: int) -> tuple[str, int]:
    """One character of a class, a backslash taken off."""
    if part[at] == "\\" and at + 1 < len(part):
        return part[at + 1], at + 2
    return part[at], at + 1
