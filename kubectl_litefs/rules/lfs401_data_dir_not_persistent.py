"""LFS401 data-dir-not-persistent: LiteFS's data lies where it does not outlive the pod."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.grouping import Fault, Sighting, config_commands, faults, listed
from ..model.origin import Evidence, Gap, GapReason
from ..model.pod import Mount, Platform, Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import primaries

GONE = {
    "emptyDir": "an emptyDir, which is deleted with the pod",
    "ephemeral": "a generic ephemeral volume, which is deleted with the pod",
    "csi": "an inline CSI volume, which is deleted with the pod",
    "configMap": "a ConfigMap, which nobody can write to",
    "secret": "a Secret, which nobody can write to",
    "projected": "a projected volume, which nobody can write to",
    "downwardAPI": "a downward API volume, which nobody can write to",
    "image": "an image volume, which nobody can write to",
    "gitRepo": "a gitRepo volume, which is deleted with the pod",
    "tmpfs": "a tmpfs, which is memory and gone with the container",
}
"""Kinds of volumes that keep nothing. All others are disks or file servers."""
ROOT = "the container's own file system, which is thrown away at each restart"


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """The same fault where something else than Kubernetes runs the container."""

    root: str
    severity: Severity
    impact: str
    fix: tuple[str, ...]


ELSEWHERE = {
    Platform.COMPOSE: _Elsewhere(
        "the container's own file system, which goes with the container (`docker compose down`, a new image)",
        Severity.WARNING,
        "With the primary's container go its databases and its cluster id; replicas that are left refuse the new one.",
        ("Mount a volume at data.dir: `volumes: [litefs:/var/lib/litefs]` on the service, and `litefs:` below the file's own `volumes:`.",),
    ),
    Platform.FLY: _Elsewhere(
        "the machine's own file system, which each deploy and each restart resets",
        Severity.ERROR,
        "A machine that restarts loses its databases; where it was the only one, they are gone.",
        (
            "Before the next deploy, save each database: `fly ssh console`, then `litefs export -name DATABASE FILE`, and copy the file off the machine.",
            "Make a volume for each machine (`fly volumes create NAME`), and let [mounts] in fly.toml have data.dir as its destination.",
        ),
    ),
}


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    seen: list[Sighting] = []
    for pod in cluster.pods:
        if pod.alone and not pod.described:
            yield Unknown(pod.gaps["spec"])
            continue
        where = pod.data_dir
        if where is None or not where.startswith("/"):
            relative = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, f"data.dir is {where or 'unknown'}")
            yield Unknown(pod.gaps.get("config") or relative if where is None else relative)
            continue
        if not _kept_by_others(pod, posixpath.normpath(where)):
            seen += _faults(pod, posixpath.normpath(where))
    for fault in faults(cluster, seen):
        yield _finding(cluster, fault)


def _kept_by_others(pod: Pod, where: str) -> bool:
    """Whether other machines of the same application have a volume there: then this group is meant to start empty each time."""
    kept = pod.obj.get("outside.kept")
    return any(where == p or where.startswith(f"{p}/") for p in (posixpath.normpath(str(k)) for k in kept or ()))


def _faults(pod: Pod, where: str) -> Iterator[Sighting]:
    mount, dbs = pod.mount_for(where), pod.mount_for(f"{where}/dbs")
    inside = dbs if dbs is not None and dbs is not mount else None
    asked = [e for e in (_seen_dir(pod),) if e is not None]
    if mount is not None and mount.source not in GONE:
        if inside is not None and inside.source in GONE:
            yield _sighting(pod, "dbs", f"{where}/dbs lies on {GONE[inside.source]}", [*asked, inside.evidence])
        elif mount.source == "hostPath":
            yield _sighting(
                pod, "hostPath", f"{where} lies in a directory of the node (hostPath)", [*asked, mount.evidence]
            )
        return
    root = ELSEWHERE[pod.platform].root if pod.platform else ROOT
    place = GONE[mount.source] if mount is not None else root
    proof = [*asked, mount.evidence if mount is not None else _no_mount(pod)]
    if inside is not None and inside.source not in GONE:
        told = f"only {where}/dbs lies on a volume; {where} itself, with the cluster id, is on {place}"
        yield _sighting(pod, "id", told, [*proof, inside.evidence])
        return
    spare = next((m for m in pod.container.mounts if m.claim or (pod.platform and m.source == "volume")), None)
    hint = f"; {f'claim {_template(pod, spare)}' if spare.claim else f'volume {spare.volume}'} is mounted at {spare.path}" if spare else ""
    yield _sighting(pod, "data", f"{where} is on {place}{hint}", [*proof, *([spare.evidence] if spare else [])])


def _sighting(pod: Pod, kind: str, told: str, evidence: list[Evidence]) -> Sighting:
    return Sighting(pod, f"{kind}: {told}", told, tuple(evidence))


def _template(pod: Pod, mount: Mount) -> str:
    """The claim's name without the pod's, so that it reads the same for all pods of a set."""
    return (mount.claim or "").removesuffix(f"-{pod.name}")


def _seen_dir(pod: Pod) -> Evidence | None:
    if pod.info is not None and pod.info.path:
        return pod.info.seen("path")
    value = pod.config.get("data.dir") if pod.config else None
    return value.evidence if value is not None else None


def _no_mount(pod: Pod) -> Evidence:
    paths = [m.path for m in pod.container.mounts]
    if pod.alone:
        return pod.obj.at(f"{pod.container.field}.volumeMounts", f"volumes at: {', '.join(paths) or 'none'}")
    return pod.obj.seen(f"{pod.container.field}.volumeMounts", f"mountPath: {', '.join(paths) or 'none'}")


def _finding(cluster: Cluster, fault: Fault) -> Finding:
    kind, names = fault.fault.split(":", 1)[0], listed(p.name for p in fault.pods)
    impact, severity = None, Severity.ERROR
    if kind == "id":
        impact = (
            "The databases stay, the cluster id does not: after a restart the primary makes a new one, and every replica "
            "refuses its stream from then on."
        )
    elif kind == "hostPath":
        severity = Severity.WARNING
        impact = "The data stays on that one node: a pod that is moved to another node starts empty."
    first = fault.pods[0]
    elsewhere = ELSEWHERE[first.platform] if first.platform else None
    if elsewhere is not None and kind != "hostPath":
        severity, impact = elsewhere.severity, elsewhere.impact
    return RULE.finding(
        fault.subject,
        f"data.dir of {names}: {fault.text}.",
        *fault.evidence,
        severity=severity,
        impact=impact,
        cause="data.dir in litefs.yml and the path of the volume are not the same directory, or there is no volume." if elsewhere else None,
        fix=elsewhere.fix if elsewhere else None,
        commands=(
            *exports(p for p in primaries(cluster) if p in fault.pods and severity is Severity.ERROR),
            *(config_commands(cluster, fault)[:1] if first.config else ()),
            cluster.kubectl("get", "pod", first.name, "-o", "jsonpath={.spec.volumes}"),
        ),
        key=kind,
    )


RULE = Rule(
    id="LFS401",
    name="data-dir-not-persistent",
    title="LiteFS's data directory is not on a persistent volume",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="After a restart of the primary its databases are empty, or its replicas refuse it for another cluster id.",
    impact="A restart of the primary loses every database; the replicas then hold the only copy, and refuse the primary.",
    cause="data.dir in litefs.yml and the mountPath of the claim are not the same directory, or there is no claim.",
    fix=(
        "Before anything restarts, save each database from the primary: GET /export?name=DATABASE on port 20202.",
        "Give the StatefulSet a volumeClaimTemplate and mount it at data.dir itself, not at data.dir/dbs.",
        "Commit, apply, and look at the pods' logs; then import the saved databases if they did not come along.",
    ),
    reads=("spec", "config", "info"),
    check=check,
    follows=("LFS403", "LFS406"),
)
