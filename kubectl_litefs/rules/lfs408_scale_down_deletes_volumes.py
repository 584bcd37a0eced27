"""LFS408 scale-down-deletes-volumes: the StatefulSet deletes the volumes of the pods that a scale-down removes."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.objects import Obj
from ..model.rule import Finding, Rule, Severity

POLICY = "spec.persistentVolumeClaimRetentionPolicy"


def check(cluster: Cluster) -> Iterator[Finding]:
    for owner in cluster.owners():
        if owner.get(f"{POLICY}.whenScaled") == "Delete" and owner.items("spec.volumeClaimTemplates"):
            yield _finding(cluster, owner)


def _finding(cluster: Cluster, owner: Obj) -> Finding:
    name = owner.ref.name
    scaler = _scaler(cluster, owner)
    by_itself = f" HorizontalPodAutoscaler {scaler.ref.name} scales it, so this happens by itself." if scaler else ""
    with_it = " Deleting the set deletes all of them (whenDeleted: Delete)." if owner.get(f"{POLICY}.whenDeleted") == "Delete" else ""
    retain = '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Retain","whenDeleted":"Retain"}}}'
    return RULE.finding(
        owner.ref,
        f"StatefulSet {name} has whenScaled: Delete: each pod that a scale-down removes takes its volume with it."
        f"{by_itself}{with_it}",
        owner.seen(POLICY),
        scaler.seen("spec.scaleTargetRef") if scaler else None,
        commands=(
            cluster.kubectl("get", "statefulset", name, "-o", "jsonpath={.spec.persistentVolumeClaimRetentionPolicy}"),
            cluster.kubectl("patch", "statefulset", name, "--type", "merge", "-p", retain),
        ),
    )


def _scaler(cluster: Cluster, owner: Obj) -> Obj | None:
    """The autoscaler of this set."""
    for scaler in cluster.list("horizontalpodautoscalers") or ():
        target = scaler.mapping("spec.scaleTargetRef")
        if (target.get("kind"), target.get("name")) == (owner.ref.kind, owner.ref.name):
            return scaler
    return None


RULE = Rule(
    id="LFS408",
    name="scale-down-deletes-volumes",
    title="A scale-down deletes the volumes of the pods it removes",
    severity=Severity.WARNING,
    heals="no",
    symptom="Nothing, until somebody scales the set down: the claims of the removed pods are gone.",
    impact="Scaling to one, as the guide does for gotcha 5, deletes every replica's volume, which may be the last good copy "
    "of a database; scaled up again, replicas start empty.",
    cause="persistentVolumeClaimRetentionPolicy.whenScaled is Delete. Kubernetes' default is Retain.",
    fix=(
        "Set persistentVolumeClaimRetentionPolicy.whenScaled: Retain on the StatefulSet. It takes effect at once and restarts "
        "no pod.",
        "Write it in the manifest, too, commit and apply, or the next deployment brings Delete back.",
        "Until then scale down only when every replica follows its primary (`kubectl litefs diagnose`).",
    ),
    reads=("statefulsets",),
    check=check,
    gotcha=5,
)
