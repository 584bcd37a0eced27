"""LFS403 not-a-statefulset: a static lease needs pods with lasting names."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import listed
from ..model.lease import lease_of
from ..model.origin import Evidence, Gap, GapReason, ObjectRef
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import all_follow

KINDS = {
    "Deployment": "pods of a Deployment get new names at each start",
    "ReplicaSet": "pods of a ReplicaSet get new names at each start",
    "DaemonSet": "pods of a DaemonSet get new names at each start",
    "Job": "pods of a Job get new names at each start",
    "": "nothing replaces a bare pod when its node fails",
}
"""Kind of the controller -> what is wrong with it. Other kinds are somebody's own, and may well keep names."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    groups: dict[ObjectRef, list[Pod]] = {}
    steady = [p for p in cluster.pods if p.workload is not None and p.workload.kind == "StatefulSet"]
    for pod in cluster.pods:
        kind = pod.workload.kind if pod.workload else ""
        if kind not in KINDS:
            continue
        if not kind and _only_heard(pod) and "pods" in cluster.gaps:
            yield Unknown(cluster.gaps["pods"])
            continue
        lease = lease_of(pod)
        if lease.type is None:
            gap = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "lease.type")
            yield Unknown(pod.gaps.get("config") or gap)
        elif lease.is_static and not (steady and _reads_only(pod)):
            groups.setdefault(pod.workload or pod.ref, []).append(pod)
    for owner, pods in groups.items():
        yield _finding(cluster, owner, pods)


def _only_heard(pod: Pod) -> bool:
    """Known from its log alone: the object, which would say who owns it, has an image in every container."""
    return not any(c.image for c in pod.containers)


def _reads_only(pod: Pod) -> bool:
    """A replica for good, next to a StatefulSet that holds the primary: its name matters to nobody."""
    candidate = lease_of(pod).candidate
    return candidate is not None and candidate.value is False


def _finding(cluster: Cluster, owner: ObjectRef, pods: list[Pod]) -> Finding:
    kind = pods[0].workload.kind if pods[0].workload else ""
    good = all_follow(cluster)
    shared = _shared_claim(pods)
    what = f"{kind} {owner.name} runs LiteFS" if kind else f"Pod {owner.name} runs LiteFS without a controller"
    note = f" All of them share the claim {shared}." if shared else ""
    lease = lease_of(pods[0])
    return RULE.finding(
        owner,
        f"{what} with a static lease ({listed(p.name for p in pods)}): {KINDS[kind]}.{note}",
        _seen_owner(pods[0]),
        lease.type.evidence if lease.type else None,
        lease.advertise_url.evidence if lease.advertise_url else None,
        severity=Severity.WARNING if good else Severity.ERROR,
        impact="It works until a pod is replaced." if good else None,
        commands=(cluster.kubectl("get", "pods", "-o", "wide"), cluster.kubectl("get", str(owner), "-o", "yaml")),
    )


def _shared_claim(pods: list[Pod]) -> str:
    claims = {p.data_claim for p in pods}
    claim = claims.pop() if len(claims) == 1 and len(pods) > 1 else None
    return claim or ""


def _seen_owner(pod: Pod) -> Evidence:
    owner = next((o for o in pod.obj.items("metadata.ownerReferences") if o.get("controller")), None)
    told = f"{owner.get('kind')}/{owner.get('name')}" if owner else "none"
    return pod.obj.seen("metadata.ownerReferences", told)


RULE = Rule(
    id="LFS403",
    name="not-a-statefulset",
    title="LiteFS with a static lease does not run in a StatefulSet",
    severity=Severity.ERROR,
    heals="no",
    symptom="No pod ever has the primary's name: replicas log `no such host`, or every pod takes itself for the primary.",
    impact="There is no primary or more than one, and a replaced pod has neither its name nor its volume.",
    cause="A static lease names its primary. Only a StatefulSet gives a pod the same name and the same volume again.",
    fix=(
        "Save the databases first if any pod holds data: GET /export?name=DATABASE on port 20202.",
        "Turn it into a StatefulSet with a headless Service as serviceName and a volumeClaimTemplate for data.dir.",
        "Commit, apply, and look at the pods' logs.",
    ),
    reads=("spec", "config", "log"),
    check=check,
)
