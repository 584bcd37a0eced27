"""POSIX shell scripts, read and never run: words to commands, lists, pipelines and blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .errors import ShellError
from .shell_tree import AndOr, Case, Function, Group, If, Loop, Node, Pipeline, Redirect, Seq, Simple
from .shell_words import MAX_DEPTH, Part, Word, WordReader

MAX_SCRIPT = 1024 * 1024
MAX_KEPT = 16 * 1024
_ASSIGN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_REDIRECT = re.compile(r"(\d*)(<<-|<<|<&|<>|>>|>&|>\||&>>|&>|<|>)")
_OPERATORS = ("&&", "||", ";;", "&", "|", ";", "(", ")", "\n")
_RESERVED = frozenset("if then elif else fi case esac for while until do done { } ! in function".split())
_CLOSERS = re.compile(r"(?:[;\s]|\b(?:fi|done|esac)\b|;;|[})])*\Z")


def parse_script(text: str, depth: int = 0) -> Seq:
    """The commands of a script. Raises `ShellError` for what is no POSIX shell, or nested or long beyond reason."""
    if len(text) > MAX_SCRIPT:
        raise ShellError("too long")
    return _parse_once(text, depth) if len(text) <= MAX_KEPT else _parse(text, depth)


def _parse(text: str, depth: int) -> Seq:
    parser = _Parser(text.replace("\r\n", "\n"), depth)
    result = parser.sequence(())
    if parser.at < len(parser.text):
        raise ShellError(f"unexpected {parser.peek()!r}")
    return result


_parse_once = lru_cache(maxsize=64)(_parse)
"""Every pod of a set runs the same script, and a repair looks at them again before each step. A tree is never changed."""


def tail_after(text: str, end: int) -> str:
    """What a script still runs behind offset `end`; only the ends of open blocks count as nothing."""
    rest = text[end:].strip()
    return "" if _CLOSERS.match(rest) or (rest.startswith("#") and "\n" not in rest) else rest


class _Parser(WordReader):
    def __init__(self, text: str, depth: int) -> None:
        super().__init__(text, depth)
        self.pending: list[tuple[Redirect, str, bool, bool]] = []
        self.nesting = depth

    def operator(self) -> str:
        self.blanks()
        return next((o for o in _OPERATORS if self.text.startswith(o, self.at)), "")

    def newlines(self) -> None:
        while self.operator() == "\n":
            self.newline()

    def newline(self) -> None:
        """Go past a line's end, and past the bodies of the here-documents that it opened."""
        self.at += 1
        for redirect, end, quoted, tabs in self.pending:
            body = self._document(end, tabs)
            redirect.target = Word((Part("lit", body, True),), body) if quoted else self.heredoc_body(body)
        self.pending = []

    def _document(self, end: str, tabs: bool) -> str:
        lines = []
        while self.at < len(self.text):
            stop = self.text.find("\n", self.at)
            line = self.text[self.at : stop if stop >= 0 else len(self.text)]
            self.at = stop + 1 if stop >= 0 else len(self.text)
            line = line.lstrip("\t") if tabs else line
            if line == end:
                break
            lines.append(line + "\n")
        return "".join(lines)

    def reserved(self) -> str:
        """The reserved word at the current place, without taking it."""
        self.blanks()
        match = re.compile(r"[a-z]+|[{}!]").match(self.text, self.at)
        if match is None or match[0] not in _RESERVED:
            return ""
        after = self.text[match.end() : match.end() + 1]
        return match[0] if not after or after in "|&;<>() \t\n" else ""

    def take(self, word: str) -> None:
        if self.reserved() != word:
            raise ShellError(f"expected {word}")
        self.at += len(word)

    def sequence(self, ends: Sequence[str]) -> Seq:
        found: list[AndOr] = []
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            raise ShellError("nested too deeply")
        while True:
            self.newlines()
            operator = self.operator()
            if self.at >= len(self.text) or operator in (")", ";;") or (ends and self.reserved() in ends):
                break
            items = [("", self.pipeline())]
            while (operator := self.operator()) in ("&&", "||"):
                self.at += 2
                self.newlines()
                items.append((operator, self.pipeline()))
            found.append(AndOr(tuple(items), operator == "&"))
            if operator in ("&", ";"):
                self.at += 1
            elif operator == "\n":
                self.newline()
            elif operator not in (")", ";;") and self.at < len(self.text):
                raise ShellError(f"unexpected {self.peek()!r}")
        if self.pending:
            self.newline()
        self.nesting -= 1
        return tuple(found)

    def pipeline(self) -> Pipeline:
        negated = self.reserved() == "!"
        if negated:
            self.at += 1
        stages = [self.command()]
        while self.operator() == "|":
            self.at += 1
            if self.peek() == "&":
                self.at += 1
            self.newlines()
            stages.append(self.command())
        return Pipeline(tuple(stages), negated)

    def command(self) -> Node:
        word = self.reserved()
        if self.operator() == "(":
            self.at += 1
            body = self.sequence(())
            if self.operator() != ")":
                raise ShellError("expected )")
            self.at += 1
            return Group(body, True, self.redirects())
        if word == "{":
            self.at += 1
            body = self.sequence(("}",))
            self.take("}")
            return Group(body, False, self.redirects())
        if word == "if":
            return self.if_block()
        if word == "case":
            return self.case_block()
        if word in ("for", "while", "until"):
            return self.loop(word)
        if word == "function":
            self.at += len(word)
            self.blanks()
            return self.function(self.word() or Word(()))
        if word:
            raise ShellError(f"unexpected {word}")
        return self.simple()

    def if_block(self) -> If:
        branches: list[tuple[Seq, Seq]] = []
        word, otherwise = "if", None
        while word in ("if", "elif"):
            self.take(word)
            condition = self.sequence(("then",))
            self.take("then")
            branches.append((condition, self.sequence(("elif", "else", "fi"))))
            word = self.reserved()
        if word == "else":
            self.take("else")
            otherwise = self.sequence(("fi",))
        self.take("fi")
        return If(tuple(branches), otherwise, self.redirects())

    def case_block(self) -> Case:
        self.take("case")
        self.blanks()
        subject = self.word()
        self.newlines()
        self.take("in")
        items: list[tuple[tuple[Word, ...], Seq]] = []
        while True:
            self.newlines()
            if self.reserved() == "esac":
                break
            if self.operator() == "(":
                self.at += 1
            patterns = self.patterns()
            body = self.sequence(("esac",))
            items.append((patterns, body))
            if self.operator() == ";;":
                self.at += 2
            elif self.reserved() != "esac":
                raise ShellError("expected ;;")
        self.take("esac")
        return Case(subject or Word(()), tuple(items), self.redirects())

    def patterns(self) -> tuple[Word, ...]:
        found: list[Word] = []
        while True:
            self.blanks()
            word = self.word()
            if word is None:
                raise ShellError("expected a pattern")
            found.append(word)
            operator = self.operator()
            self.at += 1
            if operator == ")":
                return tuple(found)
            if operator != "|":
                raise ShellError("expected )")

    def loop(self, word: str) -> Loop:
        self.take(word)
        name, condition = None, None
        if word == "for":
            self.blanks()
            name = (self.word() or Word(())).bare or ""
            self.newlines()
            if self.reserved() == "in":
                self.take("in")
                while self.operator() == "" and self.word() is not None:
                    pass
            if self.operator() == ";":
                self.at += 1
            self.newlines()
        else:
            condition = self.sequence(("do",))
        self.take("do")
        body = self.sequence(("done",))
        self.take("done")
        return Loop(name, condition, body, self.redirects())

    def function(self, name: Word) -> Function:
        if self.operator() == "(":
            self.at += 1
            if self.operator() != ")":
                raise ShellError("expected )")
            self.at += 1
        self.newlines()
        return Function(name.bare or "", self.command())

    def redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while self.redirect(found):
            pass
        return tuple(found)

    def redirect(self, found: list[Redirect]) -> bool:
        """Take one redirection, if one stands here."""
        self.blanks()
        match = _REDIRECT.match(self.text, self.at)
        if match is None:
            return False
        self.at = match.end()
        self.blanks()
        target = self.word()
        if target is None:
            raise ShellError("redirection without a target")
        op = match[2]
        redirect = Redirect(match[1], "<<" if op == "<<-" else op, target)
        if redirect.op == "<<":
            end = "".join(p.text for p in target.parts)
            self.pending.append((redirect, end, any(p.quoted for p in target.parts), op == "<<-"))
        found.append(redirect)
        return True

    def simple(self) -> Node:
        start = self.at
        assigns: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            if self.redirect(redirects):
                continue
            word = self.word()
            if word is None:
                break
            match = _ASSIGN.match(word.parts[0].text) if word.parts and not word.parts[0].quoted else None
            if match and not words and word.parts[0].kind == "lit":
                assigns.append((match[1], _value(word, match)))
            elif not words and not assigns and self.peek() == "(":
                return self.function(word)
            else:
                words.append(word)
        if self.at == start:
            raise ShellError(f"unexpected {self.peek()!r}")
        return Simple(tuple(assigns), tuple(words), tuple(redirects), self.at)


def _value(word: Word, match: re.Match[str]) -> Word:
    """The right side of an assignment; `A+=x` is computed, so unknown."""
    first = word.parts[0]
    if match[2]:
        return Word((Part("cmd", "expr", True),))
    rest = Part("lit", first.text[match.end() :], True)
    return Word((rest, *word.parts[1:]))
