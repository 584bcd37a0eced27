"""LFS606 version-skew: nodes of one cluster run different versions of LiteFS, or different builds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from ..model.candidates import changes_with_rollout
from ..model.cluster import Cluster
from ..model.families import names
from ..model.grouping import log_command
from ..model.logs import LogLine, LogRun
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import Role, topology

FRAME = "bad-frame"
ROLLOUT = timedelta(minutes=15)
"""A rollout whose newest pod is older than that does not go on: what differs now stays different."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    broken = {p: line for p in cluster.pods if (line := _bad_frame(cluster, p)) is not None}
    versions = {p.name: v for p in cluster.pods if (v := _version(p))}
    different = len(set(versions.values())) > 1
    if different and not _rolls(cluster, versions):
        yield _versions(cluster, versions, broken)
    else:
        images = [] if different else [f for members in _sets(cluster) if (f := _images(cluster, members, broken)) is not None]
        yield from images
        if broken and not images:
            yield _frames(cluster, broken)
        elif not images and len(versions) < 2 < 1 + len(cluster.pods):
            yield from (Unknown(p.gaps["log"]) for p in cluster.pods if "log" in p.gaps)


def _run(pod: Pod) -> LogRun | None:
    return next(iter(pod.runs), None)


def _version(pod: Pod) -> str | None:
    """The banner of its newest run; a development build has no version."""
    run = _run(pod)
    return run.version if run else None


def _bad_frame(cluster: Cluster, pod: Pod) -> LogLine | None:
    """The newest complaint of a replica that does not understand the primary's stream now."""
    if pod.log is None or topology(cluster).role(pod) is Role.FOLLOWING:
        return None
    return pod.log.latest(FRAME) if pod.log.repeats(FRAME, cluster.now) else None


def _rolls(cluster: Cluster, values: Mapping[str, object]) -> bool:
    """Whether the difference is that of a rollout that goes on."""
    newest = max((p.created for p in cluster.pods if p.created), default=None)
    return newest is not None and cluster.now - newest < ROLLOUT and changes_with_rollout(cluster, values)


def _sets(cluster: Cluster) -> Iterator[list[Pod]]:
    """The pods of each workload: one template gives one image, two workloads may well differ."""
    for workload in dict.fromkeys(p.workload for p in cluster.pods):
        if workload is not None:
            yield [p for p in cluster.pods if p.workload == workload]


def _digest(pod: Pod) -> str | None:
    """What the image's name stood for when it was pulled; None where the runtime gives no such digest."""
    known = str(pod.container.status.get("imageID") or "")
    return known.rpartition("@")[2] if "@sha256:" in known else None


def _versions(cluster: Cluster, versions: Mapping[str, str], broken: dict[Pod, LogLine]) -> Finding:
    pods = [p for p in cluster.pods if p.name in versions]
    parts = [f"{v} on {names(p for p in pods if versions[p.name] == v)}" for v in dict.fromkeys(versions.values())]
    seen = [e for p in pods for e in (_banner(p), p.obj.seen(f"{p.container.field}.image")) if e is not None]
    return _finding(cluster, f"LiteFS is {', '.join(parts)}.", seen, broken, pods, "version")


def _banner(pod: Pod) -> Evidence | None:
    run = _run(pod)
    lines = run.head if run else ()
    return next((x.evidence for x in lines if run and run.version and x.text.startswith((f"LiteFS v{run.version},", f"LiteFS {run.version},"))), None)


def _images(cluster: Cluster, pods: list[Pod], broken: dict[Pod, LogLine]) -> Finding | None:
    """Pods of one set that do not run the same image, by its name or by what the name stood for."""
    by_name = {p.name: p.container.image for p in pods if p.container.image}
    by_digest = {p.name: d for p in pods if (d := _digest(p))}
    for values, what in ((by_name, "different images"), (by_digest, "different builds of one image")):
        if len(set(values.values())) < 2 or _rolls(cluster, values):
            continue
        parts = [f"{v.removeprefix('sha256:')[:60]} on {names(p for p in pods if values.get(p.name) == v)}" for v in dict.fromkeys(values.values())]
        seen = [
            p.obj.seen(f"{p.container.field}.image") if values is by_name else p.obj.seen("status.containerStatuses", p.container.status.get("imageID"))
            for p in pods
            if p.name in values
        ]
        return _finding(cluster, f"Pods of {pods[0].workload} run {what}: {', '.join(parts)}.", seen, broken, pods, str(pods[0].workload))
    return None


def _frames(cluster: Cluster, broken: dict[Pod, LogLine]) -> Finding:
    told = f"{names(broken)} cannot read the primary's stream: the primary is newer, or what answers there is no LiteFS."
    return _finding(cluster, told, [], broken, list(broken), "frame")


def _finding(cluster: Cluster, told: str, seen: list[Evidence], broken: dict[Pod, LogLine], pods: list[Pod], key: str) -> Finding:
    now = f" {names(broken)} cannot read the primary's stream." if broken and key != "frame" else ""
    columns = "custom-columns=POD:.metadata.name,IMAGE:.spec.containers[*].image,ID:.status.containerStatuses[*].imageID"
    return RULE.finding(
        cluster.subject,
        f"{told}{now}",
        *(line.evidence for line in broken.values()),
        *seen,
        severity=Severity.ERROR if broken else Severity.WARNING,
        impact="Replication is down there: the replica serves old data, or has not started its application." if broken else None,
        commands=(
            cluster.kubectl("get", "pods", "-o", columns),
            *(cluster.kubectl("rollout", "status", f"{w.kind.lower()}/{w.name}", "--timeout=5s") for w in cluster.workloads),
            log_command(cluster, next(iter(broken), pods[0])),
        ),
        key=key,
    )


RULE = Rule(
    id="LFS606",
    name="version-skew",
    title="Nodes of one cluster run different versions of LiteFS",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="`invalid stream frame type` on a replica; or nothing, until the pods change places.",
    impact="An older replica may not understand a newer primary's stream, and settings that one node takes another refuses.",
    cause="A rollout that stopped half-way (OnDelete, a partition, a pod that never gets ready), a tag that was pushed anew, or "
    "a writer and a reader set that are not updated together.",
    fix=(
        "Run the same image everywhere, named by a tag that is never pushed twice, or by its digest.",
        "Finish the rollout: replicas first, the primary last. A StatefulSet does it in that order where the primary has ordinal 0.",
        "Look at each pod's first log line (`LiteFS v...`) afterwards.",
    ),
    reads=("log", "spec"),
    check=check,
)
