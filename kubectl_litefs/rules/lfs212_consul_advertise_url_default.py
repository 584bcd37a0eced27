"""LFS212 consul-advertise-url-default: the default URL is a bare pod name."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.lease import lease_of, parse_url
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [(p, *found) for p in cluster.pods if (found := _default(p)) is not None]
    if not seen or len(cluster.pods) < 2:
        return
    pod, url, _ = seen[0]
    yield RULE.finding(
        cluster.subject,
        f"The lease is Consul's and advertise-url is not set: {pod.name} tells the others to dial {url}, a bare pod name, which "
        "no other pod can resolve.",
        *(e for _, _, e in seen),
        *(v.evidence for p, _, _ in seen if p.config and (v := p.config.get("lease.advertise-url")) is not None),
        commands=(cluster.kubectl("get", "services"),),
    )


def _default(pod: Pod) -> tuple[str, Evidence] | None:
    """The URL that the pod gives out, where it is the default: from the log, else from a file that names none."""
    if not lease_of(pod).is_consul or pod.obj.get("spec.hostNetwork"):
        return None  # a node's name may well be in the cluster's DNS
    value = pod.config.get("lease.advertise-url") if pod.config else None
    if value is not None and value.given and (not value.known or value.value):
        return None  # somebody wrote it: LFS303 judges it
    begun = next((h.last for r in pod.runs if (h := r.hit("consul-init"))), None)
    if begun is not None:
        address = parse_url(begun.field("url"))
        bare = address is not None and "." not in address.host and address.host in (pod.host_name, pod.name)
        return (begun.field("url"), begun.evidence) if bare else None
    if value is None or pod.host_name is None or "." in pod.host_name:
        return None
    return f"http://{pod.host_name}:{pod.http_port}", value.evidence


RULE = Rule(
    id="LFS212",
    name="consul-advertise-url-default",
    title="A Consul lease without advertise-url gives out a bare pod name",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `no such host` for the primary's pod name.",
    impact="Whoever is primary cannot be reached: no replica follows.",
    cause="The default is http:// and the kernel's host name. A pod's name alone is in no DNS.",
    fix=("Set lease.advertise-url to http://${HOSTNAME}.SERVICE.NAMESPACE.svc:20202 with the name of the headless Service.",),
    reads=("log", "config"),
    check=check,
)
