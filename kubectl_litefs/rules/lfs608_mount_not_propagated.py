"""LFS608 mount-not-propagated: a container beside LiteFS's sees a plain directory where the databases should be."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.grouping import Fault, Sighting, faults, own_config
from ..model.origin import Evidence, Gap, GapReason
from ..model.paths import fuse_dir
from ..model.pod import Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.sidecar import RECEIVES, View, fuse_volume, others, views

SOURCE, TARGET, APART, UNMOUNTED = "source", "target", "apart", "unmounted"
"""What is missing: LiteFS's propagation, the other container's, a common volume, -skip-unmount."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    for pod in cluster.pods:
        if not others(pod):
            continue
        where = fuse_dir(pod)
        if where is None:
            gap = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "fuse.dir is unknown")
            yield Unknown(pod.gaps.get("config") or gap)
            continue
        here = list(views(pod, where[0]))
        for said in (*(_view(pod, where[0], v) for v in here), *([_start(pod, where[0])] if here else [])):
            if isinstance(said, Gap):
                yield Unknown(said)
            elif said is not None:
                seen.append(said)
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _view(pod: Pod, where: str, view: View) -> Sighting | None:
    """What keeps this container from LiteFS's file system."""
    name, mount, shared = view.container.name, view.mount, view.shared
    if shared is None:
        told = f"container {name} has volume {mount.volume} at {mount.path}, which LiteFS's container {pod.container.name} does not mount there"
        return _sighting(pod, f"{APART} {name}", told, mount.evidence, _asked(pod))
    if shared.propagation != "Bidirectional":
        told = f"container {pod.container.name} mounts volume {shared.volume} at {shared.path} without mountPropagation: Bidirectional, so what LiteFS mounts at {where} stays in it, and container {name} does not see it"
        return _sighting(pod, f"{SOURCE} {name}", told, shared.evidence, mount.evidence, _asked(pod))
    if mount.propagation not in RECEIVES:
        told = f"container {name} mounts volume {mount.volume} at {mount.path} without mountPropagation: HostToContainer, so it does not see what LiteFS mounts later"
        return _sighting(pod, f"{TARGET} {name}", told, mount.evidence, shared.evidence)
    return None


def _start(pod: Pod, where: str) -> Sighting | Gap | None:
    """Whether LiteFS unmounts the shared volume when it starts: it takes it for a mount that it left there itself."""
    shared, command = fuse_volume(pod, where), pod.container.litefs
    if shared is None or shared.propagation != "Bidirectional" or posixpath.normpath(shared.path) != posixpath.normpath(where):
        return None
    if command is None:
        detail = f"whether litefs is started with -skip-unmount: the image of container {pod.container.name} decides"
        return None if pod.with_data else Gap(f"objects/{pod.namespace}/pods.json", GapReason.NOT_ASKED, detail)
    if command.skip_unmount or command.subcommand != "mount":
        return None
    told = f"LiteFS is started without -skip-unmount in container {pod.container.name}: it begins with unmounting the shared volume at {shared.path}"
    return _sighting(pod, UNMOUNTED, told, command.evidence, shared.evidence)


def _asked(pod: Pod) -> Evidence | None:
    found = fuse_dir(pod)
    return found[1] if found else None


def _sighting(pod: Pod, kind: str, told: str, *evidence: Evidence | None) -> Sighting:
    return Sighting(pod, f"{kind}: {told}", told, tuple(e for e in evidence if e is not None))


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    first = fault.pods[0]
    kind = fault.fault.split(":", 1)[0]
    config = own_config(first)
    runs_here = config is not None and bool(config.execs) and not config.execs[-1].if_candidate
    empty = [p for p in fault.pods if p.databases is not None and not p.with_data]
    hollow = f" LiteFS has no database on {empty[0].name}." if empty else ""
    other = next((v.container.name for v in views(first, (fuse_dir(first) or ("/",))[0])), first.container.name)
    impact = "That container reads and writes nothing of LiteFS's; the application in LiteFS's own container is not concerned."
    return RULE.finding(
        fault.subject,
        f"{fault.text[0].upper()}{fault.text[1:]}.{hollow}",
        *fault.evidence,
        severity=Severity.WARNING if runs_here else Severity.ERROR,
        impact=impact if runs_here else None,
        fix=(_remedy(first, kind), *RULE.fix[1:]),
        commands=(
            cluster.kubectl("exec", first.name, "-c", other, "--", "cat", "/proc/mounts"),
            cluster.kubectl("exec", first.name, "-c", first.container.name, "--", "cat", "/proc/mounts"),
            cluster.kubectl("get", "pod", first.name, "-o", "yaml"),
        ),
        key=kind,
    )


def _remedy(pod: Pod, kind: str) -> str:
    if kind.startswith(SOURCE):
        return f"Set mountPropagation: Bidirectional on that volumeMount of container {pod.container.name}; Kubernetes allows it to privileged containers only."
    if kind.startswith(TARGET):
        return f"Set mountPropagation: HostToContainer on that volumeMount of container {kind.partition(' ')[2]}."
    if kind.startswith(APART):
        return (
            f"Mount one emptyDir at fuse.dir in both containers: with mountPropagation: Bidirectional in {pod.container.name}, "
            f"HostToContainer in {kind.partition(' ')[2]}."
        )
    return "Start it with `litefs mount -skip-unmount` (LiteFS 0.5.12 and later)."


RULE = Rule(
    id="LFS608",
    name="mount-not-propagated",
    title="Another container does not see LiteFS's file system",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="All pods are Ready and the application works, but LiteFS has no database, or replicas stay empty.",
    impact="The application writes into a plain directory: nothing is replicated, and a restart of the pod loses it.",
    cause="A mount that one container makes reaches another only through a volume of both that passes mounts on, out of the "
    "one and into the other.",
    fix=(
        "Mount one emptyDir at fuse.dir in both containers: Bidirectional in LiteFS's, HostToContainer in the other.",
        "Before the pod restarts, save what the application has written: it lies in the volume or the container's file system "
        "and goes with the pod. LiteFS's /import, or `litefs import`, brings it in afterwards.",
        "Let the application wait until the mount is there: containers start at the same time.",
        "Commit, apply, and look for `fuse` in /proc/mounts of both containers.",
    ),
    reads=("spec", "config", "log"),
    check=check,
)
