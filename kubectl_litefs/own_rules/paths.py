"""Dotted paths into objects: `spec.containers.*.image`, `metadata.annotations["example.com/team"]`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SEGMENT = re.compile(r"""(?:^|\.)(?P<name>[A-Za-z0-9_-]+|\*)|\[(?P<index>\d+|\*)\]|\[(?P<quote>["'])(?P<key>[^"'\]]+)(?P=quote)\]""")

Path = tuple[str, ...]

MISSING = object()
"""No value: absent, or null."""

META = (
    "name", "namespace", "generateName", "labels", "annotations", "uid", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "generation", "resourceVersion", "ownerReferences", "finalizers",
)  # fmt: skip
TOPS: dict[str, tuple[str, ...]] = {
    "ConfigMap": ("metadata", "data", "immutable"),
    "EndpointSlice": ("metadata", "addressType", "endpoints", "ports"),
    "Event": ("metadata", "involvedObject", "reason", "message", "type", "count", "source", "reportingComponent", "firstTimestamp",
              "lastTimestamp", "eventTime", "series", "action", "related"),
    "StorageClass": ("metadata", "provisioner", "parameters", "reclaimPolicy", "volumeBindingMode", "allowVolumeExpansion", "mountOptions",
                     "allowedTopologies"),
}  # fmt: skip
"""What an object of the kind has at its top, where that is not metadata, spec and status."""
POD = (
    "containers", "initContainers", "ephemeralContainers", "volumes", "hostname", "subdomain", "nodeName", "nodeSelector", "affinity", "tolerations",
    "serviceAccountName", "automountServiceAccountToken", "securityContext", "imagePullSecrets", "restartPolicy", "terminationGracePeriodSeconds",
    "priorityClassName", "priority", "dnsPolicy", "dnsConfig", "hostAliases", "hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "setHostnameAsFQDN",
    "topologySpreadConstraints", "runtimeClassName", "enableServiceLinks", "readinessGates", "activeDeadlineSeconds", "schedulerName",
)  # fmt: skip
CONTAINER = (
    "name", "image", "imagePullPolicy", "command", "args", "env", "envFrom", "ports", "resources", "volumeMounts", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle", "securityContext", "workingDir", "terminationMessagePath", "terminationMessagePolicy", "restartPolicy", "tty", "stdin",
)  # fmt: skip
SETS = ("replicas", "selector", "template", "serviceName", "volumeClaimTemplates", "updateStrategy", "strategy", "podManagementPolicy",
        "persistentVolumeClaimRetentionPolicy", "revisionHistoryLimit", "minReadySeconds", "progressDeadlineSeconds", "ordinals", "paused")  # fmt: skip
SPECS: dict[str, tuple[str, ...]] = {
    "Pod": POD, "StatefulSet": SETS, "Deployment": SETS, "DaemonSet": SETS,
    "Service": ("type", "clusterIP", "clusterIPs", "selector", "ports", "publishNotReadyAddresses", "externalTrafficPolicy", "internalTrafficPolicy",
                "sessionAffinity", "externalName", "externalIPs", "loadBalancerIP", "loadBalancerClass", "ipFamilies", "ipFamilyPolicy"),
    "PersistentVolumeClaim": ("accessModes", "resources", "storageClassName", "volumeName", "volumeMode", "selector", "dataSource", "dataSourceRef"),
}  # fmt: skip
"""Names below `spec`. A name that is not here is taken, unless it looks like a typo of one that is."""


def parse(text: str) -> Path | None:
    """The segments, `*` for every item; None for what is no path."""
    segments: list[str] = []
    at = 0
    while at < len(text):
        found = _SEGMENT.match(text, at)
        if found is None:
            return None
        segments.append(found["name"] or found["index"] or found["key"])
        at = found.end()
    return tuple(segments) or None


def problem(kind: str, path: Path) -> str | None:
    """Why there can never be anything at the path in an object of this kind; None where there may be."""
    top, *below = path
    if kind == "Pod" and top == "container":
        return _typo(below[0], CONTAINER) if below else "container wants a field: container.image"
    tops = (*TOPS.get(kind, ("metadata", "spec", "status")), "kind", "apiVersion")
    if top not in tops:
        return f"a {kind} has no {top!r} at its top{_meant(top, tops)}; it has {', '.join(tops[:-2])}" + (", container" if kind == "Pod" else "")
    if top == "metadata" and below[:1] == ["managedFields"]:
        return "metadata.managedFields is never read"
    if top == "metadata" and below and below[0] not in META:
        return f"there is no metadata.{below[0]}{_meant(below[0], META)}"
    if top == "spec" and below:
        where = below
        if kind in ("StatefulSet", "Deployment", "DaemonSet") and below[:2] == ["template", "spec"] and len(below) > 2:
            return _pod_spec(below[2:])
        return _pod_spec(where) if kind == "Pod" else _typo(where[0], SPECS.get(kind, ()))
    return None


def _pod_spec(below: list[str]) -> str | None:
    if below[0] in ("containers", "initContainers") and len(below) > 2:
        return _typo(below[2], CONTAINER)
    return _typo(below[0], POD)


def _typo(name: str, known: tuple[str, ...]) -> str | None:
    if name == "*" or name in known or not difflib.get_close_matches(name, known, 1, 0.8):
        return None
    return f"there is no field {name!r}{_meant(name, known)}"


def _meant(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def walk(value: Any, path: Path, at: str = "") -> Iterator[tuple[str, Any]]:
    """(path of it, value) for each place the path leads to; one MISSING for each branch that ends before."""
    if not path:
        yield at, MISSING if value is None else value
        return
    key, rest = path[0], path[1:]
    if key == "*":
        items: list[tuple[str, Any]] = []
        if isinstance(value, Mapping):
            items = [(str(k), value[k]) for k in sorted(value, key=str)]
        elif isinstance(value, list):
            items = [(str(n), item) for n, item in enumerate(value)]
        if not items:
            yield _join(at, key), MISSING
        for name, item in items:
            yield from walk(item, rest, _join(at, name))
    elif isinstance(value, Mapping) and key in value:
        yield from walk(value[key], rest, _join(at, key))
    elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
        yield from walk(value[int(key)], rest, _join(at, key))
    else:
        yield _join(at, ".".join(path)), MISSING


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
