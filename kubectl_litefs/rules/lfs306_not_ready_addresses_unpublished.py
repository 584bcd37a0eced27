"""LFS306 not-ready-addresses-unpublished: a pod that is not ready has no DNS name, and replicas need the primary's."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.dns import Dial, dials, is_headless, led_to, name_of, unseen
from ..model.objects import Obj
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck

ANNOTATION = "service.alpha.kubernetes.io/tolerate-unready-endpoints"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hidden = unseen(cluster)
    if hidden is not None:
        yield Unknown(hidden)
    said: set[str] = set()
    for dial in dials(cluster):
        name = name_of(cluster, dial)
        if name is None or name.namespace != cluster.namespace:
            continue
        if "services" in cluster.gaps:
            yield Unknown(cluster.gaps["services"])
            return
        service = cluster.find("services", name.service)
        if service is None or service.ref.name in said or not is_headless(service) or _publishes(service):
            continue
        probed = [p for p in cluster.pods if _probe(p)]
        if probed:
            said.add(service.ref.name)
            yield _finding(cluster, dial, service, probed, led_to(cluster, dial, name))


def _publishes(service: Obj) -> bool:
    annotation = service.mapping("metadata.annotations").get(ANNOTATION)
    return service.get("spec.publishNotReadyAddresses") is True or str(annotation).lower() == "true"


def _probe(pod: Pod) -> str:
    """Where a container of the pod that counts for its readiness has a probe; empty where none has."""
    return next((c.field for c in pod.containers if not c.init and c.spec.get("readinessProbe")), "")


def _finding(cluster: Cluster, dial: Dial, service: Obj, probed: list[Pod], targets: tuple[Pod, ...]) -> Finding:
    lines = [line.evidence for p in dial.pods if (line := stuck(cluster, p, "no such host"))]
    unready = [p for p in targets if p.container.running and not p.ready]
    dead = bool(lines and unready)
    now = (
        f" Now {unready[0].name} is not ready, so it has no name and replicas cannot reach it: neither gets any further."
        if dead
        else ""
    )
    first = probed[0]
    return RULE.finding(
        service.ref,
        f"Service {service.ref.name} hides pods that are not ready, and {first.name} has a readiness probe.{now}",
        service.seen(
            "spec.publishNotReadyAddresses",
            "false" if "publishNotReadyAddresses" in service.mapping("spec") else "absent",
        ),
        first.obj.seen(f"{_probe(first)}.readinessProbe"),
        *(p.obj.seen("status.conditions") for p in unready[:1] if dead),
        *lines,
        severity=Severity.ERROR if dead else Severity.WARNING,
        impact="Replicas cannot find the primary, and the pods wait for each other." if dead else None,
        commands=(
            cluster.kubectl("get", "service", service.ref.name, "-o", "jsonpath={.spec.publishNotReadyAddresses}"),
            cluster.kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={service.ref.name}"),
        ),
    )


RULE = Rule(
    id="LFS306",
    name="not-ready-addresses-unpublished",
    title="The headless Service hides pods that are not ready yet",
    severity=Severity.WARNING,
    heals="no",
    symptom="After a restart replicas log `no such host` until the primary's readiness probe succeeds.",
    impact="While the primary is not ready, for whatever reason, no replica can connect; if its probe depends on a "
    "replica, nothing ever starts.",
    cause="A headless Service gives names to ready pods only, unless publishNotReadyAddresses is true.",
    fix=(
        "Set publishNotReadyAddresses: true on the headless Service; let clients use a Service of their own.",
        "Commit and apply. It takes effect at once, no pod needs a restart.",
    ),
    reads=("services", "spec", "log"),
    check=check,
)
