"""A TOML document with the places of its fields: Python has no reader before 3.11, and that one keeps no places.

Strict: what it takes, it takes as TOML 1.0 says. Dates and times, which decide nothing here, are kept as they are written.
"""

from __future__ import annotations

import re
from typing import Any

from ...model.origin import Place
from .text import Lines, Unreadable

Keys = tuple[str, ...]
MAX_DEPTH = 50
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\.)*)"')
_LITERAL = re.compile(r"'([^'\x00-\x08\x0a-\x1f\x7f]*)'")
_LONG_BASIC = re.compile(r'"""\n?((?:[^\\\x00-\x08\x0b-\x1f\x7f]|\\(?:.|\n))*?"{0,2})"""(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''\n?([^\x00-\x08\x0b-\x1f\x7f]*?'{0,2})'''(?!')", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)?)?|\d\d:\d\d:\d\d(?:\.\d+)?")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?|[eE][-+]?\d(?:_?\d)*)|[-+]?(?:inf|nan)")
_INTEGER = re.compile(r"0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*|[-+]?(?:0|[1-9](?:_?\d){0,99})")
_WORD = re.compile(r"true|false")
_END_OF_VALUE = re.compile(r"(?=[ \t\n,\]}#]|\Z)")
_SPACE, _BLANK = re.compile(r"[ \t]*"), re.compile(r"(?:[ \t\n]|#[^\x00-\x08\x0a-\x1f\x7f]*)*")
_END_OF_LINE = re.compile(r"[ \t]*(?:#[^\x00-\x08\x0a-\x1f\x7f]*)?(?:\n|\Z)")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([ \t]*\n[ \t\n]*)|(.))", re.DOTALL)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class TomlTree:
    """`value` is the whole document."""

    def __init__(self, path: str, text: str) -> None:
        """Raises Unreadable."""
        self.path, self.text, self.at = path, text, 0
        self._lines = Lines(text)
        self.value: dict[str, Any] = {}
        self._offsets: dict[Keys, int] = {(): 0}
        self._closed: set[int] = set()  # tables that a later line must not add to: inline ones, by their identity
        self._headed: set[Keys] = set()  # tables that had a header of their own
        self._dotted: set[Keys] = set()  # tables that a dotted key has made
        self._read()

    def place(self, keys: Keys) -> Place:
        """Of the nearest one above, where it is not there."""
        offset = next(self._offsets[keys[:n]] for n in range(len(keys), -1, -1) if keys[:n] in self._offsets)
        return Place(self.path, *self._lines.position(offset))

    def _fail(self, why: str) -> Unreadable:
        return Unreadable(f"no TOML: {why}", self._lines.position(self.at)[0])

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _read(self) -> None:
        table: Keys = ()
        while self.at < len(self.text):
            self._take(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(self._table_at(table), table, top=True)
            if self._take(_END_OF_LINE) is None:
                raise self._fail("more stands behind the end of a value or a table's name")

    def _header(self) -> Keys:
        """`[a.b]` or `[[a.b]]`: the keys of the table that the lines below belong to."""
        start, several = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        names = self._names()
        if not self.text.startswith("]]" if several else "]", self.at):
            raise self._fail("a table's name does not end")
        self.at += 2 if several else 1
        keys = self._walk((), names[:-1])
        parent, last = self._table_at(keys), names[-1]
        keys = (*keys, last)
        if several:
            listed = parent.setdefault(last, [])
            if not isinstance(listed, list) or id(listed) in self._closed:
                raise self._fail(f"{last} is something else already")
            listed.append({})
            self._offsets.setdefault(keys, start)
            keys = (*keys, str(len(listed) - 1))
        elif keys in self._headed or keys in self._dotted or not isinstance(found := parent.setdefault(last, {}), dict) or id(found) in self._closed:
            raise self._fail(f"{last} stands there twice")
        self._headed.add(keys)
        self._offsets[keys] = start
        return keys

    def _walk(self, keys: Keys, names: list[str], *, dotted: bool = False) -> Keys:
        """Down from a table by names, made where they are not there; of a list of tables the newest is meant."""
        for name in names:
            fresh = name not in (table := self._table_at(keys))
            keys = (*keys, name)
            below = table.setdefault(name, {})
            if isinstance(below, list) and below and id(below) not in self._closed and not dotted:
                keys, below = (*keys, str(len(below) - 1)), below[-1]
            if not isinstance(below, dict) or id(below) in self._closed:
                raise self._fail(f"{name} is no table")
            if dotted and not fresh and keys in self._headed:
                raise self._fail(f"{name} has a table of its own")
            if dotted:
                self._dotted.add(keys)
            if fresh:
                self._offsets[keys] = self.at
        return keys

    def _table_at(self, keys: Keys) -> dict[str, Any]:
        found: Any = self.value
        for key in keys:
            found = found[int(key)] if isinstance(found, list) else found[key]
        assert isinstance(found, dict)
        return found

    def _names(self) -> list[str]:
        names = []
        while True:
            self._take(_SPACE)
            names.append(self._name())
            self._take(_SPACE)
            if not self.text.startswith(".", self.at):
                return names
            if len(names) >= MAX_DEPTH:
                raise self._fail(f"nested more than {MAX_DEPTH} deep")
            self.at += 1

    def _name(self) -> str:
        if (bare := self._take(_BARE)) is not None:
            return bare[0]
        if not self.text.startswith(('"""', "'''"), self.at):
            if (basic := self._take(_BASIC)) is not None:
                return self._unescaped(basic[1])
            if (literal := self._take(_LITERAL)) is not None:
                return literal[1]
        raise self._fail("a key was expected")

    def _pair(self, table: dict[str, Any], keys: Keys, *, top: bool, depth: int = 0) -> None:
        """`name = value`, also with dots in the name, into a table."""
        start = self.at
        names = self._names()
        if not self.text.startswith("=", self.at):
            raise self._fail("a key has no value")
        self.at += 1
        self._take(_SPACE)
        if top:
            keys = self._walk(keys, names[:-1], dotted=True)
            table = self._table_at(keys)
        else:
            for name in names[:-1]:
                table = table.setdefault(name, {})
                keys = (*keys, name)
                if not isinstance(table, dict) or id(table) in self._closed:
                    raise self._fail(f"{name} is no table")
        if names[-1] in table:
            raise self._fail(f"{names[-1]} stands there twice")
        for n in range(len(names)):
            self._offsets.setdefault((*keys[: len(keys) - len(names) + 1 + n], names[n]), start)
        table[names[-1]] = self._value((*keys, names[-1]), depth)

    def _value(self, keys: Keys, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._fail(f"nested more than {MAX_DEPTH} deep")
        self._offsets.setdefault(keys, self.at)
        first = self.text[self.at : self.at + 1]
        if first == "[":
            return self._array(keys, depth)
        if first == "{":
            return self._inline(keys, depth)
        if first in ('"', "'"):
            return self._string()
        return self._plain()

    def _string(self) -> str:
        long = self.text.startswith(('"""', "'''"), self.at)
        basic = self._take(_LONG_BASIC if long else _BASIC) if self.text[self.at] == '"' else None
        if basic is not None:
            return self._unescaped(basic[1], long=long)
        literal = self._take(_LONG_LITERAL if long else _LITERAL)
        if literal is None:
            raise self._fail("a text does not end, or has a character that it must not have")
        return literal[1]

    def _plain(self) -> Any:
        for pattern, made in ((_DATE, str), (_FLOAT, _float), (_INTEGER, _integer), (_WORD, _bool)):
            found = pattern.match(self.text, self.at)
            if found is not None and _END_OF_VALUE.match(self.text, found.end()):
                self.at = found.end()
                return made(found[0])
        raise self._fail("a value was expected")

    def _array(self, keys: Keys, depth: int) -> list[Any]:
        made: list[Any] = []
        self.at += 1
        while True:
            self._take(_BLANK)
            if self.text.startswith("]", self.at):
                break
            made.append(self._value((*keys, str(len(made))), depth + 1))
            self._take(_BLANK)
            if self.text.startswith(",", self.at):
                self.at += 1
            elif not self.text.startswith("]", self.at):
                raise self._fail("a list does not end")
        self.at += 1
        self._closed.add(id(made))
        return made

    def _inline(self, keys: Keys, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self.at += 1
        self._take(_SPACE)
        while not self.text.startswith("}", self.at):
            self._pair(made, keys, top=False, depth=depth + 1)
            self._take(_SPACE)
            if self.text.startswith(",", self.at):
                self.at += 1
                self._take(_SPACE)
                if self.text.startswith("}", self.at):
                    raise self._fail("a comma stands before the end of a table in braces")
            elif not self.text.startswith("}", self.at):
                raise self._fail("a table in braces does not end")
        self.at += 1
        self._close(made)
        return made

    def _close(self, table: dict[str, Any]) -> None:
        self._closed.add(id(table))
        for below in table.values():
            if isinstance(below, dict):
                self._close(below)

    def _unescaped(self, text: str, *, long: bool = False) -> str:
        def put(found: re.Match[str]) -> str:
            code = found[1] or found[2]
            if code:
                number = int(code, 16)
                if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
                    raise self._fail(f"\\{found[0][1]}{code} is no character")
                return chr(number)
            if found[3] is not None and long:
                return ""
            if found[4] not in _ESCAPES:
                raise self._fail(f"{found[0]!r} is no escape")
            return _ESCAPES[found[4]]

        return _ESCAPE.sub(put, text)


def _float(text: str) -> float:
    return float(text.replace("_", ""))


def _integer(text: str) -> int:
    plain = text.replace("_", "")
    return int(plain, 0) if plain[:2] in ("0x", "0o", "0b") else int(plain)


def _bool(text: str) -> bool:
    return text == "true"
