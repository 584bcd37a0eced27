"""LFS406 volume-on-fuse-dir: a persistent volume is mounted where LiteFS puts its own file system."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.grouping import Fault, Sighting, faults
from ..model.origin import Evidence, Gap, GapReason
from ..model.paths import fuse_dir
from ..model.pod import Mount, Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import primaries

FLEETING = frozenset(
    {"emptyDir", "configMap", "secret", "projected", "downwardAPI", "ephemeral", "csi", "image", "hostPath", "unknown", "tmpfs", "bind"}
)
"""Kinds of volumes that hold nothing lasting, or nothing of LiteFS's."""


ELSEWHERE = (
    "Before anything restarts, save each database: run `litefs export -name DATABASE FILE` on the primary, and copy the file out of it.",
    "Mount the volume at data.dir, and nothing at fuse.dir.",
    "Deploy again, and look at the logs.",
)
"""What to do where there are no claims."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    for pod in cluster.pods:
        where = fuse_dir(pod)
        if where is None or not where[0].startswith("/"):
            gap = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "fuse.dir is unknown")
            yield Unknown(pod.gaps.get("config") or gap)
        else:
            seen += _hidden(pod, posixpath.normpath(where[0]))
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _hidden(pod: Pod, where: str) -> Iterator[Sighting]:
    for mount in pod.container.mounts:
        at = posixpath.normpath(mount.path)
        inside = at == where or at.startswith(where + "/")
        if not inside or mount.source in FLEETING or mount.propagation == "Bidirectional":
            continue
        under = pod.mount_for(pod.data_dir) if pod.data_dir else None
        bare = pod.data_dir is not None and (under is None or under.source in FLEETING or under is mount)
        what = f"claim {(mount.claim or '').removesuffix('-' + pod.name)}" if mount.claim else f"volume {mount.volume}"
        told = f"{what} is mounted at {mount.path}, and LiteFS's file system at {where} hides it"
        only = f"; data.dir {pod.data_dir} is on no volume" if bare else ""
        yield Sighting(pod, told + only, told + only, (mount.evidence, *_evidence(pod, mount)))


def _evidence(pod: Pod, mount: Mount) -> Iterator[Evidence]:
    value = pod.config.get("fuse.dir") if pod.config else None
    if value is not None:
        yield value.evidence
    for run in pod.runs:
        mounted = run.hit("mounted")
        if mounted is not None:
            yield mounted.last.evidence
            return


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    bare = fault.text.endswith("is on no volume")
    first = fault.pods[0]
    return RULE.finding(
        fault.subject,
        f"{fault.text[0].upper()}{fault.text[1:]}.",
        *fault.evidence,
        severity=Severity.ERROR if bare else Severity.WARNING,
        impact="The databases are on no volume at all: a restart of the primary loses them." if bare else None,
        fix=ELSEWHERE if first.platform else None,
        commands=(
            *exports(p for p in primaries(cluster) if p in fault.pods and bare),
            cluster.kubectl("exec", first.name, "-c", first.container.name, "--", "mount"),
            cluster.kubectl("get", "pod", first.name, "-o", "yaml"),
        ),
        key=fault.fault,
    )


RULE = Rule(
    id="LFS406",
    name="volume-on-fuse-dir",
    title="A persistent volume is mounted at LiteFS's mount point",
    severity=Severity.WARNING,
    heals="with a new pod",
    symptom="The volume stays empty, although the databases are where it is mounted.",
    impact="Nothing that LiteFS keeps is on this volume, and what was on it cannot be seen.",
    cause="fuse.dir shows the databases, data.dir keeps them. The volume belongs at data.dir; LiteFS's mount covers it at "
    "fuse.dir.",
    fix=(
        "Before anything restarts, save each database from the primary: GET /export?name=DATABASE on port 20202.",
        "Mount the claim at data.dir, and nothing at fuse.dir.",
        "Commit, apply, and look at the pods' logs.",
    ),
    reads=("spec", "config", "log"),
    check=check,
    follows=("LFS410",),
)
