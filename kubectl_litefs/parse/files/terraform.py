"""Resources of Terraform's Kubernetes provider as Kubernetes objects: snake_case blocks, which are lists of one, to fields.

Both a plan and its sources are turned into the same tree first: blocks are lists of mappings, maps are mappings, and what
cannot be known is `Unseen`. An object of which something that decides cannot be known is none: `Hidden` says what.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...model.objects import Obj, Written
from ...model.origin import ObjectRef, Place, TextOrigin
from ..unseen import UNKNOWN
from .recognise import is_litefs_yml
from .text import Unreadable

Keys = tuple[str, ...]


class Unseen:
    """The type of `UNSEEN`."""


UNSEEN = Unseen()
"""A value that only `terraform apply` knows, or that is marked as sensitive, or an expression."""


class Hidden(Exception):
    """A resource that cannot be judged; `keys` are those of what cannot be known."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(".".join(keys))
        self.keys = keys


class Unjudged(Unreadable):
    """A resource that is there and cannot be seen; `kind` is what it makes, empty where that is not known."""

    def __init__(self, message: str, line: int, kind: str = "") -> None:
        super().__init__(message, line)
        self.kind = kind


KINDS: dict[str, str] = {
    "stateful_set": "StatefulSet",
    "deployment": "Deployment",
    "daemonset": "DaemonSet",
    "daemon_set": "DaemonSet",
    "pod": "Pod",
    "config_map": "ConfigMap",
    "service": "Service",
    "persistent_volume_claim": "PersistentVolumeClaim",
    "persistent_volume": "PersistentVolume",
    "storage_class": "StorageClass",
    "network_policy": "NetworkPolicy",
    "pod_disruption_budget": "PodDisruptionBudget",
    "horizontal_pod_autoscaler": "HorizontalPodAutoscaler",
    "ingress": "Ingress",
    "namespace": "Namespace",
}
"""Resource type, without `kubernetes_` and its version -> kind."""
_TYPE = re.compile(r"kubernetes_(\w+?)(?:_v[0-9]\w*)?\Z")

LISTS: dict[str, str] = {
    "container": "containers",
    "init_container": "initContainers",
    "env": "env",
    "env_from": "envFrom",
    "port": "ports",
    "ports": "ports",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
    "volume_device": "volumeDevices",
    "volume_claim_template": "volumeClaimTemplates",
    "toleration": "tolerations",
    "host_aliases": "hostAliases",
    "image_pull_secrets": "imagePullSecrets",
    "topology_spread_constraint": "topologySpreadConstraints",
    "readiness_gate": "readinessGates",
    "items": "items",
    "sources": "sources",
    "match_expressions": "matchExpressions",
    "node_selector_term": "nodeSelectorTerms",
    "preferred_during_scheduling_ignored_during_execution": "preferredDuringSchedulingIgnoredDuringExecution",
    "ingress": "ingress",
    "egress": "egress",
    "from": "from",
    "to": "to",
    "http_header": "httpHeaders",
    "sysctl": "sysctls",
    "rule": "rules",
    "path": "paths",
    "tls": "tls",
    "metric": "metrics",
}
"""Blocks that may stand several times -> the list's name."""
_NAMES = {"cluster_ip": "clusterIP", "cluster_ips": "clusterIPs", "external_ips": "externalIPs", "load_balancer_ip": "loadBalancerIP",
          "host_ipc": "hostIPC", "host_pid": "hostPID", "pod_ip": "podIP", "storage_provisioner": "provisioner"}  # fmt: skip
_NUMBERS = frozenset({"replicas", "run_as_user", "run_as_group", "fs_group", "revision_history_limit", "port", "target_port", "partition", "node_port", "min_available", "max_unavailable"})
"""What the provider keeps as a text, and Kubernetes as a number."""
_TOP = ("metadata", "spec", "data", "binary_data", "storage_provisioner", "reclaim_policy", "volume_binding_mode", "allow_volume_expansion")
_INDIFFERENT = frozenset({
    "annotations", "namespace", "generate_name", "image", "image_pull_policy", "resources", "node_selector", "toleration", "affinity", "image_pull_secrets",
    "service_account_name", "priority_class_name", "storage_class_name", "topology_spread_constraint", "scheduler_name", "node_name", "timeouts", "host_aliases",
})  # fmt: skip
"""Where it does not matter that a value is not known: it is left out."""
_WORDS = frozenset({"command", "args"})
_LATER = {"secretKeyRef": {"name": "known-after-apply", "key": "value"}}
"""A variable whose value is defined and cannot be seen: as one from a Secret."""


def kind_of(resource: str) -> str | None:
    """`kubernetes_stateful_set_v1` -> StatefulSet; None for what does not count."""
    found = _TYPE.match(resource)
    return KINDS.get(found[1]) if found else None


@dataclass
class _Converter:
    """`places` maps the keys of the object to those of the resource."""

    places: dict[Keys, Keys] = field(default_factory=dict)

    def block(self, block: Mapping[str, Any], to: Keys, source: Keys) -> dict[str, Any]:
        """The fields of one block; what the provider fills in as null or empty is not set."""
        made: dict[str, Any] = {}
        for name, value in block.items():
            if value is None or value == [] or (value == "" and name != "value"):
                continue
            if name == "value" and value == "" and block.get("value_from"):
                continue
            if name.startswith("__"):
                continue
            key, inner = _renamed(name, value), (*source, name)
            if isinstance(value, Unseen) and name == "value":
                made["valueFrom"] = _LATER
            elif not (isinstance(value, Unseen) and name in _INDIFFERENT):
                at = (*to, key)
                made[key] = self.value(name, value, at, inner)
                self.places[at] = inner
        return made

    def value(self, name: str, value: Any, to: Keys, source: Keys) -> Any:
        if isinstance(value, Unseen):
            raise Hidden(source)
        if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            if name in LISTS:
                return [self.item(v, to, source, n) for n, v in enumerate(value)]
            if len(value) == 1:
                return self.block(value[0], to, (*source, "0"))
            raise Hidden(source)
        if isinstance(value, list):
            return [self.word(name, v, (*source, str(n))) for n, v in enumerate(value)]
        if isinstance(value, Mapping):
            return self.map(name, value, source)
        return int(value) if name in _NUMBERS and isinstance(value, str) and value.isascii() and value.isdigit() else value

    def item(self, value: Mapping[str, Any], to: Keys, source: Keys, number: int) -> dict[str, Any]:
        at, there = (*to, str(number)), (*source, str(number))
        self.places[at] = there
        return self.block(value, at, there)

    def word(self, name: str, value: Any, source: Keys) -> Any:
        if isinstance(value, Unseen):
            if name in _WORDS:
                return UNKNOWN
            raise Hidden(source)
        return value

    def map(self, name: str, value: Mapping[str, Any], source: Keys) -> dict[str, Any]:
        """Labels, data: their keys are the user's. Of data only what is known counts, if that is a litefs.yml."""
        unseen = next((k for k, v in value.items() if isinstance(v, Unseen)), None)
        known = {k: v for k, v in value.items() if not isinstance(v, Unseen) and not k.startswith("__")}
        if unseen is not None and name not in _INDIFFERENT:
            telling = name == "data" and any(isinstance(v, str) and is_litefs_yml(k, v) for k, v in known.items())
            if not telling:
                raise Hidden((*source, unseen))
        return known


def _renamed(name: str, value: Any) -> str:
    if name in LISTS and isinstance(value, list) and all(isinstance(v, Mapping) for v in value):
        return LISTS[name]
    if name in _NAMES:
        return _NAMES[name]
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def has_unseen(value: Any) -> bool:
    """Whether anything in it is not known."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one is UNSEEN:
            return True
        waiting += one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
    return False


PlaceOf = Callable[[Keys], Place]
TextOf = Callable[[Keys], "TextOrigin | None"]


def as_object(kind: str, values: Mapping[str, Any], path: str, place: PlaceOf, text: TextOf) -> Obj:
    """The object of one resource. `place` and `text` take keys of the resource. Raises Hidden."""
    converter = _Converter()
    raw = {"kind": kind, **converter.block({k: values[k] for k in _TOP if k in values}, (), ())}
    metadata = raw.get("metadata")
    name = str(metadata.get("name") or "") if isinstance(metadata, dict) else ""
    if not name:
        raise Hidden(("metadata", "name"))
    namespace = str(metadata.get("namespace") or "") if isinstance(metadata, dict) else ""
    ref = ObjectRef(kind, "" if kind in ("PersistentVolume", "StorageClass", "Namespace") else namespace, name)

    def source(keys: Keys) -> Keys:
        for length in range(len(keys), 0, -1):
            found = converter.places.get(keys[:length])
            if found is not None:
                return (*found, *keys[length:])
        return keys

    return Obj(ref, raw, path, Written(str(ref), lambda keys: place(source(keys)), lambda keys: text(source(keys))))
