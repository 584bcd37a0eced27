"""LFS513 sync-skipped: the application starts before the node has joined."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Sighting, config_commands, faults, own_config, place
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    for fault in faults(cluster, [s for pod in cluster.pods for s in _skips(pod)]):
        told = next((s.text for s in fault.seen if s.line is None), "LiteFS skips the wait for the cluster")
        yield RULE.finding(
            fault.subject,
            f"{told}: the application and /litefs/health are up before the node has any data from its primary.",
            *fault.evidence,
            commands=config_commands(cluster, fault),
        )


def _skips(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    value = config.get("skip-sync") if config else None
    if config is not None and value is not None and value.known and value.value is True:
        yield Sighting(pod, "skip", f"skip-sync is true ({place(config, value.evidence)})", (value.evidence,))
    hits = pod.log.hit("sync-skipped") if pod.log else None
    if hits is not None:
        yield Sighting(pod, "skip", hits.last.text, (hits.last.evidence,), line=hits.last)


RULE = Rule(
    id="LFS513",
    name="sync-skipped",
    title="skip-sync is true: pods serve before they have joined",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="A new or cut-off replica answers requests with old data, another cluster's data, or none.",
    impact="Readers can get stale or foreign data, and no health check shows it.",
    cause="skip-sync: true starts the proxy and the commands at once, without waiting for `connected to cluster, ready`.",
    fix=(
        "Take skip-sync out of the file (the default is false).",
        "Correct it where the file comes from, commit, apply, and look at the log for `connected to cluster, ready`.",
    ),
    reads=("config", "log"),
    check=check,
)
