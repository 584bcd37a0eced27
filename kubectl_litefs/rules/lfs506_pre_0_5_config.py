"""LFS506 pre-0.5-config: a litefs.yml or a command line of LiteFS 0.2 to 0.4."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ProblemKind
from ..model.grouping import Fault, Sighting, config_commands, faults, lines_seen, problems_seen
from ..model.old_fields import OLD_FIELDS, dotted_key, is_old
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

_FIELD = re.compile(r"field (.+?) not found in type (?:main\.)?(\w+)")


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [
        *problems_seen(cluster, ProblemKind.OLD_FIELD, fault=lambda text: "old"),
        *(s for s in lines_seen(cluster, "unknown-field", "unknown-field-consul", fault=_key) if is_old(s.fault)),
        *(s for pod in cluster.pods for s in _command(pod)),
    ]
    for fault in faults(cluster, [_as_one(s) for s in seen]):
        yield _finding(cluster, fault) if fault.certain else fault.unknown()


def _key(text: str) -> str:
    match = _FIELD.search(text)
    return dotted_key(match[1], match[2]) if match else ""


def _as_one(seen: Sighting) -> Sighting:
    """All old names are one fault: the file is an old one."""
    return Sighting(seen.pod, "old", seen.text, seen.evidence, seen.problem, seen.line, seen.certain)


def _command(pod: Pod) -> Iterator[Sighting]:
    """`litefs -config F`, without a subcommand."""
    litefs = pod.container.litefs
    if litefs is not None and litefs.words[1:2] and litefs.words[1].lstrip("-").split("=")[0] == "config":
        yield Sighting(pod, "old", "litefs -config", (litefs.evidence,))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    names = list(dict.fromkeys(_key(s.text) for s in fault.seen if _key(s.text)))
    moved = [f"{n} (now {OLD_FIELDS[n]})" for n in names if n in OLD_FIELDS]
    commands = [s for s in fault.seen if s.text == "litefs -config"]
    told = []
    if moved:
        told.append(f"the file has names from before 0.5, from {fault.place} on: {', '.join(moved)}")
    if commands:
        told.append("the container runs `litefs -config ...` without a subcommand, which is `litefs mount -config ...` since 0.4")
    text = "; ".join(told)
    return RULE.finding(
        fault.subject,
        f"{text[0].upper()}{text[1:]}.{fault.note() if moved else ''}",
        *fault.evidence,
        commands=config_commands(cluster, fault),
    )


RULE = Rule(
    id="LFS506",
    name="pre-0.5-config",
    title="Configuration of an older LiteFS (0.2 to 0.4)",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="LiteFS ends with exit code 2 and `field ... not found in type main.Config` for mount-dir, consul, static.",
    impact="LiteFS 0.5 does not start with it: the pod serves nothing.",
    cause="The file was written for an earlier LiteFS; 0.5 has its settings under fuse, data and lease, and starts with "
    "`litefs mount`.",
    fix=(
        "Move each old name to its place in 0.5: fuse.dir, data.dir, lease with type static or consul. `kubectl litefs lint --fix FILE` shows the change.",
        "Correct it where the file comes from, commit, apply, and look at the pod's log.",
    ),
    reads=("config", "log", "previous"),
    check=check,
    gotcha=4,
)
