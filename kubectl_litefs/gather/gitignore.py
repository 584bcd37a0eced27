"""`.gitignore` as git reads it: patterns, negation, nested files; the last pattern that matches decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERN = 1000
"""Characters of one pattern; a longer one is no pattern of a person."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a `.gitignore`. `folder` is the file's directory below the top, empty or ending in a slash."""

    folder: str
    pattern: re.Pattern[str]
    only_directories: bool
    negated: bool

    def matches(self, path: str, *, directory: bool) -> bool:
        if (self.only_directories and not directory) or not path.startswith(self.folder):
            return False
        return self.pattern.fullmatch(path[len(self.folder) :]) is not None


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


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None for a pattern that matches nothing: a class or an escape that does not end."""
    anchored = "/" in pattern
    parts = pattern.removeprefix("/").split("/")
    if not anchored:
        parts = ["**", *parts]
    pieces: list[str] = []
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            if pieces[-1:] != [_ANY_FOLDERS] or last:  # several in a row are one
                pieces.append(".+" if last else _ANY_FOLDERS)
            continue
        regex = _one_name(part)
        if regex is None:
            return None
        pieces.append(regex + ("" if last else "/"))
    return re.compile("".join(pieces), re.DOTALL)


_ANY_FOLDERS = "(?:.*/)?"
_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "xdigit": "0-9a-fA-F", "blank": r" \t", "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
}  # fmt: skip


def _one_name(part: str) -> str | None:
    """A pattern without slashes as a regular expression."""
    out, at = "", 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            out += "" if out.endswith("[^/]*") else "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "\\":
            if at >= len(part):
                return None
            out += re.escape(part[at])
            at += 1
        elif char == "[":
            found = _class(part, at)
            if found is None:
                return None
            regex, at = found
            out += regex
        else:
            out += re.escape(char)
    return out


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
    body = f"[^/{inside}]" if negated else f"(?!/)[{inside}]" if inside else "(?!)"
    return body, at + 1


def _member(part: str, at: int) -> tuple[str, int]:
    """One character of a class, a backslash taken off."""
    if part[at] == "\\" and at + 1 < len(part):
        return part[at + 1], at + 2
    return part[at], at + 1
