"""Lists of Kubernetes objects in a snapshot -> `Obj` values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..model.objects import Obj
from ..model.origin import Gap, GapReason, ObjectRef
from ..model.snapshot import Snapshot

NAMESPACED: dict[str, str] = {
    "statefulsets": "StatefulSet",
    "deployments": "Deployment",
    "daemonsets": "DaemonSet",
    "pods": "Pod",
    "services": "Service",
    "endpointslices": "EndpointSlice",
    "configmaps": "ConfigMap",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "events": "Event",
    "networkpolicies": "NetworkPolicy",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "poddisruptionbudgets": "PodDisruptionBudget",
    "ingresses": "Ingress",
}
"""Plural -> kind of everything a bundle holds per namespace."""

OPTIONAL: dict[str, str] = {"leases": "Lease"}
"""Namespaced kinds of which a bundle holds only what there is: their absence is no gap, a recorded gap is one."""

CLUSTER: dict[str, str] = {
    "persistentvolumes": "PersistentVolume",
    "storageclasses": "StorageClass",
    "nodes": "Node",
}
"""Plural -> kind of the cluster-scoped objects that a bundle of format 1 holds."""

OPTIONAL_CLUSTER: dict[str, str] = {"namespaces": "Namespace"}
"""Cluster-scoped kinds that older bundles lack: their absence is no gap."""

MAX_LIST = 256 * 1024 * 1024


def list_path(plural: str, namespace: str) -> str:
    """Where a list stands in a bundle; the namespace is empty for cluster-scoped kinds."""
    return f"objects/{namespace or '_cluster'}/{plural}.json"


def read_list(snapshot: Snapshot, plural: str, kind: str, namespace: str) -> tuple[Obj, ...] | Gap:
    """The objects of one list, or why there are none to read."""
    path = list_path(plural, namespace)
    item = snapshot.items.get(path)
    return gap_for(snapshot, path) if item is None else item.once(kind, lambda: _objects(path, item.read(), kind))


def _objects(path: str, data: bytes, kind: str) -> tuple[Obj, ...] | Gap:
    try:
        document = json.loads(data)
        raws = document["items"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Gap(path, GapReason.UNPARSED, "not a list of objects: no JSON with items")
    if not isinstance(raws, list):
        return Gap(path, GapReason.UNPARSED, "not a list of objects: items is no list")
    if not all(isinstance(raw, Mapping) for raw in raws):
        return Gap(path, GapReason.UNPARSED, "not a list of objects: an item is none")
    return tuple(as_obj(raw, kind, path) for raw in raws)


def as_obj(raw: Mapping[str, Any], kind: str, source: str) -> Obj:
    """Items of a `<Kind>List` carry no kind of their own: `kind` fills in."""
    metadata = raw.get("metadata")
    meta: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
    ref = ObjectRef(str(raw.get("kind") or kind), str(meta.get("namespace") or ""), str(meta.get("name") or ""))
    return Obj(ref, raw, source)


def gap_for(snapshot: Snapshot, path: str) -> Gap:
    """The recorded gap for a path. Where nothing was recorded: ABSENT, or OFFLINE where there are files only."""
    why = GapReason.OFFLINE if snapshot.source == "files" else GapReason.ABSENT
    return next((g for g in snapshot.gaps if g.what == path), Gap(path, why, ""))


Lists = tuple[dict[str, tuple[Obj, ...]], dict[str, Gap]]
"""plural -> objects, and plural -> gap of what could not be read."""


def read_namespace(snapshot: Snapshot, namespace: str) -> Lists:
    """All lists of one namespace."""
    return _read(snapshot, NAMESPACED | OPTIONAL, namespace)


def read_cluster(snapshot: Snapshot) -> Lists:
    """All cluster-scoped lists."""
    return _read(snapshot, CLUSTER | OPTIONAL_CLUSTER, "")


def _read(snapshot: Snapshot, kinds: Mapping[str, str], namespace: str) -> Lists:
    objects: dict[str, tuple[Obj, ...]] = {}
    gaps: dict[str, Gap] = {}
    for plural, kind in kinds.items():
        got = read_list(snapshot, plural, kind, namespace)
        if not isinstance(got, Gap):
            objects[plural] = got
            part = gap_for(snapshot, list_path(plural, namespace))
            if part.why is not GapReason.ABSENT:  # there may be more of them
                gaps[plural] = part
        elif plural not in (OPTIONAL | OPTIONAL_CLUSTER) or got.why is not GapReason.ABSENT:
            gaps[plural] = got
    return objects, gaps
