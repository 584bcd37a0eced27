"""YAML text to a tree with lines and offsets, as go-yaml v3 composes it: first document only, aliases shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml
from yaml.error import Mark, MarkedYAMLError
from yaml.reader import ReaderError
from yaml.scanner import ScannerError

from .yaml_scalars import tag_of

MAX_NODES = 20_000
MAX_DEPTH = 200
_BREAKS = "\r\n\x85\u2028\u2029"
_AFTER_MARK = "\0 \t" + _BREAKS
_LONG = "tag:yaml.org,2002:"


class SyntaxProblem(ValueError):
    """What go-yaml says to a text that is no YAML; `line` counts in that text, 1 where it names none."""

    def __init__(self, message: str, line: int, *, empty: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.empty = empty


class TooMuch(SyntaxProblem):
    """A document that is larger or deeper than it may be."""


@dataclass(eq=False, slots=True)
class Node:
    """`kind` is scalar, map or seq; `tag` in the short form (`!!str`). `items` of a map alternate keys and values."""

    kind: str
    tag: str
    value: str
    line: int
    start: int
    end: int
    items: list[Node] = field(default_factory=list)

    @property
    def null(self) -> bool:
        return self.tag == "!!null"

    @property
    def merge(self) -> bool:
        return self.kind == "scalar" and self.value == "<<" and self.tag in ("!!merge", "!")

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        return zip(self.items[::2], self.items[1::2], strict=False)


class _Loader(yaml.SafeLoader):
    """PyYAML's scanner with go-yaml's ways: tabs separate where no key can begin, and two tokens are read ahead."""

    def need_more_tokens(self) -> bool:
        return not self.done and (len(self.tokens) < 3 or bool(super().need_more_tokens()))

    def scan_to_next_token(self) -> None:
        if self.index == 0 and self.peek() == "\ufeff":
            self.forward()
        commented = False
        while True:
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if commented and self.peek() == "\t" and self._blank_to_end():
                continue
            if self.peek() == "#":
                commented = True
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _blank_to_end(self) -> bool:
        """Skip tabs that nothing but a comment or the line's end follows: below a comment go-yaml takes them."""
        length = 0
        while self.peek(length) in " \t":
            length += 1
        if self.peek(length) not in "#" + _BREAKS:
            return False
        self.forward(length)
        return True

    def scan_line_break(self) -> str:
        return str(super().scan_line_break())  # type: ignore[no-untyped-call]

    def scan_plain_spaces(self, indent: int, start_mark: Mark) -> list[str]:
        """Blanks inside a plain scalar: tabs count, and a single line break folds to a blank."""
        blanks = self._run(" \t")
        if self.peek() not in _BREAKS:
            return [blanks] if blanks else []
        first = self.scan_line_break()
        self.allow_simple_key = True
        more: list[str] = []
        while self.peek() in _BREAKS or self.peek() in " \t":
            if self.peek() in _BREAKS:
                more.append(self.scan_line_break())
            elif self.peek() == "\t" and self.column < indent:
                problem = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start_mark, problem, self.get_mark())
            else:
                self.forward()
            if self.prefix(3) in ("---", "...") and self.column == 0 and self.peek(3) in _AFTER_MARK:
                return []
        folded = first if first != "\n" else "" if more else " "
        return [folded, *more]

    def _run(self, wanted: str) -> str:
        length = 0
        while self.peek(length) in wanted:
            length += 1
        text = str(self.prefix(length))
        self.forward(length)
        return text


@lru_cache(maxsize=32)
def compose(text: str) -> Node:
    """The first document, for reading only: pods of one set share it. Raises `SyntaxProblem` with go-yaml's words."""
    return compose_document(text, MAX_NODES, MAX_DEPTH)


def compose_document(text: str, most_nodes: int, deepest: int) -> Node:
    """The first document, of at most so many nodes. Raises `SyntaxProblem` with go-yaml's words."""
    try:
        return _compose(text, most_nodes, deepest)
    except ReaderError as error:
        raise SyntaxProblem("yaml: control characters are not allowed", text.count("\n", 0, error.position) + 1) from None
    except MarkedYAMLError as error:
        raise _syntax_problem(error) from None
    except (ValueError, OverflowError, RecursionError, IndexError) as error:
        if isinstance(error, SyntaxProblem):
            raise
        raise SyntaxProblem("yaml: invalid YAML", 1) from None  # a bad escape or tag that PyYAML trips over


def _compose(text: str, most_nodes: int, deepest: int) -> Node:
    anchors: dict[str, Node] = {}
    stack: list[Node] = []
    root: Node | None = None
    count = 0
    for event in yaml.parse(text, Loader=_Loader):
        count += 1
        if count > most_nodes or len(stack) > deepest:
            line = _at(event.start_mark).line + 1
            raise TooMuch("yaml: the document is larger or deeper than anything LiteFS could use", line)
        if isinstance(event, yaml.StreamEndEvent):
            break
        if isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            continue
        if isinstance(event, yaml.DocumentEndEvent) and root is not None:
            return root
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop().end = _at(event.end_mark).index
            continue
        node = _node(event, anchors)
        if stack:
            stack[-1].items.append(node)
        else:
            root = node
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            stack.append(node)
    raise SyntaxProblem("EOF", 1, empty=True)


def _at(mark: Any) -> Mark:
    """Every event that text gives rise to has its marks; the stubs do not know it."""
    if not isinstance(mark, Mark):
        raise SyntaxProblem("yaml: invalid YAML", 1)
    return mark


def _node(event: Any, anchors: dict[str, Node]) -> Node:
    start = _at(event.start_mark)
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise SyntaxProblem(f"yaml: unknown anchor '{event.anchor}' referenced", start.line + 1)
        return anchors[event.anchor]
    tag = _short(event.tag)
    if isinstance(event, yaml.ScalarEvent):
        plain = event.style is None
        if tag in ("", "!"):
            tag = tag_of(event.value) if plain and tag == "" else "!!str"
        node = Node("scalar", tag, event.value, start.line + 1, start.index, _at(event.end_mark).index)
    else:
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        default = "!!map" if kind == "map" else "!!seq"
        node = Node(kind, tag if tag not in ("", "!") else default, "", start.line + 1, start.index, start.index)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


def _short(tag: str | None) -> str:
    if tag is None:
        return ""
    return "!!" + tag[len(_LONG) :] if tag.startswith(_LONG) else tag


_WORDS: tuple[tuple[str, str], ...] = (
    (r"mapping values are not allowed here", "mapping values are not allowed in this context"),
    (r"sequence entries are not allowed here", "block sequence entries are not allowed in this context"),
    (r"mapping keys are not allowed here", "mapping keys are not allowed in this context"),
    (r"found character .* that cannot start any token", "found character that cannot start any token"),
    (r"found unexpected end of stream", "found unexpected end of stream"),
    (r"expected '<document start>'.*", "did not find expected <document start>"),
    (r"expected ',' or '\]'.*", "did not find expected ',' or ']'"),
    (r"expected ',' or '}'.*", "did not find expected ',' or '}'"),
    (r"expected the node content.*", "did not find expected node content"),
    (r"could not find expected ':'", "could not find expected ':'"),
    (r"expected alphabetic or numeric character.*", "did not find expected alphabetic or numeric character"),
    (r"found unknown escape character.*", "found unknown escape character"),
    (r"found undefined tag handle.*", "found undefined tag handle"),
)


def _syntax_problem(error: MarkedYAMLError) -> SyntaxProblem:
    """PyYAML's complaint in go-yaml's words, with the line go-yaml would name: both descend from libyaml."""
    problem = str(error.problem or "")
    words = problem
    if problem.startswith("expected <block end>"):
        words = "did not find expected '-' indicator" if "collection" in str(error.context) else "did not find expected key"
    if "directive" in str(error.context) and problem.startswith("expected alphabetic"):
        words = "could not find expected directive name"
    for pattern, theirs in _WORDS if words == problem else ():
        if re.fullmatch(pattern, problem, re.DOTALL):
            words = theirs
    where: Mark | None = error.problem_mark
    mark = error.context_mark if error.context_mark and error.context_mark.line else where
    scanner = isinstance(error, ScannerError)
    named = (mark.line + (1 if scanner else 0)) if mark and mark.line else 0
    prefix = f"line {named}: " if named else ""
    real = where.line + 1 if where else 1
    return SyntaxProblem(f"yaml: {prefix}{words}", real)
