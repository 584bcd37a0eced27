"""LiteFS's proxy and the application behind it, as Services reach them."""

from __future__ import annotations

from collections.abc import Mapping

from .dns import selects
from .grouping import own_config
from .objects import Obj
from .pod import Pod


def proxy_port(pod: Pod) -> int | None:
    """The port of a pod's proxy; None where it has none, or Fly's edge stands before it."""
    return None if _on_fly(pod) else _port(pod, "proxy.addr")


def application_port(pod: Pod) -> int | None:
    """The port that the proxy passes requests on to, where that is in the same pod."""
    return None if _on_fly(pod) else _port(pod, "proxy.target")


def past_the_edge(pod: Pod) -> int | None:
    """The port that Fly's edge sends requests to, where that is the application's and not the proxy's; else None."""
    edge = pod.obj.get("outside.edgePort")
    proxy, application = _port(pod, "proxy.addr"), _port(pod, "proxy.target")
    return application if edge is not None and proxy is not None and edge == application != proxy else None


def _on_fly(pod: Pod) -> bool:
    return any(name.startswith("FLY_") for name in pod.env)


def _port(pod: Pod, key: str) -> int | None:
    config = own_config(pod)
    address = str(config.known(key) or "") if config and config.known("proxy.target") else ""
    host, _, port = address.rpartition(":")
    near = key == "proxy.addr" or host in ("", "localhost", "127.0.0.1", "[::1]", "0.0.0.0")
    return int(port) if port.isdigit() and near else None


def sends_to(service: Obj, pod: Pod) -> bool:
    """Whether the Service leads to the pod by its selector."""
    return selects(service, pod) and service.get("spec.type") != "ExternalName"


def port_of(port: Mapping[str, object], pod: Pod) -> int | None:
    """Where one of a Service's ports ends in the pod; a headless Service's target port is what clients dial anyway."""
    target = port.get("targetPort", port.get("port"))
    if isinstance(target, int) or str(target).isdigit():
        return int(str(target))
    named = [p for c in pod.containers for p in mappings(c.spec.get("ports")) if p.get("name") == target]
    return next((n for p in named if isinstance(n := p.get("containerPort"), int)), None)


def mappings(value: object) -> list[Mapping[str, object]]:
    """The mappings in a list of the API; whatever else stands there is passed over."""
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
