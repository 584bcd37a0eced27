"""LFS302 service-name-mismatch: the StatefulSet names its pods under another Service than advertise-url says."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.dial_faults import Mismatch, mismatch
from ..model.dns import Dial, dials, name_of, subject_of, unseen
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck, works


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hidden, gap = unseen(cluster), cluster.gaps.get("statefulsets")
    if hidden is not None:
        yield Unknown(hidden)
    said: set[tuple[str, str]] = set()
    for dial in dials(cluster):
        fault = mismatch(cluster, dial)
        if fault is not None and (fault.wanted, fault.actual) not in said:
            said.add((fault.wanted, fault.actual))
            yield _finding(cluster, dial, fault)
        elif fault is None and gap is not None and _hangs_on_the_set(cluster, dial):
            yield Unknown(gap)


def _hangs_on_the_set(cluster: Cluster, dial: Dial) -> bool:
    """Whether the URL names a pod whose own word (`spec.subdomain`) was not seen either."""
    name = name_of(cluster, dial)
    return name is not None and name.pod is not None and cluster.pod(name.pod) is None


def _finding(cluster: Cluster, dial: Dial, fault: Mismatch) -> Finding:
    complaints = [line.evidence for p in dial.pods if (line := stuck(cluster, p, "no such host"))]
    actual = fault.actual or "no Service"
    owner = f"StatefulSet {fault.owner.ref.name}" if fault.owner else f"pod {dial.pods[0].name}"
    right = dial.url.replace(f".{fault.wanted}", f".{fault.actual}", 1)
    fix = (f"Write {right} as advertise-url on all nodes.", *RULE.fix[1:]) if fault.actual else RULE.fix[1:]
    return RULE.finding(
        fault.owner.ref if fault.owner else subject_of(cluster, dial),
        f"advertise-url names a pod under Service {fault.wanted}, but {owner} has serviceName {actual}: "
        f"{dial.host} does not resolve.",
        fault.evidence,
        *dial.evidence,
        *complaints,
        severity=Severity.WARNING if works(cluster, dial) else Severity.ERROR,
        fix=fix,
        commands=(
            cluster.kubectl("get", "statefulset", fault.owner.ref.name, "-o", "jsonpath={.spec.serviceName}")
            if fault.owner
            else cluster.kubectl("get", "pod", dial.pods[0].name, "-o", "jsonpath={.spec.subdomain}"),
            cluster.kubectl("get", "services"),
        ),
        key=fault.wanted,
    )


RULE = Rule(
    id="LFS302",
    name="service-name-mismatch",
    title="advertise-url uses another Service than the StatefulSet's serviceName",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `no such host` for a Service that does exist and does select the pods.",
    impact="Replicas cannot find the primary: they serve old data, or do not start the application at all.",
    cause="A pod of a StatefulSet has a DNS name under the Service of spec.serviceName only, whatever else selects it.",
    fix=(
        "Let advertise-url name the StatefulSet's serviceName.",
        "Or give the StatefulSet the other serviceName. It cannot be changed in place: delete the set with "
        "--cascade=orphan, make it anew, and let its pods restart one by one; the claims stay.",
        "Commit, apply, and look at a replica's log for `connected to cluster, ready`.",
    ),
    reads=("statefulsets", "config", "log"),
    check=check,
    gotcha=2,
)
