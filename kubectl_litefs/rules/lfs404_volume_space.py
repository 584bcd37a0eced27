"""LFS404 volume-space: the volume under the data directory is full, by LiteFS's own word."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ..model.alive import RECENT, ended_lately, lost
from ..model.cluster import Cluster
from ..model.copies import run_in
from ..model.grouping import exit_seen, log_command
from ..model.logs import LogLine, LogRun
from ..model.objects import Obj
from ..model.origin import Evidence
from ..model.pod import Pod
from ..model.quantity import quantity
from ..model.rule import Finding, Rule, Severity
from ..model.topology import Role, topology

FULL = "no-space"
GI = 1024**3


def check(cluster: Cluster) -> Iterator[Finding]:
    for pod in cluster.pods:
        run = next((r for r in pod.runs if r.hit(FULL)), None)
        line = run.latest(FULL) if run else None
        if run is not None and line is not None and not lost(pod):
            yield _finding(cluster, pod, run, line)


def _again(cluster: Cluster, pod: Pod) -> bool:
    """Whether the node writes again: it follows its primary to the newest position."""
    return topology(cluster).role(pod) is Role.FOLLOWING


def _is_full_now(cluster: Cluster, pod: Pod, run: LogRun, line: LogLine) -> bool:
    """Whether nothing says that there is room again. A full volume is told of at each write only."""
    if run is pod.previous or not pod.container.running:
        return ended_lately(cluster, pod)
    return not _again(cluster, pod) and (line.time is None or cluster.now - line.time < RECENT)


def _finding(cluster: Cluster, pod: Pod, run: LogRun, line: LogLine) -> Finding:
    claim = cluster.claim(pod)
    now = _is_full_now(cluster, pod, run, line)
    told = f"LiteFS on {pod.name} found no space left on {_place(pod, claim)}: {line.text.removeprefix('ERROR: ')[-200:]}."
    if not now:
        told += " It follows its primary again." if _again(cluster, pod) else " That was a while ago."
    leads = topology(cluster).primary is pod or any(p is pod for p in topology(cluster).leaders)
    return RULE.finding(
        pod.ref,
        told,
        line.evidence,
        exit_seen(pod) if run is pod.previous or not pod.container.running else None,
        *_sizes(claim),
        severity=Severity.ERROR if now else Severity.WARNING,
        impact=None if leads else "This replica takes no further changes, or ends and starts again and again: it serves old data or none.",
        commands=(
            log_command(cluster, pod, run),
            run_in(cluster, pod, "df", "-h", pod.data_dir or "/var/lib/litefs"),
            *_expand(cluster, claim),
        ),
    )


def _place(pod: Pod, claim: Obj | None) -> str:
    if claim is None:
        return f"what {pod.data_dir} lies on" if pod.data_dir else "its data directory"
    size = claim.get("status.capacity.storage")
    return f"claim {claim.ref.name}{f' ({size})' if size else ''}"


def _sizes(claim: Obj | None) -> Iterator[Evidence]:
    if claim is not None and claim.get("status.capacity.storage"):
        yield claim.seen("status.capacity.storage")


def _expand(cluster: Cluster, claim: Obj | None) -> Iterator[str]:
    """Twice the size, where the claim's class lets it grow; else only a look at the claim."""
    if claim is None:
        return
    yield cluster.kubectl("get", "pvc", claim.ref.name, "-o", "wide")
    group = cluster.find("storageclasses", str(claim.get("spec.storageClassName")), "")
    size = quantity(claim.get("status.capacity.storage"))
    if size and group is not None and group.get("allowVolumeExpansion") is True:
        wanted = -(-size * 2 // GI) if size >= GI else Fraction(1)
        more = f'{{"spec":{{"resources":{{"requests":{{"storage":"{wanted}Gi"}}}}}}}}'
        yield cluster.kubectl("patch", "pvc", claim.ref.name, "--type", "merge", "-p", more)


RULE = Rule(
    id="LFS404",
    name="volume-space",
    title="The volume under LiteFS's data directory is full",
    severity=Severity.WARNING,
    heals="no",
    symptom="Lines of LiteFS that end `no space left on device`; writes fail, or the container ends with exit code 99.",
    impact="Nothing can be written: the transaction that failed is not there, and LiteFS ends rather than go on half-written.",
    cause="The data directory holds each database and, for data.retention, the transaction files (ltx) of everything written. "
    "Many writes in a short time fill a volume that the databases alone would not.",
    fix=(
        "Look how full the volume is. Never delete files in the data directory by hand: LiteFS does not start without its "
        "last transaction files.",
        "Let the claim grow (resources.requests.storage), where its storage class has allowVolumeExpansion: true. It can never "
        "be made smaller again. volumeClaimTemplates of the set cannot be changed: each claim is patched by itself.",
        "Where it cannot grow, write less or shorten data.retention (default 10m; a replica that is away for longer fetches a "
        "whole snapshot), and restart the pod.",
        "Look at the pod's log afterwards: no further line may end like this, and errors about checksums may not follow.",
    ),
    reads=("log", "previous"),
    check=check,
)
