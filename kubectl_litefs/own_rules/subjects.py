"""What a rule can be about, and where such objects are found in a LiteFS cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.objects import Obj
from ..model.origin import Gap, GapReason
from ..parse.objects import CLUSTER, NAMESPACED
from .conditions import Subject

SETS = {"StatefulSet": "statefulsets", "Deployment": "deployments", "DaemonSet": "daemonsets"}
KINDS: dict[str, str] = {kind: plural for plural, kind in (NAMESPACED | CLUSTER).items()}
"""Kind -> plural. Of pods and sets only those that run LiteFS, of Services those that select such a pod, of claims and nodes
those that such a pod uses; of everything else all that was gathered."""


def reads(kind: str) -> tuple[str, ...]:
    return ("spec",) if kind == "Pod" else (KINDS[kind],)


def subjects(kind: str, cluster: Cluster) -> Iterator[Subject | Gap]:
    """The objects of one kind, or why they could not be read."""
    if kind == "Pod":
        yield from (Subject(cluster, pod.obj, pod) for pod in cluster.pods)
        return
    found = cluster.list(KINDS[kind])
    if found is None:
        yield cluster.gaps.get(KINDS[kind]) or Gap(KINDS[kind], GapReason.ABSENT)
        return
    yield from (Subject(cluster, obj) for obj in found if _belongs(kind, obj, cluster))


def _belongs(kind: str, obj: Obj, cluster: Cluster) -> bool:
    if kind in SETS:
        return obj.ref in cluster.workloads
    if kind == "Service":
        wanted = obj.mapping("spec.selector")
        return bool(wanted) and any(all(p.obj.labels.get(k) == v for k, v in wanted.items()) for p in cluster.pods)
    if kind == "PersistentVolumeClaim":
        return any(m.claim == obj.ref.name and p.namespace == obj.ref.namespace for p in cluster.pods for c in p.containers for m in c.mounts)
    if kind == "Node":
        return any(p.obj.get("spec.nodeName") == obj.ref.name for p in cluster.pods)
    return True
