"""Kubernetes objects in YAML and JSON files, in streams of several documents and in lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.objects import Obj
from ..objects import CLUSTER, NAMESPACED, OPTIONAL, OPTIONAL_CLUSTER, as_obj
from .documents import SEPARATOR, Keys, Places, Tree, YamlTree, chunks, read_json, written
from .text import Unreadable

PLURALS = {kind: plural for plural, kind in (NAMESPACED | OPTIONAL | CLUSTER | OPTIONAL_CLUSTER).items()}
GROUPS = frozenset(
    {"", "apps", "autoscaling", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "extensions", "networking.k8s.io", "policy", "storage.k8s.io"}
)
"""API groups of the kinds that count: a Service of Knative is none."""
_KIND = re.compile(r"^kind[ \t]*:[ \t]*[\"']?(\w+)", re.MULTILINE)


def objects_in(path: str, text: str) -> Iterator[Obj | Unreadable]:
    """The objects of a file, and why a document of it cannot be read: the others count all the same."""
    if text.lstrip()[:1] in ("{", "[") and _is_json(text):
        trees: Iterator[Tree | Unreadable] = iter([_attempt_json(path, text)])
    else:
        trees = (_attempt(path, chunk) for chunk in chunks(text) if _may_count(chunk.text))
    for tree in trees:
        if isinstance(tree, Unreadable):
            yield tree
        else:
            yield from _objects(tree, tree.value, ())


def _is_json(text: str) -> bool:
    """Whether a text in braces is JSON: it ends as it begins, and is neither a template nor several documents."""
    return text.rstrip()[-1:] in ("}", "]") and not text.lstrip().startswith("{{") and SEPARATOR.search(text) is None


def _attempt_json(path: str, text: str) -> Tree | Unreadable:
    try:
        return read_json(path, text)
    except Unreadable as why:
        return why


def _attempt(path: str, chunk: Any) -> Tree | Unreadable:
    try:
        return YamlTree(path, chunk)
    except Unreadable as why:
        return why


def _may_count(text: str) -> bool:
    """Whether a document can hold an object that counts. Long lists of other things, as CRDs are, are not read at all."""
    found = _KIND.search(text)
    return found is None or found[1] in PLURALS or found[1].endswith("List")


def objects_in_value(tree: Places, value: object, keys: Keys) -> Iterator[Obj]:
    """The objects in a part of a document that stands at these keys."""
    yield from _objects(tree, value, keys)


def _objects(tree: Places, value: object, prefix: Keys) -> Iterator[Obj]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _objects(tree, item, (*prefix, str(i)))
        return
    if not isinstance(value, Mapping):
        return
    kind = value.get("kind")
    items = value.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for i, item in enumerate(items):
            told = item if not isinstance(item, dict) or "kind" in item or kind == "List" else {**item, "kind": kind[:-4]}
            yield from _objects(tree, told, (*prefix, "items", str(i)))
    elif isinstance(kind, str) and kind in PLURALS and _group(value) in GROUPS:
        yield _object(tree, value, kind, prefix)


def _group(value: Mapping[str, Any]) -> str:
    group, slash, _ = str(value.get("apiVersion") or "").partition("/")
    return group if slash else ""


def _object(tree: Places, value: Mapping[str, Any], kind: str, prefix: Keys) -> Obj:
    plain = as_obj(value, kind, tree.path)
    return Obj(plain.ref, plain.raw, plain.source, written(tree, str(plain.ref), prefix))
