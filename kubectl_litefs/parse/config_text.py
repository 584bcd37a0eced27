"""litefs.yml before it is YAML: its variables expanded, and where everything stood in the file."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..model.config import Sight, Variable
from ..model.origin import Evidence, TextOrigin
from ..model.pod import EnvVar
from .expand import Answer, Use, expand_traced, worst
from .shell_state import ALWAYS_LINKED, RUNTIME
from .unseen import MARKER, has_unknown, shown
from .yaml_tree import Node, SyntaxProblem, compose

MAX_EXCERPT = 200
_FIRST_USE = 0x100000
MAX_USES = 0xFFFD
_USE = re.compile("[\U00100000-\U0010fffd]")
_KEY_LINE = re.compile(r"(\s*)(?:-\s+)?[\"']?([A-Za-z][\w-]*)[\"']?\s*:")


@dataclass(frozen=True, slots=True)
class Places:
    """`keys` maps the number of a use to the dotted key it stands in (None: in a key, or nobody can tell); `raws`
    a dotted key to its value as written; `uses` a dotted key to the numbers of its uses."""

    keys: Mapping[int, str | None]
    raws: Mapping[str, str]
    uses: Mapping[str, tuple[int, ...]]


class ConfigText:
    """The text as written (`raw`) and as LiteFS reads it (`expanded`), with a way back from the second to the first."""

    def __init__(
        self, text: str, uses: Sequence[Use], expanded: str, source: str, first_line: int, origin: TextOrigin | None = None
    ) -> None:
        self.text = text
        self.uses = uses
        self.expanded = expanded
        self.source = source
        self.first_line = first_line
        self.origin = origin
        self._outs = [u.out_start for u in uses]
        self._seen: dict[int, Evidence] = {}
        self._breaks = [m.start() for m in re.finditer("\n", text)]
        self.lines = text.split("\n")
        self.places = _places(text, uses, self.line_at)

    def line_at(self, offset: int) -> int:
        """The line in the file of an offset in the text as written."""
        return bisect.bisect_left(self._breaks, offset) + 1

    def line_of(self, node: Node) -> int:
        """The line in the file of something in the expanded text."""
        return self.line_at(self._back(node.start))

    def line_of_expanded(self, line: int) -> int:
        """The line in the file of a line of the expanded text."""
        offset = 0
        for _ in range(line - 1):
            offset = self.expanded.find("\n", offset) + 1
            if offset == 0:
                return len(self.lines)
        return self.line_at(self._back(offset))

    def _back(self, offset: int) -> int:
        index = bisect.bisect_right(self._outs, offset) - 1
        if index < 0:
            return offset
        use = self.uses[index]
        return use.start if offset < use.out_end else use.end + offset - use.out_end

    def evidence(self, line: int) -> Evidence:
        """The line as written, counted as the file's own. A line of a thousand variables is asked for as often."""
        if line not in self._seen:
            self._seen[line] = self._evidence(line)
        return self._seen[line]

    def _evidence(self, line: int) -> Evidence:
        if self.origin is not None and line == len(self.lines) > 1 and not self.lines[-1]:
            line -= 1  # behind the last line break there may be no line of the file
        written = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        excerpt = shown(written).strip()[:MAX_EXCERPT]
        if self.origin is None:
            return Evidence(self.source, line + self.first_line - 1, excerpt)
        return self.origin.at(line, _first_column(written)).evidence(excerpt)

    def whole(self, excerpt: str) -> Evidence:
        """The file as a whole, for what stands nowhere in it."""
        return Evidence(self.source, None, excerpt) if self.origin is None else self.origin.at(1, 1).evidence(excerpt)

    def sight_of(self, key: str, node: Node) -> Sight:
        """How sure the value at a key is: by the variables that stand in it, or, where the file's shape does not tell,
        by those on its line. A stand-in may also come with the text."""
        if has_unknown(node.value):
            return Sight.UNKNOWN
        numbers = self.places.uses.get(key)
        if numbers is not None:
            return worst([self.uses[n].sight for n in numbers])
        if key in self.places.raws:
            return Sight.KNOWN
        line = self.line_of(node)
        return worst([u.sight for u in self.uses if self.line_at(u.start) == line])

    def raw_of(self, key: str, node: Node) -> str:
        return shown(self.places.raws.get(key, node.value))

    def filled(self, key: str, node: Node) -> str:
        """A value for people: expanded, with variables that cannot be seen left as they are written."""
        raw = self.places.raws.get(key)
        if raw is None or key not in self.places.uses:
            return shown(node.value)
        pieces, at = [], 0
        numbers = self.places.uses[key]
        written = "".join(self.uses[n].text for n in numbers)
        if not numbers or not written:
            return shown(node.value)
        for number in numbers:
            use = self.uses[number]
            found = raw.find(use.text, at)
            if found < 0:
                return shown(node.value)
            pieces += [raw[at:found], use.text if use.sight is Sight.UNKNOWN else use.result]
            at = found + len(use.text)
        return shown("".join([*pieces, raw[at:]]))

    def variables(self) -> Iterator[Variable]:
        """Every use outside comments."""
        for number, use in enumerate(self.uses):
            if number not in self.places.keys:
                continue
            line = self.line_at(use.start)
            yield Variable(
                text=shown(use.text),
                name=shown(use.name),
                key=self.places.keys[number],
                line=self.evidence(line).line or line,
                sight=use.sight,
                result=None if use.sight is Sight.UNKNOWN else use.result,
                operator=use.operator,
                grammatical=use.grammatical,
                evidence=self.evidence(line),
            )


def _first_column(line: str) -> int:
    """Where a line's key or value begins, behind the dash of a list's item."""
    return len(line) - len(line.lstrip(" \t-")) + 1 if line.strip(" \t-") else 1


def lookup(
    env: Mapping[str, EnvVar], complete: bool, host_name: str | None, name: str, unset: Sight = Sight.UNDEFINED
) -> Answer:
    """A variable as LiteFS finds it. LiteFS itself fills in HOSTNAME where it is unset or empty."""
    var = env.get(name)
    if var is not None and not (name == "HOSTNAME" and (var.sight is Sight.UNSET or var.value == "")):
        return Answer(var.value or "", var.sight)
    if name == "HOSTNAME":
        return Answer(host_name or "", Sight.KNOWN if host_name else Sight.UNKNOWN)
    if name in RUNTIME or name.startswith(ALWAYS_LINKED) or not complete:
        return Answer("", Sight.UNKNOWN)
    return Answer("", unset)


def read_text(
    text: str,
    env: Mapping[str, EnvVar],
    complete: bool,
    host_name: str | None,
    *,
    expand_env: bool,
    marked: Sequence[str],
    source: str,
    first_line: int,
    origin: TextOrigin | None = None,
    unset: Sight = Sight.UNDEFINED,
) -> ConfigText:
    """Expand as LiteFS does. With `-no-expand-env` the uses are found all the same, and each stays as it is."""
    expansion = expand_traced(text, lambda name: lookup(env, complete, host_name, name, unset), marked)
    if expand_env:
        return ConfigText(text, expansion.uses, expansion.text, source, first_line, origin)
    uses: list[Use] = []
    pieces: list[str] = []
    at = length = 0
    for use in expansion.uses:
        result = use.result if MARKER.match(text[use.start]) else text[use.start : use.end]
        sight = use.sight if MARKER.match(text[use.start]) else Sight.KNOWN
        pieces += [text[at : use.start], result]
        length += use.start - at
        uses.append(replace(use, result=result, sight=sight, out_start=length, out_end=length + len(result)))
        length += len(result)
        at = use.end
    return ConfigText(text, uses, "".join([*pieces, text[at:]]), source, first_line, origin)


def _places(text: str, uses: Sequence[Use], line_at: object) -> Places:
    """Read the file once more with a letter of its own for each use, to learn in which value each of them stands."""
    pieces, at = [], 0
    if len(uses) > MAX_USES:
        return Places({}, {}, {})
    for number, use in enumerate(uses):
        pieces += [text[at : use.start], chr(_FIRST_USE + number)]
        at = use.end
    try:
        tree = compose("".join([*pieces, text[at:]]))
    except SyntaxProblem:
        return Places(_guess(text, uses), {}, {})
    keys: dict[int, str | None] = {}
    raws: dict[str, str] = {}
    found: dict[str, tuple[int, ...]] = {}
    for key, node, is_key in walk(tree):
        numbers = tuple(ord(c) - _FIRST_USE for c in _USE.findall(node.value))
        for number in numbers:
            keys[number] = None if is_key else key
        if not is_key:
            raws.setdefault(key, _USE.sub(lambda m: uses[ord(m[0]) - _FIRST_USE].text, node.value))
            if numbers:
                found.setdefault(key, numbers)
    return Places(keys, raws, found)


def walk(root: Node, limit: int = 100_000) -> Iterator[tuple[str, Node, bool]]:
    """(dotted key, scalar, whether it is a key itself), each node once; items of lists have numbers."""
    queue: list[tuple[str, Node]] = [("", root)]
    seen: set[int] = set()
    while queue and limit:
        limit -= 1
        key, node = queue.pop()
        if node.kind == "scalar":
            yield key, node, False
        elif id(node) not in seen:
            seen.add(id(node))
            if node.kind == "seq":
                queue += [(f"{key}.{i}", item) for i, item in enumerate(node.items)]
                continue
            for name, value in node.pairs():
                if name.kind == "scalar":
                    yield key, name, True
                below = key if name.merge else f"{key}.{name.value}" if key else name.value
                queue.append((below, value))


def _guess(text: str, uses: Sequence[Use]) -> dict[int, str | None]:
    """Keys by indentation, for a file that is no YAML as it is written. Uses in comments are left out."""
    keys: dict[int, str | None] = {}
    open_keys: list[tuple[int, str]] = []
    number, offset = 0, 0
    for line in text.split("\n"):
        match = _KEY_LINE.match(line)
        if match:
            depth = len(match[1])
            open_keys = [(d, k) for d, k in open_keys if d < depth] + [(depth, match[2])]
        comment = re.search(r"(?:^|\s)#", line)
        told = offset + (comment.end() if comment else len(line) + 1)
        while number < len(uses) and uses[number].start <= offset + len(line):
            if uses[number].start < told:
                keys[number] = ".".join(k for _, k in open_keys) or None
            number += 1
        offset += len(line) + 1
    return keys
