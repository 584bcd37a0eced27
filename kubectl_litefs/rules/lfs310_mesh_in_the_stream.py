"""LFS310 mesh-in-the-stream: a service mesh's proxy takes the replication stream through itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.families import names
from ..model.grouping import Fault, Sighting, faults, log_command
from ..model.logs import LogLine
from ..model.pod import Container, Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck
from ..model.topology import Role, topology

UPGRADE = "code=426"
"""LiteFS's answer to a stream that is asked for in HTTP/1."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """`containers` are its sidecar's names; `setup` the init containers without which it intercepts nothing, if any.

    `inbound` and `outbound` are the annotations that list ports it leaves alone, `opaque` the one for ports that it
    passes on without understanding them.
    """

    name: str
    containers: tuple[str, ...]
    inbound: str
    outbound: str
    opaque: str = ""
    setup: tuple[str, ...] = ()


MESHES = (
    Mesh("Istio", ("istio-proxy",), "traffic.sidecar.istio.io/excludeInboundPorts", "traffic.sidecar.istio.io/excludeOutboundPorts"),
    Mesh("Linkerd", ("linkerd-proxy",), "config.linkerd.io/skip-inbound-ports", "config.linkerd.io/skip-outbound-ports", "config.linkerd.io/opaque-ports"),
    Mesh("Kuma", ("kuma-sidecar",), "traffic.kuma.io/exclude-inbound-ports", "traffic.kuma.io/exclude-outbound-ports"),
    Mesh(
        "Consul", ("consul-dataplane", "envoy-sidecar"),
        "consul.hashicorp.com/transparent-proxy-exclude-inbound-ports", "consul.hashicorp.com/transparent-proxy-exclude-outbound-ports",
    ),
    Mesh("App Mesh", ("envoy",), "", "appmesh.k8s.aws/egressIgnoredPorts", setup=("proxyinit",)),
)  # fmt: skip


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen = [s for pod in cluster.pods if (s := _sidecar(cluster, pod)) is not None]
    refused = {p: line for p in cluster.pods if (line := stuck(cluster, p, UPGRADE)) is not None}
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault, refused)
    if refused and not seen:
        yield _unseen_proxy(cluster, refused)
    if not refused:
        yield from _blind(cluster, {s.pod.name for s in seen})


def _blind(cluster: Cluster, told: set[str]) -> Iterator[Unknown]:
    """Where something between the pods cannot be seen in their specs, only the log of a replica tells of it."""
    who = topology(cluster)
    for pod in cluster.pods:
        well = who.role(pod) in (Role.PRIMARY, Role.FOLLOWING)
        if not well and pod.name not in told and "log" in pod.gaps:
            yield Unknown(pod.gaps["log"])


def _sidecar(cluster: Cluster, pod: Pod) -> Sighting | None:
    """A mesh's proxy in the pod that leaves LiteFS's port alone in one direction at most."""
    present = {c.name: c for c in pod.containers}
    for mesh in MESHES:
        proxy = next((present[n] for n in mesh.containers if n in present and not present[n].init), None)
        if proxy is None or proxy is pod.container or (mesh.setup and not any(n in present for n in mesh.setup)):
            continue
        caught = [way for way, key in (("inbound", mesh.inbound), ("outbound", mesh.outbound)) if not _listed(cluster, pod, key)]
        if caught and not _listed(cluster, pod, mesh.opaque):
            return _sighting(pod, mesh, proxy, caught)
    return None


def _sighting(pod: Pod, mesh: Mesh, proxy: Container, caught: list[str]) -> Sighting:
    told = f"{mesh.name}'s proxy (container {proxy.name}) takes port {pod.http_port} through itself, {' and '.join(caught)}"
    keys = [k for k in (mesh.inbound, mesh.outbound, mesh.opaque) if k]
    asked = {k: v for k, v in pod.obj.mapping("metadata.annotations").items() if k in keys}
    evidence = [pod.obj.seen(f"{proxy.field}.name", proxy.name), pod.obj.seen("metadata.annotations", asked or "no port is excluded")]
    return Sighting(pod, told, told, tuple(evidence))


def _listed(cluster: Cluster, pod: Pod, annotation: str) -> bool:
    """Whether an annotation of the pod, or of its namespace, lists LiteFS's port: `20202,8000-8100`."""
    space = cluster.find("namespaces", pod.namespace, "")
    for obj in (pod.obj, space):
        text = str(obj.mapping("metadata.annotations").get(annotation, "")) if obj is not None and annotation else ""
        for part in text.replace(" ", "").split(","):
            first, _, last = part.partition("-")
            if first.isdigit() and int(first) <= pod.http_port <= (int(last) if last.isdigit() else int(first)):
                return True
    return False


def _finding(cluster: Cluster, fault: Fault, refused: dict[Pod, LogLine]) -> Finding:
    first = fault.pods[0]
    mesh = next(m for m in MESHES if fault.text.startswith(m.name + "'s"))
    lines = " ".join(f'{key}: "{first.http_port}"' for key in (mesh.inbound, mesh.outbound) if key)
    now = f" It asks LiteFS in HTTP/1, and {names(refused)} cannot connect." if refused else ""
    asker = next(iter(refused), first)
    return RULE.finding(
        fault.subject,
        f"{fault.text}.{now}",
        *fault.evidence,
        *(line.evidence for line in refused.values()),
        severity=Severity.ERROR if refused else Severity.WARNING,
        impact=None if refused else "Replication hangs on the proxy: it starts after LiteFS, ends before it, and cuts streams that "
        "are quiet for long; a port that it takes for HTTP/1 does not work at all.",
        fix=(f"Exclude LiteFS's port in the pod template's annotations, in both directions: {lines}", *RULE.fix[1:]),
        commands=(
            cluster.kubectl("get", "pod", first.name, "-o", "jsonpath={.metadata.annotations}"),
            log_command(cluster, asker),
        ),
    )


def _unseen_proxy(cluster: Cluster, refused: dict[Pod, LogLine]) -> Finding:
    first = next(iter(refused))
    return RULE.finding(
        cluster.subject,
        f"Something between {names(refused)} and the primary speaks HTTP/1 only ({UPGRADE}), and no sidecar is to be seen: an "
        "Ingress, a load balancer, or a gateway of the mesh.",
        *(line.evidence for line in refused.values()),
        severity=Severity.ERROR,
        commands=(log_command(cluster, first), cluster.kubectl("get", "services,ingresses")),
    )


RULE = Rule(
    id="LFS310",
    name="mesh-in-the-stream",
    title="A service mesh's proxy stands in the replication stream",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="`invalid response: code=426` on replicas; or streams that break whenever nothing is written for a while.",
    impact="Replicas cannot connect: they serve old data, or do not start the application at all.",
    cause="LiteFS streams over one long HTTP/2 connection without TLS. A proxy that takes it for HTTP/1 gets the answer 426.",
    fix=(
        "Exclude LiteFS's port (20202) from the mesh in both directions, or let advertise-url name the primary's pod itself.",
        "Without the mesh the stream is neither encrypted nor authenticated: let a NetworkPolicy admit only the pods of the set.",
        "Commit, apply, let the pods restart, and look at a replica's log for `connected to cluster, ready`.",
    ),
    reads=("spec", "log", "info"),
    check=check,
    follows=("LFS304",),
)
