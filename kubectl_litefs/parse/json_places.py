"""JSON from an untrusted server: strict, bounded, and with the line that each member stands on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from .clean import clean, clip

LONGEST_NUMBER = 40
"""Digits of a number; Python would need quadratic time for millions of them."""
EXCERPT = 160
"""Characters of an excerpt."""
_SPACE = " \t\r\n"


class NotJson(ValueError):
    """The text is no JSON that a LiteFS would write; the message says why in a few plain words."""


@dataclass(frozen=True, slots=True)
class Member:
    """One `key: value` of an object: where the key begins, where the value begins and ends in the text."""

    key: str
    value: Any
    start: int
    at: int
    end: int


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("a key stands twice in its JSON")
    return found


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is no JSON number")


def _short(digits: str) -> str:
    if len(digits) > LONGEST_NUMBER:
        raise NotJson("a number in its JSON is too long")
    return digits


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_constant,
    parse_int=lambda digits: int(_short(digits)),
    parse_float=lambda digits: float(_short(digits)),
)


def decode(data: bytes, longest: int) -> tuple[str, dict[str, Any]]:
    """The text and the object it holds. Raises NotJson."""
    if len(data) > longest:
        raise NotJson(f"the answer is larger than {longest // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotJson("the answer is not UTF-8 text") from None
    if text.lstrip()[:1] == "<":
        raise NotJson("the answer is HTML, not JSON")
    try:
        document = _DECODER.decode(text)
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("its JSON is nested too deeply") from None
    except ValueError:
        raise NotJson("the answer is not JSON") from None
    if not isinstance(document, dict):
        raise NotJson("answers, but not as LiteFS does")
    return text, document


def members(text: str, at: int = 0) -> Iterator[Member]:
    """The members of the object that begins at or after `at`, in order. The text must have passed `decode`."""
    at = text.index("{", at) + 1
    while True:
        at = _skip(text, at, _SPACE + ",")
        if text[at] == "}":
            return
        start = at
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at, _SPACE + ":")
        value, end = _DECODER.raw_decode(text, at)
        yield Member(key, value, start, at, end)
        at = end


def _skip(text: str, at: int, what: str) -> int:
    while text[at] in what:
        at += 1
    return at


def excerpt(text: str, start: int, end: int) -> str:
    """What stands between two places, on one line, safe to print."""
    piece = text[start : min(end, start + 2 * EXCERPT)]
    return clip(" ".join(clean(piece).split()), EXCERPT)
