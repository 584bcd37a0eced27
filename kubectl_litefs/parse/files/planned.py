"""What a workload would create: its pods, by the names they would have, and their claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.objects import Obj, Written
from ...model.origin import ObjectRef, Place, TextOrigin

MOST_PODS = 50
"""Pods of one set that are judged; more would only say the same again."""
Keys = tuple[str, ...]


def pods_of(owner: Obj) -> list[Obj]:
    """The pods of a workload's template. At least one, also of a set that is scaled to 0: its template is judged."""
    return [_pod(owner, name, ordinal) for name, ordinal in _names(owner)]


def claims_of(owner: Obj) -> list[Obj]:
    """The claims that a StatefulSet would create."""
    return [
        _claim(owner, template, i, pod)
        for pod, _ in _names(owner)
        for i, template in enumerate(owner.items("spec.volumeClaimTemplates"))
    ]


def _names(owner: Obj) -> list[tuple[str, int]]:
    """Names with ordinals. Those of a Deployment end in letters that nobody knows before; a DaemonSet's number is that
    of the nodes: two pods stand for all of them."""
    replicas = owner.get("spec.replicas", 1)
    count = 2 if owner.ref.kind == "DaemonSet" else replicas if isinstance(replicas, int) else 1
    numbers = range(min(max(count, 1), MOST_PODS))
    if owner.ref.kind != "StatefulSet":
        return [(f"{owner.ref.name}-pod{n + 1}", n) for n in numbers]
    first = owner.get("spec.ordinals.start", 0)
    first = first if isinstance(first, int) else 0
    return [(f"{owner.ref.name}-{first + n}", first + n) for n in numbers]


def _pod(owner: Obj, name: str, ordinal: int) -> Obj:
    template = owner.mapping("spec.template")
    metadata = template.get("metadata")
    meta: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
    spec: dict[str, Any] = dict(owner.mapping("spec.template.spec"))
    labels = dict(_mapping(meta.get("labels")))
    claims = [str(_mapping(t.get("metadata")).get("name")) for t in owner.items("spec.volumeClaimTemplates")]
    volumes = spec.get("volumes")
    kept = list(volumes) if isinstance(volumes, list) else []
    if owner.ref.kind == "StatefulSet":
        spec |= {"hostname": name, "subdomain": owner.get("spec.serviceName", "")}
        labels |= {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(ordinal)}
        kept = [v for v in kept if not (isinstance(v, Mapping) and v.get("name") in claims)]
    spec["volumes"] = kept + [{"name": c, "persistentVolumeClaim": {"claimName": f"{c}-{name}"}} for c in claims]
    raw = {
        "kind": "Pod",
        "metadata": {
            **meta,
            "name": name,
            "namespace": owner.ref.namespace,
            "labels": labels,
            "ownerReferences": [{"kind": owner.ref.kind, "name": owner.ref.name, "controller": True}],
        },
        "spec": spec,
    }
    return Obj(ObjectRef("Pod", owner.ref.namespace, name), raw, owner.source, _of_template(owner, len(kept)))


def _of_template(owner: Obj, volumes: int) -> Written | None:
    """Fields of the pod are fields of the template; a claim's volume is that claim's template."""
    written = owner.written
    if written is None:
        return None

    def keys_in_owner(keys: Keys) -> Keys:
        if keys[:2] == ("spec", "volumes") and len(keys) > 2 and keys[2].isdigit() and int(keys[2]) >= volumes:
            return ("spec", "volumeClaimTemplates", str(int(keys[2]) - volumes))
        if keys[:2] == ("spec", "subdomain"):
            return ("spec", "serviceName")
        if keys[:1] == ("spec",) or keys[:2] in (("metadata", "labels"), ("metadata", "annotations")):
            return ("spec", "template", *keys)
        return ("metadata", "name") if keys[:1] == ("metadata",) else ()

    def place(keys: Keys) -> Place:
        return written.place(keys_in_owner(keys))

    def text(keys: Keys) -> TextOrigin | None:
        return written.text(keys_in_owner(keys))

    return Written(str(owner.ref), place, text)


def _claim(owner: Obj, template: Mapping[str, Any], index: int, pod: str) -> Obj:
    name = f"{_mapping(template.get('metadata')).get('name')}-{pod}"
    raw = {**template, "kind": "PersistentVolumeClaim", "metadata": {**_mapping(template.get("metadata")), "name": name}}
    at = ("spec", "volumeClaimTemplates", str(index))
    written = owner.written
    shifted = Written(str(owner.ref), lambda k: written.place((*at, *k)), lambda k: None) if written is not None else None
    return Obj(ObjectRef("PersistentVolumeClaim", owner.ref.namespace, name), raw, owner.source, shifted)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
