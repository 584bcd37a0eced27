"""Paths that an application's variables name, against the two directories that matter: the mount and LiteFS's own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .config import Sight
from .grouping import own_config
from .origin import Evidence
from .pod import Container, EnvVar, Pod
from .proxy import mappings

_FILE_URL = re.compile(r"(?:file|jdbc:sqlite|sqlite3?|sqlite\+\w+):(?P<slashes>/*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Named:
    """A variable that names an absolute path. `sure` is False for `sqlite:///x`, which some drivers take as relative."""

    variable: EnvVar
    path: str
    sure: bool

    def inside(self, folder: str) -> bool:
        """In the directory, or the directory itself."""
        folder = posixpath.normpath(folder)
        return self.path == folder or self.path.startswith(folder.rstrip("/") + "/")

    def below(self, folder: str) -> bool:
        return self.inside(folder) and self.path != posixpath.normpath(folder)


def named_paths(pod: Pod, pattern: re.Pattern[str]) -> Iterator[Named]:
    """The variables of the LiteFS container, whose name the whole pattern fits, that name an absolute path."""
    for name, variable in pod.env.items():
        if pattern.fullmatch(name) and variable.sight is Sight.KNOWN and variable.value:
            path, sure = absolute(variable.value)
            if path:
                yield Named(variable, path, sure)


def named_elsewhere(pod: Pod, pattern: re.Pattern[str]) -> Iterator[tuple[Container, Named]]:
    """The same in the pod's other containers: literal values only, and paths as LiteFS's container would see them.

    A path on a volume that both mount becomes LiteFS's path of it; one on no such volume is left out.
    """
    for other in pod.containers:
        if other.name == pod.container.name or other.init:
            continue
        for i, entry in enumerate(mappings(other.spec.get("env"))):
            name, value = str(entry.get("name")), entry.get("value")
            if not isinstance(value, str) or not pattern.fullmatch(name):
                continue
            path, sure = absolute(value)
            seen = Evidence(pod.obj.source, None, f"{other.field}.env.{i}: {name}={value} ({pod.obj.ref})"[:300])
            shared = _as_litefs_sees(pod, other, path) if path else None
            if shared is not None:
                yield other, Named(EnvVar(name, value, Sight.KNOWN, seen), shared, sure)


def _as_litefs_sees(pod: Pod, other: Container, path: str) -> str | None:
    """The same file's path in LiteFS's container, by the volume it lies on."""
    on = [m for m in other.mounts if path == m.path.rstrip("/") or path.startswith(m.path.rstrip("/") + "/")]
    mount = max(on, key=lambda m: len(m.path), default=None)
    here = next((m for m in pod.container.mounts if mount and (m.volume, m.sub_path) == (mount.volume, mount.sub_path)), None)
    return posixpath.normpath(here.path + "/" + path[len(mount.path.rstrip("/")) :]) if mount and here else None


def absolute(value: str) -> tuple[str, bool]:
    """The absolute path in a path or in a SQLite driver's URL, and whether that reading is the only one.

    Empty for a relative path, another database's URL, and what is no path at all.
    """
    text, sure = value.strip(), True
    url = _FILE_URL.fullmatch(text)
    if url is not None:
        slashes = len(url["slashes"])
        if slashes == 0 or slashes == 2:
            return "", True  # relative, or a host
        sure = slashes != 3 or text.lower().startswith("file:")
        text = "/" + url["rest"]
    text = re.split(r"[?#]", text, maxsplit=1)[0]
    if not text.startswith("/") or text.startswith("//") or re.search(r"[\s\x00:,;]", text):
        return "", True
    return posixpath.normpath(text), sure


def fuse_dir(pod: Pod) -> tuple[str, Evidence] | None:
    """Where the databases are seen: LiteFS's own word, else the file's; None where neither was seen."""
    for run in pod.runs:
        hits = run.hit("mounted")
        if hits is not None and hits.last.field("path"):
            return hits.last.field("path"), hits.last.evidence
    config = own_config(pod)
    value = config.get("fuse.dir") if config else None
    if value is None or not value.known or not isinstance(value.value, str) or not value.value:
        return None
    return value.value, value.evidence
