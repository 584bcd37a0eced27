"""LFS211 advertise-url-not-primary: replicas dial a pod that is not the primary."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.candidates import blind, candidacy, candidate_gap, evidence_of, named_pod, start_line_command, static_pods
from ..model.cluster import Cluster
from ..model.dns import Dial, dials, led_to, name_of, subject_of
from ..model.families import NOT_RUNNING, names
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import Role, topology


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    urls = [d for d in dials(cluster) if d.static and d.address is not None]
    hits = {d.url: _led_to(cluster, d) for d in urls}
    if len({tuple(p.name for p in h) for h in hits.values()}) > 1:
        return  # LFS204
    leads = topology(cluster).primaries or candidacy(static_pods(cluster)).yes
    if not leads:
        may = candidacy(static_pods(cluster))
        yield from (Unknown(candidate_gap(p)) for p in may.unknown if urls)
        return  # nobody is a candidate: LFS206
    for dial in urls:
        name, unread = name_of(cluster, dial), cluster.gaps.get("services")
        if name is not None and name.pod is None and cluster.list("services") is None and unread is not None:
            yield Unknown(unread)
        unheard = [p for p in _perhaps(hits[dial.url]) if not any(h in leads for h in hits[dial.url])]
        if unheard:
            yield from (Unknown(blind(p)) for p in unheard)
            continue
        told = _told(cluster, dial, hits[dial.url], leads)
        if told:
            yield _finding(cluster, dial, told, leads)


def _led_to(cluster: Cluster, dial: Dial) -> tuple[Pod, ...]:
    name = name_of(cluster, dial)
    found = led_to(cluster, dial, name) if name is not None else ()
    alone = named_pod(cluster, dial.host) if name is None or (name.pod is None and not found) else None
    return found or ((alone,) if alone else ())


def _perhaps(hit: tuple[Pod, ...]) -> tuple[Pod, ...]:
    """Pods that may be primary, too, for all that could be seen of them."""
    sure = candidacy(hit).no
    return tuple(p for p in hit if p.is_primary is None and p not in sure)


def _told(cluster: Cluster, dial: Dial, hit: tuple[Pod, ...], leads: tuple[Pod, ...]) -> str:
    """What is wrong with the place that the URL leads to, in words; empty where nothing is."""
    if hit and not any(p in leads for p in hit):
        is_are = "is" if len(leads) == 1 else "are"
        return f"advertise-url {dial.url} leads to {names(hit)}, but {names(leads)} {is_are} the primary"
    if len(hit) > 1:
        return f"advertise-url {dial.url} leads to any of {len(hit)} pods ({names(hit)}), not to the primary {names(leads)} alone"
    refused = [p for p in dial.pods if _refused(cluster, p) is not None]
    if not hit and refused and topology(cluster).primaries:
        return f"{names(refused)} dial {dial.url}, where a node answers that it is not the primary (code 503); {names(leads)} is"
    return ""


def _refused(cluster: Cluster, pod: Pod) -> Evidence | None:
    """`code=503` that lasts: the node that was dialled is not the primary."""
    hits = pod.log.hit("connect-error") if pod.log else None
    if hits is None or pod.log is None or topology(cluster).role(pod) is Role.FOLLOWING:
        return None
    lasts = pod.log.lasts("connect-error", cluster.now)
    return hits.last.evidence if lasts and "code=503" in hits.last.field("error") else None


def _finding(cluster: Cluster, dial: Dial, told: str, leads: tuple[Pod, ...]) -> Finding:
    expired = [h.last.evidence for p in cluster.pods if p.log and (h := p.log.hit("lease-expired-stream"))]
    return RULE.finding(
        subject_of(cluster, dial),
        f"{told}.",
        *dial.evidence,
        *(e for p in dial.pods if (e := _refused(cluster, p)) is not None),
        *expired,
        *(e for p in leads for e in evidence_of(p)),
        commands=(start_line_command(cluster, dial.pods[0]),),
    )


RULE = Rule(
    id="LFS211",
    name="advertise-url-not-primary",
    title="advertise-url does not lead to the primary",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Replicas log `invalid response: code=503` each second; the dialled pod logs `lease expired`.",
    impact="Replicas follow nobody, or only by luck when the Service happens to pick the primary.",
    cause="advertise-url names another pod than the candidate, or the whole Service instead of one pod of it.",
    fix=(
        "Write the candidate's own address: http://POD.SERVICE.NAMESPACE.svc:20202, the same on all pods, and restart the set.",
        "Commit, apply, and look at the line `Using static primary` of each pod's log.",
    ),
    reads=("log", "config", "services"),
    check=check,
    gotcha=2,
    follows=("LFS206", "LFS205", "LFS301", "LFS403", *NOT_RUNNING, "LFS801"),
)
