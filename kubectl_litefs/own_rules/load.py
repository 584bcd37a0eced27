"""A file of rules -> rules. A rule that can never find anything is a mistake like any other, told with its line."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..model.cluster import Cluster
from ..model.origin import Gap, ObjectRef
from ..model.rule import Finding, Rule, Severity, Unknown
from ..parse.clean import clip
from ..parse.schema import nearest
from ..parse.strict_yaml import Problem, Strict
from ..parse.yaml_tree import Node
from .conditions import Condition, LogSays, Met, together
from .subjects import KINDS, reads, subjects
from .when import read_condition

ID = re.compile(r"(?!LFS)[A-Z][A-Z0-9_-]*[0-9]")
NAME = re.compile(r"[a-z0-9.]+(-[a-z0-9.]+)*")
LONGEST = 200
"""Characters of a value in a message."""
FIELDS = ("id", "name", "title", "severity", "kind", "when", "message", "impact", "cause", "fix", "commands", "docs", "follows")
REQUIRED = ("id", "severity", "when", "message", "fix")
SAFE = ("namespace", "kind", "name", "set")
"""Placeholders that are names of objects: a command may hold them, quoted, and nothing else."""


@dataclass
class Loaded:
    """What the files say. With a problem nothing of it is to be used."""

    rules: list[Rule] = field(default_factory=list)
    patterns: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load(files: Iterable[tuple[str, bytes]], known: Iterable[str] = ()) -> Loaded:
    """All rules of (name, content) files. `known` are the ids of the built-in rules, which `follows` may name."""
    loaded = Loaded()
    ids = dict.fromkeys(known, "")
    for name, data in files:
        strict = Strict(name)
        root = strict.document(data)
        parts = strict.mapping(root, ("rules",), ("rules",), "the file") if root is not None else {}
        nodes = strict.each(parts.get("rules"), "rules")
        if not nodes and not strict.problems:
            loaded.problems.append(Problem(name, root.line if root else 1, "there is no rule in this file"))
        for node in nodes:
            rule = _Reader(strict, ids, loaded.patterns).rule(node)
            loaded.rules += [rule] if rule is not None else []
        loaded.problems += strict.problems
    return loaded


class _Reader:
    """One rule of one file."""

    def __init__(self, strict: Strict, ids: dict[str, str], patterns: dict[str, None]) -> None:
        self.strict = strict
        self.ids = ids
        self.patterns = patterns

    def rule(self, node: Node) -> Rule | None:
        """None where something is wrong with it."""
        before = len(self.strict.problems)
        strict = self.strict
        parts = strict.mapping(node, FIELDS, REQUIRED, "a rule")
        text = {key: strict.text(parts.get(key), key) for key in ("title", "message", "impact", "cause", "docs")}
        id_ = self._id(parts.get("id"))
        kind = self._kind(parts.get("kind"))
        severity = self._severity(parts.get("severity"))
        name = self._matching(parts.get("name"), NAME, "name", "a name in small letters with hyphens") or id_.lower()
        conditions, groups = self._when(parts.get("when"), kind)
        fix, commands = strict.texts(parts.get("fix"), "fix"), strict.texts(parts.get("commands"), "commands")
        self._placeholders(parts.get("message"), (text["message"],), (*SAFE, "value", *groups))
        self._placeholders(parts.get("fix"), fix, (*SAFE, "value", *groups))
        self._placeholders(parts.get("commands"), commands, SAFE)
        self._address(parts.get("docs"), text["docs"])
        follows = self._follows(parts.get("follows"))
        if len(strict.problems) > before or severity is None:
            return None
        self.patterns.update(dict.fromkeys(c.pattern for c in conditions if isinstance(c, LogSays)))
        looked_at = tuple(dict.fromkeys((*reads(kind), *(r for c in conditions for r in c.reads(kind)))))
        return _rule(id_, name, kind, severity, text, fix, commands, conditions, looked_at, follows)

    # --- the parts

    def _id(self, node: Node | None) -> str:
        text = self._matching(node, ID, "id", "an id of capital letters and digits that ends in a digit and does not begin with LFS, as ACME-1")
        if node is not None and text in self.ids:
            self.strict.wrong(node, f"there is a rule {text} already")
        elif text:
            self.ids[text] = self.strict.file
        return text

    def _matching(self, node: Node | None, form: re.Pattern[str], what: str, wants: str) -> str:
        text = self.strict.text(node, what)
        if node is not None and text and not form.fullmatch(text):
            self.strict.wrong(node, f"{what} {text!r} is not {wants}")
            return ""
        return text

    def _kind(self, node: Node | None) -> str:
        text = self.strict.text(node, "kind") or "Pod"
        if text in KINDS:
            return text
        assert node is not None, "Pod is a kind"
        secret = "Secrets are never read" if text == "Secret" else nearest(text, sorted(KINDS))
        self.strict.wrong(node, f"there is no kind {text!r}; {secret}")
        return "Pod"

    def _severity(self, node: Node | None) -> Severity | None:
        text = self.strict.text(node, "severity")
        words = [s.value for s in Severity]
        if text in words:
            return Severity(text)
        if node is not None and text:
            self.strict.wrong(node, f"there is no severity {text!r}; {nearest(text, words)}")
        return None

    def _when(self, node: Node | None, kind: str) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
        """The conditions, and the names that their patterns capture."""
        nodes = self.strict.each(node, "when")
        if node is not None and not nodes and node.kind == "seq":
            self.strict.wrong(node, "when has no condition, so the rule would fire on everything")
        read = [read_condition(self.strict, n, kind) for n in nodes]
        names = tuple(name for r in read if r is not None for name in r.groups)
        for reserved in sorted({*SAFE, "value"} & set(names)):
            self.strict.wrong(node or nodes[0], f"a group may not be called {reserved}: that is a placeholder already")
        return tuple(r.condition for r in read if r is not None), names

    def _placeholders(self, node: Node | None, texts: Iterable[str], known: tuple[str, ...]) -> None:
        for text in texts:
            try:
                used = [(name, spec, how) for _, name, spec, how in string.Formatter().parse(text) if name is not None]
            except ValueError as error:
                used, problem = [], f"{error}; write {{{{ for a brace"
            else:
                bad = next((name for name, spec, how in used if name not in known or spec or how), None)
                problem = "" if bad is None else f"there is no placeholder {{{bad}}} here; {nearest(bad, known)}"
            if problem and node is not None:
                self.strict.wrong(node, problem)

    def _address(self, node: Node | None, text: str) -> None:
        if node is not None and text and not re.fullmatch(r"https?://[^\s<>\"]+", text):
            self.strict.wrong(node, f"docs {text!r} is no address that begins with https://")

    def _follows(self, node: Node | None) -> tuple[str, ...]:
        texts = self.strict.texts(node, "follows")
        for text in texts:
            if node is not None and text not in self.ids:
                self.strict.wrong(node, f"there is no rule {text!r} above this one; {nearest(text, tuple(self.ids))}")
        return texts


def _rule(
    id_: str, name: str, kind: str, severity: Severity, text: Mapping[str, str], fix: tuple[str, ...], commands: tuple[str, ...],
    conditions: tuple[Condition, ...], looked_at: tuple[str, ...], follows: tuple[str, ...],
) -> Rule:  # fmt: skip
    plain = re.sub(r"\{\w+\}", "...", text["message"])

    def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
        for subject in subjects(kind, cluster):
            said = subject if isinstance(subject, Gap) else together(conditions, subject)
            if isinstance(said, Gap):
                yield Unknown(said)
            elif isinstance(said, Met) and not isinstance(subject, Gap):
                names = _names(subject.ref, cluster)
                values = {**said.groups, **names, "value": said.value}
                quoted = {key: shlex.quote(value) for key, value in names.items()}
                yield rule.finding(
                    subject.ref,
                    _filled(text["message"], values),
                    *said.evidence,
                    fix=[_filled(step, values) for step in fix],
                    commands=[_filled(command, quoted) for command in commands],
                )

    rule = Rule(
        id=id_, name=name, title=text["title"] or plain, severity=severity, symptom="", impact=text["impact"], cause=text["cause"],
        fix=fix, reads=looked_at, check=check, follows=follows, docs=text["docs"],
    )  # fmt: skip
    return rule


def _names(ref: ObjectRef, cluster: Cluster) -> dict[str, str]:
    return {"namespace": ref.namespace or cluster.namespace, "kind": ref.kind, "name": ref.name, "set": cluster.name}


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in. What stands in a value is never a placeholder itself."""
    parts = string.Formatter().parse(text)
    return "".join(literal + (clip(values[name], LONGEST) if name else "") for literal, name, _, _ in parts)
