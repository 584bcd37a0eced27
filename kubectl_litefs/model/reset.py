"""Giving one replica an empty volume: what would hinder it, and the command. Nothing here is run."""

from __future__ import annotations

from collections.abc import Iterator

from .candidates import candidate_setting
from .cluster import Cluster
from .copies import MOST
from .lease import lease_of
from .pod import Pod


def hindrance(cluster: Cluster, pod: Pod) -> str:
    """Why a reset would be in vain or would destroy something else; empty where nothing speaks against it."""
    if leads_again(pod):
        return "it is a candidate itself and would make a new id on an empty volume; correct the configuration first"
    behind = _waits_for(cluster, pod)
    if behind:
        return f"{behind} is not ready, and a StatefulSet that starts its pods in order would not bring this one back"
    shared = next(other_uses(cluster, pod), "")
    if shared:
        return f"its claim {pod.data_claim} is also {shared}"
    if len(pod.with_data) > MOST:
        return f"it holds {len(pod.with_data)} databases, more than are listed here; save all of them first"
    return ""


def leads_again(pod: Pod) -> bool:
    """Whether the pod's next start would make it a primary: by what it says, or by the file as it is now."""
    lease, setting = lease_of(pod), candidate_setting(pod)
    if lease.is_consul:
        return False
    observed = lease.candidate is not None and lease.candidate.value is True
    return observed or (setting is not None and setting.known and setting.value is True)


def _waits_for(cluster: Cluster, pod: Pod) -> str:
    """A pod of a lower ordinal that is not ready, where the controller insists on the order."""
    owner = next((o for o in cluster.owners() if o.ref == pod.workload), None)
    if owner is None or owner.get("spec.podManagementPolicy", "OrderedReady") != "OrderedReady" or pod.ordinal is None:
        return ""
    lower = [p for p in cluster.pods if p.workload == pod.workload and p.ordinal is not None and p.ordinal < pod.ordinal]
    return next((p.name for p in lower if not p.ready), "")


def other_uses(cluster: Cluster, pod: Pod) -> Iterator[str]:
    """What else the claim is for: another pod, or another path."""
    data = pod.mount_for(pod.data_dir) if pod.data_dir else None
    if data is None or data.claim is None:
        return
    for other in (*(p.obj for p in cluster.pods if p is not pod), *cluster.others):
        claims = [v.get("persistentVolumeClaim") for v in other.items("spec.volumes")]
        if other.ref.namespace == pod.namespace and any(isinstance(c, dict) and c.get("claimName") == data.claim for c in claims):
            yield f"used by {other.ref.name}"
    for container in pod.containers:
        for mount in container.mounts:
            if mount.claim == data.claim and (mount.path.rstrip("/"), mount.sub_path) != (data.path.rstrip("/"), data.sub_path):
                yield f"mounted at {mount.path} in container {container.name}"


def remade(cluster: Cluster, pod: Pod) -> bool:
    """Whether a StatefulSet would make the claim of the pod's data directory anew, after it was deleted."""
    owner = next((o for o in cluster.owners() if o.ref == pod.workload), None)
    if pod.data_claim is None or pod.workload is None or pod.workload.kind != "StatefulSet":
        return False
    templates = [t.get("metadata") for t in owner.items("spec.volumeClaimTemplates")] if owner else []
    made = {f"{m.get('name')}-{pod.name}" for m in templates if isinstance(m, dict)}
    return owner is None or pod.data_claim in made


def reset_command(pod: Pod) -> str:
    """Shows the whole plan and changes nothing."""
    return f"kubectl litefs fix-cluster-id {pod.name} -n {pod.namespace} --dry-run"
