"""NetworkPolicies: whether a pod may reach another at a port, by the rules of Kubernetes alone.

Network plugins have policies of their own, which allow or forbid more, and some plugins enforce none: what these rules
forbid may still work. Where a label or an address is not known, nothing is said to be forbidden.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .cluster import Cluster
from .objects import Obj
from .pod import Pod

NAME = "kubernetes.io/metadata.name"
"""The label that every namespace has."""
DNS_PORTS = (53, 5353, "dns", "dns-tcp", "domain")
"""What cluster DNS listens on, OpenShift's included."""

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Block:
    """`policies` select the pod and none of their rules lets the traffic pass. `unsure` is what hides the answer."""

    direction: str
    policies: tuple[Obj, ...]
    unsure: str = ""


def blocked(cluster: Cluster, source: Pod, target: Pod, port: int) -> Block | None:
    """What keeps `source` from the TCP port of `target`. None where nothing does; pods on the host's network are out."""
    if any(p.obj.get("spec.hostNetwork") is True for p in (source, target)):
        return None
    for direction, here, there in (("Ingress", target, source), ("Egress", source, target)):
        found = policies_of(cluster, here, direction)
        verdicts = [_passes(cluster, rule, direction, there, target, port) for p in found for rule in rules(p, direction)]
        if not found or True in verdicts:
            continue
        unsure = f"the labels of namespace {there.namespace}, or the address of {there.name}" if None in verdicts else ""
        return Block(direction, found, unsure)
    return None


def dns_blocked(cluster: Cluster, pod: Pod) -> tuple[Obj, ...]:
    """The policies that leave the pod no way to any DNS server; empty where one may be reached."""
    found = policies_of(cluster, pod, "Egress")
    if pod.obj.get("spec.hostNetwork") is True or pod.namespace == "kube-system":
        return ()
    open_ = any(_may_ask_dns(rule, pod.namespace) for p in found for rule in rules(p, "Egress"))
    return () if open_ else found


def only_pods(cluster: Cluster, pod: Pod, port: int) -> bool:
    """Whether policies let nothing but pods reach the TCP port: no load balancer, no node's address."""
    found = policies_of(cluster, pod, "Ingress")
    if not found or pod.obj.get("spec.hostNetwork") is True:
        return False
    at_port = [r for p in found for r in rules(p, "Ingress") if _port_fits(r, pod, port)]
    return all(_items(r.get("from")) and not any("ipBlock" in peer for peer in _items(r.get("from"))) for r in at_port)


def policies_of(cluster: Cluster, pod: Pod, direction: str) -> tuple[Obj, ...]:
    """The policies of this direction that select the pod."""
    return tuple(
        p
        for p in cluster.list("networkpolicies") or ()
        if p.ref.namespace == pod.namespace
        and direction in _types(p)
        and selected(p.mapping("spec.podSelector"), pod.obj.labels)
    )


def _types(policy: Obj) -> list[str]:
    given = policy.get("spec.policyTypes")
    if isinstance(given, list) and given:
        return [str(t) for t in given]
    return ["Ingress", "Egress"] if policy.get("spec.egress") is not None else ["Ingress"]


def rules(policy: Obj, direction: str) -> Iterator[Raw]:
    yield from policy.items(f"spec.{direction.lower()}")


def selected(selector: Raw, labels: Mapping[str, str]) -> bool:
    """A label selector of the API; an empty one selects everything."""
    wanted = selector.get("matchLabels")
    if isinstance(wanted, Mapping) and any(labels.get(k) != v for k, v in wanted.items()):
        return False
    return all(_holds(e, labels) for e in _items(selector.get("matchExpressions")))


def _holds(expression: Raw, labels: Mapping[str, str]) -> bool:
    key, values = str(expression.get("key")), expression.get("values") or []
    held = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return held.get(str(expression.get("operator")), False)


def _items(value: object) -> list[Raw]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _passes(cluster: Cluster, rule: Raw, direction: str, there: Pod, target: Pod, port: int) -> bool | None:
    """Whether a rule lets the traffic pass; None where that cannot be told."""
    if not _port_fits(rule, target, port):
        return False
    peers = _items(rule.get("from" if direction == "Ingress" else "to"))
    verdicts = [_peer(cluster, peer, there) for peer in peers]
    return True if not peers or True in verdicts else None if None in verdicts else False


def _port_fits(rule: Raw, target: Pod, port: int) -> bool:
    entries = _items(rule.get("ports"))
    return not entries or any(str(e.get("protocol", "TCP")) == "TCP" and _is_port(e, target, port) for e in entries)


def _is_port(entry: Raw, target: Pod, port: int) -> bool:
    given, end = entry.get("port"), entry.get("endPort")
    if given is None:
        return True
    if isinstance(given, int):
        return given <= port <= end if isinstance(end, int) else given == port
    ports = [p for c in target.containers for p in _items(c.spec.get("ports"))]
    return any(p.get("name") == given and p.get("containerPort") == port for p in ports)


def _peer(cluster: Cluster, peer: Raw, pod: Pod) -> bool | None:
    block = peer.get("ipBlock")
    if isinstance(block, Mapping):
        return _in_block(block, pod)
    space = peer.get("namespaceSelector")
    here = _space(cluster, space, pod.namespace) if isinstance(space, Mapping) else True
    pods = peer.get("podSelector")
    if isinstance(pods, Mapping) and not selected(pods, pod.obj.labels):
        return False
    return here


def _space(cluster: Cluster, selector: Raw, namespace: str) -> bool | None:
    found = cluster.find("namespaces", namespace, "")
    if found is not None:
        return selected(selector, {**found.labels, NAME: namespace})
    keys = {*(selector.get("matchLabels") or {}), *(str(e.get("key")) for e in _items(selector.get("matchExpressions")))}
    return selected(selector, {NAME: namespace}) if keys <= {NAME} else None


def _in_block(block: Raw, pod: Pod) -> bool | None:
    addresses = {str(i.get("ip")) for i in pod.obj.items("status.podIPs")} | {str(pod.obj.get("status.podIP", ""))}
    excluded = block.get("except")
    known = [a for a in addresses if a]
    if not known:
        return None
    return any(_within(a, block.get("cidr")) and not any(_within(a, e) for e in excluded or ()) for a in known)


def _within(address: str, cidr: object) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(str(cidr), strict=False)
    except ValueError:
        return False


def _may_ask_dns(rule: Raw, namespace: str) -> bool:
    """DNS runs in another namespace, or on the node: a rule for pods of this one does not reach it."""
    entries, peers = _items(rule.get("ports")), _items(rule.get("to"))
    if entries and not any(_is_dns(e) for e in entries):
        return False
    return not peers or any(_elsewhere(peer, namespace) for peer in peers)


def _is_dns(entry: Raw) -> bool:
    given, end = entry.get("port"), entry.get("endPort")
    return given is None or given in DNS_PORTS or (isinstance(given, int) and isinstance(end, int) and given <= 53 <= end)


def _elsewhere(peer: Raw, namespace: str) -> bool:
    space = peer.get("namespaceSelector")
    if not isinstance(space, Mapping):
        return "ipBlock" in peer
    named = (space.get("matchLabels") or {}).get(NAME)
    return bool(named != namespace)
