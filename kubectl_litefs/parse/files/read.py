"""A snapshot of files -> what `assemble` builds clusters from: lists of objects as an API server would give them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ...model.objects import Obj
from ...model.origin import Gap, GapReason
from ...model.pod import Pod
from ...model.snapshot import Snapshot
from ..objects import CLUSTER, NAMESPACED, Lists, list_path
from .kubernetes import PLURALS, objects_in
from .lone import lone_config
from .planned import claims_of, pods_of
from .recognise import YAML_NAME, Kind, recognise
from .text import Unreadable, decode

PREFIX = "files/"
TEMPLATED = ("StatefulSet", "Deployment", "DaemonSet")
WHOLE = ("pods", "statefulsets", "deployments", "daemonsets", "services")
"""Kinds of which the files are taken to hold all there are, as soon as they hold one."""
DEFAULT = "default"
_URL_NAMESPACE = re.compile(r"https?://[\w${}-]+(?:\.[\w${}-]+)?\.([a-z0-9-]+)\.svc\b")


@dataclass
class Found:
    """What the files hold, in the order in which they were read."""

    objects: list[Obj] = field(default_factory=list)
    alone: list[Pod] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class World:
    """One application: its namespaces, and what each of them holds. `Lists` are objects, and gaps, by plural."""

    namespaces: Mapping[str, Lists]


@dataclass(frozen=True, slots=True)
class Given:
    """All that the files hold: applications, litefs.yml files that stand alone, what could not be read, and words for it."""

    worlds: tuple[World, ...]
    alone: tuple[Pod, ...]
    gaps: tuple[Gap, ...]
    looked_at: tuple[str, ...]


def read_files(snapshot: Snapshot) -> Given:
    """Recognise, parse and lay out every file. Never raises for what stands in one."""
    found = Found(gaps=list(snapshot.gaps))
    for item in snapshot.items.values():
        path = item.path.removeprefix(PREFIX)
        _read_one(path, item.read(), found, named=item.path in snapshot.wanted)
    parts = [f"{n} {kind}" for kind, n in sorted(found.kinds.items())]
    words = ": ".join([*snapshot.looked_at, ", ".join(parts) or "none of them known to this tool"])
    worlds = tuple(_world(objects) for objects in _applications(found.objects))
    return Given(worlds, tuple(found.alone), tuple(found.gaps), (words,))


def _read_one(path: str, data: bytes, found: Found, *, named: bool) -> None:
    try:
        text = decode(data)
    except Unreadable as error:
        if named or (YAML_NAME.match(path) and b"litefs" in data.lower()):
            found.gaps.append(_gap(path, error))
        return
    kind = recognise(path, text)
    if kind is not None:
        if kind is not Kind.KUBERNETES:  # its objects are counted, by their own kinds
            found.kinds[kind.value] += 1
        for why in READERS[kind](path, text, found):
            if named or (YAML_NAME.match(path) and "litefs" in text.lower()):
                found.gaps.append(_gap(path, why))


def _gap(path: str, why: Unreadable) -> Gap:
    return Gap(path, GapReason.UNPARSED, f"{path}:{why.line}: {why.message}")


def _kubernetes(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    for one in objects_in(path, text):
        if isinstance(one, Unreadable):
            yield one
        else:
            found.kinds[one.ref.kind] += 1
            found.objects.append(one)


_TEMPLATE_LINE = re.compile(r"\{\{|\{%")


def _litefs_yml(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    template = _TEMPLATE_LINE.search(text)
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        yield Unreadable("a template of a litefs.yml; lint what comes out of it", line)
    else:
        found.alone.append(lone_config(path, text))


READERS: dict[Kind, Callable[[str, str, Found], Iterator[Unreadable]]] = {
    Kind.LITEFS_YML: _litefs_yml,
    Kind.KUBERNETES: _kubernetes,
}
"""How each kind is read: what it holds goes into `Found`, what of it cannot be read comes back."""


def _applications(objects: list[Obj]) -> list[list[Obj]]:
    """Objects that belong together: all of them, unless one stands there twice, as in folders for several environments.
    Then each folder is an application of its own; of two in one folder the first counts."""
    if not objects:
        return []
    if len({o.ref for o in objects}) == len(objects):
        return [objects]
    folders: dict[str, dict[object, Obj]] = {}
    for obj in objects:
        folders.setdefault(os.path.dirname(obj.source), {}).setdefault(obj.ref, obj)
    return [list(folder.values()) for folder in folders.values()]


def _world(objects: list[Obj]) -> World:
    home = _home(objects)
    placed = [_placed(o, home) for o in objects]
    shared, unshared = _cluster_lists(placed)
    namespaces = sorted({o.ref.namespace for o in placed if PLURALS[o.ref.kind] not in CLUSTER} - {""})
    return World({n: _lists(n, placed, shared, unshared) for n in namespaces})


def _home(objects: list[Obj]) -> str:
    """The namespace of objects that name none: the one that others name, or that an advertise-url spells out, if it is the
    only one; the namespace is often given to `kubectl apply` only."""
    named = {o.ref.namespace for o in objects if o.ref.namespace}
    if not named:
        named = {m for o in objects for m in _URL_NAMESPACE.findall(str(o.raw))}
    return next(iter(named)) if len(named) == 1 else DEFAULT


def _placed(obj: Obj, home: str) -> Obj:
    if obj.ref.namespace or PLURALS[obj.ref.kind] not in NAMESPACED:
        return obj
    return replace(obj, ref=replace(obj.ref, namespace=home))


def _cluster_lists(objects: list[Obj]) -> Lists:
    lists: dict[str, tuple[Obj, ...]] = {}
    for obj in objects:
        if PLURALS[obj.ref.kind] not in NAMESPACED:
            lists[PLURALS[obj.ref.kind]] = (*lists.get(PLURALS[obj.ref.kind], ()), obj)
    return lists, {p: _offline(p, "") for p in CLUSTER if p not in lists}


def _lists(namespace: str, objects: list[Obj], shared: Mapping[str, tuple[Obj, ...]], unshared: Mapping[str, Gap]) -> Lists:
    """The objects of one namespace, with the pods and claims that its workloads would create."""
    lists: dict[str, list[Obj]] = {}
    for obj in objects:
        if obj.ref.namespace == namespace:
            lists.setdefault(PLURALS[obj.ref.kind], []).append(obj)
    owners = {(o.get("kind"), o.get("name")) for p in lists.get("pods", ()) for o in p.items("metadata.ownerReferences")}
    for obj in objects:
        if obj.ref.namespace == namespace and obj.ref.kind in TEMPLATED and (obj.ref.kind, obj.ref.name) not in owners:
            lists.setdefault("pods", []).extend(pods_of(obj))
            lists.setdefault("persistentvolumeclaims", []).extend(claims_of(obj))
    gaps = {p: _offline(p, namespace) for p in NAMESPACED if p not in WHOLE or not lists.get(p)}
    return {p: tuple(found) for p, found in lists.items()} | dict(shared), gaps | dict(unshared)


def _offline(plural: str, namespace: str) -> Gap:
    return Gap(list_path(plural, namespace), GapReason.OFFLINE, "the files that were given need not hold them all")
