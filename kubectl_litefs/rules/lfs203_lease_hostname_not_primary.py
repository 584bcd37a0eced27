"""LFS203 lease-hostname-not-primary: all pods name a pod that is not the primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import blind, candidacy, evidence_of, named_pod, start_line_command, static_pods
from ..model.cluster import Cluster
from ..model.lease import lease_of
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    pods = static_pods(cluster)
    seen = [(p, h) for p in pods if (h := lease_of(p).hostname) is not None and h.value]
    named = {named_pod(cluster, str(h.value)) for _, h in seen}
    target = named.pop() if len(named) == 1 else None
    if target is None:
        return  # several names: LFS202; no pod's name: LFS201
    may = candidacy(pods)
    lead = topology(cluster).primary or (may.yes[0] if len(may.yes) == 1 and not may.unknown else None)
    if lead is None:
        if may.unknown and not may.yes:
            yield Unknown(blind(may.unknown[0]))
        return
    if lead is target:
        return
    yield RULE.finding(
        cluster.subject,
        f"All pods call {seen[0][1].value} the primary, but {lead.name} is: writes that are forwarded by name go to a replica.",
        *(h.evidence for _, h in seen),
        lead.info.seen("isPrimary") if lead.info else None,
        *evidence_of(lead),
        commands=(start_line_command(cluster, lead),),
    )


RULE = Rule(
    id="LFS203",
    name="lease-hostname-not-primary",
    title="lease.hostname names a replica",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replication works, but writes that the application forwards fail on a read-only database.",
    impact="Forwarded writes go to a replica and are refused.",
    cause="lease.hostname and candidate were changed apart: one says who is called primary, the other who is.",
    fix=(
        "Let lease.hostname name the pod whose candidate is true, on all pods, and restart the set.",
        "Commit, apply, and look at the line `Using static primary` of each pod's log.",
    ),
    reads=("info", "log", "config"),
    check=check,
    gotcha=2,
    follows=("LFS201", "LFS505", "LFS508", "LFS507"),
)
