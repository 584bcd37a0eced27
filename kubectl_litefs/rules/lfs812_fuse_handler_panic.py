"""LFS812 fuse-handler-panic: a request to the mount broke inside LiteFS, and its lock is never given back."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import log_command
from ..model.logs import Hits
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity
from ..model.topology import topology


def check(cluster: Cluster) -> Iterator[Finding]:
    """Only the run that goes on now: a restart gives every lock back."""
    for pod in cluster.pods:
        hits = pod.log.hit("fuse-handler-panic") if pod.log else None
        if hits is not None and pod.container.running:
            yield _finding(cluster, pod, hits)


def _finding(cluster: Cluster, pod: Pod, hits: Hits) -> Finding:
    leads = pod in topology(cluster).leaders
    request = hits.last.field("request")[:120]
    return RULE.finding(
        pod.ref,
        f"A request to the mount of {pod.name} broke inside LiteFS and left its lock behind: {request}.",
        hits.first.evidence,
        hits.last.evidence,
        impact=None if leads else "Reads on this replica may hang, and it may stop following, until its pod is restarted.",
        commands=(log_command(cluster, pod), *([cluster.kubectl("delete", "pod", pod.name)] if _keeps(cluster, pod) else [])),
    )


def _keeps(cluster: Cluster, pod: Pod) -> bool:
    """Whether the data outlives the pod: it lies on a claim that nobody is deleting."""
    claim = cluster.claim(pod)
    return claim is not None and claim.get("metadata.deletionTimestamp") is None


RULE = Rule(
    id="LFS812",
    name="fuse-handler-panic",
    title="A request to the mount broke inside LiteFS; its lock is kept for ever",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="`fuse: panic in handler for ...` in the log; from then on writes hang or answer `database is locked`. The pod is "
    "Ready.",
    impact="Nobody can write to that database until the primary's pod is restarted.",
    cause="A fault in LiteFS itself, met by an unusual request. The process goes on, the lock that the request held does not "
    "come back.",
    fix=(
        "Save the log: the lines below `panic in handler` are what a report to the LiteFS project needs.",
        "Restart the pod, once you know that its data lies on a claim of its own. With a static lease nobody can write until the primary is back.",
        "If it comes again, update LiteFS to the newest 0.5.",
    ),
    reads=("log",),
    check=check,
)
