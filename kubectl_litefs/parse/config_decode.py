"""The tree of litefs.yml to values, strictly, as go-yaml v3 fills LiteFS's Config; every complaint with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..model.config import Exec, Problem, ProblemKind, Sight, Value
from ..model.old_fields import OLD_FIELDS
from .config_text import ConfigText
from .exec_user import user_of
from .exec_words import INVALID, split_command
from .expand import worst
from .schema import EXEC_KEYS, FIELDS, GO_TYPES, SECTIONS, Field, join_key, suggest
from .unseen import UNKNOWN_BOOL, has_unknown
from .yaml_scalars import REFUSED, contradicts, decode
from .yaml_tree import Node

MAX_STEPS = 20_000
MAX_SAME = 10


class Fatal(Exception):
    """A complaint that ends the decoding at once."""

    def __init__(self, kind: ProblemKind, key: str, message: str, node: Node) -> None:
        super().__init__(message)
        self.kind, self.key, self.message, self.node = kind, key, message, node


@dataclass
class Decoder:
    """Collects values, commands and complaints of one document."""

    text: ConfigText
    values: dict[str, Value] = field(default_factory=dict)
    execs: list[Exec] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    steps: int = 0
    active: set[int] = field(default_factory=set)

    def document(self, root: Node) -> None:
        """Decode the whole document; a fatal complaint is one of the problems."""
        try:
            self.section("", root, None)
        except Fatal as fatal:
            self.problem(fatal.kind, fatal.key, fatal.message, fatal.node, Sight.KNOWN)

    def problem(
        self, kind: ProblemKind, key: str, message: str, node: Node, sight: Sight, suggestion: str | None = None
    ) -> None:
        certain = sight in (Sight.KNOWN, Sight.UNSET)
        evidence = self.text.evidence(self.text.line_of(node))
        self.problems.append(Problem(kind, key, message, suggestion, certain, evidence))

    def refuse(self, key: str, node: Node, go_type: str) -> None:
        """`cannot unmarshal ...`; a value that hangs on something unseen may be fine after all."""
        shown = ""
        if node.kind == "scalar":
            value = node.value.encode()
            short = (value[:7] + b"..." if len(value) > 10 else value).decode(errors="replace")
            shown = f" `{self.text.filled(key, node) if has_unknown(short) else short}`"
        message = f"line {node.line}: cannot unmarshal {node.tag}{shown} into {go_type}"
        self.problem(ProblemKind.VALUE, key, message, node, self.text.sight_of(key, node))

    def keys(self, section: str, node: Node) -> bool:
        """Refuse a mapping that says a key twice."""
        groups: dict[tuple[str, str], list[Node]] = {}
        for name, _ in node.pairs():
            groups.setdefault((name.kind, name.value), []).append(name)
        for same in groups.values():
            for i, before in enumerate(same[:MAX_SAME]):
                for name in same[i + 1 : MAX_SAME]:
                    said = json.dumps(name.value, ensure_ascii=False)
                    message = f"line {name.line}: mapping key {said} already defined at line {before.line}"
                    key = join_key(section, name.value)
                    self.problem(ProblemKind.SYNTAX, key, message, name, self.text.sight_of(key, name))
        return all(len(same) == 1 for same in groups.values())

    def section(self, section: str, node: Node, merged: set[str] | None) -> None:
        """A mapping of the schema. `merged` holds the names that are already set, while `<<` fills in the rest."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Fatal(ProblemKind.SYNTAX, section, "yaml: document contains excessive aliasing", node)
        if node.null:
            return
        if node.kind != "map":
            self.refuse(section, node, SECTIONS[section])
            return
        if id(node) in self.active:
            raise Fatal(ProblemKind.SYNTAX, section, "yaml: anchor value contains itself", node)
        self.active.add(id(node))
        if self.keys(section, node):
            self.members(section, node, merged)
        self.active.discard(id(node))

    def members(self, section: str, node: Node, merged: set[str] | None) -> None:
        fill: Node | None = None
        names: set[str] = set()
        for name, value in node.pairs():
            if name.merge:
                fill = value
                continue
            if name.kind != "scalar":
                self.refuse(section, name, "string")
                continue
            if name.null or (merged is not None and name.value in merged):
                continue
            if merged is not None:
                merged.add(name.value)
            names.add(name.value)
            self.member(section, name, value)
        if fill is not None:
            taken = names if merged is None else merged
            for other in _merge_sources(section, fill):
                self.section(section, other, taken)

    def member(self, section: str, name: Node, value: Node) -> None:
        key = join_key(section, name.value)
        if key in FIELDS:
            self.set(key, FIELDS[key], value)
        elif key in SECTIONS and key:
            self.section(key, value, None)
        elif key == "exec":
            self.exec(value)
        else:
            self.unknown(section, key, name)

    def unknown(self, section: str, key: str, name: Node) -> None:
        if has_unknown(name.value):
            return
        message = f"line {name.line}: field {name.value} not found in type {SECTIONS[section]}"
        sight = self.text.sight_of(key, name)
        kind = ProblemKind.OLD_FIELD if key in OLD_FIELDS else ProblemKind.UNKNOWN_FIELD
        self.problem(kind, key, message, name, sight, OLD_FIELDS.get(key) or suggest(section, name.value))

    def set(self, key: str, spec: Field, node: Node) -> None:
        """One setting. A null keeps the default; a value that does not fit is refused and keeps it too."""
        if spec.type == "list":
            self.set_list(key, node)
            return
        sight = self.text.sight_of(key, node)
        if node.kind != "scalar":
            self.refuse(key, node, GO_TYPES[spec.type])
            return
        self.check_tag(key, node)
        value: Any = spec.default
        if sight is Sight.UNKNOWN and (has_unknown(node.value) or node.null):
            self.unseen(key, spec, node)
        elif node.null:
            value = spec.default if spec.default != "" else None
        else:
            decoded = decode(spec.type, node.value, node.tag)
            if decoded is REFUSED:
                self.refuse(key, node, GO_TYPES[spec.type])
            else:
                value = decoded
        self.values[key] = self.value(key, value, sight, node)

    def check_tag(self, key: str, node: Node) -> None:
        real = contradicts(node.value, node.tag)
        if real is not None:
            message = f"yaml: cannot decode {real} `{node.value}` as a {node.tag}"
            raise Fatal(ProblemKind.SYNTAX, key, message, node)

    def unseen(self, key: str, spec: Field, node: Node) -> None:
        """A value nobody can see is refused only where every value it can have would be."""
        quoted = self.text.expanded[node.start : node.start + 1] in "'\""
        if spec.type == "bool" and quoted:
            shown = self.text.filled(key, node)
            message = f"line {node.line}: cannot unmarshal !!str `{shown}` into bool"
            sight = Sight.KNOWN if node.value == UNKNOWN_BOOL else Sight.UNKNOWN
            self.problem(ProblemKind.VALUE, key, message, node, sight)

    def value(self, key: str, value: Any, sight: Sight, node: Node) -> Value:
        evidence = self.text.evidence(self.text.line_of(node))
        return Value(key, value, True, sight, self.text.raw_of(key, node), evidence)

    def set_list(self, key: str, node: Node) -> None:
        if node.kind != "seq" and not node.null:
            self.refuse(key, node, "[]string")
            return
        found, sights = [], [self.text.sight_of(key, node)] if node.null else []
        for i, item in enumerate(node.items):
            at = f"{key}.{i}"
            sights.append(self.text.sight_of(at, item))
            if item.kind != "scalar":
                self.refuse(at, item, "string")
            elif not item.null:
                found.append(self.text.filled(at, item))
        self.values[key] = self.value(key, found, worst(sights), node)

    def exec(self, node: Node) -> None:
        if node.null:
            return
        if node.kind == "scalar" and node.tag == "!!str":
            self.execs.append(self.command("exec", node, None, ()))
        elif node.kind == "seq" and node.tag == "!!seq":
            for i, item in enumerate(node.items):
                self.exec_item(f"exec.{i}", i, item)
        else:
            raise Fatal(ProblemKind.VALUE, "exec", "invalid exec config format", node)

    def exec_item(self, key: str, index: int, node: Node) -> None:
        if node.null:
            panic = "panic: runtime error: invalid memory address or nil pointer dereference"
            self.problem(ProblemKind.EXEC, key, panic, node, self.text.sight_of(key, node))
            return
        if node.kind != "map":
            self.refuse(key, node, "main.ExecConfig")
            return
        if not self.keys(key, node):
            return
        found, extra = _exec_members(node)
        for name in extra:
            message = f"LiteFS takes `{name.value}` in item {index + 1} of exec without a word and ignores it"
            self.problem(ProblemKind.EXEC_KEY, f"{key}.{name.value}", message, name, Sight.KNOWN, _near(name.value))
        self.execs.append(self.command(key, found.get("cmd"), found.get("if-candidate"), extra, node))

    def command(
        self, key: str, cmd: Node | None, condition: Node | None, extra: tuple[Node, ...], item: Node | None = None
    ) -> Exec:
        at = f"{key}.cmd" if item is not None else key
        node = cmd or item
        assert node is not None  # one of the two is always given
        text, sight, raw = "", Sight.KNOWN, ""
        if cmd is not None and cmd.kind == "scalar":
            sight, raw = self.text.sight_of(at, cmd), self.text.raw_of(at, cmd)
            text = "" if cmd.null else self.text.filled(at, cmd)
        elif cmd is not None:
            self.refuse(at, cmd, "string")
            sight = Sight.UNKNOWN
        wanted, known = self.if_candidate(f"{key}.if-candidate", condition)
        made = make_exec(text, raw, sight, self.text.evidence(self.text.line_of(node)))
        if made.argv == () and sight is not Sight.UNKNOWN:
            panic = "panic: runtime error: slice bounds out of range [1:0]"
            self.problem(ProblemKind.EXEC, at, panic, node, sight)
        keys = tuple(n.value for n in extra)
        return replace(made, if_candidate=wanted, if_candidate_known=known, extra_keys=keys)

    def if_candidate(self, key: str, node: Node | None) -> tuple[bool, bool]:
        """(value, whether it is known)."""
        if node is None:
            return False, True
        sight = self.text.sight_of(key, node)
        spec = Field("bool", False)
        if node.kind == "scalar" and sight is Sight.UNKNOWN and (has_unknown(node.value) or node.null):
            self.unseen(key, spec, node)
            return False, False
        decoded = False if node.null else decode("bool", node.value, node.tag) if node.kind == "scalar" else REFUSED
        if decoded is REFUSED:
            self.refuse(key, node, "bool")
            return False, False
        return bool(decoded), sight in (Sight.KNOWN, Sight.UNSET)


def make_exec(cmd: str, raw: str, sight: Sight, evidence: Any, *, from_args: bool = False) -> Exec:
    """A command, split as LiteFS splits it."""
    split = split_command(cmd)
    error = None if split.argv is not None else INVALID
    known = sight in (Sight.KNOWN, Sight.UNSET)
    switch, user = user_of(split.argv) if split.argv else (None, None)
    return Exec(cmd, raw, False, True, split.argv, error, split.dropped, (), from_args, known, evidence, switch, user)


def _exec_members(node: Node) -> tuple[dict[str, Node], tuple[Node, ...]]:
    """The known members of an item, `<<` included, and the names that LiteFS ignores."""
    found: dict[str, Node] = {}
    extra: list[Node] = []
    for name, value in node.pairs():
        if name.merge:
            for other in _merge_sources("exec", value):
                below, _ = _exec_members(other) if other is not node and len(found) < 3 else ({}, ())
                found = {**below, **found}
        elif name.value in EXEC_KEYS:
            found[name.value] = value
        else:
            extra.append(name)
    return found, tuple(extra)


def _near(name: str) -> str | None:
    plain = name.lower().replace("_", "").replace("-", "")
    if "candidate" in plain:
        return "if-candidate"
    return "cmd" if plain in ("command", "run", "exec", "cmds", "args") else None


def _merge_sources(section: str, node: Node) -> Iterator[Node]:
    """The mappings that `<<` names."""
    wanted = "yaml: map merge requires map or sequence of maps as the value"
    if node.kind == "scalar":
        raise Fatal(ProblemKind.SYNTAX, section, wanted, node)
    for item in node.items if node.kind == "seq" else [node]:
        if item.kind != "map":
            raise Fatal(ProblemKind.SYNTAX, section, wanted, node)
        yield item
