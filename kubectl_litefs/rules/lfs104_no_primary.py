"""LFS104 no-primary: every answering pod is a replica."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import (
    STARTING,
    being_replaced,
    blind,
    candidate_of,
    missing_pods,
    primary_elsewhere,
    unread_set,
)
from ..model.cluster import Cluster
from ..model.families import NOT_RUNNING, names
from ..model.origin import Gap, GapReason
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import Role, topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    answering = [p for p in cluster.pods if p.info is not None]
    if not answering or any(s.info.is_primary for p in cluster.pods for s in p.sweeps if s.info is not None):
        return
    who = topology(cluster)
    silent = [p for p in cluster.pods if p.info is None and _may_lead(p)]
    hidden = [p for p in silent if who.role(p) is not Role.DOWN or being_replaced(cluster, p)]
    if hidden:
        yield from (Unknown(blind(p)) for p in hidden)
        return
    elsewhere = primary_elsewhere(cluster)
    if isinstance(elsewhere, Gap):
        yield Unknown(elsewhere)
        return
    if elsewhere:
        return
    absent, unread = missing_pods(cluster), unread_set(cluster)
    if unread is not None and not silent and _lost_lately(cluster, answering):
        yield Unknown(unread)  # one more pod may be asked for, on its way back
        return
    if absent and not silent and _lost_lately(cluster, answering):
        detail = f"{absent[0]} is not there at the moment; it may be the primary, on its way back"
        yield Unknown(Gap(f"objects/{cluster.namespace}/pods.json", GapReason.ABSENT, detail))
        return
    yield _finding(cluster, answering, silent)


def _may_lead(pod: Pod) -> bool:
    """Whether this pod is the primary when it runs, as far as is known."""
    candidate = candidate_of(pod)
    return candidate is None or candidate.value is True


def _lost_lately(cluster: Cluster, pods: list[Pod]) -> bool:
    """Whether a replica lost its stream only just now: no primary for these seconds is what a rollout looks like."""
    lines = [line for p in pods if p.log and (line := p.log.latest("disconnected-clean", "stream-broken")) is not None]
    return any(line.time is not None and cluster.now - line.time < STARTING for line in lines)


def _finding(cluster: Cluster, answering: list[Pod], silent: list[Pod]) -> Finding:
    who = topology(cluster)
    reasons = [f"{p.name} should lead and does not run ({who.links[p.name].why})" for p in silent]
    reasons += [f"{name} is asked for and not there" for name in missing_pods(cluster)[:3]]
    why = "; ".join(reasons)
    are = "is a replica" if len(answering) == 1 else "are replicas"
    asked = [h.last.evidence for p in answering if p.log and (h := p.log.hit("no-primary"))]
    looked = silent or answering
    return RULE.finding(
        cluster.subject,
        f"No pod is primary: {names(answering, 6)} {are}{f', and {why}' if why else ''}.",
        *(p.info.seen("isPrimary") for p in answering if p.info),
        *asked,
        *(p.obj.seen("status.phase") for p in silent),
        commands=(
            cluster.kubectl("get", "pods", "-o", "wide"),
            *(cluster.kubectl("logs", p.name, "-c", p.container.name, "--tail=50") for p in looked[:2]),
        ),
    )


RULE = Rule(
    id="LFS104",
    name="no-primary",
    title="No pod is primary",
    severity=Severity.ERROR,
    heals="with time",
    symptom="Writes fail with `attempt to write a readonly database` or hang, while the pods may all be Ready.",
    impact="Nothing can be written. Replicas go on serving what they had; one that never joined serves nothing.",
    cause="Static lease: no pod is a candidate, or the candidate does not run. Consul: nobody holds the lease.",
    fix=(
        "Find out why the pod that should be primary is not: its log, its configuration, its volume.",
        "Do not make a replica a candidate in a hurry: as soon as the old primary returns there are two.",
    ),
    reads=("info",),
    check=check,
    gotcha=2,
    follows=("LFS206", "LFS209", "LFS106", "LFS211", *NOT_RUNNING, "LFS712", "LFS609", "LFS801", "LFS403"),
)
