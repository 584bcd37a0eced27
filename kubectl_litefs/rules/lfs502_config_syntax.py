"""LFS502 config-syntax: litefs.yml is not YAML, is empty, or says a key twice."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind
from ..model.grouping import Fault, config_commands, faults, lines_seen, problems_seen, words
from ..model.rule import Finding, Rule, Severity, Unknown

HINTS = (
    ("already defined", "one key stands there twice: keep one of them"),
    ("did not find expected key", "a line is indented differently from its neighbours"),
    ("cannot start any token", "tabs do not indent YAML, and @, ` and % start no plain value: use blanks, or quotes"),
    ("mapping values are not allowed", "a colon stands where none may be: indentation, or a value that needs quotes"),
    ("could not find expected ':'", "a line has no colon, or a text runs over the end of its line"),
    ("block sequence entries", "a list item stands where none may be"),
    ("EOF", "the file is empty, or holds comments only"),
)
"""Part of LiteFS's message -> what it mostly means."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *problems_seen(cluster, ProblemKind.SYNTAX, fault=lambda text: "syntax"),
        *lines_seen(cluster, "yaml-error", "config-empty", fault=lambda text: "syntax"),
    ]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault) if fault.certain else fault.unknown()


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    said = words(fault.text)
    hint = next((f"; {means}" for part, means in HINTS if part in fault.text), "")
    return RULE.finding(
        fault.subject,
        f"LiteFS cannot read its file ({fault.place}): {said}{hint}.{fault.note()}",
        *fault.evidence,
        commands=config_commands(cluster, fault),
    )


RULE = Rule(
    id="LFS502",
    name="config-syntax",
    title="litefs.yml is no valid YAML",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="LiteFS ends with exit code 2 and `ERROR: yaml: ...` or `ERROR: EOF`; the pod restarts again and again.",
    impact="LiteFS does not start with this file: the pod serves nothing.",
    cause="The text is read as YAML after its variables are filled in, and it does not parse: wrong indentation, a tab, "
    "a missing quote, a key said twice, or no content at all.",
    fix=(
        "Correct the indentation or the quotes at the line that is named; LiteFS counts lines after filling in variables.",
        "Correct it where the file comes from, commit, apply, and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
    follows=("LFS508",),
)
