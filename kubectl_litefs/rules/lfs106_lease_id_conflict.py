"""LFS106 lease-id-conflict: Consul holds the id of another cluster, or of one that nobody has any more."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    for pod in cluster.pods:
        if pod.log is None:
            continue
        last = pod.log.latest("lease-id-conflict", "no-id-for-primary")
        healed = pod.log.latest("connected")
        if last is None or (healed is not None and healed.number > last.number):
            continue
        held = f"the lease holds id {last.field('id')}, " if last.field("id") else ""
        mine = f"id {pod.cluster_id}" if pod.cluster_id else "no cluster id"
        yield RULE.finding(
            pod.ref,
            f"{pod.name} cannot take part: {held}the pod has {mine}.",
            last.evidence,
            pod.info.seen("clusterID") if pod.info else None,
            commands=[cluster.kubectl("logs", pod.name, "-c", pod.container.name, "--tail=30")],
        )


RULE = Rule(
    id="LFS106",
    name="lease-id-conflict",
    title="The Consul lease belongs to another cluster id",
    severity=Severity.ERROR,
    heals="no",
    symptom="`lease already initialized with different ID` or `cannot become primary, local node has no cluster ID`.",
    impact="The node joins nobody and cannot become primary.",
    cause="The id is kept in Consul beside the lease. It survives the volumes: a wiped last volume, or a key shared by two "
    "clusters, leaves an id there that this node does not have.",
    fix=(
        "If the data of that id still lives on another node or in a backup, bring that node back; do not delete the key.",
        "If two clusters share the key, give this one its own lease.consul.key.",
        "Only when no node with that id will ever return, and its data is saved or given up: delete KEY/clusterid in Consul.",
    ),
    reads=("log",),
    check=check,
    follows=("LFS401",),
    refs=("https://github.com/superfly/litefs/issues/431",),
)
