"""Files laid over what a cluster holds: the objects as they would be after `kubectl apply`, and the pods that would start anew.

What is observed of a pod that starts anew (its status, answers, logs) is taken away with a gap: it says nothing of the next run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model.change import Drift
from ..model.objects import Obj, Written
from ..model.origin import Gap, GapReason, ObjectRef
from ..model.snapshot import Snapshot
from .drift import differences, drift
from .files.images import with_image
from .files.kubernetes import PLURALS
from .files.planned import claims_of, pods_of
from .files.read import TEMPLATED, Desired
from .node import workload_of
from .objects import NAMESPACED, Lists, list_path, read_cluster, read_namespace

STARTS_ANEW = "it starts anew with the files: what it said before counts no more"
_KEPT: dict[str, tuple[str, ...]] = {
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "type"),
    "PersistentVolumeClaim": ("volumeName", "storageClassName", "volumeMode", "accessModes"),
    "StatefulSet": ("replicas", "serviceName", "volumeClaimTemplates", "podManagementPolicy", "persistentVolumeClaimRetentionPolicy"),
    "Deployment": ("replicas",),
}
"""Fields of the spec that stay as they are where a file says nothing of them."""
_OF_PODS = ("events", "endpointslices")
"""Lists that tell of the pods as they run now."""


@dataclass(frozen=True, slots=True)
class Laid:
    """What `assemble` makes the later facts from, and what the files change. `notices` are for the user.

    `unchanged` are the objects as they are, with the same pods started anew: what differs between the two is the files' doing.
    """

    snapshot: Snapshot
    lists: Mapping[str, Lists]
    unchanged: Mapping[str, Lists]
    drift: tuple[Drift, ...]
    restarted: tuple[ObjectRef, ...]
    notices: tuple[str, ...]


@dataclass
class _Space:
    """One namespace while files are laid over it."""

    namespace: str
    live: Mapping[str, tuple[Obj, ...]]
    unseen: Mapping[str, Gap]
    objects: dict[str, tuple[Obj, ...]]
    missing: dict[str, Gap]
    before: Mapping[ObjectRef, Obj]
    given: dict[ObjectRef, Obj] = field(default_factory=dict)
    configs: set[str] = field(default_factory=set)
    restarted: list[ObjectRef] = field(default_factory=list)
    planned: list[Obj] = field(default_factory=list)


def overlay(snapshot: Snapshot, desired: Desired, redacted: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Laid:
    """Lay the objects over the snapshot's namespaces. `redacted` takes secrets out of an object, as was done to the snapshot."""
    notices: list[str] = [f"{path}: a litefs.yml alone belongs to no object of the cluster; lint judges it" for path in desired.others]
    spaces = {n: _space(n, read_namespace(snapshot, n)) for n in snapshot.namespaces}
    shared = _space("", read_cluster(snapshot))
    drifts: list[Drift] = []
    for obj in desired.objects:
        home, why = (shared, "") if PLURALS[obj.ref.kind] not in NAMESPACED else _home(obj, spaces)
        if home is None:
            notices.append(f"{obj.source}: {obj.ref}: {why}")
            continue
        placed = dataclasses.replace(obj, ref=dataclasses.replace(obj.ref, namespace=home.namespace), raw=redacted(obj.raw))
        if placed.ref in home.given:
            notices.append(f"{obj.source}: {obj.ref} stands in {home.given[placed.ref].source}, too; the last one counts, as with kubectl apply")
        drifts += _lay(placed, home)
    images = {ref: image for (_, ref), image in desired.images.items()}
    for space in spaces.values():
        _start_anew(space, images)
    filtered = _without_observed(snapshot, spaces.values())
    lists: dict[str, Lists] = {n: (s.objects, s.missing) for n, s in (*spaces.items(), ("", shared))}
    unchanged: dict[str, Lists] = {n: _unchanged(s) for n, s in spaces.items()}
    restarted = tuple(ref for s in spaces.values() for ref in s.restarted)
    return Laid(filtered, lists, unchanged, tuple(drifts), restarted, tuple(notices))


def _unchanged(space: _Space) -> Lists:
    again = set(space.restarted)
    objects = {p: tuple(_unstarted(o) if o.ref in again else o for o in found) for p, found in space.live.items()}
    missing = dict(space.unseen)
    if again:
        _forget_pods(space.namespace, objects, missing)
    return objects, missing


def _space(namespace: str, lists: Lists) -> _Space:
    objects, missing = lists
    return _Space(namespace, objects, missing, dict(objects), dict(missing), {o.ref: o for found in objects.values() for o in found})


def _home(obj: Obj, spaces: Mapping[str, _Space]) -> tuple[_Space | None, str]:
    """The namespace that an object goes to: its own, the only one there is, or the one that has it already."""
    named = obj.ref.namespace
    if named:
        return (spaces[named], "") if named in spaces else (None, f"namespace {named} was not looked at, so the file changes nothing here")
    if len(spaces) == 1:
        return next(iter(spaces.values())), ""
    having = [s for s in spaces.values() if dataclasses.replace(obj.ref, namespace=s.namespace) in s.before]
    return (having[0], "") if len(having) == 1 else (None, "it names no namespace, and several were looked at; name one with -n")


def _lay(obj: Obj, space: _Space) -> Iterator[Drift]:
    """Put one object in place; where it differs from the one there is."""
    plural = PLURALS[obj.ref.kind]
    live = space.before.get(obj.ref)
    laid = _merged(obj, live)
    rest = tuple(o for o in space.objects.get(plural, ()) if o.ref != obj.ref)
    space.objects[plural] = (*rest, laid)
    space.given[obj.ref] = laid
    found = list(drift(obj, live)) if live is not None else []
    if obj.ref.kind == "ConfigMap" and (live is None or any(d.field.startswith(("data", "binaryData")) for d in found)):
        space.configs.add(obj.ref.name)
    if live is None and plural not in space.missing:
        yield Drift(obj.ref, "", None, "the cluster has no such object", obj.at("metadata.name", f"metadata.name: {obj.ref.name} ({obj.label})"))
    yield from found


def _merged(obj: Obj, live: Obj | None) -> Obj:
    """The object after `kubectl apply`: the file's fields, and of the cluster's what no file takes away."""
    if live is None:
        return obj
    raw = dict(obj.raw)
    mine, theirs = obj.mapping("metadata"), live.mapping("metadata")
    raw["metadata"] = {**theirs, **mine, "namespace": obj.ref.namespace}
    for part in ("labels", "annotations"):
        if part in theirs or part in mine:
            raw["metadata"][part] = {**live.mapping(f"metadata.{part}"), **obj.mapping(f"metadata.{part}")}
    spec = obj.mapping("spec")
    kept = {k: v for k in _KEPT.get(obj.ref.kind, ()) if k not in spec and (v := live.get(f"spec.{k}")) not in (None, "None", ["None"])}
    if spec or kept:
        raw["spec"] = {**spec, **kept}
    if "status" in live.raw:
        raw["status"] = live.raw["status"]
    written = obj.written
    if written is not None:
        written = dataclasses.replace(written, holds=_in_file, elsewhere=live.source)
    return dataclasses.replace(obj, raw=raw, written=written)


def _in_file(keys: tuple[str, ...]) -> bool:
    return keys[:1] != ("status",) and (keys[:1] != ("metadata",) or keys[1:2] in ((), ("name",), ("namespace",), ("labels",), ("annotations",)))


def _start_anew(space: _Space, images: Mapping[ObjectRef, Any]) -> None:
    """The pods of every workload that a file changes, or whose ConfigMap it changes, as they would be started."""
    owners = [o for plural in ("statefulsets", "deployments", "daemonsets") for o in space.objects.get(plural, ())]
    for owner in owners:
        if owner.ref.kind not in TEMPLATED:
            continue
        changed = _template_changed(owner, space) or bool(_configmaps(owner) & space.configs)
        if changed or owner.ref in space.given:
            _replace_pods(owner, space, images.get(owner.ref) or images.get(dataclasses.replace(owner.ref, namespace="")), changed)
    if space.restarted:
        _forget_pods(space.namespace, space.objects, space.missing)


def _forget_pods(namespace: str, objects: dict[str, tuple[Obj, ...]], missing: dict[str, Gap]) -> None:
    for plural in _OF_PODS:
        objects.pop(plural, None)
        missing[plural] = Gap(list_path(plural, namespace), GapReason.OFFLINE, "it tells of the pods as they run now")


def _template_changed(owner: Obj, space: _Space) -> bool:
    live = space.before.get(owner.ref)
    if owner.ref not in space.given:
        return False
    if live is None:
        return True
    return any(True for _ in differences({"t": owner.mapping("spec.template")}, {"t": live.mapping("spec.template")}))


def _configmaps(owner: Obj) -> set[str]:
    """The names of all ConfigMaps that a template names."""
    found: set[str] = set()
    waiting: list[Any] = [owner.mapping("spec.template.spec")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for key in ("configMap", "configMapRef", "configMapKeyRef"):
                below = value.get(key)
                if isinstance(below, Mapping) and isinstance(below.get("name"), str):
                    found.add(below["name"])
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def _replace_pods(owner: Obj, space: _Space, image: Any, changed: bool) -> None:
    """By name for a StatefulSet; a Deployment's pods all together, and only where the template changes."""
    live = [p for p in space.objects.get("pods", ()) if workload_of(p) == owner.ref]
    if owner.ref not in space.given:
        planned = [_unstarted(p) for p in live]
    else:
        planned = [p if image is None else with_image(p, *image) for p in pods_of(owner)]
    before, names = space.before.get(owner.ref), {p.ref.name for p in live}
    scaled = before is None or before.get("spec.replicas", 1) != owner.get("spec.replicas", 1)
    if not changed and (owner.ref.kind != "StatefulSet" or not scaled):
        return
    if live and not scaled and owner.ref.kind == "StatefulSet":
        planned = [p for p in planned if p.ref.name in names]  # a set that is stuck has not made the others
    elif owner.ref in space.given:
        _add_claims(owner, space)
    fresh = [p for p in planned if changed or p.ref.name not in names]
    stay = [] if changed else [p for p in live if p.ref.name in {q.ref.name for q in planned}]
    others = [p for p in space.objects.get("pods", ()) if p not in live]
    space.objects["pods"] = (*others, *stay, *fresh)
    space.planned += fresh
    space.restarted += [p.ref for p in live if p not in stay]


def _unstarted(pod: Obj) -> Obj:
    """A pod that would start anew as it is: nothing of it stands in a file."""
    raw = {k: v for k, v in pod.raw.items() if k != "status"}
    written = Written(pod.label, _nowhere, lambda keys: None, holds=lambda keys: False, elsewhere=pod.source)
    return dataclasses.replace(pod, raw=raw, written=written)


def _nowhere(keys: tuple[str, ...]) -> Any:
    raise LookupError("a pod of the cluster stands in no file")


def _add_claims(owner: Obj, space: _Space) -> None:
    """The claims that the set would create beside those there are."""
    known = {o.ref for o in space.objects.get("persistentvolumeclaims", ())}
    missing = tuple(c for c in claims_of(owner) if c.ref not in known)
    if missing:
        space.objects["persistentvolumeclaims"] = (*space.objects.get("persistentvolumeclaims", ()), *missing)


def _without_observed(snapshot: Snapshot, spaces: Any) -> Snapshot:
    """The snapshot without what pods said that start anew, and with gaps in its place."""
    fresh: Sequence[Obj] = [p for s in spaces for p in (*s.planned,)]
    gone = {(r.namespace, r.name) for s in spaces for r in s.restarted} | {(p.ref.namespace, p.ref.name) for p in fresh}

    def observed(path: str) -> bool:
        parts = path.split("/")
        parts = parts[2:] if parts[0] == "sweeps" else parts
        return len(parts) == 4 and parts[0] in ("litefs", "logs") and (parts[1], parts[2]) in gone

    items = {path: item for path, item in snapshot.items.items() if not observed(path)}
    gaps = [g for g in snapshot.gaps if not observed(g.what)]
    for pod in fresh:
        below = f"{pod.ref.namespace}/{pod.ref.name}"
        names = [str(c.get("name") or "") for key in ("containers", "initContainers") for c in pod.items(f"spec.{key}")]
        paths = [f"litefs/{below}/{what}" for what in ("info.json", "vars.json", "metrics.txt")] + [f"logs/{below}/{n}.log" for n in names]
        gaps += [Gap(path, GapReason.OFFLINE, STARTS_ANEW) for path in paths]
    return dataclasses.replace(snapshot, items=items, gaps=tuple(gaps))
