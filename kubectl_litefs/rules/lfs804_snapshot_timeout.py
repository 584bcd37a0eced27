"""LFS804 snapshot-timeout: the primary gives up sending a database before the replica has it."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.copies import run_in
from ..model.grouping import log_command
from ..model.logs import Hits, LogLine
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity
from ..model.stream import all_follow
from ..model.topology import Role, topology

ZERO = ("0s", "0")
"""No time at all: data.retention is zero, which LFS509 explains."""


def check(cluster: Cluster) -> Iterator[Finding]:
    """Once every replica follows, the snapshot that broke off has been sent after all."""
    if all_follow(cluster):
        return
    told = False
    for pod in cluster.pods:
        hits = pod.log.hit("snapshot-timeout") if pod.log else None
        if hits is not None and pod.is_primary is not False:
            told = True
            yield from _given_up(cluster, pod, hits)
    if not told and not _primary_heard(cluster):
        for pod in cluster.pods:
            line = _broken_off(cluster, pod)
            if line is not None:
                yield _cut(cluster, pod, line)


def _given_up(cluster: Cluster, pod: Pod, hits: Hits) -> Iterator[Finding]:
    latest: dict[str, LogLine] = {}
    for line in (*hits.distinct, hits.last):
        latest[line.field("db")] = line
    for name, line in latest.items():
        after = line.field("after")
        how = "after no time at all" if after in ZERO else f"after {after}"
        yield RULE.finding(
            pod.ref,
            f"The primary {pod.name} gave up sending a snapshot of {name} {how}; the replica that asked for it starts again from "
            "the beginning.",
            line.evidence,
            _limit(pod),
            commands=(log_command(cluster, pod), run_in(cluster, pod, "ls", "-l", f"{pod.data_dir or '/var/lib/litefs'}/dbs/{name}")),
            key=name,
        )


def _limit(pod: Pod) -> Evidence | None:
    """Where the file sets the time, if it does."""
    for key in ("http.snapshot-timeout", "data.retention"):
        value = pod.config.get(key) if pod.config else None
        if value is not None and value.known and value.given and value.value:
            return value.evidence
    return None


def _primary_heard(cluster: Cluster) -> bool:
    """Whether the primary's own log was seen: then it would have said so."""
    primary = topology(cluster).primary
    return primary is not None and primary.log is not None


def _broken_off(cluster: Cluster, pod: Pod) -> LogLine | None:
    """A replica whose stream breaks off again and again in the middle of a file."""
    hits = pod.log.hit("stream-broken") if pod.log else None
    if hits is None or hits.count < 2 or pod.log is None or topology(cluster).role(pod) is Role.FOLLOWING:
        return None
    newest = pod.log.latest("stream-broken", "snapshot-received")
    return hits.last if newest is not None and newest.number == hits.last.number else None


def _cut(cluster: Cluster, pod: Pod, line: LogLine) -> Finding:
    return RULE.finding(
        pod.ref,
        f"The primary breaks off what it sends to {pod.name} in the middle of a file, again and again; its own log, which would "
        "say why, was not seen.",
        line.evidence,
        commands=(log_command(cluster, pod),),
    )


RULE = Rule(
    id="LFS804",
    name="snapshot-timeout",
    title="The primary gives up on a snapshot before the replica has it",
    severity=Severity.WARNING,
    heals="with time",
    symptom="`snapshot timeout exceeded` on the primary, `write ltx file: unexpected EOF` on the replica, over and over.",
    impact="The replica never joins: it serves nothing, or old data, while the primary sends the same database again and again.",
    cause="A snapshot must be sent within http.snapshot-timeout; where that is not set, within data.retention (10 minutes). "
    "The database is too large for the line or the volumes in that time.",
    fix=(
        "Set http.snapshot-timeout (LiteFS 0.5.5 and later) well above the time that the whole database takes to send, such as 1h.",
        "Look whether the replica's volume or CPU is what is slow.",
        "Correct it where the file comes from, commit, apply, and restart the primary's pod.",
    ),
    reads=("log",),
    check=check,
    follows=("LFS509", "LFS404"),
)
