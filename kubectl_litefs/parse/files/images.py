"""Dockerfiles and the containers that run what they build."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model.image import Image, Words
from ...model.objects import Obj, Written
from ...model.origin import Place, TextOrigin
from ..discover import containers_of, signs

Keys = tuple[str, ...]
TEMPLATE = "spec.template.spec"


def matched(owners: Sequence[Obj], images: Sequence[Image]) -> dict[int, tuple[Obj, str]]:
    """Number of a Dockerfile -> the workload and the container that run its image, where that is certain.

    One Dockerfile and one LiteFS workload belong together. Of several, those whose name or folder is that of the
    container's image, if only one is.
    """
    wanted = [(o, c) for o in owners if (c := _container(o, sure=True)) is not None]
    with_litefs = [i for i, image in enumerate(images) if image.litefs is not None]
    chosen = with_litefs or list(range(len(images)))
    if not wanted and len(with_litefs) == 1 and len(owners) == 1:
        only = _container(owners[0], sure=False)
        wanted = [(owners[0], only)] if only is not None else []
    if len(wanted) == 1 and len(chosen) == 1:
        return {chosen[0]: wanted[0]}
    found: dict[int, tuple[Obj, str]] = {}
    for number, image in enumerate(images):
        named = [w for w in wanted if _image_name(*w) in _names(image.source)]
        rivals = [o for o in images if named and _image_name(*named[0]) in _names(o.source)]
        if len(named) == 1 and len(rivals) == 1:
            found[number] = named[0]
    return found


def _container(owner: Obj, *, sure: bool) -> str | None:
    """The container that runs LiteFS by its spec; where that need not be sure, the only one there is."""
    seen = signs(owner, (), TEMPLATE)
    if seen.strong:
        return seen.container
    standing = containers_of(owner, TEMPLATE)
    return str(standing[0][1].get("name") or "") if not sure and len(standing) == 1 else None


def _image_name(owner: Obj, container: str) -> str:
    """`abaci` of `ghcr.io/example/abaci:1`."""
    spec = next((c for _, c in containers_of(owner, TEMPLATE) if c.get("name") == container), {})
    return str(spec.get("image") or "").split("@")[0].rsplit("/", 1)[-1].split(":")[0].lower()


def _names(path: str) -> set[str]:
    """What a Dockerfile may be called after: its folder, `Dockerfile.NAME`, `NAME.Dockerfile`."""
    folder, name = os.path.split(path.lower())
    rest = name.replace("dockerfile", "").strip(".-_")
    return {n for n in (os.path.basename(folder), rest) if n}


def with_image(pod: Obj, container: str, image: Image) -> Obj:
    """The pod with what its image adds to that container: the command and the directory where the spec names none."""
    if pod.written is None:
        return pod
    raw = dict(pod.raw)
    spec = dict(pod.mapping("spec"))
    moved: dict[Keys, Place] = {}
    found = spec.get("containers")
    listed = list(found) if isinstance(found, list) else []
    for i, given in enumerate(listed):
        if isinstance(given, Mapping) and given.get("name", "") == container:
            listed[i] = _completed(given, image, ("spec", "containers", str(i)), moved)
    spec["containers"] = listed
    raw["spec"] = spec
    return replace(pod, raw=raw, written=_pointing(pod.written, moved, {**pod.written.images, container: image}))


def _completed(given: Mapping[str, Any], image: Image, at: Keys, moved: dict[Keys, Place]) -> dict[str, Any]:
    made = dict(given)

    def take(key: str, words: Words | None) -> None:
        if words is not None and words.words:
            made[key] = list(words.words)
            field = (*at, key)
            moved[field] = words.place

    if not given.get("command"):
        take("command", image.entrypoint)
        if not given.get("args"):
            take("args", image.cmd)
    if image.workdir is not None:
        made.setdefault("workingDir", image.workdir)
    return made


def _pointing(written: Written, moved: Mapping[Keys, Place], images: Mapping[str, Image]) -> Written:
    def place(keys: Keys) -> Place:
        found = next((p for k, p in moved.items() if keys[: len(k)] == k), None)
        return found or written.place(keys)

    def text(keys: Keys) -> TextOrigin | None:
        return None if any(keys[: len(k)] == k for k in moved) else written.text(keys)

    return Written(written.label, place, text, images)
