"""POSIX shell text, read and never run: characters to words with quotes, expansions and here-documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .errors import ShellError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_BLANKS = " \t"
_META = "|&;<>() \t\n"
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Part:
    """`lit`: literal text. `var`: `text` is the name, `op` and `arg` the rest of `${name:-arg}`. `cmd`: the text of a
    command substitution. `quoted` parts are not split into words."""

    kind: Literal["lit", "var", "cmd"]
    text: str
    quoted: bool
    op: str = ""
    arg: Word | None = None


@dataclass(frozen=True, slots=True)
class Word:
    parts: tuple[Part, ...]
    source: str = ""

    @property
    def bare(self) -> str | None:
        """The text of a word that is one unquoted literal: the only thing that can be a reserved word."""
        if len(self.parts) == 1 and self.parts[0].kind == "lit" and not self.parts[0].quoted:
            return self.parts[0].text
        return None


class WordReader:
    """Reads words from `text` at `at`. The parser proper builds on it."""

    def __init__(self, text: str, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise ShellError("nested too deeply")
        self.text = text
        self.at = 0
        self.depth = depth

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def blanks(self) -> None:
        """Skip blanks, line continuations and a comment."""
        while True:
            if self.peek() and self.peek() in _BLANKS:
                self.at += 1
            elif self.peek(2) == "\\\n":
                self.at += 2
            elif self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def word(self, stop: str = _META) -> Word | None:
        """The word at the current place; None where none begins."""
        start, parts = self.at, list[Part]()
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in stop:
                break
            if char == "\\":
                self._escape(parts)
            elif char == "'":
                end = self.text.find("'", self.at + 1)
                if end < 0:
                    raise ShellError("unterminated quoted string")
                parts.append(Part("lit", self.text[self.at + 1 : end], True))
                self.at = end + 1
            elif char == '"':
                self.at += 1
                self._double(parts, '"')
                self.at += 1
            elif char in "$`":
                parts.append(self._dollar(quoted=False))
            else:
                self._plain(parts, stop)
        if self.at == start:
            return None
        return Word(tuple(parts), self.text[start : self.at])

    def _plain(self, parts: list[Part], stop: str) -> None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in stop and self.text[self.at] not in "\\'\"$`":
            self.at += 1
        parts.append(Part("lit", self.text[start : self.at], False))

    def _escape(self, parts: list[Part]) -> None:
        after = self.text[self.at + 1 : self.at + 2]
        if after != "\n":
            parts.append(Part("lit", after or "\\", True))
        self.at += 2

    def _double(self, parts: list[Part], close: str) -> None:
        """The inside of double quotes, up to and without `close`; the whole rest where `close` is empty."""
        before = len(parts)
        text: list[str] = []
        while self.at < len(self.text) and (not close or self.text[self.at] != close):
            char = self.text[self.at]
            after = self.text[self.at + 1 : self.at + 2]
            if char == "\\" and after and (after in "$`\\\n" or after == close):
                text.append("" if after == "\n" else after)
                self.at += 2
            elif char in "$`":
                parts.append(Part("lit", "".join(text), True))
                text = []
                parts.append(self._dollar(quoted=True))
            else:
                text.append(char)
                self.at += 1
        if close and self.at >= len(self.text):
            raise ShellError("unterminated quoted string")
        if text or len(parts) == before:
            parts.append(Part("lit", "".join(text), True))

    def _dollar(self, *, quoted: bool) -> Part:
        if self.peek() == "`":
            return self._backquote(quoted)
        if self.peek(3) == "$((":
            end = self.text.find("))", self.at)
            if end < 0:
                raise ShellError("unterminated arithmetic")
            self.at = end + 2
            return Part("cmd", "expr", quoted)  # computed: nobody needs the number
        if self.peek(2) == "$(":
            self.at += 2
            start = self.at
            self._to_paren()
            return Part("cmd", self.text[start : self.at - 1], quoted)
        if self.peek(2) == "${":
            return self._braced(quoted)
        match = _NAME.match(self.text, self.at + 1)
        if match is None:
            self.at += 1
            return Part("lit", "$", quoted)
        self.at = match.end()
        return Part("var", match[0], quoted)

    def _backquote(self, quoted: bool) -> Part:
        self.at += 1
        text: list[str] = []
        while self.peek() not in ("`", ""):
            if self.peek() == "\\" and self.peek(2)[1:] in ("`", "\\", "$"):
                self.at += 1
            text.append(self.peek())
            self.at += 1
        if not self.peek():
            raise ShellError("unterminated backquote")
        self.at += 1
        return Part("cmd", "".join(text), quoted)

    def _to_paren(self) -> None:
        """Go behind the `)` that ends a command substitution, past nested quotes and parentheses.

        A `)` of a `case` pattern inside `$(...)` ends it too early: then the script does not parse, and is unknown.
        """
        depth = 1
        while depth:
            char = self.peek()
            if not char:
                raise ShellError("unterminated command substitution")
            if char == "\\":
                self.at += 2
            elif char == "'":
                end = self.text.find("'", self.at + 1)
                self.at = len(self.text) if end < 0 else end + 1
            elif char == '"':
                self.at += 1
                inner = WordReader(self.text, self.depth + 1)
                inner.at = self.at
                inner._double([], '"')
                self.at = inner.at + 1
            else:
                depth += {"(": 1, ")": -1}.get(char, 0)
                self.at += 1

    def _braced(self, quoted: bool) -> Part:
        self.at += 2
        length = self.peek() == "#" and self.peek(2) != "#}"
        if length:
            self.at += 1
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise ShellError("bad substitution")
        self.at = match.end()
        operator = re.compile(r":?[-=+?]|##?|%%?|[^}]").match(self.text, self.at)
        op, arg = "", None
        if operator is not None and self.peek() != "}":
            op, self.at = operator[0], operator.end()
            inner = WordReader(self.text, self.depth + 1)
            inner.at = self.at
            parts: list[Part] = []
            if quoted and op[0] not in "#%":
                inner._double(parts, "}")
            else:
                got = inner.word(stop="}")
                parts = list(got.parts) if got else []
            self.at = inner.at
            arg = Word(tuple(parts))
        if self.peek() != "}":
            raise ShellError("bad substitution")
        self.at += 1
        return Part("var", match[0], quoted, "len" if length else op, arg)

    def heredoc_body(self, text: str) -> Word:
        """The body of an unquoted here-document: expansions as in double quotes, but `"` is nothing special."""
        inner = WordReader(text, self.depth + 1)
        parts: list[Part] = []
        inner._double(parts, "")
        return Word(tuple(parts), text)
