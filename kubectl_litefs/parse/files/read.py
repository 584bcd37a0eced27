"""A snapshot of files -> what `assemble` builds clusters from: lists of objects as an API server would give them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ...model.image import File, Image
from ...model.objects import Obj
from ...model.origin import Gap, GapReason, ObjectRef, TextOrigin
from ...model.pod import Pod
from ...model.snapshot import Snapshot
from ..objects import CLUSTER, NAMESPACED, OPTIONAL_CLUSTER, Lists, list_path
from .compose import services_in
from .dockerfile import read_dockerfile
from .fly import groups_in
from .images import matched, with_image
from .kubernetes import PLURALS, objects_in
from .lone import lone_config, lone_image, lone_script
from .outside import Outside, nodes, services_twice
from .planned import claims_of, pods_of
from .recognise import YAML_NAME, Kind, recognise
from .terraform_found import Found, gap_of, read_sources, take
from .terraform_plan import objects_in_plan
from .text import Unreadable, decode

PREFIX = "files/"
TEMPLATED = ("StatefulSet", "Deployment", "DaemonSet")
WHOLE = ("pods", "statefulsets", "deployments", "daemonsets", "services", "networkpolicies")
"""Kinds of which the files are taken to hold all there are, as soon as they hold one."""
DEFAULT = "default"
# of a text as Python shows it, where what stands for an unknown part is an escape
_URL_NAMESPACE = re.compile(r"https?://[\w${}\\-]+(?:\.[\w${}\\-]+)?\.([a-z0-9-]+)\.svc\b")


Images = Mapping[tuple[str, ObjectRef], tuple[str, Image]]
"""File and workload -> the container whose Dockerfile was given, and the image."""


@dataclass(frozen=True, slots=True)
class World:
    """One application: its namespaces, and what each of them holds. `Lists` are objects, and gaps, by plural."""

    namespaces: Mapping[str, Lists]


@dataclass(frozen=True, slots=True)
class Given:
    """All that the files hold: applications, files that stand alone (a node, or what is to become one), what could not be
    read, and words for what was looked at."""

    worlds: tuple[World, ...]
    alone: tuple[Pod | Obj, ...]
    gaps: tuple[Gap, ...]
    looked_at: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Desired:
    """The objects of files as they would be applied, the images of their workloads, and what could not be read.

    `others` are files that belong to LiteFS and hold no object.
    """

    objects: tuple[Obj, ...]
    images: Images
    gaps: tuple[Gap, ...]
    others: tuple[str, ...]


def read_desired(snapshot: Snapshot) -> Desired:
    """The same files as objects for a cluster that there is."""
    found = _found(snapshot)
    images = [i for p, t in found.dockerfiles.items() if (i := read_dockerfile(p, t, _finder(found, p, set()))) is not None]
    matches = matched([o for o in found.objects if o.ref.kind in TEMPLATED], images)
    of_owner = {(o.source, o.ref): (container, images[n]) for n, (o, container) in matches.items()}
    return Desired(tuple(found.objects), of_owner, tuple(found.gaps), tuple(found.configs))


def _found(snapshot: Snapshot) -> Found:
    found = Found(gaps=list(snapshot.gaps))
    for item in snapshot.items.values():
        path = item.path.removeprefix(PREFIX)
        _read_one(path, item.read(), found, named=item.path in snapshot.wanted)
    read_sources(found, {p.removeprefix(PREFIX) for p in snapshot.wanted})
    return found


def read_files(snapshot: Snapshot) -> Given:
    """Recognise, parse and lay out every file. Never raises for what stands in one."""
    found = _found(snapshot)
    parts = [f"{n} {kind}" for kind, n in sorted(found.kinds.items())]
    words = ": ".join([*snapshot.looked_at, ", ".join(parts) or "none of them known to this tool"])
    copied: set[str] = set()
    images = [i for p, t in found.dockerfiles.items() if (i := read_dockerfile(p, t, _finder(found, p, copied))) is not None]
    owners = [o for o in found.objects if o.ref.kind in TEMPLATED]
    matches = matched(owners, images)
    of_owner = {(o.source, o.ref): (container, images[n]) for n, (o, container) in matches.items()}
    worlds = tuple(_world(objects, of_owner, found.unsure) for objects in _applications(found.objects))
    lone: list[Pod | Obj] = []
    built: set[str] = set()
    twice = services_twice(found.outside)
    for out in found.outside:
        for node, image in nodes(out, twice, found.dockerfiles, found.configs | found.scripts, partial(_finder, found, copied=copied)):
            lone.append(node)
            built.add(image.source)
            copied |= {f.origin.source for f in image.files.values()}
    lone += [lone_image(i) for n, i in enumerate(images) if n not in matches and i.litefs is not None and i.source not in built]
    lone += [lone_script(p, t) for p, t in found.scripts.items() if p not in copied]
    return Given(worlds, (*found.alone, *lone), tuple(found.gaps), (words,))


def _finder(found: Found, dockerfile: str, copied: set[str]) -> Callable[[str], File | None]:
    """Files by their path in a build's context, which is the Dockerfile's folder or one above it: where only one can be
    meant. `copied` collects them."""
    given = found.configs | found.scripts
    here = os.path.dirname(dockerfile)

    def find(source: str) -> File | None:
        exact = os.path.normpath(os.path.join(here, source))
        fitting = [p for p in given if os.path.normpath(p) == exact]
        fitting = fitting or [p for p in given if f"/{os.path.normpath(p)}".endswith(f"/{source.lstrip('/')}")]
        if len(fitting) != 1:
            return None
        copied.add(fitting[0])
        return File(given[fitting[0]], TextOrigin(fitting[0]))

    return find


def _read_one(path: str, data: bytes, found: Found, *, named: bool) -> None:
    try:
        text = decode(data)
    except Unreadable as error:
        if named or (YAML_NAME.match(path) and b"litefs" in data.lower()):
            found.gaps.append(gap_of(path, error))
        return
    kind = recognise(path, text)
    if kind is not None:
        if kind is not Kind.KUBERNETES:  # its objects are counted, by their own kinds
            found.kinds[kind.value] += 1
        for why in READERS[kind](path, text, found):
            if named or (YAML_NAME.match(path) and "litefs" in text.lower()):
                found.gaps.append(gap_of(path, why))


def _kubernetes(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    for one in objects_in(path, text):
        if isinstance(one, Unreadable):
            yield one
        else:
            found.kinds[one.ref.kind] += 1
            found.objects.append(one)


_TEMPLATE_LINE = re.compile(r"\{\{|\{%|%\{")


def _litefs_yml(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    template = _TEMPLATE_LINE.search(text)
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        yield Unreadable("a template of a litefs.yml; lint what comes out of it", line)
    else:
        found.configs[path] = text
        found.alone.append(lone_config(path, text))


def _dockerfile(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    found.dockerfiles[path] = text
    return iter(())


def _script(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    found.scripts[path] = text
    return iter(())


def _outside(reader: Callable[[str, str], Iterator[Outside | Unreadable]]) -> Callable[[str, str, Found], Iterator[Unreadable]]:
    def read(path: str, text: str, found: Found) -> Iterator[Unreadable]:
        for one in reader(path, text):
            if isinstance(one, Unreadable):
                yield one
            else:
                found.outside.append(one)

    return read


def _terraform_plan(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    return take(((path, one) for one in objects_in_plan(path, text)), found)


def _terraform(path: str, text: str, found: Found) -> Iterator[Unreadable]:
    found.terraform[path] = text  # read when the folder's other files are there, too
    return iter(())


READERS: dict[Kind, Callable[[str, str, Found], Iterator[Unreadable]]] = {
    Kind.LITEFS_YML: _litefs_yml,
    Kind.KUBERNETES: _kubernetes,
    Kind.DOCKERFILE: _dockerfile,
    Kind.SCRIPT: _script,
    Kind.TERRAFORM_PLAN: _terraform_plan,
    Kind.TERRAFORM: _terraform,
    Kind.COMPOSE: _outside(services_in),
    Kind.FLY: _outside(groups_in),
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


def _world(objects: list[Obj], images: Images, unsure: set[str]) -> World:
    home = _home(objects)
    placed = [_placed(o, home) for o in objects]
    images = {(p.source, p.ref): images[o.source, o.ref] for o, p in zip(objects, placed, strict=True) if (o.source, o.ref) in images}
    shared, unshared = _cluster_lists(placed)
    namespaces = sorted({o.ref.namespace for o in placed if PLURALS[o.ref.kind] not in CLUSTER} - {""})
    return World({n: _without(_lists(n, placed, shared, unshared, images), unsure, n) for n in namespaces})


def _without(lists: Lists, unsure: set[str], namespace: str) -> Lists:
    """A list that is not whole is none: who finds nothing in it must not say that there is none."""
    objects, gaps = lists
    return {p: o for p, o in objects.items() if p not in unsure}, {**gaps, **{p: _offline(p, namespace) for p in unsure}}


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
    absent = [p for p in CLUSTER if p not in lists]
    return lists, {p: _offline(p, "") for p in (*absent, *OPTIONAL_CLUSTER)}


def _lists(
    namespace: str, objects: list[Obj], shared: Mapping[str, tuple[Obj, ...]], unshared: Mapping[str, Gap], images: Images
) -> Lists:
    """The objects of one namespace, with the pods and claims that its workloads would create."""
    lists: dict[str, list[Obj]] = {}
    for obj in objects:
        if obj.ref.namespace == namespace:
            lists.setdefault(PLURALS[obj.ref.kind], []).append(obj)
    owners = {(o.get("kind"), o.get("name")) for p in lists.get("pods", ()) for o in p.items("metadata.ownerReferences")}
    for obj in objects:
        if obj.ref.namespace == namespace and obj.ref.kind in TEMPLATED and (obj.ref.kind, obj.ref.name) not in owners:
            pods, built = pods_of(obj), images.get((obj.source, obj.ref))
            lists.setdefault("pods", []).extend(pods if built is None else [with_image(p, *built) for p in pods])
            lists.setdefault("persistentvolumeclaims", []).extend(claims_of(obj))
    gaps = {p: _offline(p, namespace) for p in NAMESPACED if p not in WHOLE or not lists.get(p)}
    return {p: tuple(found) for p, found in lists.items()} | dict(shared), gaps | dict(unshared)


def _offline(plural: str, namespace: str) -> Gap:
    return Gap(list_path(plural, namespace), GapReason.OFFLINE, "the files that were given need not hold them all")
