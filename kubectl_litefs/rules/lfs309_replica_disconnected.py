"""LFS309 replica-disconnected: a replica does not get the primary's changes, whatever the reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ..model.alive import lost
from ..model.candidates import being_replaced
from ..model.cluster import Cluster
from ..model.dial_faults import wrong_ports
from ..model.dns import dials, expected
from ..model.grouping import log_command
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import last_error, streak
from ..model.topology import Link, Role, Topology, candidates, joined, topology

QUIET = timedelta(seconds=15)
"""The first seconds of a pod or of its primary: nothing is wrong yet."""
LEADERLESS = timedelta(seconds=30)
"""How long errors must go on where no primary is to be seen."""
REPLACED = timedelta(seconds=90)
"""A pod that is merely replaced is back by then, mostly."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    who = topology(cluster)
    for pod in cluster.pods:
        link = who.links[pod.name]
        if link.role in (Role.DISCONNECTED, Role.CONNECTING, Role.STRANGER) and not _too_early(cluster, who, pod):
            yield _finding(cluster, who, pod, link)
        elif link.role is Role.UNKNOWN and who.primary is not None and "info" in pod.gaps:
            yield Unknown(pod.gaps["info"])


def _too_early(cluster: Cluster, who: Topology, pod: Pod) -> bool:
    if lost(pod) or _age(cluster, pod) < QUIET:
        return True
    if who.primary is not None:
        return who.role(pod) is Role.CONNECTING and _age(cluster, who.primary) < QUIET
    return pod.log is not None and streak(pod.log) < LEADERLESS


def _age(cluster: Cluster, pod: Pod) -> timedelta:
    return cluster.now - pod.started if pod.started else timedelta.max


def _finding(cluster: Cluster, who: Topology, pod: Pod, link: Link) -> Finding:
    line = last_error(cluster, pod)
    primary = f"the primary {who.primary.name}" if who.primary else _hoped_for(cluster, pod)
    heals = _heals(cluster, who, pod, link)
    said = (line.field("error") or line.text.split("retrying: ", 1)[-1]) if line else ""
    reason = f": {said[-220:]}" if said else f" ({link.why})" if link.why else ""
    told = f"{pod.name} is not connected to {primary}{reason}."
    told += f" {heals}" if heals else ""
    counted = who.primary.metrics.lines.get("litefs_subscriber_count") if who.primary and who.primary.metrics else None
    few = (
        who.primary is not None
        and who.primary.metrics is not None
        and ((who.primary.metrics.subscribers or 0) < len(cluster.pods) - 1)
    )
    return RULE.finding(
        pod.ref,
        told,
        *link.evidence,
        line.evidence if line else None,
        counted if few else None,
        severity=Severity.WARNING if heals else Severity.ERROR,
        impact=_impact(pod),
        fix=("Wait two minutes and look again.", *RULE.fix) if heals else None,
        commands=(
            log_command(cluster, pod),
            *([log_command(cluster, who.primary)] if who.primary else []),
            cluster.kubectl("get", "pods", "-o", "wide"),
        ),
    )


def _hoped_for(cluster: Cluster, pod: Pod) -> str:
    others = [p.name for p in candidates(cluster) if p is not pod]
    return f"{others[0]}, which should be the primary" if others else "any primary"


def _heals(cluster: Cluster, who: Topology, pod: Pod, link: Link) -> str:
    """Why it may well end by itself, in words; empty where it will not, such as with a URL that is wrong anyway."""
    if any(True for dial in dials(cluster) if pod in dial.pods for _ in wrong_ports(cluster, dial)):
        return ""
    if link.role is Role.CONNECTING:
        return "The primary has only just started: such a dial may hang for about two minutes and then heals by itself."
    if who.primary is not None or link.role is Role.STRANGER or pod.log is None or streak(pod.log) > REPLACED:
        return ""
    absent = expected(cluster) - {p.name for p in cluster.pods}
    if absent or any(p is not pod and being_replaced(cluster, p) for p in who.leaders):
        return "A pod is being replaced: this ends by itself once the primary runs again."
    return ""


def _impact(pod: Pod) -> str:
    if joined(pod) is False:
        return "Its application has not been started, or sees the data of an earlier time; writes do not arrive."
    return "It serves old data and goes on doing so, while the pod may well be Running and Ready."


CAUSES = tuple(
    (
        "LFS102 LFS110 LFS101 LFS106 LFS105 LFS204 LFS305 LFS302 LFS301 LFS303 LFS304 LFS311 LFS307 LFS310 LFS606 LFS306 LFS211 LFS212 "
        "LFS209 LFS206 LFS205 LFS207 LFS103 LFS403 LFS210 LFS402 LFS501 LFS502 LFS503 LFS504 LFS505 LFS506 "
        "LFS510 LFS512 LFS107 LFS605 LFS601 LFS602 LFS603 LFS604 LFS607 LFS609 LFS410 LFS411 LFS709 LFS701 LFS704 "
        "LFS707 LFS712 LFS710 LFS511 LFS702 LFS404 LFS810 LFS509 LFS801 LFS104 LFS508 LFS507 LFS201"
    ).split()
)

RULE = Rule(
    id="LFS309",
    name="replica-disconnected",
    title="A replica is not connected to the primary",
    severity=Severity.ERROR,
    heals="with time",
    symptom="The replica shows old data, or its application never starts; the pod is Running, litefs_lag_seconds may be 0.",
    impact="The replica serves old data and goes on doing so.",
    cause="The connection is refused, rejected or hangs. LiteFS has no time limit for dialling: a connection that hangs "
    "logs nothing, and /info names the primary as if all were well.",
    fix=(
        "Read the newest `disconnected from primary with error` line of the replica: its end says why.",
        "Without such a line the dial hangs: compare host and port of advertise-url with the primary's pod, and look for a "
        "NetworkPolicy.",
        "Do not delete the replica's volume for this: it cures no connection.",
    ),
    reads=("info", "log", "metrics", "vars"),
    check=check,
    follows=CAUSES,
)
