"""LFS711 proxy-cannot-forward: on Kubernetes LiteFS's proxy forwards no write from a replica to the primary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.cluster import Cluster
from ..model.grouping import listed
from ..model.ingress import routes
from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.proxy import port_of, proxy_port, sends_to
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    proxies = {p.name: port for p in cluster.pods if (port := proxy_port(p)) is not None}
    if not proxies:
        return
    services = cluster.list("services")
    if services is None:
        gap = cluster.gaps.get("services")
        if gap is not None:
            yield Unknown(gap)
        return
    for service in services:
        hit = [p for p in cluster.pods if p.name in proxies and sends_to(service, p)]
        ports = [p for p in service.items("spec.ports") if any(port_of(p, pod) == proxies[pod.name] for pod in hit)]
        if len(hit) > 1 and ports:
            yield _finding(cluster, service, ports, hit, list(routes(cluster, service, *ports)))


def _finding(
    cluster: Cluster, service: Obj, ports: list[Mapping[str, object]], hit: list[Pod], routes: list[Obj]
) -> Finding:
    headless = service.get("spec.clusterIP") == "None"
    grave = bool(routes) or not headless
    number = ports[0].get("port")
    names = listed(p.name for p in hit)
    through = f" (Ingress {listed(r.ref.name for r in routes)} sends to it)" if routes else ""
    if grave:
        told = f"spreads requests over the proxies of {names}{through}: a write that lands on a replica is lost"
    else:
        told = f"names the proxies of {names}: send writes to the primary's name only, a replica's proxy does not forward"
    return RULE.finding(
        service.ref,
        f"Service {service.ref.name}, port {number}, {told}.",
        service.seen("spec.ports", ports),
        *(r.seen("spec.rules") for r in routes),
        *_settings(hit),
        severity=Severity.ERROR if grave else Severity.WARNING,
        impact=None if grave else "Nothing is lost while clients write through the primary's own name; through any other "
        "pod a write answers 200 with an empty body and is not made.",
        commands=(cluster.kubectl("get", "service", service.ref.name, "-o", "yaml"),),
    )


def _settings(pods: list[Pod]) -> Iterator[Evidence]:
    for pod in pods[:1]:
        if pod.config is not None:
            yield pod.config.values["proxy.target"].evidence
            yield pod.config.values["proxy.addr"].evidence


RULE = Rule(
    id="LFS711",
    name="proxy-cannot-forward",
    title="Writes that reach a replica's proxy are lost on Kubernetes",
    severity=Severity.WARNING,
    heals="no",
    symptom="A write answers 200 with an empty body and a `fly-replay` header; the row is not there. Others work.",
    impact="Writes that land on a replica are lost, with an answer that looks like success.",
    cause="LiteFS's proxy asks Fly's edge to repeat a write on the primary, by a header that only that edge understands.",
    fix=(
        "Give writes a Service that selects the primary's pod only (label statefulset.kubernetes.io/pod-name).",
        "Or let the application forward writes itself: the file .primary in the mount names the primary.",
        "Commit, apply, and send a write to each pod to see that it arrives.",
    ),
    reads=("config", "services", "ingresses"),
    check=check,
)
