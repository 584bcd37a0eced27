"""Where blocks, attributes and map keys stand in Terraform sources. Values are read by python-hcl2, which keeps no places."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from ...model.origin import Place, TextOrigin
from .text import Lines

Keys = tuple[str, ...]
_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))|(?P<heredoc><<-?(?P<name>[\w-]+)[ \t]*\n)|(?P<string>\")|(?P<word>[A-Za-z_][\w-]*)"
    r"|(?P<equals>=(?![=>])|:)|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<end>[\n,;])|(?P<other>.)",
    re.DOTALL,
)


@dataclass
class _Level:
    """One pair of brackets. `body` is True where statements or map keys stand in it."""

    path: Keys
    body: bool
    pending: list[tuple[str, int]] = field(default_factory=list)
    value: Keys | None = None
    blocks: Counter[str] = field(default_factory=Counter)


class HclPlaces:
    """Places of one file, by keys as `hcl.py` has them: ("resource", TYPE, NAME, "spec", "0", "replicas")."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self._lines = Lines(text)
        self.offsets: dict[Keys, int] = {}
        self.heredocs: dict[Keys, tuple[int, int]] = {}
        self._levels = [_Level((), body=True)]
        self._scan()

    def place(self, keys: Keys) -> Place:
        """Of the nearest one above, where it is not there."""
        offset = next((self.offsets[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self.offsets), 0)
        return Place(self.path, *self._lines.position(offset))

    def origin(self, keys: Keys) -> TextOrigin | None:
        """The lines of a heredoc, or the one place of any other text."""
        if keys not in self.offsets:
            return None
        place = self.place(keys)
        if keys in self.heredocs:
            start, indent = self.heredocs[keys]
            return TextOrigin(self.path, self._lines.position(start)[0], indent)
        return TextOrigin(self.path, place.line, place.column - 1, exact=False)

    def _scan(self) -> None:
        at = 0
        while (found := _TOKEN.match(self.text, at)) is not None:
            at = found.end()
            kind = found.lastgroup if found.lastgroup != "name" else "heredoc"
            level = self._levels[-1]
            if kind == "string":
                at = self._string_end(at)
                if level.value is None:
                    level.pending.append((self.text[found.start() + 1 : at - 1], found.start()))
            elif kind == "heredoc":
                at = self._heredoc(level, found)
            elif kind == "word" and level.value is None:
                level.pending.append((found[0], found.start()))
            elif kind == "equals" and level.body and level.value is None and len(level.pending) == 1:
                name, offset = level.pending[0]
                level.value = (*level.path, name)
                self.offsets.setdefault(level.value, offset)
            elif kind == "open":
                self._open(level, found[0])
            elif kind == "close" and len(self._levels) > 1:
                self._levels.pop()
            elif kind == "end":
                level.pending, level.value = [], None

    def _open(self, level: _Level, bracket: str) -> None:
        if bracket != "{" or not level.body:
            self._levels.append(_Level(level.path, body=False))
        elif level.value is not None:
            self._levels.append(_Level(level.value, body=True))
        elif level.pending:
            name, offset = level.pending[0]
            if level.path == () and name == "resource" and len(level.pending) == 3:
                path: Keys = (name, level.pending[1][0], level.pending[2][0])
            else:
                path = (*level.path, name, str(level.blocks[name]))
                level.blocks[name] += 1
            self.offsets.setdefault(path, offset)
            self.offsets.setdefault((*level.path, name), offset)
            self._levels.append(_Level(path, body=True))
        else:
            self._levels.append(_Level(level.path, body=False))

    def _string_end(self, at: int) -> int:
        """Behind the closing quote; `${...}` inside may have strings of its own."""
        depth = 0
        while at < len(self.text):
            char = self.text[at]
            if char == "\\":
                at += 1
            elif self.text.startswith(("${", "%{"), at) and self.text[at - 1 : at] != char:
                depth, at = depth + 1, at + 1
            elif char == "}" and depth:
                depth -= 1
            elif char == '"' and depth:
                at = self._string_end(at + 1) - 1
            elif char == '"' or (char == "\n" and not depth):
                return at + 1
            at += 1
        return at

    def _heredoc(self, level: _Level, opened: re.Match[str]) -> int:
        end = re.compile(rf"^[ \t]*{re.escape(opened['name'])}[ \t]*$", re.MULTILINE).search(self.text, opened.end())
        stop = end.start() if end else len(self.text)
        if level.value is not None:
            rows = [row for row in self.text[opened.end() : stop].split("\n") if row.strip()]
            stripped = opened[0].startswith("<<-")
            indent = min((len(row) - len(row.lstrip(" ")) for row in rows), default=0) if stripped else 0
            self.heredocs[level.value] = (opened.end(), indent)
        return end.end() if end else len(self.text)
