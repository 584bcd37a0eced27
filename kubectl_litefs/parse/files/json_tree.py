"""A JSON document with the places of its fields. JSON is read by Python's own fast reader; places are looked for when asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...model.origin import Place, TextOrigin
from .text import Lines

_DECODER = json.JSONDecoder(strict=False)
_SPACE = " \t\r\n"


class JsonTree:
    """`value` is the whole document."""

    def __init__(self, path: str, text: str, value: Any) -> None:
        self.path, self.text, self.value = path, text, value
        self._lines = Lines(text)

    def place(self, keys: tuple[str, ...]) -> Place:
        shown, _ = self._find(keys)
        return Place(self.path, *self._lines.position(shown))

    def origin(self, keys: tuple[str, ...]) -> TextOrigin | None:
        """A text in JSON has its line breaks as escapes: all of it stands in one place."""
        _, found = self._find(keys)
        place = self.place(keys)
        return TextOrigin(self.path, place.line, place.column - 1, exact=False) if found else None

    def _find(self, keys: tuple[str, ...]) -> tuple[int, bool]:
        """The offset of the field, or of the nearest one above it, and whether it is there."""
        at = shown = _skip(self.text, 0, _SPACE)
        for key in keys:
            inside = self.text[at : at + 1]
            if inside == "{":
                named = [(start, value) for name, start, value in self._members(at) if name == key]
                found = named[-1] if named else None  # of a key that stands twice the last counts
            elif inside == "[" and key.isdigit():
                found = next(((value, value) for n, value in enumerate(self._elements(at)) if n == int(key)), None)
            else:
                found = None
            if found is None:
                return shown, False
            shown, at = found
        return shown, True

    def _members(self, at: int) -> Iterator[tuple[str, int, int]]:
        """(name, where it begins, where its value begins) of an object. The text has been read as JSON before."""
        at += 1
        while True:
            at = _skip(self.text, at, _SPACE + ",")
            if self.text[at] == "}":
                return
            start = at
            name, at = _DECODER.raw_decode(self.text, at)
            at = _skip(self.text, at, _SPACE + ":")
            yield name, start, at
            _, at = _DECODER.raw_decode(self.text, at)

    def _elements(self, at: int) -> Iterator[int]:
        at += 1
        while True:
            at = _skip(self.text, at, _SPACE + ",")
            if self.text[at] == "]":
                return
            yield at
            _, at = _DECODER.raw_decode(self.text, at)


def _skip(text: str, at: int, what: str) -> int:
    while at < len(text) and text[at] in what:
        at += 1
    return at
