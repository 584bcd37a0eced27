"""Backups that keep the volume instead of files: a VolumeSnapshot, or a volume that outlives its claim."""

from __future__ import annotations

from typing import Any

from ..errors import KubeError
from .backup import BackupFailed
from .work import POLL, FixWork, passing

SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/namespaces/{}/volumesnapshots"


def snapshot(work: FixWork) -> str:
    """A VolumeSnapshot of the claim that is ready to use; its name. Raises BackupFailed."""
    plan = work.plan
    path = SNAPSHOTS.format(plan.namespace)
    name = f"litefs-fix-{plan.pod}-{plan.id[:10]}"
    body = {
        "apiVersion": "snapshot.storage.k8s.io/v1",
        "kind": "VolumeSnapshot",
        "metadata": {"name": name, "namespace": plan.namespace, "labels": {"app.kubernetes.io/managed-by": "kubectl-litefs"}},
        "spec": {"source": {"persistentVolumeClaimName": plan.claim}},
    }
    try:
        work.kube.exchange("POST", path, body, timeout=work.options.request_timeout)
    except KubeError as error:
        if error.status == 404:
            raise BackupFailed("this cluster has no VolumeSnapshots", "Use --backup=export or --backup=retain-pv.") from error
        if error.status != 409:  # it is there from a run before: its claim is looked at below
            raise BackupFailed(f"the VolumeSnapshot cannot be made: {error.as_kubectl_prints_it()}") from error
    while True:
        found = _read(work, f"{path}/{name}")
        status: dict[str, Any] = (found or {}).get("status") or {}
        source = (((found or {}).get("spec") or {}).get("source") or {}).get("persistentVolumeClaimName")
        if found is not None and source != plan.claim:
            raise BackupFailed(f"VolumeSnapshot {name} is of claim {source}, not of {plan.claim}")
        if status.get("readyToUse") is True:
            return name
        problem = (status.get("error") or {}).get("message")
        if work.left() <= 0:
            raise BackupFailed(f"VolumeSnapshot {name} is not ready in time: {problem or 'no error is named'}")
        work.ui.step("backup", f"take a VolumeSnapshot of {plan.claim}", "waiting", str(problem or "readyToUse is not true yet"))
        work.sleep(POLL)


def _read(work: FixWork, path: str) -> dict[str, Any] | None:
    try:
        return work.object(path)
    except KubeError as error:
        if passing(error):
            return None
        raise BackupFailed(error.as_kubectl_prints_it()) from error


def retain(work: FixWork) -> str:
    """The volume's reclaim policy becomes Retain, and is read back. The volume's name. Raises BackupFailed."""
    path = f"/api/v1/persistentvolumes/{work.plan.volume}"
    if not work.plan.volume:
        raise BackupFailed(f"claim {work.plan.claim} is bound to no volume")
    try:
        patch = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
        work.kube.exchange(
            "PATCH", path, patch, content_type="application/merge-patch+json", timeout=work.options.request_timeout
        )
        require_retained(work)
    except KubeError as error:
        raise BackupFailed(f"volume {work.plan.volume}: {error.as_kubectl_prints_it()}") from error
    return work.plan.volume


def require_retained(work: FixWork) -> None:
    """Somebody, or an operator, may have set it back. Raises BackupFailed, or KubeError."""
    found = work.object(f"/api/v1/persistentvolumes/{work.plan.volume}") or {}
    spec = found.get("spec") or {}
    policy, claim = spec.get("persistentVolumeReclaimPolicy"), (spec.get("claimRef") or {}).get("uid")
    if policy != "Retain":
        raise BackupFailed(f"volume {work.plan.volume} has the reclaim policy {policy}, not Retain")
    if claim != work.plan.claim_uid:
        raise BackupFailed(f"volume {work.plan.volume} belongs to claim {claim}, not to {work.plan.claim_uid}")
