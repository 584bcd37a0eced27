"""Whether Kubernetes is still carrying out what was asked for: which pods will be replaced, what is not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .cluster import Cluster
from .objects import Obj
from .pod import Pod

REVISION = "controller-revision-hash"

PLURALS = {"StatefulSet": "statefulsets", "Deployment": "deployments", "DaemonSet": "daemonsets"}


def outdated(owner: Obj, pods: Iterable[Pod]) -> list[Pod]:
    """Pods of a StatefulSet that run an older revision than it asks for, those that a partition holds back aside."""
    newest = owner.get("status.updateRevision")
    if not newest or not looked_at(owner):
        return []  # the controller has not looked at the newest template yet
    held_back = _number(owner, "spec.updateStrategy.rollingUpdate.partition") or 0
    return [p for p in pods if (p.ordinal or 0) >= held_back and p.obj.labels.get(REVISION, newest) != newest]


def looked_at(owner: Obj) -> bool:
    """Whether its controller knows the newest spec."""
    seen = owner.get("status.observedGeneration")
    return bool(owner.get("metadata.generation", seen) == seen)


def may_replace(cluster: Cluster, pod: Pod) -> bool:
    """Whether a rollout that is under way, or about to begin, will replace this pod."""
    owner = next((o for o in cluster.owners() if o.ref == pod.workload), None)
    if pod.deleting or owner is None:
        return pod.deleting
    if not looked_at(owner):
        return True
    if owner.ref.kind == "StatefulSet":
        automatic = owner.get("spec.updateStrategy.type") != "OnDelete"
        return automatic and pod in outdated(owner, [pod])
    return any(True for _ in _unfinished(owner))  # which of its pods are the old ones, only its ReplicaSets tell


def unfinished(cluster: Cluster) -> list[str]:
    """What Kubernetes has still to do, in words; empty where every set is as it is asked for."""
    return [f"{owner.ref}: {what}" for owner in cluster.owners() for what in _unfinished(owner)]


def unseen(cluster: Cluster) -> list[str]:
    """Kinds of the cluster's workloads that could not be read: their rollout cannot be seen."""
    return sorted({PLURALS[w.kind] for w in cluster.workloads if PLURALS.get(w.kind) in cluster.gaps})


def _unfinished(owner: Obj) -> Iterator[str]:
    if not looked_at(owner):
        yield "its controller has not looked at the newest spec yet"
        return
    daemon = owner.ref.kind == "DaemonSet"
    asked = _number(owner, "status.desiredNumberScheduled" if daemon else "spec.replicas")
    wanted = (0 if daemon else 1) if asked is None else asked
    updated = _number(owner, "status.updatedNumberScheduled" if daemon else "status.updatedReplicas") or 0
    ready = _number(owner, "status.numberReady" if daemon else "status.readyReplicas") or 0
    to_update = wanted
    if owner.ref.kind == "StatefulSet":
        partition = _number(owner, "spec.updateStrategy.rollingUpdate.partition") or 0
        rolling = owner.get("status.updateRevision") != owner.get("status.currentRevision")
        automatic = owner.get("spec.updateStrategy.type") != "OnDelete"
        to_update = max(0, wanted - partition) if rolling and automatic else 0
        if to_update and not partition and updated >= to_update:
            yield "the last old pod is being replaced"
    if updated < to_update:
        yield f"{updated} of {to_update} pods are updated"
    elif not daemon and (there := _number(owner, "status.replicas") or 0) > wanted:
        yield f"{there - wanted} pods are still to go"
    if ready < wanted:
        yield f"{ready} of {wanted} pods are ready"


def _number(owner: Obj, path: str) -> int | None:
    value = owner.get(path)
    return value if isinstance(value, int) else None
