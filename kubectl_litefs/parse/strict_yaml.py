"""Small YAML files that a user writes for this tool: every mistake is told with its line, none is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .schema import nearest
from .yaml_tree import Node, SyntaxProblem, compose

MAX_FILE = 1024 * 1024
"""Bytes of such a file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass
class Strict:
    """Reads one file, noting problems; what is wrong becomes an empty value, so that reading goes on to the next."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, node: Node, text: str) -> None:
        self.problems.append(Problem(self.file, node.line, text))

    def document(self, data: bytes) -> Node | None:
        """The file's one document; None where there is none to read, or nothing in it."""
        if len(data) > MAX_FILE:
            self.problems.append(Problem(self.file, 1, f"larger than {MAX_FILE // 1024} KiB"))
            return None
        try:
            root = compose(data.decode("utf8"))
        except UnicodeDecodeError as error:
            self.problems.append(Problem(self.file, data.count(b"\n", 0, error.start) + 1, "no UTF-8 text"))
        except SyntaxProblem as problem:
            if not problem.empty:
                self.problems.append(Problem(self.file, problem.line, re.sub(r"^yaml: (line \d+: )?", "", problem.message)))
        else:
            return None if root.null else root
        return None

    def mapping(self, node: Node, known: Iterable[str], required: Iterable[str] = (), what: str = "this") -> Mapping[str, Node]:
        """Key -> value. Unknown keys, keys that stand twice and required ones that are missing are problems."""
        found: dict[str, Node] = {}
        names = tuple(known)
        if node.kind != "map":
            self.wrong(node, f"{what} is no mapping: it wants {', '.join(names)}")
            return found
        for key, value in node.pairs():
            name = key.value if key.kind == "scalar" else ""
            if name in found:
                self.wrong(key, f"{name} stands here twice")
            elif name not in names:
                self.wrong(key, f"unknown field {name!r}; {nearest(name, names)}")
            else:
                found[name] = value
        for name in required:
            if name not in found:
                self.wrong(node, f"{what} has no {name}")
        return found

    def text(self, node: Node | None, what: str, empty: bool = False) -> str:
        """A scalar as it is written: `2027-01-31` and `on` are text here."""
        if node is None:
            return ""
        if node.kind != "scalar" or (not empty and (node.null or not node.value.strip())):
            self.wrong(node, f"{what} wants a text")
            return ""
        return node.value.strip()

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """A list of texts, or one."""
        if node is None:
            return ()
        nodes = node.items if node.kind == "seq" else [node]
        return tuple(text for text in (self.text(n, what) for n in nodes) if text)

    def each(self, node: Node | None, what: str) -> list[Node]:
        """The items of a list."""
        if node is None or node.null:
            return []
        if node.kind != "seq":
            self.wrong(node, f"{what} wants a list")
            return []
        return node.items
