"""The lines of a YAML mapping, entry by entry: what stands above a key, its own lines, and what follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .yaml_tree import Node

_KEY = re.compile(r"(\s*)(?:\"([^\"\\]*)\"|'([^'\\]*)'|([^\s\"'#][^:#]*?))(\s*:(?:\s|\Z))")


class ByHand(Exception):
    """Why a file is not changed, and what to do by hand. `line` counts in the text, from 1."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass
class Entry:
    """One key with its lines, without the indentation of the mapping.

    `head` are the comments directly above it; `own` the key's line and those below it that belong to its value; `tail`
    what follows up to the next entry: blank lines, and comments that belong to nobody.
    """

    key: str
    line: int
    value: Node
    head: list[str]
    own: list[str]
    tail: list[str] = field(default_factory=list)

    @property
    def block(self) -> bool:
        """Whether its value is a mapping of lines of its own, or nothing at all."""
        return self.value.null or (self.value.kind == "map" and len(self.own) > 1)

    def rest(self) -> str:
        """What stands behind the key: `: /litefs  # the mount`."""
        found = _KEY.match(self.own[0])
        if found is None:
            raise ByHand(f"{self.key} is written in a way that this tool does not change", self.line)
        return self.own[0][found.start(5) :].rstrip()

    def one_line(self) -> str:
        """The same for a value that ends on the key's line."""
        more = [row for row in self.own[1:] if row.strip() and not row.lstrip().startswith("#")]
        if self.value.kind != "scalar" or more:
            raise ByHand(f"the value of {self.key} has several lines; this tool moves single ones only", self.line)
        return self.rest()


def is_comment(line: str, indent: int) -> bool:
    return line.startswith(" " * indent + "#")


def entries(lines: Sequence[str], first: int, end: int, mapping: Node, indent: int) -> tuple[list[str], list[Entry], list[str]]:
    """(what stands before the first key; the entries; what follows the last one) of a block mapping.

    It fills the lines from number `first` up to, not including, `end`, both counted from 0. Raises ByHand.
    """
    pairs = [(name, value) for name, value in mapping.pairs()]
    starts = [name.line - 1 for name, _ in pairs]
    if len(set(starts)) != len(starts) or starts != sorted(starts) or (starts and not first <= starts[0] < end):
        raise ByHand("its keys do not stand one a line", first + 1)
    heads = [_head(lines, at, first if not n else starts[n - 1] + 1, indent) for n, at in enumerate(starts)]
    found = []
    for n, (name, value) in enumerate(pairs):
        stop = heads[n + 1] if n + 1 < len(pairs) else end
        body = [_dedent(row, indent) for row in lines[starts[n] : stop]]
        if not body[0][:1].strip() or not lines[starts[n]].startswith(" " * indent):
            raise ByHand("its lines are indented in a way that this tool does not change", starts[n] + 1)
        own = _own(body)
        head = [_dedent(row, indent) for row in lines[heads[n] : starts[n]]]
        found.append(Entry(name.value, name.line, value, head, body[:own], body[own:]))
    before = list(lines[first : heads[0]]) if heads else list(lines[first:end])
    after = found[-1].tail if found else []
    if found:
        found[-1].tail = []
    return before, found, after


def _head(lines: Sequence[str], at: int, lowest: int, indent: int) -> int:
    """The number of the first of the comments that stand directly above a line."""
    while at > lowest and is_comment(lines[at - 1], indent):
        at -= 1
    return at


def _own(body: Sequence[str]) -> int:
    """How many of an entry's lines are its own: blank lines and comments at the edge of the mapping at its end are not."""
    count = len(body)
    while count > 1 and (not body[count - 1].strip() or body[count - 1].startswith("#")):
        count -= 1
    return count


def _dedent(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def indented(lines: Sequence[str], indent: int) -> Iterator[str]:
    """Moved to the right; blank lines stay empty."""
    for line in lines:
        yield " " * indent + line if line.strip() else line


def children(entry: Entry) -> tuple[list[str], list[Entry], list[str]]:
    """The entries of a section that stands in lines of its own. Raises ByHand for `{...}` on one line."""
    if entry.value.null:
        return list(entry.own[1:]), [], []
    if not entry.block:
        raise ByHand(f"{entry.key} is no block of lines; write it as one and run this again", entry.line)
    inner = next((len(row) - len(row.lstrip(" ")) for row in entry.own[1:] if row.strip() and not row.lstrip().startswith("#")), 0)
    shift = entry.line - 1  # numbers of lines in `entry.own` count from the key's
    moved = [(_shifted(name, shift), value) for name, value in entry.value.pairs()]
    mapping = Node("map", "!!map", "", 1, 0, 0, [n for pair in moved for n in pair])
    before, found, after = entries(entry.own, 1, len(entry.own), mapping, inner)
    for one in found:
        one.line += shift
    return before, found, after


def _shifted(node: Node, by: int) -> Node:
    return Node(node.kind, node.tag, node.value, node.line - by, node.start, node.end, node.items)
