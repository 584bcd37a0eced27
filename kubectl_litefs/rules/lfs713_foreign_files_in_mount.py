"""LFS713 foreign-files-in-mount: something that is no SQLite database is written into LiteFS's mount."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from ..model.alive import recent_runs
from ..model.cluster import Cluster
from ..model.copies import run_in
from ..model.grouping import log_command, own_config
from ..model.litefs import Database
from ..model.origin import Evidence
from ..model.paths import fuse_dir, named_paths
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown

VARIABLE = re.compile(r"(?!.*(?:DATABASE|SQLITE|_DB\b|^DB_))(?:\w+_)?(?:UPLOADS?|LOGS?|LOGFILE|CACHE|TMP|TEMP|TMPDIR|TEMPDIR|MEDIA|BACKUPS?)(?:_\w+)?")
"""Variables that name a place for files which are no databases."""
DATABASE = re.compile(r".*\.(?:db|db3|sqlite|sqlite3)", re.IGNORECASE)
FOREIGN = re.compile(
    r".+\.(?:log|txt|json|ya?ml|csv|html?|js|css|png|jpe?g|gif|webp|svg|pdf|mp[34]|zip|gz|tar|tgz|pid|lock|tmp|bak|part|md)", re.IGNORECASE
)
"""Names that no application gives to a database."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for pod in cluster.pods:
        seen = [*_written(cluster, pod), *_variables(pod), *_litestream(pod)]
        if seen:
            yield _finding(cluster, pod, seen)
    if not any(p.runs for p in cluster.pods):
        gap = next((g for p in cluster.pods if (g := p.gaps.get("log"))), None)
        if gap is not None:
            yield Unknown(gap)


def _written(cluster: Cluster, pod: Pod) -> Iterator[tuple[str, Evidence]]:
    """What LiteFS refused, and the empty shells that such files leave behind."""
    lines = [h for r in recent_runs(cluster, pod) if (h := r.hit("foreign-write"))]
    if lines:
        times = "once" if lines[0].count == 1 else f"{lines[0].count} times"
        yield f"LiteFS refused {times} what SQLite does not write", lines[0].last.evidence
    for shell in (d for d in pod.databases or () if d.txid == 0):
        if FOREIGN.fullmatch(shell.name) or (lines and not _elsewhere_real(cluster, shell)):
            yield f"{shell.name} there is an empty shell", shell.evidence


def _elsewhere_real(cluster: Cluster, shell: Database) -> bool:
    """Whether any node has data under that name: then it is a database on its way."""
    return any((d := p.database(shell.name)) is not None and d.txid > 0 for p in cluster.pods)


def _variables(pod: Pod) -> Iterator[tuple[str, Evidence]]:
    mount = fuse_dir(pod)
    for named in named_paths(pod, VARIABLE) if mount else ():
        if mount and named.inside(mount[0]) and not DATABASE.fullmatch(named.path):
            yield f"{named.variable.name} is {named.variable.value}", named.variable.evidence


def _litestream(pod: Pod) -> Iterator[tuple[str, Evidence]]:
    """Litestream at work on a file in the mount: its own files beside the database cannot be made there."""
    mount, config = fuse_dir(pod), own_config(pod)
    if mount is None:
        return
    within = re.compile(rf"\blitestream\b.*(?:\s|^|=){re.escape(mount[0].rstrip('/'))}/", re.DOTALL)
    for command in config.execs if config else ():
        if command.known and within.search(command.cmd):
            yield "exec runs Litestream on a file in it", command.evidence
    shared = {m.volume for m in pod.container.mounts if _same(m.path, mount[0])}
    for container in pod.containers:
        image = container.image.rpartition("/")[2]
        if container.name != pod.container.name and "litestream" in image and any(m.volume in shared for m in container.mounts):
            yield f"container {container.name} runs Litestream on it", Evidence(pod.obj.source, None, f"{container.field}.image: {container.image} ({pod.obj.ref})")


def _same(one: str, other: str) -> bool:
    return posixpath.normpath(one) == posixpath.normpath(other)


def _finding(cluster: Cluster, pod: Pod, seen: list[tuple[str, Evidence]]) -> Finding:
    mount = fuse_dir(pod)
    at = mount[0] if mount else "LiteFS's mount"
    more = f"; and {len(seen) - 4} more" if len(seen) > 4 else ""
    return RULE.finding(
        pod.ref,
        f"Something that is no SQLite database goes into {at} on {pod.name}: {'; '.join(text for text, _ in seen[:4])}{more}.",
        *(evidence for _, evidence in seen[:8]),
        commands=(
            log_command(cluster, pod),
            run_in(cluster, pod, "ls", "-la", mount[0] if mount else "/litefs"),
        ),
    )


RULE = Rule(
    id="LFS713",
    name="foreign-files-in-mount",
    title="Something that is no SQLite database is written into the mount",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="`cannot read sqlite database header: invalid database header`, or `database write ... must be a single page`, in LiteFS's log, an input/output error in the "
    "program that wrote; empty databases with odd names.",
    impact="The write fails, and an empty shell of that name stays on every node. The databases themselves are not harmed.",
    cause="LiteFS's mount takes SQLite databases and their journals only: no uploads, no logs, no caches, no directories, and "
    "not the files that Litestream keeps beside a database.",
    fix=(
        "Give uploads, logs and caches a directory outside the mount, on a volume of their own where they must last.",
        "Instead of Litestream save with `litefs export`, or let it work on a copy made by that.",
        "Commit, apply, restart the pods one by one.",
    ),
    reads=("log", "env", "config", "vars"),
    check=check,
)
