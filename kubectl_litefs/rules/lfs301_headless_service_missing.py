"""LFS301 headless-service-missing: the Service in advertise-url is not there, or does not do what it must."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.dial_faults import service_fault
from ..model.dns import Dial, dials, name_of, subject_of, unseen
from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck, works


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hidden, gap = unseen(cluster), cluster.gaps.get("services")
    if hidden is not None:
        yield Unknown(hidden)
    said: set[str] = set()
    for dial in dials(cluster):
        if gap is not None and name_of(cluster, dial) is not None:
            yield Unknown(gap)
            return
        fault = service_fault(cluster, dial)
        if fault is not None and fault[0] not in said:
            said.add(fault[0])
            yield _finding(cluster, dial, *fault)


def _finding(cluster: Cluster, dial: Dial, told: str, seen: tuple[Evidence, ...], service: Obj | None) -> Finding:
    name = name_of(cluster, dial)
    called = name.service if name else dial.host
    complaints = [line.evidence for p in dial.pods if (line := stuck(cluster, p, "no such host", "code=503"))]
    good = works(cluster, dial)
    still = " Replicas that are connected stay so until their next restart." if good else ""
    return RULE.finding(
        subject_of(cluster, dial) if service is None else service.ref,
        f"advertise-url is {dial.url}, but {told}.{still}",
        *seen,
        *dial.evidence,
        *(o.seen("spec.serviceName") for o in cluster.owners() if o.get("spec.serviceName")),
        *complaints,
        severity=Severity.WARNING if good else Severity.ERROR,
        fix=(_remedy(cluster, called, service), *RULE.fix[1:]),
        commands=(
            cluster.kubectl("get", "service", *([service.ref.name, "-o", "yaml"] if service else [])),
            cluster.kubectl("get", "pods", "--show-labels"),
        ),
        key=called,
    )


def _remedy(cluster: Cluster, called: str, service: Obj | None) -> str:
    labels = next((o.mapping("spec.selector.matchLabels") for o in cluster.owners()), {})
    pairs = ", ".join(f"{k}: {v}" for k, v in labels.items()) or "the pods' labels"
    port = next((p.http_port for p in cluster.pods), 20202)
    what = "Make" if service is None else "Change"
    headless = "clusterIP: None, " if service is None or service.get("spec.clusterIP") != "None" else ""
    again = " (clusterIP cannot be changed: delete the Service and make it anew)" if service and headless else ""
    return (
        f"{what} Service {called} with {headless}publishNotReadyAddresses: true, selector {{{pairs}}} and "
        f"port {port}{again}."
    )


RULE = Rule(
    id="LFS301",
    name="headless-service-missing",
    title="The Service in advertise-url is missing or does not name the pods",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `no such host` each second while all pods are Running and Ready.",
    impact="Replicas cannot find the primary: they serve old data, or do not start the application at all.",
    cause="A pod has a DNS name of its own only under a headless Service that selects it and is its set's serviceName.",
    fix=(
        "Make the headless Service that advertise-url names.",
        "Keep it next to the StatefulSet in the repository, commit, apply, and look at a replica's log: it tries again "
        "each second and needs no restart.",
    ),
    reads=("services", "config", "log"),
    check=check,
    gotcha=2,
    follows=("LFS302", "LFS508", "LFS507"),
)
