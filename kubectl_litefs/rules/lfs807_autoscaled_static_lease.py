"""LFS807 autoscaled-static-lease: an autoscaler changes the number of pods of a set whose primary is fixed."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.lease import lease_of
from ..model.objects import Obj
from ..model.origin import Gap, GapReason
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for scaler in cluster.list("horizontalpodautoscalers") or ():
        target = scaler.mapping("spec.scaleTargetRef")
        hit = next((w for w in cluster.workloads if (w.kind, w.name) == (target.get("kind"), target.get("name"))), None)
        if hit is None or scaler.ref.namespace != cluster.namespace or _fixed(scaler):
            continue
        leases = [lease_of(p) for p in cluster.pods]
        if any(lease.is_static for lease in leases):
            yield _finding(cluster, scaler, hit.name)
        elif not any(lease.is_consul for lease in leases):
            unclear = Gap(f"config of {hit}", GapReason.ABSENT, "lease.type is not known")
            seen = (g for p in cluster.pods for what in ("config", "log") if (g := p.gaps.get(what)))
            yield Unknown(next(seen, unclear))


def _fixed(scaler: Obj) -> bool:
    """Whether it may not scale at all."""
    least, most = scaler.get("spec.minReplicas", 1), scaler.get("spec.maxReplicas")
    return isinstance(most, int) and least == most


def _finding(cluster: Cluster, scaler: Obj, name: str) -> Finding:
    least, most = scaler.get("spec.minReplicas", 1), scaler.get("spec.maxReplicas")
    keda = next((o.get("name") for o in scaler.items("metadata.ownerReferences") if o.get("kind") == "ScaledObject"), None)
    maker = f" (made by KEDA's ScaledObject {keda})" if keda else ""
    between = f" between {least} and {most} pods" if most is not None else ""
    none = " At 0 there is no primary." if least == 0 or keda else ""
    return RULE.finding(
        scaler.ref,
        f"HorizontalPodAutoscaler {scaler.ref.name}{maker} scales {name}{between}, and its lease is static: "
        f"more pods take no more writes.{none}",
        scaler.seen("spec.scaleTargetRef"),
        scaler.seen("spec.minReplicas", str(least)),
        scaler.seen("spec.maxReplicas", str(most)),
        *(s.evidence for p in cluster.pods[:1] if (s := lease_of(p).type) is not None),
        commands=(
            cluster.kubectl("describe", "hpa", scaler.ref.name),
            *([cluster.kubectl("get", "scaledobject", str(keda), "-o", "yaml")] if keda else []),
        ),
    )


RULE = Rule(
    id="LFS807",
    name="autoscaled-static-lease",
    title="An autoscaler changes the number of pods under a static lease",
    severity=Severity.WARNING,
    heals="no",
    symptom="Pods come and go with the load; under load of writes their number grows and nothing gets faster.",
    impact="Each new pod takes a snapshot of every database from the primary that is already under load; a scaled-down set may "
    "leave no replica, or no primary at all.",
    cause="All writes go to the one fixed primary, whatever the number of pods.",
    fix=(
        "Remove the autoscaler, or set its lowest and highest number to the same value.",
        "Give the primary more CPU and memory (requests and limits) where writes are slow.",
        "If only reads are to scale, put readers into a set of their own, none of them a candidate, and scale that one.",
    ),
    reads=("horizontalpodautoscalers",),
    check=check,
)
