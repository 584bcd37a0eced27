"""Who may become primary under a static lease, and whether the primary is somewhere else altogether.

`candidate` is true by default, so a setting that is empty or missing makes a candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from .cluster import Cluster
from .config import ProblemKind, Sight, Value, Variable
from .dns import dials, expected, host_name, led_to, name_of
from .lease import Seen, lease_of
from .origin import Evidence, Gap, GapReason
from .pod import Pod

STARTING = timedelta(minutes=1)
"""A pod that is being replaced is back within a minute mostly."""


@dataclass(frozen=True, slots=True)
class Candidacy:
    """`yes` and `no` are sure; of `unknown` nothing that can be seen tells."""

    yes: tuple[Pod, ...]
    no: tuple[Pod, ...]
    unknown: tuple[Pod, ...]


def static_pods(cluster: Cluster) -> tuple[Pod, ...]:
    """Pods with a static lease; those whose lease cannot be seen count where another pod of the set has one."""
    known = [p for p in cluster.pods if lease_of(p).is_static]
    return tuple(p for p in cluster.pods if lease_of(p).is_static or lease_of(p).type is None) if known else ()


def by_host_name(cluster: Cluster, key: str) -> tuple[Variable, ...]:
    """Uses of HOSTNAME at a key, under a static lease, in a litefs.yml that was given alone: they differ from node to node,
    whatever the nodes are called."""
    pods = [p for p in static_pods(cluster) if p.alone and p.config and p.config.expand_env and "HOSTNAME" not in p.env]
    used = [v for p in pods if p.config for v in p.config.variables if v.key == key and v.name == "HOSTNAME"]
    return tuple(v for v in used if v.grammatical and v.operator is None)


def candidate_of(pod: Pod) -> Seen | None:
    """What LiteFS runs with, else what the file surely gives it: a variable that is surely unset leaves the default."""
    seen = lease_of(pod).candidate
    if seen is not None:
        return seen
    value = candidate_setting(pod)
    if value is None or value.sight is not Sight.UNSET:
        return None
    return Seen(bool(value.value), value.evidence, observed=False)


def candidate_setting(pod: Pod) -> Value | None:
    return pod.config.get("lease.candidate") if pod.config else None


def candidacy(pods: tuple[Pod, ...]) -> Candidacy:
    """A pod whose `candidate` LiteFS refuses does not start: it stands in no part."""
    seen = [(p, candidate_of(p)) for p in pods if not _is_refused(p)]
    return Candidacy(
        tuple(p for p, c in seen if c is not None and c.value is True),
        tuple(p for p, c in seen if c is not None and c.value is False),
        tuple(p for p, c in seen if c is None),
    )


def _is_refused(pod: Pod) -> bool:
    observed = lease_of(pod).candidate
    if pod.config is None or (observed is not None and observed.observed):
        return False
    return any(x.key == "lease.candidate" and x.kind is ProblemKind.VALUE and x.certain for x in pod.config.problems)


def evidence_of(pod: Pod) -> Iterator[Evidence]:
    """Everything that shows whether this pod is a candidate: the start-up line, /info, the file."""
    start = next((r.lease for r in pod.runs if r.lease and r.lease.primary is not None), None)
    if start is not None:
        yield start.line.evidence
    if pod.info is not None and pod.info.candidate is not None:
        yield pod.info.seen("candidate")
    setting = candidate_setting(pod)
    if setting is not None:
        yield setting.evidence


def candidate_gap(pod: Pod) -> Gap:
    """Why it cannot be told whether this pod is a candidate."""
    setting = candidate_setting(pod)
    if setting is not None:
        detail = f"candidate is `{setting.raw}` there, and what that gives cannot be seen"
        return Gap(f"config/{pod.namespace}/{pod.name}", GapReason.NOT_ASKED, detail)
    return pod.gaps.get("config") or pod.gaps.get("info") or blind(pod)


def blind(pod: Pod) -> Gap:
    """The gap of a pod whose /info was not seen."""
    gap = pod.gaps.get("info")
    return gap or Gap(f"litefs/{pod.namespace}/{pod.name}/info.json", GapReason.UNREACHABLE, "it did not answer")


def unread_set(cluster: Cluster) -> Gap | None:
    """Why nobody knows how many pods are asked for: a StatefulSet of the cluster was not read."""
    return cluster.gaps.get("statefulsets") if any(w.kind == "StatefulSet" for w in cluster.workloads) else None


def missing_pods(cluster: Cluster) -> tuple[str, ...]:
    """Names of StatefulSet pods that are asked for and are not there."""
    return tuple(sorted(expected(cluster) - {p.name for p in cluster.pods}))


def claims_alone(cluster: Cluster) -> tuple[str, ...]:
    """Claims for the data of pods that nobody asks for any more (scaled away, renamed by `ordinals.start`): their volumes may hold copies."""
    there = {p.name for p in cluster.pods} | expected(cluster)
    claims = [c.ref.name for c in cluster.list("persistentvolumeclaims") or () if c.ref.namespace == cluster.namespace]
    stems = {p.data_claim[: -len(p.name)] + w.name for p in cluster.pods for w in cluster.workloads if p.workload == w and p.data_claim and p.data_claim.endswith("-" + p.name)}
    found = (re.fullmatch(r"(.+)-(\d+)", name) for name in claims)
    used = {p.data_claim for p in cluster.pods}
    return tuple(sorted(m[0] for m in found if m and m[1] in stems and m[0] not in used and not any(m[0].endswith("-" + n) for n in there)))


def named_pod(cluster: Cluster, host: str) -> Pod | None:
    """The pod of the cluster that a host name or address names: by its first label, its whole name, or its IP."""
    host = host.strip().rstrip(".").lower()
    for pod in cluster.pods:
        names = {pod.name.lower(), host_name(pod), (pod.host_name or "").lower()}
        addresses = {str(i.get("ip")) for i in pod.obj.items("status.podIPs")} | {str(pod.obj.get("status.podIP"))}
        if host in names or host.split(".")[0] in names or host in addresses:
            return pod
    return None


def primary_elsewhere(cluster: Cluster) -> bool | Gap:
    """Whether these pods follow a primary that is none of them: readers in a namespace of their own.

    Their URL leads to no pod of theirs, running or still to come, and at least one has connected. A gap where that stands in a
    log that was not seen.
    """
    sets = "|".join(re.escape(w.name.lower()) for w in cluster.workloads)
    for dial in dials(cluster):
        name, first = name_of(cluster, dial), dial.host.split(".")[0]
        own = first in expected(cluster) or (bool(sets) and re.fullmatch(rf"(?:{sets})-\d+", first) is not None)
        if not dial.static or own or named_pod(cluster, dial.host) or (name and led_to(cluster, dial, name)):
            return False
    if not dials(cluster):
        return False
    if any(p.log is not None and p.log.hit("connected") for p in cluster.pods):
        return True
    return next((p.gaps["log"] for p in cluster.pods if p.log is None and "log" in p.gaps), False)


def being_replaced(cluster: Cluster, pod: Pod) -> bool:
    """Whether the pod is only just going or coming: to be down for these seconds is what a rollout looks like."""
    if pod.deleting:
        return True
    new = pod.created is not None and cluster.now - pod.created < STARTING
    return new and not pod.container.restarts and not pod.container.terminated


def changes_with_rollout(cluster: Cluster, values: Mapping[str, object]) -> bool:
    """Whether values differ (by pod's name) only because a rollout is under way: one value for each revision."""
    if not any(o.get("status.currentRevision") != o.get("status.updateRevision") for o in cluster.owners()):
        return False
    revisions: dict[str, set[object]] = {}
    for pod in cluster.pods:
        if pod.name in values:
            revision = str(pod.obj.labels.get("controller-revision-hash"))
            revisions.setdefault(revision, set()).add(values[pod.name])
    return len(revisions) > 1 and all(len(v) == 1 for v in revisions.values())


def start_line_command(cluster: Cluster, pod: Pod) -> str:
    """Shows the lease that LiteFS really runs with."""
    return cluster.kubectl("logs", pod.name, "-c", pod.container.name) + " | grep 'Using static primary'"
