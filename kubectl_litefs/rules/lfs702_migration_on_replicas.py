"""LFS702 migration-on-replicas: a command before the last one runs on every node."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.config import ConfigFile, Exec
from ..model.grouping import Fault, Sighting, as_logged, config_commands, faults, lines_of, own_config, place, runs_of
from ..model.lease import lease_of
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

WRITES = re.compile(
    r"migrat|drizzle-kit (?:push|up)|prisma db (?:push|seed|execute)|db:(?:push|seed|schema:load|setup|create)|"
    r"knex seed|alembic upgrade|\b(?:insert|update|delete|create|drop|alter|replace|vacuum)\b[^|;]*\b"
    r"(?:into|set|from|table|index|view|trigger)\b|sequelize.*db:|typeorm.*(?:schema:sync|migration)|goose .*up|"
    r"dbmate|sqitch deploy|loaddata|\.restore\b|litefs \S*import",
    re.IGNORECASE,
)
"""Commands that surely write into a database."""
LOOKS = re.compile(r"\bwait|status|check|verify|dry-run|litefs \[?run\b", re.IGNORECASE)
"""Commands that speak of migrations and may only look; `litefs run` may go to the primary."""
HARMLESS = frozenset({"echo", "printf", "mkdir", "ls", "cat", "sleep", "true", "test", "date", "env", "id", "chown", "chmod",
                      "cp", "mv", "rm", "touch", "ln", "update-ca-certificates", "nginx", "mount", "hostname"})  # fmt: skip

MAKES_FILES = frozenset({"touch", "cp", "mv", "rm", "ln"})


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [*(s for pod in cluster.pods for s in _in_file(pod)), *(s for pod in cluster.pods for s in _in_log(pod))]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _in_file(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    for command in config.execs[:-1] if config else ():
        if config is None or command.if_candidate or not command.if_candidate_known or not command.argv:
            continue
        if _matters(command.argv[0], command.cmd) or _in_mount(config, command.argv):
            ran = runs_of(pod, command, "executing") if _is_replica(pod) else ()
            text = f"`{_short(command)}` ({place(config, command.evidence)})"
            yield Sighting(pod, as_logged(command.argv), text, (command.evidence, *ran))


def _in_mount(config: ConfigFile, argv: tuple[str, ...]) -> bool:
    """Whether a command makes or moves files in LiteFS's own mount, which only the primary may."""
    mount = config.known("fuse.dir")
    below = f"{mount.rstrip('/')}/" if isinstance(mount, str) and mount else None
    return below is not None and posixpath.basename(argv[0]) in MAKES_FILES and any(a.startswith(below) for a in argv[1:])


def _in_log(pod: Pod) -> Iterator[Sighting]:
    """Where the file is not seen: a pod that is no candidate ran a command which is not the last."""
    if own_config(pod) is not None or not _is_replica(pod):
        return
    for line in lines_of(pod, "executing"):
        command = line.field("command")
        if _matters(command.split(" [")[0], command):
            text = f"`{command.replace(' [', ' ', 1).removesuffix(']')}`"
            yield Sighting(pod, command, text, (line.evidence,), line=line)


def _is_replica(pod: Pod) -> bool:
    candidate = lease_of(pod).candidate
    return candidate is not None and candidate.value is False


def _matters(program: str, command: str) -> bool:
    return posixpath.basename(program) not in HARMLESS or bool(WRITES.search(command))


def _short(command: Exec) -> str:
    text = " ".join(command.cmd.split())
    return text if len(text) <= 80 else text[:77] + "..."


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    surely = bool(WRITES.search(fault.fault)) and not LOOKS.search(fault.fault)
    several = len(cluster.pods) > 1
    effect = "on a replica it cannot write" if surely else "if it writes, it fails on replicas"
    return RULE.finding(
        fault.subject,
        f"{fault.seen[0].text} runs on every pod, as it has no if-candidate: {effect}.",
        *fault.evidence,
        severity=Severity.ERROR if surely and several else Severity.WARNING,
        commands=config_commands(cluster, fault),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS702",
    name="migration-on-replicas",
    title="A migration in exec runs on replicas too",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `executing command: ...` and fail with `attempt to write a readonly database`, or restart.",
    impact="Replicas do not come up, as the command fails there; or what it wrote there is thrown away.",
    cause="All commands of exec but the last are run one after the other before the application, on every node, unless they "
    "have `if-candidate: true`.",
    fix=(
        "Add `if-candidate: true` to the command.",
        "Correct it where the file comes from, commit, apply, and look at the log: replicas then say "
        "`node is not a candidate, skipping command execution`.",
    ),
    reads=("config", "log"),
    check=check,
    gotcha=6,
    follows=("LFS511",),
)
