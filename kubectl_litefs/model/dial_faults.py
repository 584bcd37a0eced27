"""What is wrong with an advertise-url, judged once for the several rules that speak of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .cluster import Cluster
from .dns import Dial, Name, belongs, host_name, in_hosts_file, is_headless, led_to, name_of, selects
from .objects import Obj
from .origin import Evidence
from .pod import Pod


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The pod's DNS name lies under another Service than the URL says. `owner` is its StatefulSet, if seen."""

    wanted: str
    actual: str
    evidence: Evidence
    owner: Obj | None


def mismatch(cluster: Cluster, dial: Dial) -> Mismatch | None:
    """None where the URL names a Service, or the pod's own; also where neither the pod nor its set was seen."""
    name = name_of(cluster, dial)
    if name is None or name.pod is None or name.namespace != cluster.namespace or in_hosts_file(dial):
        return None
    if not belongs(cluster, name.pod):
        return None
    sets = [o for o in cluster.owners() if o.ref.kind == "StatefulSet" and name.pod.rpartition("-")[0] == o.ref.name]
    pod = next((p for p in cluster.pods if host_name(p) == name.pod), None)
    if sets and (actual := str(sets[0].get("spec.serviceName") or "")) != name.service:
        return Mismatch(name.service, actual, sets[0].seen("spec.serviceName", actual), sets[0])
    if pod is not None and pod.obj.get("spec.subdomain", name.service) != name.service:
        return Mismatch(name.service, str(pod.obj.get("spec.subdomain")), pod.obj.seen("spec.subdomain"), None)
    return None


ServiceFault = tuple[str, tuple[Evidence, ...], "Obj | None"]
"""What is wrong with a Service, in words with evidence, and the Service if there is one."""


def service_fault(cluster: Cluster, dial: Dial) -> ServiceFault | None:
    """None where the URL's Service is right, and where nothing can be said: another namespace, Services unread."""
    services, name = cluster.list("services"), name_of(cluster, dial)
    if services is None or name is None or name.namespace != cluster.namespace or in_hosts_file(dial):
        return None
    service = cluster.find("services", name.service)
    if service is None:
        if name.pod is None and belongs(cluster, name.service):
            return None  # a bare pod name: no Service was meant
        there = ", ".join(s.ref.name for s in services[:5]) or "none at all"
        told = f"Services in namespace {cluster.namespace}: {there}"
        source = f"objects/{cluster.namespace}/services.json"
        seen = services[0].at("metadata.name", told) if services else Evidence(source, None, told)
        return f"there is no Service {name.service} in namespace {cluster.namespace}", (seen,), None
    if service.get("spec.type") == "ExternalName":
        return None
    return _wrong_service(cluster, dial, name, service)


def _wrong_service(cluster: Cluster, dial: Dial, name: Name, service: Obj) -> ServiceFault | None:
    called, selector = f"Service {service.ref.name}", service.mapping("spec.selector")
    if name.pod is not None and not is_headless(service):
        told = f"{called} is not headless (clusterIP {service.get('spec.clusterIP')}), so pods have no names under it"
        return told, (service.seen("spec.clusterIP"),), service
    if not selector:
        return None  # somebody else says where it leads
    hit = [p for p in cluster.pods if selects(service, p)]
    wanted = led_to(cluster, dial, name) if name.pod else cluster.pods
    if wanted and not any(p in hit for p in wanted):
        pairs = ",".join(f"{k}={v}" for k, v in selector.items())
        told = f"{called} selects {pairs}, which {wanted[0].name} does not have"
        return told, (service.seen("spec.selector"), wanted[0].obj.seen("metadata.labels")), service
    if name.pod is None and not is_headless(service) and len(hit) > 1:
        told = f"{called} is not headless and spreads connections over {len(hit)} pods, replicas among them"
        return told, (service.seen("spec.clusterIP"), service.seen("spec.selector")), service
    return None


def wrong_ports(cluster: Cluster, dial: Dial) -> Iterator[tuple[Pod, str, tuple[Evidence, ...]]]:
    """Pods that the URL leads to at a port where LiteFS's API is not, in words with evidence.

    Only where the API's port is known: from `http.addr`, or because it answered there.
    """
    name = name_of(cluster, dial)
    if dial.address is None or name is None:
        return
    service = cluster.find("services", name.service) if name.pod is None else None
    for pod in led_to(cluster, dial, name):
        value = pod.config.get("http.addr") if pod.config else None
        if pod.info is None and not (value is not None and value.known):
            continue
        port: int | None = dial.address.port
        seen = [value.evidence] if value is not None and value.known and value.given else []
        if service is not None and not is_headless(service):
            port = through(service, pod, dial.address.port)
            seen.append(service.seen("spec.ports"))
        if port is None:
            yield pod, f"Service {name.service} has no port {dial.address.port}", tuple(seen)
        elif port != pod.http_port:
            yield pod, f"LiteFS's API on {pod.name} listens on port {pod.http_port}", tuple(seen)


def through(service: Obj, pod: Pod, port: int) -> int | None:
    """The pod's port that a Service's port leads to; None where the Service has no such port."""
    entry = next((p for p in service.items("spec.ports") if p.get("port") == port), None)
    if entry is None:
        return None
    target = entry.get("targetPort", port)
    if isinstance(target, int) or str(target).isdigit():
        return int(str(target))
    for container in pod.containers:
        ports = container.spec.get("ports")
        for item in ports if isinstance(ports, list) else ():
            number = item.get("containerPort") if isinstance(item, Mapping) and item.get("name") == target else None
            if isinstance(number, int):
                return number
    return None
