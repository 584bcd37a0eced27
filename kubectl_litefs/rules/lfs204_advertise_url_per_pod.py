"""LFS204 advertise-url-per-pod: the pods of a static lease do not dial the same primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import by_host_name, changes_with_rollout, named_pod, start_line_command, static_pods
from ..model.cluster import Cluster
from ..model.families import names
from ..model.lease import lease_of, parse_url
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity


def check(cluster: Cluster) -> Iterator[Finding]:
    own_name = by_host_name(cluster, "lease.advertise-url")
    if own_name:
        told = f"advertise-url holds {own_name[0].text}: each node names itself. Under a static lease it is the primary's URL, the same on every pod."
        yield RULE.finding(cluster.subject, told, *(v.evidence for v in own_name))
        return
    seen = [(p, u) for p in static_pods(cluster) if lease_of(p).url and (u := lease_of(p).advertise_url) is not None]
    targets = {p.name: _target(cluster, str(u.value)) for p, u in seen}
    selves = [(p, line) for p in cluster.pods if (line := _dials_itself(cluster, p)) is not None]
    written = [v.evidence for p, _ in seen for v in (p.config.variables if p.config else ()) if v.key == "lease.advertise-url"]
    if len(set(targets.values())) > 1 and not changes_with_rollout(cluster, targets):
        own = [p for p, u in seen if targets[p.name][0] == p.name]
        if len(own) == len(seen):
            told = f"advertise-url differs from pod to pod: each of {names(own)} names itself"
        else:
            told = "advertise-url differs from pod to pod: " + "; ".join(f"{p.name} has {u.value}" for p, u in seen[:6])
        subject, pods = cluster.subject, [p for p, _ in seen]
    elif selves and len(targets) < 2:
        told = f"{names(p for p, _ in selves)} dials itself, again and again"
        pods = [p for p, _ in selves]
        subject = pods[0].ref if len(pods) == 1 else cluster.subject
    else:
        return  # all dial one address: who it leads to is LFS206's and LFS211's
    yield RULE.finding(
        subject,
        f"{told}. Under a static lease it is the primary's URL, the same on every pod.",
        *(u.evidence for _, u in seen),
        *(e for _, e in selves),
        *written,
        commands=tuple(start_line_command(cluster, p) for p in pods[:2]),
    )


def _target(cluster: Cluster, url: str) -> tuple[str, int]:
    """Short and long names of one pod, at one port, are the same."""
    address = parse_url(url)
    if address is None:
        return url, 0
    pod = named_pod(cluster, address.host)
    return (pod.name if pod else address.host.rstrip(".").lower()), address.port


def _dials_itself(cluster: Cluster, pod: Pod) -> Evidence | None:
    hits = pod.log.hit("cannot-connect-to-self") if pod.log else None
    if hits is None or pod.log is None or not pod.log.lasts("cannot-connect-to-self", cluster.now):
        return None
    return hits.last.evidence


RULE = Rule(
    id="LFS204",
    name="advertise-url-per-pod",
    title="advertise-url differs from pod to pod",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `http: POST /stream: error: cannot connect to self` and `invalid response: code=400`, each second; they "
    "stay Running and Ready.",
    impact="The replicas dial themselves and follow nobody: they hold no data, or old data.",
    cause="advertise-url contains ${HOSTNAME}. Under a static lease it is not a pod's own address but the primary's.",
    fix=(
        "Write the primary's URL into lease.advertise-url, the same on all pods, and restart the set.",
        "Commit, apply, and look at the line `Using static primary` of each pod's log.",
    ),
    reads=("log", "config"),
    check=check,
    gotcha=2,
    follows=("LFS201", "LFS505", "LFS508", "LFS507"),
)
