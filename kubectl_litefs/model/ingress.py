"""What stands between the outside world and a Service's ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .cluster import Cluster
from .objects import Obj


def routes(cluster: Cluster, service: Obj, *ports: Mapping[str, object]) -> Iterator[Obj]:
    """The Ingresses that send to one of these ports of the Service."""
    wanted = {str(p[k]) for p in ports for k in ("name", "port") if p.get(k)}
    for ingress in cluster.list("ingresses") or ():
        here = ingress.ref.namespace == service.ref.namespace
        if here and any(b.get("name") == service.ref.name and _number(b) in wanted for b in backends(ingress)):
            yield ingress


def backends(ingress: Obj) -> Iterator[Mapping[str, object]]:
    """The Services that an Ingress names, its default first."""
    default = ingress.mapping("spec.defaultBackend.service")
    if default:
        yield default
    for i in range(len(ingress.items("spec.rules"))):
        for path in ingress.items(f"spec.rules.{i}.http.paths"):
            backend = path.get("backend")
            service = backend.get("service") if isinstance(backend, Mapping) else None
            if isinstance(service, Mapping):
                yield service


def _number(backend: Mapping[str, object]) -> str:
    port = backend.get("port")
    return str(port.get("number") or port.get("name")) if isinstance(port, Mapping) else ""
