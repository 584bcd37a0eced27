"""YAML and JSON files to values, one document at a time, and the place of every field in them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ...model.objects import Written
from ...model.origin import Place, TextOrigin
from ..yaml_scalars import plain_value
from ..yaml_tree import Node, SyntaxProblem, TooMuch, compose_document
from .json_tree import JsonTree
from .text import Lines, Unreadable

Keys = tuple[str, ...]
MAX_NODES = 500_000
"""Nodes of one document; the list of a thousand pods has as many."""
MAX_WRITTEN_OUT = 2_000_000
"""The same with aliases counted as often as they are used: a larger one is a bomb."""
MAX_DEPTH = 200
SEPARATOR = re.compile(r"^(?:---(?=[ \t\n]|\Z)|\.\.\.[ \t]*$)", re.MULTILINE)
TEMPLATE = re.compile(r"\{\{|\{%")
_BLOCK = re.compile(r"(?:[&!][^\s]*[ \t]+)*\|([-+]?)([1-9]?)([-+]?)[ \t]*(?:#[^\n]*)?\n")
IS_A_TEMPLATE = "a template that is no YAML before it is filled in; lint what comes out of it (helm template . | kubectl litefs lint -)"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One document's text and the line of the file that it begins with."""

    text: str
    line: int


def chunks(text: str) -> Iterator[Chunk]:
    """The documents of a stream, empty ones left out. A `---` at the beginning of a line always begins another."""
    starts = [0, *(m.start() for m in SEPARATOR.finditer(text) if m.start()), len(text)]
    line = 1
    for start, end in itertools.pairwise(starts):
        part = text[start:end]
        if part.startswith("..."):
            part = part.replace("...", "   ", 1)
        if any(not _says_nothing(row) for row in part.split("\n")):
            yield Chunk(part, line)
        line += part.count("\n")


def _says_nothing(line: str) -> bool:
    bare = line.strip()
    return not bare or bare[0] in "#%" or bare in ("---", "...")


class YamlTree:
    """One YAML document with the places of its fields."""

    def __init__(self, path: str, chunk: Chunk) -> None:
        """Raises Unreadable."""
        self.path, self.text, self.first_line = path, chunk.text, chunk.line
        self._lines = Lines(chunk.text)
        self._members: dict[int, dict[str, tuple[Node, Node]]] = {}
        try:
            self.root = compose_document(chunk.text, MAX_NODES, MAX_DEPTH)
            self.value = _Values(chunk.text).of(self.root)
        except TooMuch as problem:
            told = f"nested more than {MAX_DEPTH} deep, or of more than {MAX_NODES} values"
            raise Unreadable(told, self.first_line + problem.line - 1) from None
        except SyntaxProblem as problem:
            template = TEMPLATE.search(chunk.text)
            line = problem.line
            if template is not None:
                line = chunk.text.count("\n", 0, template.start()) + 1
            told = re.sub(r"^(?:yaml: )?(?:line \d+: )?", "", problem.message)  # that line counts in the document only
            raise Unreadable(IS_A_TEMPLATE if template else told, self.first_line + line - 1) from None

    def _find(self, keys: Keys) -> tuple[Node, Node, bool]:
        """(what shows the field: its key, or the item of a list; its value; whether all keys were there)."""
        shown = value = self.root
        for key in keys:
            if value.kind == "seq" and key.isdigit() and int(key) < len(value.items):
                shown = value = value.items[int(key)]
                continue
            pair = self._of(value).get(key) if value.kind == "map" else None
            if pair is None:
                return shown, value, False
            shown, value = pair
        return shown, value, True

    def _of(self, mapping: Node) -> dict[str, tuple[Node, Node]]:
        """The members of a mapping by their keys; of a key that stands twice the last counts."""
        if id(mapping) not in self._members:
            self._members[id(mapping)] = {pair[0].value: pair for pair in mapping.pairs()}
        return self._members[id(mapping)]

    def place(self, keys: Keys) -> Place:
        line, column = self._position(self._find(keys)[0].start)
        return Place(self.path, line, column)

    def _position(self, offset: int) -> tuple[int, int]:
        line, column = self._lines.position(offset)
        return self.first_line + line - 1, column

    def origin(self, keys: Keys) -> TextOrigin | None:
        """Where the lines of a text stand: exactly for a literal block, else at its beginning."""
        _, value, found = self._find(keys)
        if not found or value.kind != "scalar":
            return None
        line, column = self._position(value.start)
        block = _BLOCK.match(self.text, value.start)
        if block is None:
            return TextOrigin(self.path, line, column - 1, exact="\n" not in value.value and line == self._position(value.end)[0])
        body = self.text[block.end() : value.end]
        indented = next((row for row in body.split("\n") if row.strip()), "")
        return TextOrigin(self.path, line + 1, len(indented) - len(indented.lstrip(" ")))


class _Values:
    """Nodes to plain values, each node once: aliases share one value, as they share one node."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.done: dict[int, tuple[Any, int]] = {}
        self.open: set[int] = set()

    def of(self, root: Node) -> Any:
        try:
            return self._value(root)[0]
        except RecursionError:
            raise SyntaxProblem("its anchors are nested too deeply", root.line) from None

    def _value(self, node: Node) -> tuple[Any, int]:
        """(value, how many nodes it would be with its aliases written out)."""
        if node.kind == "scalar":
            return plain_value(node.value, node.tag, plain=self.text[node.start : node.start + 1] not in "'\"|>"), 1
        if id(node) in self.done:
            return self.done[id(node)]
        if id(node) in self.open:
            raise SyntaxProblem("an anchor's value contains itself", node.line)
        self.open.add(id(node))
        value, size = self._sequence(node) if node.kind == "seq" else self._mapping(node)
        self.open.discard(id(node))
        if size > MAX_WRITTEN_OUT:
            raise SyntaxProblem(f"with its aliases written out it has more than {MAX_WRITTEN_OUT} values", node.line)
        self.done[id(node)] = value, size
        return value, size

    def _sequence(self, node: Node) -> tuple[list[Any], int]:
        made = [self._value(item) for item in node.items]
        return [value for value, _ in made], 1 + sum(size for _, size in made)

    def _mapping(self, node: Node) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        total = 1
        for name, below in node.pairs():
            if name.kind != "scalar":
                raise SyntaxProblem("a mapping cannot be a key", name.line)
            value, size = self._value(below)
            total += size
            if name.merge:
                for other in value if isinstance(value, list) else [value]:
                    merged = {**(other if isinstance(other, dict) else {}), **merged}
            else:
                found[name.value] = value
        return {**merged, **found}, total


Tree = YamlTree | JsonTree


def read_json(path: str, text: str) -> JsonTree:
    """Raises Unreadable."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        why = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        told = "more follows its end; put a line --- between documents" if why == "Extra data" else why
        raise Unreadable(f"no JSON: {told}", line) from None
    return JsonTree(path, text, value)


class Places(Protocol):
    """A file that knows where its fields stand."""

    @property
    def path(self) -> str: ...

    def place(self, keys: Keys) -> Place: ...

    def origin(self, keys: Keys) -> TextOrigin | None: ...


def written(tree: Places, label: str, prefix: Keys = ()) -> Written:
    """Where an object below `prefix` of a document stands."""
    return Written(label, lambda keys: tree.place((*prefix, *keys)), lambda keys: tree.origin((*prefix, *keys)))
