"""Rules for a reader: the table, and one in full."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from ..model.rule import Rule
from .paint import Line, colored, line, plain
from .tree import API_VERSION
from .words import clip, wrap

LABEL = 10
NARROW = 110
"""Columns below which a name and a title do not fit side by side."""

MOST_NAMED = 8
"""Related rules that are shown with their names; of more only the ids."""


def table_version(rules: Sequence[Rule]) -> str:
    """Eight hexadecimal digits that change when a rule is added, renamed or given another severity."""
    text = "\n".join(f"{r.id} {r.name} {r.severity.value}" for r in rules)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def as_tree(rules: Sequence[Rule]) -> dict[str, Any]:
    """All rules as plain data."""
    return {
        "apiVersion": API_VERSION,
        "kind": "RuleList",
        "tableVersion": table_version(rules),
        "rules": [rule_tree(r) for r in rules],
    }


def rule_tree(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "title": rule.title,
        "symptom": rule.symptom,
        "impact": rule.impact,
        "cause": rule.cause,
        "remediation": list(rule.fix),
        "reads": list(rule.reads),
        "gotcha": rule.gotcha,
        "follows": list(rule.follows),
        "references": list(rule.refs),
        "heals": rule.heals,
        "since": rule.since,
        "docs": rule.page,
    }


def table(rules: Sequence[Rule], *, width: int | None, color: bool) -> str:
    """Plain columns, one line a rule. `width` None is a pipe: every column, nothing cut. A narrow screen has no names."""
    names = max((len(r.name) for r in rules), default=4)
    narrow = width is not None and width < NARROW
    head = ["ID    ", "SEVERITY", *([] if narrow else ["NAME".ljust(names), "GOTCHA"]), "TITLE"]
    lines: list[Line] = [line(("  ".join(head), "strong"))]
    for rule in rules:
        middle = "" if narrow else f"{rule.name.ljust(names)}  {rule.gotcha or '-':<6}  "
        title = rule.title if width is None else clip(rule.title, max(10, width - 18 - len(middle)))
        lines.append(line((rule.id, "strong"), "  ", (f"{rule.severity.value:8}", rule.severity.value), "  ", middle, title))
    return colored(lines) if color else plain(lines)


def explain(rule: Rule, rules: Sequence[Rule], *, width: int, color: bool) -> str:
    """Every field of one rule, wrapped."""
    names = {r.id: r.name for r in rules}
    effects = [r.id for r in rules if rule.id in r.follows]
    lines: list[Line] = [
        line((rule.id, "strong"), f" {rule.name}  ", (rule.severity.value, rule.severity.value)),
        line((rule.title, "strong")),
        line(""),
    ]
    for label, text in (
        ("symptom", rule.symptom), ("impact", rule.impact), ("cause", rule.cause),
    ):  # fmt: skip
        lines += _field(label, text, width)
    for number, step in enumerate(rule.fix, 1):
        mark = f"{number}. " if len(rule.fix) > 1 else ""
        lines += _field("remedy" if number == 1 else "", step, width, mark)
    lines += _field("looks at", ", ".join(READS.get(r, r) for r in rule.reads), width)
    for label, related in (("caused by", rule.follows), ("causes", effects)):
        named = len(related) <= MOST_NAMED
        lines += _field(label, ", ".join(f"{r} {names.get(r, '')}".strip() if named else r for r in related), width)
    lines += _field("guide", f"gotcha {rule.gotcha}; docs/gotchas.md tells what really happens" if rule.gotcha else "", width)
    lines += _field("see also", ", ".join(rule.refs), width)
    lines += _field("waiting", HEALS[rule.heals] if rule.heals else "", width)
    lines += _field("since", rule.since, width)
    lines += _field("page", rule.page or "", width)
    return colored(lines) if color else plain(lines)


HEALS: dict[str, str] = {
    "no": "does not help: it stays until somebody mends it",
    "with a new pod": "helps only while a rollout is still to replace the pod with a correct one",
    "with time": "may help: it can go away by itself",
}
"""What `diagnose --wait` does with a finding of the rule, for a reader."""

READS = {
    "spec": "the pod's spec and status",
    "env": "its environment variables",
    "config": "litefs.yml as the pod runs with it",
    "info": "GET /info",
    "vars": "GET /debug/vars",
    "metrics": "GET /metrics",
    "log": "the log of the current run",
    "previous": "the log of the run before",
}
"""What a rule's `reads` means in words; API plurals stand for themselves."""


def _field(label: str, text: str, width: int, mark: str = "") -> list[Line]:
    """Nothing for an empty text. `mark` stands before the first line, the others hang under it."""
    if not text:
        return []
    rows = wrap(text, width - LABEL - len(mark))
    return [
        line(((label if at == 0 else "").ljust(LABEL), "faint"), mark if at == 0 else " " * len(mark), row)
        for at, row in enumerate(rows)
    ]
