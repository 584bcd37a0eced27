"""Whether one look at a cluster is enough.

A handover or a write under way looks like "no primary", "two primaries" or "behind" for a moment. A second look costs
two seconds, so it is only made where the first suggests one of these and nothing proves it already.
"""

from __future__ import annotations

from datetime import timedelta

from ..model.cluster import Cluster
from ..model.pod import Pod
from ..model.topology import CONNECT_ERRORS, Role, topology

PROVEN_AFTER = timedelta(seconds=10)


def wants_second_look(cluster: Cluster) -> bool:
    """Pure; decided from the first sweep and the logs."""
    asked = [p for p in cluster.pods if p.info is not None]
    if not asked:
        return False
    seen = topology(cluster)
    if len(seen.primaries) != 1:
        return not _roles_are_old(cluster)
    doubtful = [p for p in asked if seen.role(p) in (Role.BEHIND, Role.DISCONNECTED, Role.CONNECTING, Role.REPLICA)]
    return any(not (p.log and any(p.log.lasts(s, cluster.now) for s in CONNECT_ERRORS)) for p in doubtful)


def _roles_are_old(cluster: Cluster) -> bool:
    """Whether every node's log of this run shows its static role, fixed at a start more than 10 s ago."""

    def old(pod: Pod) -> bool:
        shown = pod.log is not None and pod.log.lease is not None and pod.log.lease.type == "static"
        return shown and pod.started is not None and cluster.now - pod.started >= PROVEN_AFTER

    return all(old(p) for p in cluster.pods)
