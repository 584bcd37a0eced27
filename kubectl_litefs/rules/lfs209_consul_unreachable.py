"""LFS209 consul-unreachable: the lease cannot be asked for or kept."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.families import names
from ..model.grouping import exit_seen
from ..model.logs import LogLine, LogRun
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity

RENEWAL = ("consul-renewal", "consul-lease-lost")
SIGNATURES = ("consul-unreachable", *RENEWAL)
BACK_OFF = 30.0
"""Seconds between two attempts at most: the client of Consul waits longer than LiteFS's second."""


def check(cluster: Cluster) -> Iterator[Finding]:
    seen = [(p, line) for p in cluster.pods if (line := _trouble(cluster, p)) is not None]
    if not seen:
        return
    pods = [p for p, _ in seen]
    error = seen[0][1].field("error") or seen[0][1].text
    alone = len(pods) == 1 < len(cluster.pods)
    yield RULE.finding(
        pods[0].ref if alone else cluster.subject,
        f"{names(pods, 6)} cannot reach Consul: {error[:240]}",
        *(line.evidence for _, line in seen),
        *(v.evidence for p in pods if p.config and (v := p.config.get("lease.consul.url")) is not None and v.given),
        *(exit_seen(p) for p in pods if not p.container.running),
        commands=tuple(cluster.kubectl("logs", p.name, "-c", p.container.name, "--tail=20") for p in pods[:2]),
    )


def _trouble(cluster: Cluster, pod: Pod) -> LogLine | None:
    """Errors that go on now, or that ended the node. A single renewal error heals by itself."""
    run = pod.log
    line = run.latest(*SIGNATURES) if run else None
    if run is None or line is None:
        return None
    if not pod.container.running:
        fatal = run.latest("fatal")
        return line if _is_last(run, line) and (fatal is None or fatal.number <= line.number or "onsul" in fatal.text) else None
    if any(run.lasts(s, cluster.now) for s in RENEWAL):
        return line
    lately = run.repeats("consul-unreachable", cluster.now, BACK_OFF)
    return line if lately and _is_last(run, line) else None


def _is_last(run: LogRun, line: LogLine) -> bool:
    """Whether nothing shows that it has worked since."""
    worked = run.latest("connected", "lease-acquired", "existing-primary")
    return worked is None or worked.number < line.number


RULE = Rule(
    id="LFS209",
    name="consul-unreachable",
    title="Consul cannot be reached",
    severity=Severity.ERROR,
    heals="with time",
    symptom="`cannot fetch cluster ID from \"consul\" lease`, `create consul session`, `cannot connect to consul` or renewal errors.",
    impact="No node can become or stay primary: nothing can be written.",
    cause="lease.consul.url names a host that does not resolve or answer from the pods, Consul is down, or its ACL refuses.",
    fix=(
        "Check that the host in lease.consul.url resolves in the pods' namespace and that port 8500 answers.",
        "If Consul is slow, renewals fail and the primary changes: look at Consul's own health.",
    ),
    reads=("log",),
    check=check,
)
