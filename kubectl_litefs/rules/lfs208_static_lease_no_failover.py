"""LFS208 static-lease-no-failover: with the primary gone nobody takes over."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import being_replaced, candidacy, static_pods
from ..model.cluster import Cluster
from ..model.families import NOT_RUNNING
from ..model.lease import lease_of
from ..model.rule import Finding, Rule, Severity
from ..model.topology import Role, topology


def check(cluster: Cluster) -> Iterator[Finding]:
    pods = static_pods(cluster)
    if not pods:
        return
    who = topology(cluster)
    kind = next((t.evidence for p in pods if (t := lease_of(p).type) is not None), None)
    leads = () if who.primaries else candidacy(pods).yes
    down = [p for p in leads if who.role(p) is Role.DOWN and not being_replaced(cluster, p)]
    if down and len(down) == len(leads):
        yield RULE.finding(
            cluster.subject,
            f"The lease is static and its primary {down[0].name} is down ({who.links[down[0].name].why}): nobody takes over.",
            kind,
            down[0].obj.seen("status.phase"),
            severity=Severity.WARNING,
            commands=(cluster.kubectl("describe", "pod", down[0].name),),
        )
        return
    yield RULE.finding(
        cluster.subject,
        "The lease is static: while its primary is away nothing can be written, and no replica takes over.",
        kind,
    )


RULE = Rule(
    id="LFS208",
    name="static-lease-no-failover",
    title="A static lease has no failover",
    severity=Severity.INFO,
    heals="with time",
    symptom="Writes stop whenever the primary's pod restarts, moves or crashes.",
    impact="No writes while the primary is away; reads on the replicas go on.",
    cause="With lease.type static the primary is fixed by the configuration. Only a Consul lease can move.",
    fix=("Nothing, if short pauses in writing are fine. Otherwise use a Consul lease; do not make a second candidate.",),
    reads=("log", "config", "info"),
    check=check,
    follows=(*NOT_RUNNING, "LFS801"),
)
