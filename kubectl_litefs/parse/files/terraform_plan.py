"""The output of `terraform show -json PLAN`: the objects that the plan would leave behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...model.objects import Obj
from .documents import read_json, written
from .json_tree import JsonTree
from .kubernetes import objects_in_value
from .terraform import UNSEEN, Hidden, Keys, Unjudged, as_object, has_unseen, kind_of
from .text import Unreadable

MAX_MODULES = 1_000
_COMPUTED = frozenset({
    "id", "uid", "generation", "resource_version", "self_link", "status", "cluster_ip", "cluster_ips", "ip_families", "ip_family_policy", "node_port",
    "health_check_node_port", "session_affinity_config", "default_secret_name", "volume_name", "allocate_load_balancer_node_ports", "internal_traffic_policy",
    "hostname", "node_name", "scheduler_name", "service_account_name", "automount_service_account_token", "image_pull_policy", "resources", "limits", "requests",
    "security_context", "termination_message_policy", "termination_message_path", "readiness_gate", "storage_class_name", "protocol", "mode", "default_mode",
})  # fmt: skip
"""What the provider or the API server fills in where nothing is set, so that no plan knows it."""


def objects_in_plan(path: str, text: str) -> Iterator[Obj | Unreadable]:
    """Every object, and why a resource is none."""
    try:
        tree = read_json(path, text)
    except Unreadable as why:
        yield why
        return
    plan = tree.value if isinstance(tree.value, Mapping) else {}
    changes = {str(c.get("address")): _mapping(c.get("change")) for c in _list(plan.get("resource_changes"))}
    config = _mapping(_mapping(plan.get("configuration")).get("root_module"))
    root = _mapping(_mapping(plan.get("planned_values")).get("root_module"))
    for keys, resource, expressions in _resources(root, ("planned_values", "root_module"), config):
        yield from _objects(tree, keys, resource, _mapping(changes.get(str(resource.get("address")))), expressions)


def _resources(root: Mapping[str, Any], at: Keys, config: Mapping[str, Any]) -> Iterator[tuple[Keys, Mapping[str, Any], Any]]:
    """(where it stands, the resource, the expressions of its source: None where the plan has none)."""
    waiting = [(at, root, config)]
    for _ in range(MAX_MODULES):
        if not waiting:
            return
        keys, module, source = waiting.pop()
        told = {(str(r.get("type")), str(r.get("name"))): r.get("expressions") for r in _list(source.get("resources"))}
        for n, resource in enumerate(_list(module.get("resources"))):
            if resource.get("mode", "managed") == "managed":
                yield (*keys, "resources", str(n)), resource, told.get((str(resource.get("type")), str(resource.get("name"))))
        calls = _mapping(source.get("module_calls"))
        for n, child in enumerate(_list(module.get("child_modules"))):
            name = str(child.get("address") or "").rsplit("module.", 1)[-1].split("[")[0]
            waiting.append(((*keys, "child_modules", str(n)), child, _mapping(_mapping(calls.get(name)).get("module"))))


def _objects(tree: JsonTree, keys: Keys, resource: Mapping[str, Any], change: Mapping[str, Any], expressions: Any) -> Iterator[Obj | Unreadable]:
    kind, address = str(resource.get("type") or ""), str(resource.get("address") or "")
    line = tree.place(keys).line if kind.startswith(("kubernetes_", "kubectl_", "helm_")) else 1
    values = _known(_mapping(resource.get("values")), change.get("after_unknown"), resource.get("sensitive_values"), expressions)
    if kind == "helm_release":
        yield Unjudged(f"{address}: what a chart makes is seen only when it is rendered (helm template ... | kubectl litefs lint -)", line)
    elif kind == "kubernetes_manifest":
        if has_unseen(values.get("manifest")):
            yield Unjudged(f"{address}: parts of its manifest are known only after apply", line)
        else:
            yield from objects_in_value(tree, values.get("manifest"), (*keys, "values", "manifest"))
    elif (made := kind_of(kind)) is not None:
        stands = written(tree, address, (*keys, "values"))
        try:
            yield as_object(made, values, tree.path, stands.place, stands.text)
        except Hidden as hidden:
            yield Unjudged(f"{address}: {hidden} is known only after apply, or is sensitive", line, made)


def _known(values: Any, unknown: Any, sensitive: Any, expressions: Any, key: str = "") -> Any:
    """The values with `UNSEEN` where the plan does not know one that somebody has set, or must not tell it."""
    if sensitive is True:
        return UNSEEN
    if unknown is True:
        return UNSEEN if _set_by_user(expressions, key) else None
    if isinstance(values, Mapping) or (values is None and isinstance(unknown, Mapping)):
        have, later, secret = _mapping(values), _mapping(unknown), _mapping(sensitive)
        names = [*have, *(k for k in later if k not in have)]
        return {k: _known(have.get(k), later.get(k), secret.get(k), _below(expressions, k), k) for k in names}
    if isinstance(values, list) or (values is None and isinstance(unknown, list)):
        have_list, later_list, secret_list = (x if isinstance(x, list) else [] for x in (values, unknown, sensitive))
        count = max(len(have_list), len(later_list))
        return [_known(_at(have_list, n), _at(later_list, n), _at(secret_list, n), _below(expressions, n), key) for n in range(count)]
    return values


def _below(expressions: Any, key: str | int) -> Any:
    """The expressions of a field: those of a whole value hold for everything in it; None where there is none."""
    if expressions is None or (isinstance(expressions, Mapping) and ("references" in expressions or "constant_value" in expressions)):
        return expressions
    if isinstance(expressions, list):
        return _at(expressions, key if isinstance(key, int) and key < len(expressions) else 0)
    if isinstance(expressions, Mapping):
        if isinstance(key, int):
            return expressions
        return expressions.get(key, False)
    return expressions


def _set_by_user(expressions: Any, key: str) -> bool:
    """False is a field that the sources do not have; None are sources that the plan does not have."""
    return key not in _COMPUTED if expressions is None else bool(expressions)


def _at(values: list[Any], n: int) -> Any:
    return values[n] if n < len(values) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
