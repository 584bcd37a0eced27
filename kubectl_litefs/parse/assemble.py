"""Snapshot -> Facts: the only builder of facts. Pure but for reading the snapshot's items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..model.cluster import Cluster, Facts
from ..model.lease import lease_of, parse_url
from ..model.objects import Obj
from ..model.origin import Gap, GapReason, ObjectRef
from ..model.pod import Pod
from ..model.snapshot import Snapshot
from .discover import signs
from .node import build_pod, workload_of
from .objects import CLUSTER, NAMESPACED, OPTIONAL_CLUSTER, Lists, list_path, read_cluster, read_namespace

if TYPE_CHECKING:
    from .files.read import Given

WORKLOADS = ("statefulsets", "deployments", "daemonsets")


def assemble(snapshot: Snapshot, lists: Mapping[str, Lists] | None = None) -> Facts:
    """Every LiteFS cluster in the snapshot, with all that is known of it.

    `lists` are objects, by namespace, that take the place of the snapshot's ("": those without one). Reads each log once. A second call reads again: snapshots are small but for logs, and those are bounded.
    """
    if snapshot.source == "files":
        return _from_files(snapshot)
    clusters: list[Cluster] = []
    gaps: dict[Gap, None] = dict.fromkeys(snapshot.gaps)
    instead = lists or {}
    shared, unshared = instead.get("") or read_cluster(snapshot)
    for namespace in snapshot.namespaces:
        objects, missing = instead.get(namespace) or read_namespace(snapshot, namespace)
        missing = missing | unshared
        gaps.update(dict.fromkeys(missing.values()))
        clusters += _clusters(snapshot, namespace, objects | shared, missing)
    chosen = select(clusters, snapshot.wanted) if snapshot.wanted else clusters
    return Facts(
        clusters=tuple(chosen),
        namespaces=snapshot.namespaces,
        gaps=tuple(gaps),
        taken_at=snapshot.taken_at,
        source=snapshot.source,
        looked_at=snapshot.looked_at or _looked_at(snapshot),
    )


def _from_files(snapshot: Snapshot) -> Facts:
    """The same from files: workloads become the pods that they would create; a litefs.yml alone is a cluster of its own."""
    from .files.read import read_files  # costs start-up time, and only files need it

    given = read_files(snapshot)
    clusters: list[Cluster] = []
    for world in given.worlds:
        for namespace, (objects, missing) in world.namespaces.items():
            clusters += _clusters(snapshot, namespace, objects, missing)
    unseen = {plural: Gap(list_path(plural, ""), GapReason.OFFLINE, "") for plural in (*NAMESPACED, *CLUSTER, *OPTIONAL_CLUSTER)}
    clusters += _alone(snapshot, given, {p.config.name for c in clusters for p in c.pods if p.config}, unseen)
    return Facts(
        clusters=tuple(clusters),
        namespaces=tuple(sorted({c.namespace for c in clusters} - {""})),
        gaps=given.gaps,
        taken_at=snapshot.taken_at,
        source=snapshot.source,
        looked_at=given.looked_at,
    )


def _alone(snapshot: Snapshot, given: Given, used: set[str], unseen: Mapping[str, Gap]) -> list[Cluster]:
    """Files that stand alone, but for a litefs.yml that a pod was already judged with."""
    made = [build_pod(snapshot, o, (), lambda name: unseen["configmaps"]) for o in given.alone if isinstance(o, Obj)]
    pods = [p for p in made if p is not None]
    used |= {p.config.name for p in pods if p.config}
    pods += [p for p in given.alone if isinstance(p, Pod) and p.name not in used]
    return [Cluster("", (p.ref,), (p,), (), {}, unseen, snapshot.taken_at) for p in pods]


def select(clusters: list[Cluster], wanted: tuple[str, ...]) -> list[Cluster]:
    """The clusters that one of the names belongs to: `pod/x`, `statefulset/x`, or a bare name of either."""

    def names(cluster: Cluster) -> set[str]:
        refs = [*cluster.workloads, *(p.ref for p in cluster.pods)]
        return {str(r) for r in refs} | {r.name for r in refs}

    return [c for c in clusters if names(c) & set(wanted)]


def _clusters(
    snapshot: Snapshot, namespace: str, objects: Mapping[str, tuple[Obj, ...]], missing: Mapping[str, Gap]
) -> list[Cluster]:
    """The LiteFS clusters of one namespace."""
    configmap = _configmap_reader(namespace, objects, missing)
    services = objects.get("services", ())
    pods: list[Pod] = []
    others: list[Obj] = []
    for obj in objects.get("pods", ()):
        pod = None if _is_leftover(obj) else build_pod(snapshot, obj, services, configmap)
        if pod is None:
            others.append(obj)
        else:
            pods.append(pod)
    groups = _group(namespace, pods, objects, services)
    return [
        Cluster(
            namespace=namespace,
            workloads=tuple(workloads),
            pods=tuple(sorted(members, key=lambda p: (p.workload is None, str(p.workload), p.ordinal or 0, p.name))),
            others=tuple(others),
            objects=objects,
            gaps=missing,
            moment=snapshot.taken_at,
        )
        for workloads, members in groups
    ]


def _is_leftover(pod: Obj) -> bool:
    """A pod that has ended for good: a finished job, or an evicted pod that its Deployment has replaced.

    A StatefulSet re-creates a failed pod under the same name, so there a failed pod is the pod.
    """
    phase = pod.get("status.phase")
    if phase == "Succeeded":
        return True
    owner = workload_of(pod)
    return phase == "Failed" and (owner is None or owner.kind != "StatefulSet")


def _configmap_reader(
    namespace: str, objects: Mapping[str, tuple[Obj, ...]], missing: Mapping[str, Gap]
) -> Callable[[str], Obj | Gap | None]:
    """name -> the ConfigMap, the gap that hides it, or None where it surely does not exist."""
    known = {o.ref.name: o for o in objects.get("configmaps", ())}
    gap = missing.get("configmaps")

    def read(name: str) -> Obj | Gap | None:
        found = known.get(name)
        if found is not None:
            return found
        if gap is not None and not (gap.why is GapReason.ABSENT and f'"{name}" not found' in gap.detail):
            return gap
        return None

    return read


def _group(
    namespace: str, pods: list[Pod], objects: Mapping[str, tuple[Obj, ...]], services: tuple[Obj, ...]
) -> list[tuple[list[ObjectRef], list[Pod]]]:
    """Pods by the LiteFS cluster they belong to.

    Pods of one workload belong together; workloads that name the same primary (an equal advertise-url, a URL that
    names a pod of the other, or an equal Consul URL and key) are one cluster. A LiteFS workload without pods counts too.
    """
    groups: dict[ObjectRef, list[Pod]] = {}
    for pod in pods:
        groups.setdefault(pod.workload or pod.ref, []).append(pod)
    for plural in WORKLOADS:
        for owner in objects.get(plural, ()):
            if owner.ref not in groups and signs(owner, (), "spec.template.spec").strong:
                groups[owner.ref] = []
    merged: dict[ObjectRef, ObjectRef] = {ref: ref for ref in groups}

    def root(ref: ObjectRef) -> ObjectRef:
        while merged[ref] != ref:
            ref = merged[ref]
        return ref

    by_key: dict[str, ObjectRef] = {}
    home = {p.name: p.workload or p.ref for p in pods}
    for ref, members in groups.items():
        for key in {k for p in members for k in _primary_keys(p)}:
            first_label = key.split("://")[-1].split(".")[0].split(":")[0]
            for other in (by_key.setdefault(key, ref), home.get(first_label, ref)):
                a, b = sorted((root(ref), root(other)))
                merged[b] = a
    result: dict[ObjectRef, tuple[list[ObjectRef], list[Pod]]] = {}
    for ref, members in sorted(groups.items(), key=lambda g: g[0]):
        workloads, together = result.setdefault(root(ref), ([], []))
        if ref.kind != "Pod":
            workloads.append(ref)
        together += members
    return list(result.values())


def _primary_keys(pod: Pod) -> list[str]:
    """What names the primary this pod looks for."""
    lease = lease_of(pod)
    if lease.is_consul:
        key = str(lease.consul_key.value) if lease.consul_key else ""
        url = pod.config.known("lease.consul.url") if pod.config else None
        return [f"consul {url} {key}"] if key else []
    return [lease.url] if lease.url and parse_url(lease.url) else []


def _looked_at(snapshot: Snapshot) -> tuple[str, ...]:
    """What there was to look at, in words, for "no LiteFS found"."""
    words = []
    for namespace in snapshot.namespaces:
        objects, _ = read_namespace(snapshot, namespace)
        counts = [f"{len(objects.get(plural, ()))} {plural}" for plural in ("pods", *WORKLOADS)]
        words.append(f"namespace {namespace}: {', '.join(counts)}")
    return tuple(words)

