"""LFS202 lease-hostname-per-pod: the pods do not agree who is called the primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import by_host_name, changes_with_rollout, named_pod, start_line_command, static_pods
from ..model.cluster import Cluster
from ..model.families import names
from ..model.lease import lease_of
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    own_name = by_host_name(cluster, "lease.hostname")
    if own_name:
        told = f"litefs.yml gives lease.hostname as {own_name[0].text}: each node calls itself the primary."
        yield RULE.finding(cluster.subject, told, *(v.evidence for v in own_name))
        return
    seen = [(p, *named) for p in static_pods(cluster) if (named := _name(p)) is not None]
    values = {p.name: _meant(cluster, name) for p, name, _ in seen}
    if len(set(values.values())) < 2 or changes_with_rollout(cluster, values):
        return
    own = [p for p, name, _ in seen if named_pod(cluster, name) is p]
    if len(own) == len(seen):
        told = f"each of {names(own)} calls itself the primary"
    else:
        told = "; ".join(f"{p.name} says {name}" for p, name, _ in seen[:6])
    written = [v.evidence for p, _, _ in seen for v in (p.config.variables if p.config else ()) if v.key == "lease.hostname"]
    yield RULE.finding(
        cluster.subject,
        f"The pods do not agree who the primary is: {told}.",
        *(e for _, _, e in seen),
        *(p.info.seen("primary.hostname") for p, _, _ in seen if p.info and p.info.primary_hostname),
        *written,
        commands=tuple(start_line_command(cluster, p) for p, _, _ in seen[:2]),
    )


def _name(pod: Pod) -> tuple[str, Evidence] | None:
    """The start-up line's name first, or the file's; else /info's."""
    hostname = lease_of(pod).hostname
    if hostname is not None and hostname.value:
        return str(hostname.value), hostname.evidence
    if pod.info is not None and pod.info.primary_hostname:
        return pod.info.primary_hostname, pod.info.seen("primary.hostname")
    return None


def _meant(cluster: Cluster, name: str) -> str:
    """A pod's short and long name mean the same."""
    pod = named_pod(cluster, name)
    return pod.name if pod else name.lower()


RULE = Rule(
    id="LFS202",
    name="lease-hostname-per-pod",
    title="lease.hostname differs from pod to pod",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Each replica's /info and .primary name the replica itself; data still replicates.",
    impact="An application that forwards writes to the primary sends them to itself, in a circle.",
    cause="lease.hostname holds ${HOSTNAME}. Under a static lease it must be the primary's name on every pod; candidate alone "
    "decides who is primary.",
    fix=(
        "Write the primary's pod name into lease.hostname, the same on all pods, and restart the set.",
        "Commit, apply, and look at the line `Using static primary` of each pod's log.",
    ),
    reads=("log", "config", "info"),
    check=check,
    gotcha=2,
    follows=("LFS201", "LFS505", "LFS508", "LFS507"),
)
