"""LFS308 litefs-api-exposed: LiteFS's API, which asks nobody for a password, can be reached from where it must not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.dial_faults import through
from ..model.dns import dials, is_headless, name_of, selects
from ..model.families import names
from ..model.grouping import Fault, Sighting, faults
from ..model.ingress import routes
from ..model.netpol import only_pods
from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown


@dataclass(frozen=True, slots=True)
class Door:
    """One of a Service's ports that leads to the API of these pods, and who comes in by it."""

    service: Obj
    port: Mapping[str, object]
    pods: tuple[Pod, ...]
    told: str
    evidence: tuple[Evidence, ...]


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    if "services" in cluster.gaps:
        yield Unknown(cluster.gaps["services"])
    for service in cluster.list("services") or ():
        door = next((d for port in service.items("spec.ports") if (d := _door(cluster, service, port)) is not None), None)
        if door is not None:
            yield _finding(cluster, door)
    for fault in faults(cluster, (s for pod in cluster.pods for s in _on_the_node(cluster, pod))):
        yield _node_finding(cluster, fault)


def _door(cluster: Cluster, service: Obj, port: Mapping[str, object]) -> Door | None:
    number = port.get("port")
    if service.get("spec.type") == "ExternalName" or not isinstance(number, int):
        return None
    pods = tuple(p for p in cluster.pods if selects(service, p) and through(service, p, number) == p.http_port)
    if not pods:
        return None
    through_ingress = next(routes(cluster, service, port), None)
    if through_ingress is not None:
        told = f"Ingress {through_ingress.ref.name} sends to it"
        return Door(service, port, pods, told, (through_ingress.seen("spec"), service.seen("spec.ports")))
    outside, seen = _outside(service, port)
    if outside:
        closed = all(only_pods(cluster, p, p.http_port) for p in pods)
        return None if closed else Door(service, port, pods, outside, seen)
    if is_headless(service) or service.ref.name in _meant_for_litefs(cluster):
        return None
    others = [p for p in service.items("spec.ports") if p.get("port") != number]
    if not others:
        return None  # a Service of its own, for metrics or for the replicas
    also = ", ".join(str(p.get("port")) for p in others[:4])
    return Door(service, port, pods, f"its clients come for port {also}, and this one is open to them, too", (service.seen("spec.ports"),))


def _outside(service: Obj, port: Mapping[str, object]) -> tuple[str, tuple[Evidence, ...]]:
    kind = service.get("spec.type")
    if kind == "LoadBalancer":
        at = [str(i.get("ip") or i.get("hostname")) for i in service.items("status.loadBalancer.ingress")]
        ranges = service.get("spec.loadBalancerSourceRanges")
        limited = f", for {', '.join(map(str, ranges[:4]))} only" if isinstance(ranges, list) and ranges else ""
        where = f"a load balancer{f' ({at[0]})' if at else ''} leads to it{limited}"
        return where, (service.seen("spec.type"), service.seen("spec.ports"))
    if kind == "NodePort":
        return f"every node leads to it at port {port.get('nodePort', '?')}", (service.seen("spec.type"), service.seen("spec.ports"))
    if service.get("spec.externalIPs"):
        return "it has external addresses", (service.seen("spec.externalIPs"), service.seen("spec.ports"))
    return "", ()


def _meant_for_litefs(cluster: Cluster) -> set[str]:
    """The Services that an advertise-url names: their port is there for the replicas."""
    return {name.service for d in dials(cluster) if (name := name_of(cluster, d)) is not None}


def _on_the_node(cluster: Cluster, pod: Pod) -> Iterator[Sighting]:
    """A hostPort: the node's own address leads to the API."""
    ports = pod.obj.items(f"{pod.container.field}.ports")
    for i, port in enumerate(ports):
        if port.get("containerPort") == pod.http_port and port.get("hostPort") and not only_pods(cluster, pod, pod.http_port):
            seen = pod.obj.seen(f"{pod.container.field}.ports.{i}")
            yield Sighting(pod, f"hostPort {port.get('hostPort')}", f"hostPort {port.get('hostPort')}", (seen,))


def _finding(cluster: Cluster, door: Door) -> Finding:
    name, first = door.service.ref.name, door.pods[0]
    headless = is_headless(door.service)
    return RULE.finding(
        door.service.ref,
        f"Port {door.port.get('port')} of Service {name} is LiteFS's API on {names(door.pods)}, and {door.told}.",
        *door.evidence,
        fix=("Take that path out of the Ingress.", *RULE.fix[1:]) if headless else None,
        commands=(
            cluster.kubectl("get", "service", name, "-o", "yaml"),
            *([cluster.kubectl("get", "ingress")] if "Ingress" in door.told else []),
            cluster.kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={name}"),
            cluster.kubectl("get", "pod", first.name, "-o", "jsonpath={.spec.containers[*].ports}"),
        ),
    )


def _node_finding(cluster: Cluster, fault: Fault) -> Finding:
    return RULE.finding(
        fault.subject,
        f"{names(fault.pods)} open LiteFS's API on their nodes' own addresses ({fault.text}).",
        *fault.evidence,
        fix=("Remove hostPort from the container: replicas reach the API at the pod's own address.", *RULE.fix[1:]),
        commands=(cluster.kubectl("get", "pod", fault.pods[0].name, "-o", "jsonpath={.spec.containers[*].ports}"),),
        key="hostPort",
    )


RULE = Rule(
    id="LFS308",
    name="litefs-api-exposed",
    title="LiteFS's API can be reached from outside the set",
    severity=Severity.WARNING,
    heals="no",
    symptom="`curl http://ADDRESS:PORT/info` answers where the application's users are.",
    impact="The API has no password: /export gives the whole database away, /import replaces it, /halt and /promote stop writes.",
    cause="A Service, Ingress or hostPort that is meant for the application names LiteFS's port (http.addr, 20202), too.",
    fix=(
        "Take LiteFS's port out of that Service: applications need their own port or the proxy's only.",
        "Keep it in the headless Service that advertise-url names, which is for the replicas.",
        "Better still, let a NetworkPolicy admit nothing but the pods of the set to that port.",
        "Commit and apply; it takes effect at once, no pod needs a restart. Whoever may have read the database has read it.",
    ),
    reads=("services", "ingresses", "networkpolicies"),
    check=check,
)
