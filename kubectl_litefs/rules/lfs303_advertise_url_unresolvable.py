"""LFS303 advertise-url-unresolvable: the host in advertise-url is nobody of this cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.dial_faults import mismatch, service_fault
from ..model.dns import (
    Dial,
    belongs,
    dials,
    expected,
    host_name,
    in_hosts_file,
    is_ip,
    is_self,
    may_belong,
    name_of,
    subject_of,
    unseen,
)
from ..model.origin import Evidence, Gap
from ..model.rule import Finding, Heals, Rule, Severity, Unknown
from ..model.stream import stuck, works
from ..model.topology import candidates, topology

NO_HOST = "no such host"


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    hidden = unseen(cluster)
    if hidden is not None:
        yield Unknown(hidden)
    for dial in dials(cluster):
        if dial.address is None or in_hosts_file(dial):
            continue
        told, severity = _judge(cluster, dial)
        lines = [line for p in dial.pods if (line := stuck(cluster, p, NO_HOST)) is not None]
        explained = service_fault(cluster, dial) is not None or mismatch(cluster, dial) is not None
        heals: Heals = "with a new pod"
        if not told and lines and not explained:
            told, severity, heals = _logged(cluster, dial), Severity.ERROR, "with time"  # DNS may only be late
        if told and severity is not Severity.WARNING and works(cluster, dial):
            continue  # it resolves, whatever it looks like
        if told:
            yield _finding(cluster, dial, told, severity, [line.evidence for line in lines], heals)
        elif not told and (gap := _unsure(cluster, dial)) is not None:
            yield Unknown(gap)


def _unsure(cluster: Cluster, dial: Dial) -> Gap | None:
    """What hides whether the host is right."""
    if is_ip(dial.host):
        return None if is_self(dial.host) else cluster.gaps.get("services")
    name = name_of(cluster, dial)
    there = name is None or name.pod is None or belongs(cluster, name.pod)
    return None if there else cluster.gaps.get("pods") or cluster.gaps.get("statefulsets")


def _judge(cluster: Cluster, dial: Dial) -> tuple[str, Severity]:
    """What is wrong with the host by what objects show; empty where nothing is."""
    host, name = dial.host, name_of(cluster, dial)
    if is_self(host):
        return f"{host} is each pod itself, so every replica dials itself", Severity.ERROR
    if is_ip(host):
        return ("", Severity.ERROR) if cluster.alone else _address(cluster, host)
    if name is None or cluster.alone:
        return "", Severity.ERROR
    if name.namespace != cluster.namespace and "pods" not in cluster.gaps:
        ours = topology(cluster).primaries or candidates(cluster)
        wrong = f"it lies in namespace {name.namespace}, and the pods are in {cluster.namespace}"
        return (wrong if ours and dial.static else ""), Severity.ERROR
    if name.pod is not None and not belongs(cluster, name.pod) and not may_belong(cluster, name.pod):
        return f"no pod of this cluster is called {name.pod}{_there(cluster)}", Severity.ERROR
    bare = name.pod is None and cluster.find("services", name.service) is None and belongs(cluster, name.service)
    if bare and cluster.list("services") is not None and len(cluster.pods) > 1:
        return "a pod's bare name resolves in that pod only, other pods need its Service behind it", Severity.ERROR
    return "", Severity.ERROR


def _there(cluster: Cluster) -> str:
    names = sorted(expected(cluster) or {host_name(p) for p in cluster.pods})
    return f" (there {'is' if len(names) == 1 else 'are'} {', '.join(names[:5])})" if names else ""


def _address(cluster: Cluster, host: str) -> tuple[str, Severity]:
    pod = next((p for p in cluster.pods if p.obj.get("status.podIP") == host), None)
    if pod is not None:
        return f"{host} is the present address of {pod.name}, which gets another at its next start", Severity.WARNING
    services = cluster.list("services")
    if services is None or any(s.get("spec.clusterIP") == host for s in services):
        return "", Severity.ERROR
    return f"{host} is the address of no pod and no Service here", Severity.ERROR


def _logged(cluster: Cluster, dial: Dial) -> str:
    name = name_of(cluster, dial)
    if name is not None and "services" in cluster.gaps:
        return f"DNS does not know it; whether there is a Service {name.service} could not be seen"
    if name is not None and name.domain:
        return f"DNS does not know it: is the cluster's domain really {name.domain}? The name works without it, too"
    return "DNS does not know it"


def _finding(cluster: Cluster, dial: Dial, told: str, severity: Severity, complaints: list[Evidence], heals: Heals) -> Finding:
    asker = dial.pods[-1]
    return RULE.finding(
        subject_of(cluster, dial),
        f"advertise-url is {dial.url}, but {told}.",
        *dial.evidence,
        *complaints,
        severity=severity,
        heals=heals,
        impact=None if severity is Severity.ERROR else "Replicas lose the primary when its pod is replaced.",
        commands=(
            cluster.kubectl("exec", asker.name, "-c", asker.container.name, "--", "getent", "hosts", dial.host),
            cluster.kubectl("get", "pods,services", "-o", "wide"),
        ),
        key="" if dial.static else dial.url,
    )


RULE = Rule(
    id="LFS303",
    name="advertise-url-unresolvable",
    title="The host in advertise-url is no pod of this cluster",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `no such host`, or dial an address that nobody has.",
    impact="Replicas cannot find the primary: they serve old data, or do not start the application at all.",
    cause="The name is spelled with another ordinal, namespace, Service or cluster domain than the primary's pod has.",
    fix=(
        "Write http://POD.SERVICE:20202 with the primary's pod and its headless Service on all nodes; the namespace and "
        "the cluster's domain may be left out.",
        "Correct it where litefs.yml comes from, commit, let the pipeline build the image if it is inside, apply, and look "
        "at the pods' logs. LiteFS reads the file at its start only.",
    ),
    reads=("config", "services", "statefulsets", "log", "info"),
    check=check,
    gotcha=2,
    follows=("LFS403", "LFS201", "LFS204", "LFS508", "LFS507", "LFS505"),
)
