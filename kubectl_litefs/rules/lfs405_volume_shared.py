"""LFS405 volume-shared: two LiteFS nodes write into one directory, or could: the volume is shared or a file server's."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from ..model.claims import volume_of
from ..model.cluster import Cluster
from ..model.copies import exports
from ..model.grouping import Fault, Sighting, faults, listed
from ..model.objects import Obj
from ..model.origin import Evidence, Gap, GapReason
from ..model.pod import Mount, Pod
from ..model.rule import Finding, Rule, Severity, Unknown
from ..model.topology import primaries

SERVERS = {
    "nfs": "an NFS server", "cephfs": "CephFS", "glusterfs": "GlusterFS", "azureFile": "Azure Files", "quobyte": "Quobyte",
}  # fmt: skip
"""Kinds of volumes, inline or behind a claim, that are file servers."""
DRIVERS = {
    "nfs.csi.k8s.io": "an NFS server", "efs.csi.aws.com": "Amazon EFS", "fsx.csi.aws.com": "Amazon FSx",
    "file.csi.azure.com": "Azure Files", "filestore.csi.storage.gke.io": "Google Filestore",
    "smb.csi.k8s.io": "an SMB server", "cephfs.csi.ceph.com": "CephFS",
}  # fmt: skip
"""The same by the CSI driver's name; Rook puts its namespace in front."""
REFERENCE = re.compile(r"\$\(([^)]+)\)")

Place = tuple[str, ...]
"""What is equal for two pods only if they write into the same directory."""


def check(cluster: Cluster) -> Iterator[Finding | Unknown]:
    users: dict[Place, list[tuple[Pod, Mount]]] = {}
    for pod in cluster.pods:
        if pod.data_dir is None:
            gap = Gap(f"config/{pod.namespace}/{pod.name}", GapReason.ABSENT, "data.dir is unknown")
            yield Unknown(pod.gaps.get("config") or gap)
            continue
        mount = pod.mount_for(pod.data_dir)
        place = _place(pod, mount) if mount is not None else None
        if mount is not None and place is not None:
            users.setdefault(place, []).append((pod, mount))
    alone: list[tuple[Pod, Mount]] = []
    for together in users.values():
        if len([p for p, _ in together if not p.deleting]) > 1:
            yield _shared(cluster, together)
        else:
            alone += together
    seen: list[Sighting] = []
    for pod, mount in alone:
        said = _server(cluster, pod, mount)
        if isinstance(said, Gap):
            yield Unknown(said)
        elif said is not None:
            seen.append(said)
    for fault in faults(cluster, seen):
        yield _server_finding(cluster, fault)


def _place(pod: Pod, mount: Mount) -> Place | None:
    """None for a volume that is the pod's own, whatever its name."""
    path = posixpath.relpath(pod.data_dir or mount.path, mount.path)
    inside = posixpath.normpath(f"{_sub_path(pod, mount)}/{path}")
    if mount.claim:
        return "claim", mount.claim, inside
    volume = next((v for v in pod.obj.items("spec.volumes") if v.get("name") == mount.volume), {})
    given = volume.get(mount.source)
    if mount.source not in ("nfs", "hostPath") or not isinstance(given, Mapping):
        return None
    host = given.get("server") if mount.source == "nfs" else pod.obj.get("spec.nodeName")
    return mount.source, str(host), posixpath.normpath(f"{given.get('path')}/{inside}")


def _sub_path(pod: Pod, mount: Mount) -> str:
    """With the pod's variables filled in; one that cannot be seen makes the path this pod's own."""

    def value(match: re.Match[str]) -> str:
        variable = pod.env.get(match[1])
        return variable.value if variable is not None and variable.value is not None else f"{match[0]} of {pod.name}"

    return REFERENCE.sub(value, mount.sub_path or ".")


def _shared(cluster: Cluster, together: list[tuple[Pod, Mount]]) -> Finding:
    pods, mount = [p for p, _ in together], together[0][1]
    claim = cluster.find("persistentvolumeclaims", mount.claim, pods[0].namespace) if mount.claim else None
    where = f"claim {mount.claim}" if mount.claim else f"volume {mount.volume} ({mount.source})"
    return RULE.finding(
        claim.ref if claim is not None else cluster.subject,
        f"{listed(p.name for p in pods)} keep their data in one and the same directory: {pods[0].data_dir} lies on {where}.",
        *(m.evidence for _, m in together),
        claim.seen("spec.accessModes") if claim is not None else None,
        impact="Each node overwrites the other's databases and transaction files: the data is damaged, soon and for good.",
        commands=(
            *exports(primaries(cluster) or pods[:1]),
            cluster.kubectl("get", "pods", "-o", "custom-columns=POD:.metadata.name,CLAIMS:.spec.volumes[*].persistentVolumeClaim.claimName"),
        ),
        key=mount.claim or mount.volume,
    )


def _server(cluster: Cluster, pod: Pod, mount: Mount) -> Sighting | Gap | None:
    """A file server under the data directory, or a claim that any number of nodes may mount."""
    if mount.source in SERVERS:
        told = f"{pod.data_dir} lies on {SERVERS[mount.source]}"
        return Sighting(pod, told, told, (mount.evidence,))
    if not mount.claim:
        return None
    if "persistentvolumeclaims" in cluster.gaps:
        return cluster.gaps["persistentvolumeclaims"]
    claim = cluster.find("persistentvolumeclaims", mount.claim, pod.namespace)
    if claim is None:
        return None
    volume = volume_of(cluster, claim)
    kind, seen = _kind(volume) if volume is not None else ("", None)
    many = "ReadWriteMany" in (claim.get("spec.accessModes") or ())
    if not kind and not many:
        return None
    named = f"claim {mount.claim.removesuffix('-' + pod.name)}"
    mode = " with access mode ReadWriteMany" if many else ""
    told = f"{pod.data_dir} lies on {named}{mode}{f', which is {kind}' if kind else ''}"
    evidence = [mount.evidence, *([claim.seen("spec.accessModes")] if many else []), *([seen] if seen else [])]
    return Sighting(pod, told, told, tuple(evidence))


def _kind(volume: Obj) -> tuple[str, Evidence | None]:
    for key, words in SERVERS.items():
        if volume.mapping(f"spec.{key}"):
            return words, volume.seen(f"spec.{key}")
    driver = str(volume.get("spec.csi.driver") or "")
    words = next((w for name, w in DRIVERS.items() if driver == name or driver.endswith("." + name)), "")
    return words, volume.seen("spec.csi.driver") if words else None


def _server_finding(cluster: Cluster, fault: Fault) -> Finding:
    first = fault.pods[0]
    return RULE.finding(
        fault.subject,
        f"data.dir of {listed(p.name for p in fault.pods)}: {fault.text}.",
        *fault.evidence,
        commands=(
            *exports(p for p in primaries(cluster) if p in fault.pods),
            cluster.kubectl("get", "pvc", "-o", "wide"),
            cluster.kubectl("get", "pod", first.name, "-o", "jsonpath={.spec.volumes}"),
        ),
        key="server",
    )


RULE = Rule(
    id="LFS405",
    name="volume-shared",
    title="LiteFS's data directory lies on a shared volume",
    severity=Severity.ERROR,
    heals="with a new pod",
    symptom="Databases that are damaged or jump back in time; or nothing, until a second pod mounts the volume.",
    impact="Nothing keeps a second node from the same files, and a file server's idea of locks and of a finished write is not "
    "a disk's: a database can be damaged without a word.",
    cause="LiteFS makes the copies itself and takes its data directory for a disk of its own. One claim for all pods, "
    "ReadWriteMany, or a network file system break that.",
    fix=(
        "Save each database from the primary first: GET /export?name=DATABASE on port 20202; see that it opens with sqlite3.",
        "Give the StatefulSet a volumeClaimTemplate with accessModes: [ReadWriteOnce] and a storage class of block volumes, so "
        "that each pod has a disk of its own.",
        "volumeClaimTemplates cannot be changed: make a new set with them, import the saved databases into its primary, and "
        "remove the old set only when all pods follow.",
    ),
    reads=("spec", "config", "info", "persistentvolumeclaims", "persistentvolumes"),
    check=check,
    follows=("LFS403",),
)
