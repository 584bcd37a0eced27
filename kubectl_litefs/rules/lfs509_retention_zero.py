"""LFS509 retention-zero: transactions are kept for no time, so no snapshot can be sent."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, config_commands, faults, own_config, place
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

SHORT = 60.0
"""Seconds below which a replica's restart outlasts what the primary keeps."""


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [*(s for pod in cluster.pods for s in _in_file(pod)), *(s for pod in cluster.pods for s in _in_log(pod))]
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _in_file(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    kept = config.get("data.retention") if config else None
    limit = config.known("http.snapshot-timeout") if config else None
    if config is None or kept is None or not kept.known or not kept.given or not isinstance(kept.value, float):
        return
    if kept.value <= 0 and limit is not None and limit <= 0:
        yield Sighting(pod, "zero", f"data.retention is {kept.raw} ({place(config, kept.evidence)})", (kept.evidence,))
    elif 0 < kept.value < SHORT:
        yield Sighting(pod, "short", f"data.retention is {kept.raw} ({place(config, kept.evidence)})", (kept.evidence,))


def _in_log(pod: Pod) -> Iterator[Sighting]:
    """The primary gave up a snapshot after no time at all."""
    for run in pod.runs[:1]:
        hits = run.hit("snapshot-timeout")
        for line in hits.distinct if hits else ():
            if line.field("after") in ("0s", "0"):
                yield Sighting(pod, "zero", "snapshot timeout exceeded (0s)", (line.evidence,), line=line)


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    told = fault.seen[0].text
    if fault.fault == "short":
        return RULE.finding(
            fault.subject,
            f"{told}: a replica that is away for longer needs the whole database again.",
            *fault.evidence,
            severity=Severity.WARNING,
            impact="Each restart of a replica costs a snapshot of the whole database, which must be done in that time too.",
            commands=config_commands(cluster, fault),
            key="short",
        )
    return RULE.finding(
        fault.subject,
        f"{told} and http.snapshot-timeout is not set: every snapshot fails at once, no replica can join.",
        *fault.evidence,
        commands=config_commands(cluster, fault),
        key="zero",
    )


RULE = Rule(
    id="LFS509",
    name="retention-zero",
    title="data.retention is zero: no replica can get a snapshot",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="The primary logs `snapshot timeout exceeded (0s)`; new replicas connect, are cut off, and try again.",
    impact="A replica that needs a snapshot never gets one, and nothing old is ever removed from the volume.",
    cause="http.snapshot-timeout takes the value of data.retention where it is not set itself; zero means no time at all.",
    fix=(
        "Set data.retention to the time that a replica may be away (the default is 10m), or leave it out.",
        "Correct it where the file comes from, commit, apply, and restart the pods one by one.",
    ),
    reads=("config", "log"),
    check=check,
)
