"""fly.toml, or the same as fly.json: what an application on Fly runs, with what, on which volumes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from ...model.image import Setting, Words
from ...model.pod import Platform
from ..unseen import clean
from .documents import read_json
from .json_tree import JsonTree
from .outside import Build, Disk, Outside, text_of, words_of
from .text import Unreadable
from .toml_tree import Keys, TomlTree

Tree = TomlTree | JsonTree
APP = "app"
"""The process group where the file names none."""
MAX_PAIRS = 100_000
"""Process groups times what each may have: every one is held against every other. Fly gives a machine one volume."""
FROM_FLY = ("FLY_APP_NAME", "FLY_MACHINE_ID", "FLY_ALLOC_ID", "FLY_REGION", "FLY_PUBLIC_IP", "FLY_PRIVATE_IP", "FLY_IMAGE_REF", "FLY_PROCESS_GROUP")
"""Variables that every machine has, with values that no file tells."""


def groups_in(path: str, text: str) -> Iterator[Outside | Unreadable]:
    """Every process group of a file, or why it cannot be read."""
    try:
        tree = read_json(path, text) if text.lstrip()[:1] == "{" else TomlTree(path, text)
    except Unreadable as why:
        yield why
        return
    if not isinstance(tree.value, Mapping):
        yield Unreadable("it is no JSON object")
        return
    processes = tree.value.get("processes")
    names = [str(n) for n in processes] if isinstance(processes, Mapping) and processes else [APP]
    listed = sum(len(_tables(tree, name)) for name in ("mounts", "files", "services"))
    if len(names) * listed > MAX_PAIRS:
        yield Unreadable(f"{len(names)} process groups with {listed} mounts, files and services are more than this tool looks through", tree.place(("processes",)).line)
        return
    for name in names:
        yield _group(tree, name, only=len(names) == 1)


def _group(tree: Tree, name: str, *, only: bool) -> Outside:
    experimental = tree.value.get("experimental")
    start, start_at = (experimental, ("experimental",)) if isinstance(experimental, Mapping) else ({}, ())
    processes = tree.value.get("processes")
    own = _words(tree, processes.get(name), ("processes", name)) if isinstance(processes, Mapping) else None
    return Outside(
        name=tree.path if only else f"{tree.path}#{name}",
        platform=Platform.FLY,
        source=tree.path,
        place=tree.place(("processes", name)),
        build=_build(tree),
        image=text_of(_table(tree, "build").get("image")),
        env=_environment(tree),
        env_known=False,  # secrets add to it
        entrypoint=_words(tree, start.get("entrypoint"), (*start_at, "entrypoint")),
        cmd=own or _words(tree, start.get("cmd"), (*start_at, "cmd")),
        disks=tuple(_disks(tree, name)),
        edge_port=_edge(tree, name),
        keeps=tuple(clean(text_of(body.get("destination"))) for body, _ in _tables(tree, "mounts") if not _is_for(body, name)),
        sure="exec" not in start,
    )


def _build(tree: Tree) -> Build | None:
    build = _table(tree, "build")
    if any(build.get(key) for key in ("image", "builder", "buildpacks", "builtin")):
        return None
    args = build.get("args")
    path = os.path.join(os.path.dirname(tree.path), text_of(build.get("dockerfile")) or "Dockerfile")
    given = {str(n): clean(text_of(v)) for n, v in args.items()} if isinstance(args, Mapping) else {}
    return Build(os.path.normpath(path), text_of(build.get("build-target")), given)


def _environment(tree: Tree) -> dict[str, Setting]:
    """What Fly gives itself, `primary_region`, and `[env]`, which wins."""
    top = tree.place(())
    found = {n: Setting(None, top.evidence(f"Fly sets {n}")) for n in FROM_FLY}
    region = tree.value.get("primary_region")
    if isinstance(region, str) and region:
        found["PRIMARY_REGION"] = Setting(clean(region), tree.place(("primary_region",)).evidence(f"primary_region = {region}"))
    for name, value in _table(tree, "env").items():
        text = clean(text_of(value))
        found[name] = Setting(text, tree.place(("env", name)).evidence(f"[env] {name} = {text}"))
    return found


def _words(tree: Tree, value: Any, keys: Keys) -> Words | None:
    """A command; an empty one is none."""
    words = words_of(value, clean)
    return Words(words, tree.place(keys)) if words else None


def _disks(tree: Tree, group: str) -> Iterator[Disk]:
    """Volumes from [mounts] or [[mounts]], and files from [[files]]."""
    for body, keys in _tables(tree, "mounts"):
        path = text_of(body.get("destination"))
        if path.startswith("/") and _is_for(body, group):
            yield Disk(clean(path), "volume", clean(text_of(body.get("source"))), tree.place((*keys, "destination")))
    for body, keys in _tables(tree, "files"):
        path, local = text_of(body.get("guest_path")), text_of(body.get("local_path"))
        if path.startswith("/") and local and _is_for(body, group):
            source = os.path.normpath(os.path.join(os.path.dirname(tree.path), clean(local)))
            yield Disk(clean(path), "bind", source, tree.place((*keys, "guest_path")))


def _edge(tree: Tree, group: str) -> tuple[int, Any] | None:
    """The port that Fly's edge sends this group's requests to, where there is only one."""
    listed = [(b, k) for name in ("http_service", "services") for b, k in _tables(tree, name) if _is_for(b, group) and b.get("protocol", "tcp") == "tcp"]
    ports = {b.get("internal_port"): (*k, "internal_port") for b, k in listed}
    port = next(iter(ports), None)
    return (port, tree.place(ports[port])) if len(ports) == 1 and isinstance(port, int) and not isinstance(port, bool) else None


def _is_for(body: Mapping[str, Any], group: str) -> bool:
    named = body.get("processes")
    return not isinstance(named, list) or not named or group in named


def _table(tree: Tree, name: str) -> Mapping[str, Any]:
    value = tree.value.get(name)
    return value if isinstance(value, Mapping) else {}


def _tables(tree: Tree, name: str) -> list[tuple[Mapping[str, Any], Keys]]:
    """One table or a list of them, with their places."""
    value = tree.value.get(name)
    if isinstance(value, Mapping):
        return [(value, (name,))]
    return [(v, (name, str(n))) for n, v in enumerate(value) if isinstance(v, Mapping)] if isinstance(value, list) else []
