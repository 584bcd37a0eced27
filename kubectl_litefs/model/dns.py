"""What an advertise-url names: the forms of Kubernetes' DNS, and who of the cluster answers to them.

A pod has a name of its own under the headless Service that is its `spec.subdomain`, and under no other. The search
list of a pod's resolver completes short names, so a dotted name can be read in two ways. The cluster's domain is
`cluster.local` mostly, but nothing here relies on it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from .cluster import Cluster
from .lease import Address, lease_of, parse_url
from .objects import Obj
from .origin import Evidence, Gap, GapReason, ObjectRef
from .pod import Pod

MOST = 10_000
"""Pods of one set whose names are made up; more than any set has."""


@dataclass(frozen=True, slots=True)
class Name:
    """One reading of a host name. `pod` is None where it means the Service itself; `domain` is the cluster domain
    as far as it is written."""

    pod: str | None
    service: str
    namespace: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """An advertise-url with the pods that use it. `address` is None where LiteFS would refuse the URL."""

    url: str
    address: Address | None
    pods: tuple[Pod, ...]
    evidence: tuple[Evidence, ...]
    static: bool

    @property
    def host(self) -> str:
        return self.address.host if self.address else ""


def dials(cluster: Cluster) -> tuple[Dial, ...]:
    """The advertise-urls of the cluster. Under a Consul lease each pod's is its own."""
    users: dict[tuple[str, bool], list[Pod]] = {}
    for pod in cluster.pods:
        lease = lease_of(pod)
        if lease.url is not None:
            users.setdefault((lease.url, not lease.is_consul), []).append(pod)
    return tuple(Dial(url, _address(url), tuple(p), _seen(p, url), static) for (url, static), p in users.items())


def _address(url: str) -> Address | None:
    address = parse_url(url)
    return None if address is None or dotted_port(address) else address


def dotted_port(address: Address) -> str:
    """The port that stands behind a dot in place of a colon (`http://pod.svc.20202`); empty where none does."""
    last = address.host.rpartition(".")[2]
    return last if not address.port_given and last.isdigit() and not is_ip(address.host) else ""


def _seen(pods: list[Pod], url: str) -> tuple[Evidence, ...]:
    """The file's line where a file asks for it, and each pod's start-up line."""
    written: dict[Evidence, None] = {}
    logged: dict[Evidence, None] = {}
    for pod in pods:
        value = pod.config.get("lease.advertise-url") if pod.config else None
        if value is not None and value.known and value.value == url:
            written[value.evidence] = None
        seen = lease_of(pod).advertise_url
        if seen is not None and seen.evidence not in written:
            logged[seen.evidence] = None
    return (*written, *logged)


def unseen(cluster: Cluster) -> Gap | None:
    """Why no advertise-url is known at all; None where one is, or where none is needed."""
    if dials(cluster):
        return None
    for pod in cluster.pods:
        value = pod.config.get("lease.advertise-url") if pod.config else None
        if value is None or not value.known:
            unclear = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "lease.advertise-url is not known")
            return pod.gaps.get("config") or pod.gaps.get("log") or unclear
    return None


def subject_of(cluster: Cluster, dial: Dial) -> ObjectRef:
    """The set where all its pods use this URL, else the pod that does."""
    others = [p for p in cluster.pods if p not in dial.pods and lease_of(p).url is not None]
    return dial.pods[0].ref if others else cluster.subject


def readings(host: str, namespace: str) -> tuple[Name, ...]:
    """All that a host name can mean to a resolver in `namespace`; empty for an IP or a name from elsewhere."""
    labels = host.rstrip(".").lower().split(".")
    if is_ip(host) or is_self(host) or not all(labels):
        return ()
    found: list[Name] = []
    n, absolute = len(labels), host.endswith(".")
    if n >= 3 and labels[2] == "svc" and not (absolute and n == 3):
        found.append(Name(None, labels[0], labels[1], ".".join(labels[3:])))
    if n >= 4 and labels[3] == "svc" and not (absolute and n == 4):
        found.append(Name(labels[0], labels[1], labels[2], ".".join(labels[4:])))
    if absolute:
        return tuple(found)
    if n == 1:
        found.append(Name(None, labels[0], namespace))
    if n == 2:
        found += [Name(labels[0], labels[1], namespace), Name(None, labels[0], labels[1])]
    if n == 3 and labels[2] != "svc":
        found.append(Name(labels[0], labels[1], labels[2]))
    return tuple(found)


def name_of(cluster: Cluster, dial: Dial) -> Name | None:
    """The reading that fits the cluster best; None where the host is no name of Kubernetes' DNS."""

    def fit(name: Name) -> tuple[bool, bool, bool, bool]:
        here = name.namespace == cluster.namespace
        exists = here and cluster.find("services", name.service) is not None
        return exists, here, here and name.pod is None and "." in dial.host, belongs(cluster, name.pod or "")

    return max(readings(dial.host, cluster.namespace), key=fit, default=None)


def is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_self(host: str) -> bool:
    """Whether every pod that dials this host reaches itself: loopback, localhost, 0.0.0.0."""
    if not is_ip(host):
        return host.rstrip(".") == "localhost"
    address = ipaddress.ip_address(host)
    return address.is_loopback or address.is_unspecified


def in_hosts_file(dial: Dial) -> bool:
    """Whether the pods' own hosts file (`spec.hostAliases`) has the name: then DNS is not asked."""
    names = [a.get("hostnames") for p in dial.pods for a in p.obj.items("spec.hostAliases")]
    return any(isinstance(n, list) and dial.host in n for n in names)


def host_name(pod: Pod) -> str:
    """The pod's name in DNS."""
    return str(pod.obj.get("spec.hostname") or pod.name).lower()


def expected(cluster: Cluster) -> set[str]:
    """Names that the StatefulSets of the cluster give to their pods, running or not."""
    names: set[str] = set()
    for owner in cluster.owners():
        if owner.ref.kind == "StatefulSet":
            first, count = _number(owner.get("spec.ordinals.start", 0)), _number(owner.get("spec.replicas", 1))
            names |= {f"{owner.ref.name}-{i}" for i in range(first, first + min(count, MOST))}
    return names


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def belongs(cluster: Cluster, host: str) -> bool:
    """Whether a pod of the cluster has this DNS name, or will have it once it is created."""
    return host in expected(cluster) or any(host == host_name(p) for p in cluster.pods)


def may_belong(cluster: Cluster, host: str) -> bool:
    """Whether it could be a pod of a StatefulSet that was not read, or one of which no log was given."""
    if "pods" in cluster.gaps:
        return True
    unread = "statefulsets" in cluster.gaps
    return unread and any(w.kind == "StatefulSet" and host.rpartition("-")[0] == w.name for w in cluster.workloads)


# --- Services


def selects(service: Obj, pod: Pod) -> bool:
    """Whether the Service's selector matches the pod. A Service without one selects nothing by itself."""
    selector = service.mapping("spec.selector")
    here = service.ref.namespace == pod.namespace
    return here and bool(selector) and all(pod.obj.labels.get(k) == v for k, v in selector.items())


def is_headless(service: Obj) -> bool:
    return bool(service.get("spec.clusterIP") == "None")


def led_to(cluster: Cluster, dial: Dial, name: Name) -> tuple[Pod, ...]:
    """The pods that the URL leads to, as far as they are there."""
    if name.namespace != cluster.namespace:
        return ()
    if name.pod is not None:
        return tuple(p for p in cluster.pods if host_name(p) == name.pod)
    service = cluster.find("services", name.service)
    return tuple(p for p in cluster.pods if service is not None and selects(service, p))
