"""What runs an image elsewhere than on Kubernetes: a service of a compose file, a process group of Fly.

Each is a node that stands alone: its image, with what the file sets on top of it. Rules that speak of Kubernetes' objects see none.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...model.image import File, Image, Setting, Words
from ...model.objects import Obj, Written
from ...model.origin import ObjectRef, Place, TextOrigin
from ...model.pod import ALONE, Platform
from ..command import litefs_command
from ..discover import CONFIG_NAME
from ..unseen import UNKNOWN
from .dockerfile import FindFile, read_dockerfile
from .documents import Keys
from .images import with_image

CONTAINER: Keys = ("spec", "containers", "0")
Service = tuple[str, str]
"""A compose file's folder, and the service's name."""


@dataclass(frozen=True, slots=True)
class Build:
    """Which Dockerfile builds it: its path, the stage (empty: the last), and the arguments that are given."""

    dockerfile: str
    target: str
    args: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Disk:
    """What is mounted at a path. `kind` is `volume`, `bind` or `tmpfs`; `source` a volume's name or a path of the host."""

    path: str
    kind: str
    source: str
    place: Place


@dataclass(frozen=True, slots=True)
class Outside:
    """One container as its file describes it; what is None or empty there the image decides.

    `sure` is False where something that was not seen may set more, as a file that this one extends; `env_known` also where
    variables may come from elsewhere. `texts` are files whose text stands in the file itself. `spec` is what the container
    may do, in the words of a pod's spec. `edge_port` is where requests from outside go, with its place. `keeps` are the paths of
    the volumes that others of the same application have.
    """

    name: str
    platform: Platform
    source: str
    place: Place
    build: Build | None = None
    image: str = ""
    env: Mapping[str, Setting] = field(default_factory=dict)
    env_known: bool = False
    user: Setting | None = None
    workdir: str | None = None
    entrypoint: Words | None = None
    cmd: Words | None = None
    host_name: str = ""
    disks: tuple[Disk, ...] = ()
    texts: Mapping[str, File] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[Keys, Place] = field(default_factory=dict)
    edge_port: tuple[int, Place] | None = None
    keeps: tuple[str, ...] = ()
    sure: bool = True


def nodes(
    out: Outside, laid_over: Collection[Service], dockerfiles: Mapping[str, str], files: Mapping[str, str], finder: Callable[[str], FindFile]
) -> Iterator[tuple[Obj, Image]]:
    """The container with its image, where something shows that it runs LiteFS. `files` are those that it may mount, `finder`
    finds those that a Dockerfile copies, `laid_over` is what `services_twice` says."""
    if _service(out) in laid_over:
        out = replace(out, sure=False)  # compose lays such files over one another, if it is told to
    build = out.build
    path = next((p for p in dockerfiles if build is not None and os.path.normpath(p) == build.dockerfile), None)
    built = read_dockerfile(path, dockerfiles[path], finder(path), build.target, build.args) if path is not None and build is not None else None
    image = _combined(out, built, files)
    node = with_image(_node(out), "", image)
    if _runs_litefs(node, image, out):
        yield node, image


def services_twice(found: Iterable[Outside]) -> set[Service]:
    """Services that several files of one folder have."""
    times = Counter(filter(None, map(_service, found)))
    return {service for service, n in times.items() if n > 1}


def _service(out: Outside) -> Service | None:
    return (os.path.dirname(out.source), out.name.rpartition("#")[2]) if out.platform is Platform.COMPOSE else None


def _node(out: Outside) -> Obj:
    mounts = [{"name": d.source or d.kind, "mountPath": d.path} for d in out.disks]
    volumes = [{"name": m["name"], d.kind: {}} for m, d in zip(mounts, out.disks, strict=True)]
    container = {"name": "", **({"image": out.image} if out.image else {}), "volumeMounts": mounts, **out.spec}
    told: dict[str, Any] = {"platform": out.platform.value, "environmentKnown": out.env_known and out.sure, "sure": out.sure}
    if out.edge_port is not None:
        told["edgePort"] = out.edge_port[0]
    if out.keeps:
        told["kept"] = list(out.keeps)
    spec: dict[str, Any] = {"containers": [container], "volumes": volumes, **({"hostname": out.host_name} if out.host_name else {})}
    raw = {"kind": ALONE, "metadata": {"name": out.name}, "spec": spec, "outside": told}
    return Obj(ObjectRef(ALONE, "", out.name), raw, out.source, _written(out))


def _runs_litefs(node: Obj, image: Image, out: Outside) -> bool:
    """One that is started with a command of its own, in which no LiteFS is seen, is mostly a worker that shares the image."""
    container = node.items("spec.containers")[0]
    if litefs_command(container, node, ".".join(CONTAINER)) is not None:
        return True
    if any(posixpath.basename(path) == CONFIG_NAME for path in (*(d.path for d in out.disks), *out.texts)):
        return True
    return image.litefs is not None and not (out.entrypoint or out.cmd)


def _combined(out: Outside, built: Image | None, files: Mapping[str, str]) -> Image:
    """The image, with what the file sets in its place. A new entrypoint takes the image's CMD away, as in Docker."""
    base = built or _unseen_image(out)
    return replace(
        base,
        env={**base.env, **out.env},
        user=out.user or base.user,
        workdir=out.workdir or base.workdir,
        entrypoint=base.entrypoint if out.entrypoint is None else out.entrypoint,
        cmd=out.cmd if out.cmd is not None or out.entrypoint is not None else base.cmd,
        files={**base.files, **_mounted(out.disks, files), **out.texts},
    )


def _unseen_image(out: Outside) -> Image:
    return Image(
        source=out.source, base=out.image or "an image that was not given", base_known=False, env={}, user=None, workdir=None,
        entrypoint=None, cmd=None, litefs=None, packages={}, packages_known=False, elsewhere={}, files={},
        start=out.place.evidence(f"image: {out.image}" if out.image else out.name),
    )  # fmt: skip


def _mounted(disks: Iterable[Disk], files: Mapping[str, str]) -> dict[str, File]:
    """The files among those given that a path of the host stands for: the file itself, or what lies in the folder."""
    found: dict[str, File] = {}
    for disk in disks:
        if disk.kind != "bind":
            continue
        for path, text in files.items():
            plain = os.path.normpath(path)
            if plain == disk.source:
                found[disk.path] = File(text, TextOrigin(path))
            elif plain.startswith(disk.source + "/"):
                found[posixpath.join(disk.path, plain[len(disk.source) + 1 :])] = File(text, TextOrigin(path))
    return found


def _written(out: Outside) -> Written:
    places = {(*CONTAINER, "volumeMounts", str(n)): d.place for n, d in enumerate(out.disks)} | dict(out.places)
    if out.edge_port is not None:
        places["outside", "edgePort"] = out.edge_port[1]

    def place(keys: Keys) -> Place:
        return next((places[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in places), out.place)

    return Written(out.name, place, lambda keys: None)


def text_of(value: object) -> str:
    """A scalar as a file's reader writes it out."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def words_of(value: object, read: Callable[[str], str]) -> tuple[str, ...] | None:
    """A command: a list, or a text that is split as a shell would, and run without one. `read` says what a text of the file means."""
    if isinstance(value, list):
        return tuple(read(text_of(v)) for v in value)
    if not isinstance(value, str):
        return None
    try:
        return tuple(shlex.split(read(value)))
    except ValueError:
        return (UNKNOWN,)
