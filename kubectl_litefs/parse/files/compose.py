"""Compose files: what each service runs, with what, on which volumes. Nothing is filled in from a shell or from `.env`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...model.image import File, Setting, Words
from ...model.origin import Evidence, Place
from ...model.pod import Platform
from ..unseen import UNKNOWN, clean, has_unknown, shown
from .documents import Keys, YamlTree, chunks
from .outside import CONTAINER, Build, Disk, Outside, text_of, words_of
from .text import Unreadable

MAX_EXTENDS = 20
_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]")
_MODE = re.compile(r"(?:ro|rw|z|Z|cached|delegated|consistent|nocopy|(?:r?(?:shared|slave|private))|,)+\Z")
_DOLLAR = re.compile(r"\$(?:\$|\{|[A-Za-z_]\w*)", re.ASCII)
_OPEN = ("runtime", "device_cgroup_rules", "gpus", "use_api_socket", "provider", "credential_spec")
"""What may give a container devices in ways that are not followed."""


def services_in(path: str, text: str) -> Iterator[Outside | Unreadable]:
    """Every service of a file, or why it cannot be read."""
    try:
        chunk = next(chunks(text), None)
        tree = YamlTree(path, chunk) if chunk is not None else None
    except Unreadable as why:
        yield why
        return
    value = tree.value if tree is not None else None
    services = value.get("services") if isinstance(value, Mapping) else None
    if tree is None or not isinstance(services, Mapping):
        yield Unreadable("its services are no mapping")
        return
    for name, service in services.items():
        if isinstance(service, Mapping):
            yield from _inline(tree, str(name), service)
            yield _Service(tree, services, str(name)).read()


def _inline(tree: YamlTree, name: str, service: Mapping[str, Any]) -> Iterator[Unreadable]:
    """A Dockerfile inside the file is not followed: where it speaks of LiteFS, that is told."""
    build = service.get("build")
    text = build.get("dockerfile_inline") if isinstance(build, Mapping) else None
    if isinstance(text, str) and "litefs" in text.lower():
        line = tree.place(("services", name, "build", "dockerfile_inline")).line
        yield Unreadable(f"the dockerfile_inline of {shown(clean(name))} is not read; lint sees a Dockerfile of its own", line)


def interpolated(text: str) -> str:
    """`$A` and `${A...}` come from the shell that runs compose, or from `.env`: nobody sees them. `$$` is a plain `$`."""
    out, at, text = [], 0, clean(text)
    while (found := _DOLLAR.search(text, at)) is not None:
        out += [text[at : found.start()], "$" if found[0] == "$$" else UNKNOWN]
        at = _behind_brace(text, found.end()) if found[0] == "${" else found.end()
    return "".join([*out, text[at:]])


def _behind_brace(text: str, at: int) -> int:
    depth = 1
    while at < len(text) and depth:
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
    return at


class _Service:
    """One service, with those of the same file that it extends."""

    def __init__(self, tree: YamlTree, services: Mapping[str, Any], name: str) -> None:
        self.tree, self.name = tree, name
        self.layers, self.sure = _layers(services, name)
        self.places: dict[Keys, Place] = {}

    def _get(self, key: str) -> tuple[Any, Keys]:
        """A field with its place: of this service, else of the nearest one that it extends."""
        for layer, body in self.layers:
            if body.get(key) is not None:
                return body[key], ("services", layer, key)
        return None, ("services", self.name)

    def _all(self, key: str) -> Iterator[tuple[Any, Keys]]:
        """The field of every layer, the farthest first: lists and mappings add up."""
        for layer, body in reversed(self.layers):
            if body.get(key) is not None:
                yield body[key], ("services", layer, key)

    def _items(self, key: str) -> Iterator[tuple[Any, Keys]]:
        for value, keys in self._all(key):
            for n, item in enumerate(value if isinstance(value, list) else ()):
                yield item, (*keys, str(n))

    def _scalar(self, key: str) -> str:
        value, _ = self._get(key)
        return interpolated(text_of(value)) if isinstance(value, (str, int, float, bool)) else ""

    def _seen(self, keys: Keys, excerpt: str) -> Evidence:
        return self.tree.place(keys).evidence(shown(excerpt))

    def read(self) -> Outside:
        env, env_known = self._environment()
        user, image = self._scalar("user"), self._scalar("image")
        _, user_keys = self._get("user")
        name, host = self._scalar("hostname"), self._scalar("network_mode")
        return Outside(
            name=f"{self.tree.path}#{self.name}",
            platform=Platform.COMPOSE,
            source=self.tree.path,
            place=self.tree.place(("services", self.name)),
            build=self._build(),
            image=shown(image),
            env=env,
            env_known=env_known,
            user=Setting(_user(user), self._seen(user_keys, f"user: {user}")) if user else None,
            workdir=None if has_unknown(self._scalar("working_dir")) else self._scalar("working_dir") or None,
            entrypoint=self._words("entrypoint"),
            cmd=self._words("command"),
            host_name="" if has_unknown(name) or host == "host" else name,
            disks=tuple(self._disks()),
            texts=dict(self._configs()),
            spec=self._rights(),
            places=self.places,
            sure=self.sure,
        )

    def _build(self) -> Build | None:
        value, _ = self._get("build")
        body = {"context": value} if isinstance(value, str) else value
        if not isinstance(body, Mapping) or body.get("dockerfile_inline"):
            return None
        given = {key: interpolated(text_of(body.get(key))) for key in ("context", "dockerfile", "target")}
        if any(has_unknown(v) for v in given.values()):
            return None
        args = dict(_pairs(body.get("args")))
        path = os.path.join(os.path.dirname(self.tree.path), given["context"] or ".", given["dockerfile"] or "Dockerfile")
        return Build(os.path.normpath(path), given["target"], {n: UNKNOWN if v is None else v for n, v in args.items()})

    def _words(self, key: str) -> Words | None:
        value, keys = self._get(key)
        words = words_of(value, interpolated)
        return Words(words, self.tree.place(keys)) if words is not None else None

    def _environment(self) -> tuple[dict[str, Setting], bool]:
        """The variables, and whether there are no others. One without a value comes from the shell."""
        found: dict[str, Setting] = {}
        for value, keys in self._all("environment"):
            for n, (name, text) in enumerate(_pairs(value)):
                at = (*keys, str(n)) if isinstance(value, list) else (*keys, name)
                known = text is not None and not has_unknown(text)
                excerpt = f"environment: {name}={text}" if text is not None else f"environment: {name}, from the shell that runs compose"
                found[name] = Setting(text if known else None, self._seen(at, excerpt))
        files = [value for value, _ in self._all("env_file")]
        return found, not files

    def _disks(self) -> Iterator[Disk]:
        for item, keys in self._items("volumes"):
            disk = self._disk(item, self.tree.place(keys))
            if disk is not None:
                yield disk
        for value, keys in self._all("tmpfs"):
            for path in [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []:
                yield Disk(interpolated(text_of(path)).split(":")[0], "tmpfs", "tmpfs", self.tree.place(keys))

    def _disk(self, item: Any, place: Place) -> Disk | None:
        if isinstance(item, Mapping):
            kind, source, path = (interpolated(text_of(item.get(k))) for k in ("type", "source", "target"))
        else:
            kind, source, path = _short_volume(interpolated(text_of(item)))
        if has_unknown(path) or not path.startswith("/"):
            self.sure = False  # where it is mounted nobody knows: perhaps just there
            return None
        if kind == "bind":
            source = os.path.normpath(os.path.join(os.path.dirname(self.tree.path), source))
        return Disk(path, kind if kind in ("bind", "tmpfs") else "volume", shown(source), place)

    def _configs(self) -> Iterator[tuple[str, File]]:
        """Configs whose text stands in this file. Those from other files are mounted like volumes."""
        defined = self.tree.value.get("configs")
        for item, _ in self._items("configs"):
            name, target = (item, "") if isinstance(item, str) else (item.get("source"), item.get("target")) if isinstance(item, Mapping) else (None, None)
            body = defined.get(name) if isinstance(defined, Mapping) and isinstance(name, str) else None
            content = body.get("content") if isinstance(body, Mapping) else None
            origin = self.tree.origin(("configs", str(name), "content"))
            if isinstance(content, str) and origin is not None and isinstance(target, str):
                yield target or f"/{name}", File(interpolated(content), origin)

    def _rights(self) -> dict[str, Any]:
        """What of its rights counts for FUSE, as a pod's spec would say it."""
        security: dict[str, Any] = {}
        privileged, keys = self._get("privileged")
        if privileged is True:
            security["privileged"] = True
        elif privileged not in (None, False) or any(self._get(key)[0] is not None for key in _OPEN):
            self.sure = False
        at = (*CONTAINER, "securityContext")
        self.places[at] = self.tree.place(keys)
        added = [interpolated(text_of(item)) for item, _ in self._items("cap_add")]
        devices = [interpolated(text_of(item)) for item, _ in self._items("devices")]
        if any(has_unknown(text) for text in (*added, *devices)):
            self.sure = False
        if added:
            security["capabilities"] = {"add": [shown(a) for a in added]}
        fuse = next((d for d in devices if "fuse" in d or d.split(":")[0].rstrip("/") == "/dev"), None)
        limits = {"resources": {"limits": {"/dev/fuse": 1}}} if fuse is not None else {}
        return {**({"securityContext": security} if security else {}), **limits}


def _layers(services: Mapping[str, Any], name: str) -> tuple[list[tuple[str, Mapping[str, Any]]], bool]:
    """The service and those that it extends, the nearest first; and whether all of them are in this file."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for _ in range(MAX_EXTENDS):
        body = services.get(name)
        if not isinstance(body, Mapping) or name in (n for n, _ in found):
            return found, False
        found.append((name, body))
        extends = body.get("extends")
        if extends is None:
            return found, True
        below = extends if isinstance(extends, str) else extends.get("service") if isinstance(extends, Mapping) and not extends.get("file") else None
        if not isinstance(below, str):
            return found, False
        name = below
    return found, False


def _pairs(value: Any) -> Iterator[tuple[str, str | None]]:
    """`A=b` lists and mappings alike; None for what has no value here."""
    if isinstance(value, Mapping):
        for name, text in value.items():
            yield str(name), None if text is None or isinstance(text, (Mapping, list)) else interpolated(text_of(text))
    for item in value if isinstance(value, list) else ():
        name, equals, text = text_of(item).partition("=")
        yield name, interpolated(text) if equals else None


def _short_volume(text: str) -> tuple[str, str, str]:
    """(kind, source, path) of `source:path:mode`; a path alone is a volume without a name."""
    drive = text[:2] if _ABSOLUTE.match(text) else ""
    parts: Sequence[str] = text[len(drive) :].split(":")
    if len(parts) > 1 and _MODE.match(parts[-1]):
        parts = parts[:-1]
    if len(parts) < 2:
        return "volume", "", parts[0]
    source = drive + parts[0]
    bind = source.startswith((".", "/", "~", UNKNOWN)) or bool(drive)
    return "bind" if bind else "volume", source, parts[1]


def _user(text: str) -> str | None:
    """The user without the group; None where the shell decides."""
    return None if has_unknown(text.split(":")[0]) else text.split(":")[0]
