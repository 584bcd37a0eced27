"""LFS402 volume-claim-unbound: a pod waits for a volume that does not come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model.claims import about_claim, unscheduled
from ..model.cluster import Cluster
from ..model.objects import Obj
from ..model.origin import Evidence, ObjectRef
from ..model.pod import Pod
from ..model.rule import Finding, Heals, Rule, Severity, Unknown

PATIENCE = timedelta(seconds=30)
"""A provisioner may take that long."""
VOLUME_WORDS = ("persistentvolumeclaim", "unbound", "volume node affinity", "persistent volume", "volume zone")
FIRST = "WaitForFirstConsumer"
CHOSEN = "volume.kubernetes.io/selected-node"
"""The scheduler has found a node and waits for the volume only."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    if cluster.pods and "persistentvolumeclaims" in cluster.gaps:
        yield from _as_the_scheduler_says(cluster)
        yield Unknown(cluster.gaps["persistentvolumeclaims"])
        return
    said: set[str] = set()
    for pod in cluster.pods:
        for name in _claims(pod):
            if name in said:
                continue
            claim = cluster.find("persistentvolumeclaims", name, pod.namespace)
            finding = _missing(cluster, pod, name) if claim is None else _unbound(cluster, pod, claim)
            if finding is not None:
                said.add(name)
                yield finding


def _as_the_scheduler_says(cluster: Cluster) -> Iterator[Finding]:
    """Without the claims themselves the pod's own condition still tells that one of them is not bound."""
    for pod in cluster.pods:
        scheduling, names = unscheduled(pod), _claims(pod)
        if scheduling is None or pod.container.running or not names or not _old_enough(cluster, pod.obj):
            continue
        if "persistentvolumeclaim" in scheduling.message.lower():
            claim = ObjectRef("PersistentVolumeClaim", pod.namespace, pod.data_claim or names[0])
            which = " or another of its claims" if len(names) > 1 else ""
            yield _finding(cluster, pod, claim, f"{which} is not bound: {scheduling.message.rstrip('.')}".lstrip(), [scheduling.evidence], None)


def _claims(pod: Pod) -> list[str]:
    """All claims of the pod: it cannot start before each of them is bound."""
    volumes = [v.get("persistentVolumeClaim") for v in pod.obj.items("spec.volumes")]
    return [str(v.get("claimName")) for v in volumes if isinstance(v, dict)]


def _unbound(cluster: Cluster, pod: Pod, claim: Obj) -> Finding | None:
    phase = claim.get("status.phase")
    if phase == "Lost":
        volume = claim.get("spec.volumeName", "its volume")
        told = f"is Lost: PersistentVolume {volume} is gone, or belongs to another claim"
        return _finding(
            cluster, pod, claim.ref, told, [claim.seen("status.phase")], "Whatever was on that volume is gone.", heals="no"
        )
    if phase != "Pending" or not _old_enough(cluster, claim) or _waits_for_the_pod(cluster, pod, claim):
        return None
    words = about_claim(cluster, claim)
    scheduling = unscheduled(pod)
    why = words.message if words else scheduling.message if scheduling else "nothing has answered for it"
    classname = claim.get("spec.storageClassName")
    asked = f" (storage class {classname})" if classname else " (no storage class)"
    missing = (
        bool(classname)
        and cluster.list("storageclasses") is not None
        and not cluster.find("storageclasses", classname, "")
    )
    none = f" There is no storage class {classname}." if missing and "not found" not in why else ""
    seen = [claim.seen("status.phase"), *(w.evidence for w in (words, scheduling) if w)]
    return _finding(cluster, pod, claim.ref, f"is Pending{asked}: {why.rstrip('.')}.{none}".rstrip("."), seen, None)


def _missing(cluster: Cluster, pod: Pod, name: str) -> Finding | None:
    """A claim that the pod names and that does not exist. Only where the pod really waits for it."""
    scheduling = unscheduled(pod)
    if scheduling is None or pod.container.running or not _old_enough(cluster, pod.obj):
        return None
    claim = ObjectRef("PersistentVolumeClaim", pod.namespace, name)
    return _finding(cluster, pod, claim, f"does not exist: {scheduling.message}", [scheduling.evidence], None)


def _old_enough(cluster: Cluster, obj: Obj) -> bool:
    return obj.created is None or cluster.now - obj.created > PATIENCE


def _waits_for_the_pod(cluster: Cluster, pod: Pod, claim: Obj) -> bool:
    """Whether the claim is bound only once its pod has a node, and the pod lacks one for a reason of its own."""
    name = claim.get("spec.storageClassName")
    group = cluster.find("storageclasses", str(name), "") if name else None
    words = about_claim(cluster, claim)
    waits = (
        group.get("volumeBindingMode") == FIRST
        if group
        else bool(words and words.reason in (FIRST, "WaitForPodScheduled"))
    )
    begun = words is not None and (words.warning or words.reason not in (FIRST, "WaitForPodScheduled"))
    if not waits or begun or claim.mapping("metadata.annotations").get(CHOSEN):
        return False
    scheduling = unscheduled(pod)
    return scheduling is None or not any(w in scheduling.message.lower() for w in VOLUME_WORDS)


def _finding(
    cluster: Cluster, pod: Pod, claim: ObjectRef, told: str, seen: list[Evidence], impact: str | None, heals: Heals = "with time"
) -> Finding:
    return RULE.finding(
        pod.ref,
        f"PersistentVolumeClaim {claim.name} of {pod.name} {told}.",
        *seen,
        pod.obj.seen("status.phase") if pod.phase == "Pending" else None,
        impact=impact,
        commands=(
            cluster.kubectl("describe", "pvc", claim.name),
            cluster.kubectl("get", "events", "--field-selector", f"involvedObject.name={claim.name}"),
            "kubectl get storageclass",
        ),
        key=claim.name,
        heals=heals,
    )


RULE = Rule(
    id="LFS402",
    name="volume-claim-unbound",
    title="A PersistentVolumeClaim gets no volume",
    severity=Severity.ERROR,
    heals="with time",
    symptom="The pod stays Pending with `unbound immediate PersistentVolumeClaims`.",
    impact="The pod cannot start; in an ordered StatefulSet none of the pods behind it does, either.",
    cause="The storage class does not exist, its provisioner does not work, or no volume fits.",
    fix=(
        "Do what the provisioner's own words ask for; `kubectl get storageclass` shows which classes there are.",
        "Another storage class needs a new claim: correct volumeClaimTemplates, delete the set with --cascade=orphan and "
        "the claim that never had a volume, then apply anew.",
        "Never delete a claim that is Bound or Lost before its data is saved.",
    ),
    reads=("persistentvolumeclaims", "events", "storageclasses"),
    check=check,
)
