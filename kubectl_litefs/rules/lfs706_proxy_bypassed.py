"""LFS706 proxy-bypassed: clients reach the application past LiteFS's proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model.cluster import Cluster
from ..model.dns import is_headless
from ..model.grouping import listed
from ..model.objects import Obj
from ..model.pod import Pod
from ..model.proxy import application_port, past_the_edge, port_of, proxy_port, sends_to
from ..model.rule import Finding, Rule, Severity, Unknown


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    for pod in cluster.pods:
        if pod.platform is not None and past_the_edge(pod) is not None:
            yield _at_the_edge(pod)
    proxied = [p for p in cluster.pods if proxy_port(p) is not None and application_port(p) is not None]
    if not proxied:
        return
    services = cluster.list("services")
    if services is None:
        gap = cluster.gaps.get("services")
        if gap is not None:
            yield Unknown(gap)
        return
    past: list[tuple[Obj, Mapping[str, object], list[Pod]]] = []
    for service in services:
        hit = [p for p in proxied if sends_to(service, p)]
        for port in service.items("spec.ports"):
            ends = [(port_of(port, p), p) for p in hit]
            if len(hit) > 1 and any(end == proxy_port(p) for end, p in ends):
                return  # several proxies are behind one name: LFS711 speaks of that, and going past them is no fault then
            past += [(service, port, [p for end, p in ends if end == application_port(p)])]
    for service, port, pods in past:
        # a headless Service sends nothing anywhere: its ports are mere names
        if pods and not is_headless(service):
            yield _finding(cluster, service, port, pods)


def _at_the_edge(pod: Pod) -> Finding:
    """Fly's proxy resends writes to the primary only where LiteFS's proxy asks it to."""
    assert pod.config is not None  # its ports are known from there
    addr, target = pod.config.values["proxy.addr"], pod.config.values["proxy.target"]
    return RULE.finding(
        pod.ref,
        f"Fly sends requests to port {past_the_edge(pod)}, where the application listens, not to LiteFS's proxy at {addr.value}.",
        pod.obj.at("outside.edgePort", f"internal_port = {past_the_edge(pod)}"),
        addr.evidence,
        target.evidence,
        severity=Severity.WARNING,
        impact="A write that reaches a replica fails there, for the database is read-only on it: the proxy would have sent it on to the primary.",
        cause="internal_port in fly.toml is the application's own port (proxy.target) instead of the proxy's (proxy.addr).",
        fix=(
            "Set internal_port in fly.toml to the port of proxy.addr.",
            "If the application sends its writes to the primary itself, remove the proxy section from litefs.yml.",
        ),
    )


def _finding(cluster: Cluster, service: Obj, port: Mapping[str, object], pods: list[Pod]) -> Finding:
    first = pods[0]
    assert first.config is not None  # its ports are known from there
    return RULE.finding(
        service.ref,
        f"Service {service.ref.name}, port {port.get('port')}, sends to the application's port {application_port(first)} "
        f"of {listed(p.name for p in pods)}, not to LiteFS's proxy on port {proxy_port(first)}.",
        service.seen("spec.ports", [port]),
        first.config.values["proxy.addr"].evidence,
        first.config.values["proxy.target"].evidence,
        commands=(cluster.kubectl("get", "service", service.ref.name, "-o", "yaml"),),
        key=str(port.get("port")),
    )


RULE = Rule(
    id="LFS706",
    name="proxy-bypassed",
    title="A Service sends past LiteFS's proxy, straight to the application",
    severity=Severity.INFO,
    heals="no",
    symptom="litefs.yml has a proxy section, and the proxy sees no request.",
    impact="After a write the next read may come from a replica that does not have it yet: what the proxy would wait for.",
    cause="The Service's targetPort is the application's own port (proxy.target) instead of the proxy's (proxy.addr).",
    fix=(
        "If reads must see the caller's own writes, let the Service that selects the primary send to the proxy's port.",
        "Do not simply turn a Service over several pods to the proxy: on Kubernetes a replica's proxy loses writes (LFS711).",
        "If nobody needs the proxy, remove the proxy section from litefs.yml. Commit and apply.",
    ),
    reads=("config", "services"),
    check=check,
)
