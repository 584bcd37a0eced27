"""LFS805 single-node: there is nobody to replicate to."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.rule import Finding, Rule, Severity, Unknown

PLURALS = {"StatefulSet": "statefulsets", "Deployment": "deployments", "DaemonSet": "daemonsets"}


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    if len(cluster.pods) != 1:
        return
    hidden = [g for w in cluster.workloads if (g := cluster.gaps.get(PLURALS.get(w.kind, "")))]
    if hidden:
        yield Unknown(hidden[0])
        return
    owners = [o for o in cluster.owners() if o.ref.kind in ("StatefulSet", "Deployment")]
    if len(owners) < len(cluster.workloads) or sum(_replicas(o) for o in owners) > 1:
        return  # more are wanted, or a controller that was not read decides
    seen = [o.seen("spec.replicas", str(o.get("spec.replicas", 1))) for o in owners]
    pod = cluster.pods[0]
    alone = [] if seen else [pod.obj.seen("metadata.name")]
    yield _finding(cluster, [*seen, *alone])


def _replicas(owner: Obj) -> int:
    count = owner.get("spec.replicas", 1)
    return count if isinstance(count, int) else 1


def _finding(cluster: Cluster, seen: list[Evidence]) -> Finding:
    pod = cluster.pods[0]
    return RULE.finding(
        cluster.subject,
        f"{pod.name} is the only LiteFS node: nothing is replicated.",
        *seen,
        commands=(cluster.kubectl("get", "pods"),),
    )


RULE = Rule(
    id="LFS805",
    name="single-node",
    title="LiteFS runs on one node, so nothing is replicated",
    severity=Severity.INFO,
    heals="no",
    symptom="One pod, no replica.",
    impact="There is one copy of the data, on one volume; LiteFS adds nothing but a way to grow.",
    cause="The set has one replica, by design or left so after a repair (scaled to one, and not back).",
    fix=(
        "If it was scaled down for a repair, scale it back.",
        "If it is meant to be so, make backups: a litefs export, or the volume's snapshots.",
    ),
    reads=("spec", "statefulsets"),
    check=check,
)
