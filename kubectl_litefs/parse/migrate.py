"""A litefs.yml of LiteFS 0.1 to 0.4 to one of 0.5, line by line: comments, order and everything else stay as they are.

Where the old names are is from the configuration structs of LiteFS, tag by tag (cmd/litefs/main.go up to 0.2, config.go since 0.4).
Nothing is guessed: the result is read again and must say the same, and LiteFS 0.5 must accept it; else `ByHand` says why.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .migrate_check import proved
from .migrate_lines import ByHand, Entry, children, entries, indented
from .schema import SECTIONS as SECTIONS_NOW
from .yaml_tree import Node, SyntaxProblem, compose

SCALARS = {"mount-dir": ("fuse", "dir"), "data-dir": ("data", "dir"), "debug": ("fuse", "debug"), "candidate": ("lease", "candidate")}
"""A setting at the top -> its section and name in 0.5."""
SECTIONS = {"retention": "data", "static": "lease", "consul": "lease"}
RETENTION = {"duration": "retention", "monitor-interval": "retention-monitor-interval"}
STATIC = {"primary": "candidate", "hostname": "hostname", "advertise-url": "advertise-url"}
CONSUL = {"hostname": "hostname", "advertise-url": "advertise-url"}
CONSUL_KEPT = ("url", "key", "ttl", "lock-delay")
OLD_KEY = "litefs/primary"
"""The Consul key of LiteFS up to 0.2 where the file names none; 0.5 starts with no Consul lease without one."""
GONE = "primary-redirect-url"
"""Below `proxy` up to 0.4, and in no place since."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """The new text, and what a person should know of it."""

    text: str
    notes: tuple[str, ...]


@dataclass
class _Moves:
    """Where every value goes, to prove the result: old dotted key -> new one, what is added, what is taken away."""

    moved: dict[str, str] = field(default_factory=dict)
    added: dict[str, tuple[str, str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def migrate(text: str) -> Migrated | None:
    """None where there is nothing to do; the result ends in a line break. Raises ByHand where it is not certain how."""
    try:
        root = compose(text)
    except SyntaxProblem:
        return None  # LFS502 tells
    if not _concerned(root):
        return None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if text[root.start : root.start + 1] in "{&!" or any(row.startswith(("---", "...")) for row in lines[root.line :]):
        raise ByHand("it is no plain file of one `key: value` a line in one document", root.line)
    _refuse_twice(root)
    before, found, after = entries(lines, 0, len(lines), root, 0)
    moves = _Moves()
    made = [*before, *_rebuilt(found, _step(found), moves), *after]
    result = "\n".join([*made, ""])
    left = proved(root, result, moves.moved, moves.added, moves.gone)
    return Migrated(result, (*moves.notes, *([left] if left else [])))


def _concerned(root: Node) -> bool:
    names = {name.value: value for name, value in root.pairs()} if root.kind == "map" else {}
    return bool({*SCALARS, *SECTIONS, GONE} & set(names)) or any(_has_gone(name, value) for name, value in names.items())


def _has_gone(section: str, value: Node) -> bool:
    return section in SECTIONS_NOW and value.kind == "map" and any(name.value == GONE for name, _ in value.pairs())


def _refuse_twice(root: Node) -> None:
    seen: set[str] = set()
    for name, _ in root.pairs():
        if name.value in seen or name.merge or name.kind != "scalar":
            raise ByHand(f"{name.value or 'a key'} stands there twice, or is no plain name", name.line)
        seen.add(name.value)


def _step(found: Sequence[Entry]) -> int:
    """How far the file indents its sections."""
    for entry in found:
        inner = next((row for row in entry.own[1:] if row.strip() and not row.lstrip().startswith("#")), "")
        if entry.value.kind == "map" and inner:
            return len(inner) - len(inner.lstrip(" ")) or 2
    return 2


@dataclass
class _Section:
    """What goes into one section of 0.5: lines as they stand in it, and the names they give."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def put(self, name: str, line: int, head: Sequence[str], rest: str) -> None:
        if name in self.names:
            raise ByHand(f"two settings of the file mean {name}", line)
        self.names[name] = line
        self.lines += [*head, f"{name}{rest}"]


def _rebuilt(found: Sequence[Entry], step: int, moves: _Moves) -> list[str]:
    """The entries with the old ones in their sections, at the place of the first of them or at the end of the one there is."""
    sections: dict[str, _Section] = {}
    existing = {e.key: e for e in found}
    begins: dict[str, Entry] = {}
    for entry in found:
        target = _target(entry)
        if target is None:
            continue
        first = begins.setdefault(target, entry) is entry and target not in existing
        head = [] if first else [*entry.head, *(_remark(entry) if entry.key in SECTIONS else [])]
        _take(entry, sections.setdefault(target, _Section()), head, step, moves)
    _require(sections, existing)
    _complete(sections.get("lease"), existing, moves)
    rows: list[str] = []
    for entry in found:
        target = _target(entry)
        if entry.key == GONE:
            entry.one_line()
            moves.gone.add(GONE)
            rows += entry.head
            rows += _behind(rows, entry)
        elif target is None:
            rows += _kept(entry, sections.get(entry.key), step, moves)
        elif begins[target] is entry and target not in existing:
            rows += [*entry.head, f"{target}{entry.rest() if entry.block and not entry.value.null else ':'}"]
            rows += [*indented(sections[target].lines, step), *entry.tail]
        else:
            rows += _behind(rows, entry)
    return rows


def _behind(rows: Sequence[str], entry: Entry) -> Iterator[str]:
    """What follows a setting that went away, without a second blank line."""
    gap = not rows or not rows[-1].strip()
    return itertools.dropwhile(lambda row: not row.strip(), entry.tail) if gap else iter(entry.tail)


def _remark(entry: Entry) -> list[str]:
    """The comment on a section's own line, for a section that loses that line."""
    _, mark, told = entry.rest().partition(" #")
    return [f"#{told}"] if mark else []


def _target(entry: Entry) -> str | None:
    return SCALARS[entry.key][0] if entry.key in SCALARS else SECTIONS.get(entry.key)


def _take(entry: Entry, into: _Section, head: Sequence[str], step: int, moves: _Moves) -> None:
    if entry.key in SCALARS:
        section, name = SCALARS[entry.key]
        into.put(name, entry.line, head, entry.one_line())
        moves.moved[entry.key] = f"{section}.{name}"
        return
    if entry.value.null:
        raise ByHand(f"{entry.key} says nothing", entry.line)
    loose, inside, after = children(entry)
    if entry.key == "retention":
        into.lines += [*head, *loose]
        _take_all(entry, inside, into, RETENTION, moves)
    else:
        into.put("type", entry.line, head, f': "{entry.key}"')
        into.lines += loose
        moves.added["lease.type"] = ("!!str", entry.key)
        if entry.key == "static":
            _take_all(entry, inside, into, STATIC, moves)
        else:
            _take_consul(entry, inside, into, step, moves)
    into.lines += after


def _take_all(entry: Entry, inside: Sequence[Entry], into: _Section, names: dict[str, str], moves: _Moves) -> None:
    for child in inside:
        if child.key not in names:
            raise ByHand(f"no version of LiteFS has {entry.key}.{child.key}", child.line)
        if child.value.null:
            raise ByHand(f"{entry.key}.{child.key} has no value", child.line)
        into.put(names[child.key], child.line, child.head, child.one_line())
        into.lines += child.tail
        moves.moved[f"{entry.key}.{child.key}"] = f"{SECTIONS[entry.key]}.{names[child.key]}"


def _take_consul(entry: Entry, inside: Sequence[Entry], into: _Section, step: int, moves: _Moves) -> None:
    _take_all(entry, [c for c in inside if c.key not in CONSUL_KEPT], into, CONSUL, moves)
    kept = [c for c in inside if c.key in CONSUL_KEPT]
    lines = [row for c in kept for row in [*c.head, *c.own, *c.tail]]
    if not any(c.key == "key" for c in kept):
        lines.append(f'key: "{OLD_KEY}"')
        moves.added["lease.consul.key"] = ("!!str", OLD_KEY)
        moves.notes.append(f"key: {OLD_KEY} is what LiteFS used where the file named none; 0.5 wants it written, and one of its own for each application.")
    for child in kept:
        moves.moved[f"consul.{child.key}"] = f"lease.consul.{child.key}"
    into.put("consul", entry.line, (), ":")
    into.lines += indented(lines, step)


def _require(sections: dict[str, _Section], existing: dict[str, Entry]) -> None:
    """LiteFS up to 0.2 had no default for its two directories, or another one than 0.5: then only a person knows."""

    def given(section: str) -> bool:
        there = existing.get(section)
        inside = [n.value for n, _ in there.value.pairs()] if there is not None and there.value.kind == "map" else []
        return "dir" in inside or (section in sections and "dir" in sections[section].names)

    if "mount-dir" in existing and not given("data"):
        told = "it has no data-dir: the first LiteFS kept its data beside the mount (/data: in /.data), 0.5 would begin an empty one in /var/lib/litefs. "
        raise ByHand(told + "Write data-dir with the directory on the volume, and run this again", existing["mount-dir"].line)
    if "data-dir" in existing and not given("fuse"):
        raise ByHand("it has no mount-dir: write where the databases are to be seen, and run this again", existing["data-dir"].line)


def _complete(lease: _Section | None, existing: dict[str, Entry], moves: _Moves) -> None:
    """`static` without `primary` was a replica; `lease` without `candidate` is a primary."""
    if lease is None or "static" not in existing:
        return
    if "candidate" not in lease.names:
        lease.put("candidate", existing["static"].line, (), ": false")
        moves.added["lease.candidate"] = ("!!bool", "false")
        moves.notes.append("candidate: false is what a static lease without `primary` meant; 0.5 would take true.")


def _kept(entry: Entry, more: _Section | None, step: int, moves: _Moves) -> Iterator[str]:
    """An entry of 0.5, with what moves into it, and without what is gone."""
    if _has_gone(entry.key, entry.value):
        if more is not None:
            raise ByHand(f"{GONE} stands in {entry.key}, which other settings move into; take it out, and run this again", entry.line)
        yield from _without(entry, moves)
        return
    yield from [*entry.head, *entry.own]
    if more is not None:
        _, inside, _ = children(entry)
        both = next((c for c in inside if c.key in more.names), None)
        if both is not None:
            raise ByHand(f"it has {entry.key}.{both.key}, and the older name for it too", both.line)
        rows = [row for row in entry.own[1:] if row.strip()]
        yield from indented(more.lines, len(rows[0]) - len(rows[0].lstrip(" ")) if rows else step)
    yield from entry.tail


def _without(entry: Entry, moves: _Moves) -> Iterator[str]:
    """A section without the key that 0.5 lacks; without all, where that was the only one."""
    before, inside, after = children(entry)
    shift = next(len(row) - len(row.lstrip(" ")) for row in entry.own[1:] if row.strip() and not row.lstrip().startswith("#"))
    gone = next(c for c in inside if c.key == GONE)
    gone.one_line()
    moves.gone.add(f"{entry.key}.{GONE}")
    left = [row for c in inside for row in [*c.head, *(c.own if c is not gone else []), *c.tail]]
    rows = [*before, *indented([*left, *after], shift)]
    yield from entry.head
    if any(row.strip() for row in rows):
        yield entry.own[0]
        yield from rows
    yield from entry.tail
