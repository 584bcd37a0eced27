"""LFS311 api-bound-to-loopback: LiteFS's API listens where no other pod can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.dns import is_self
from ..model.grouping import Fault, Sighting, config_command, faults, listed, own_config
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.stream import stuck

UNSPECIFIED = ("", "0.0.0.0", "::", "[::]", "*")


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    bound = [s for pod in cluster.pods for s in _bound(pod)]
    for fault in faults(cluster, bound):
        yield _finding(cluster, fault)
    if not bound:
        yield from (Unknown(p.gaps["config"]) for p in cluster.pods if "config" in p.gaps and p.info is None)


def _bound(pod: Pod) -> Iterator[Sighting]:
    config = own_config(pod)
    address = config.known("http.addr") if config else None
    if config is None or not isinstance(address, str):
        return
    host = address.rpartition(":")[0].strip("[]")
    if host not in UNSPECIFIED and is_self(host):
        yield Sighting(pod, address, f"http.addr is {address} ({config.name})", (config.values["http.addr"].evidence,))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    reached = [p for p in fault.pods if p.info is not None]
    refused: list[Evidence] = [
        line.evidence for p in cluster.pods if (line := stuck(cluster, p, "connection refused")) is not None
    ]
    note = f" {listed(p.name for p in reached)} answered from outside: the file was changed since." if reached else ""
    return RULE.finding(
        fault.subject,
        f"{fault.text}: only the pod itself can reach LiteFS's API there, no replica can.{note}",
        *fault.evidence,
        *refused,
        severity=Severity.WARNING if reached else Severity.ERROR,
        impact="After the next restart no replica can connect." if reached else None,
        commands=(config_command(cluster, fault.pods[0]),),
    )


RULE = Rule(
    id="LFS311",
    name="api-bound-to-loopback",
    title="LiteFS's API listens on the loopback address only",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `connection refused`; the log of the primary says that its server listens, as it always does.",
    impact="No replica can connect, and no tool can look at the node.",
    cause="http.addr names localhost, 127.0.0.1 or ::1. The log prints `http://localhost:PORT` for every address, so it "
    "shows nothing.",
    fix=(
        'Write http.addr as ":20202", or leave it out.',
        "Correct it where litefs.yml comes from, commit, let the pipeline build the image if it is inside, apply, restart "
        "the pods, and look at their logs.",
    ),
    reads=("config", "info", "log"),
    check=check,
)
