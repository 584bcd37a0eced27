"""LFS407 claim-terminating: a claim is being deleted while its pod still uses it."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.dns import expected
from ..model.objects import Obj
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    if cluster.pods and "persistentvolumeclaims" in cluster.gaps:
        yield Unknown(cluster.gaps["persistentvolumeclaims"])
        return
    for pod in cluster.pods:
        if pod.deleting and pod.name not in expected(cluster):
            continue  # a set that is scaled down and does not keep its claims
        for claim in _claims(cluster, pod):
            if claim.get("metadata.deletionTimestamp") is not None:
                yield _finding(cluster, pod, claim)


def _claims(cluster: Cluster, pod: Pod) -> Iterator[Obj]:
    """The claim of the data directory; where that directory is unknown, all that LiteFS's container mounts."""
    names = {pod.data_claim} if pod.data_claim else {m.claim for m in pod.container.mounts}
    for name in sorted(n for n in names if n):
        claim = cluster.find("persistentvolumeclaims", name, pod.namespace)
        if claim is not None:
            yield claim


def _finding(cluster: Cluster, pod: Pod, claim: Obj) -> Finding:
    leads = topology(cluster).primary is pod
    holds = ", ".join(f"{d.name} at txid {d.txid}" for d in pod.with_data)
    what = f" It holds {holds}{', and is the primary' if leads else ''}." if holds or leads else ""
    mount = next((m for m in pod.container.mounts if m.claim == claim.ref.name), None)
    return RULE.finding(
        pod.ref,
        f"PersistentVolumeClaim {claim.ref.name} of {pod.name} is being deleted, and waits only for the pod to end.{what}",
        claim.seen("metadata.deletionTimestamp"),
        claim.seen("metadata.finalizers"),
        mount.evidence if mount else None,
        *(d.evidence for d in pod.with_data),
        commands=(
            *exports([pod]),
            cluster.kubectl("describe", "pvc", claim.ref.name),
        ),
        key=claim.ref.name,
    )


RULE = Rule(
    id="LFS407",
    name="claim-terminating",
    title="A pod's PersistentVolumeClaim is being deleted",
    severity=Severity.WARNING,
    heals="no",
    symptom="`kubectl get pvc` shows Terminating; the pod runs as if nothing were wrong.",
    impact="The next restart of that pod loses the volume: a replica starts empty, a primary loses its databases.",
    cause="Somebody deleted the claim. Kubernetes holds a claim back while a pod uses it, and a deletion cannot be undone.",
    fix=(
        "Do not restart the pod yet. If it is the primary, save its databases first, and see that they open with sqlite3.",
        "If it is a replica that follows its primary, let the pod restart: it gets an empty volume and fetches everything.",
        "If it is the primary, plan the change: with its volume goes the cluster id, and every replica refuses it afterwards.",
    ),
    reads=("persistentvolumeclaims", "spec"),
    check=check,
    gotcha=5,
    follows=("LFS808",),
)
