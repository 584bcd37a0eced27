"""Whose log a file of a dump is, told by the pods of the dump and the file's path."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.objects import Obj
from ..parse.discover import signs
from ..parse.log_envelope import Speaker
from ..parse.log_streams import Stream
from .log_names import CONTAINER, POD, named

_ENDING = re.compile(r"\.(?:log|txt|out|json|jsonl)(?:\.\d+)?(?:\.gz)?\Z|\.gz\Z")
_BEFORE = re.compile(r"[._-]prev(?:ious)?\Z")


def whose(path: str, pods: Sequence[Obj], namespaces: Sequence[str]) -> Stream | None:
    """None for a file whose path names no pod.

    `abaci-app-1.log`, `abaci-app-1_app.log`, `abaci/abaci-app-1/logs.txt`, `logs/abaci/abaci-app-1/app-previous.log`.
    """
    *folders, name = path.split("/")
    stem = _ENDING.sub("", name)
    bare = _BEFORE.sub("", stem)
    for pod in sorted(pods, key=lambda p: (p.ref.namespace not in folders, -len(p.ref.name))):
        if pod.ref.name in folders:
            return _stream(pod, bare, stem != bare)
        if bare == pod.ref.name or (bare.startswith(pod.ref.name) and bare[len(pod.ref.name)] in "-_."):
            rest = bare[len(pod.ref.name) + 1 :]
            if not rest or rest in _containers(pod):
                return _stream(pod, rest, stem != bare)
    guess = named(path, namespaces[0] if len(namespaces) == 1 else "")
    return None if guess.speaker.pod == POD or pods else Stream(guess.speaker, guess.previous)


def _stream(pod: Obj, word: str, previous: bool) -> Stream:
    """`word` is the container's name, or says nothing."""
    names = _containers(pod)
    container = word if word in names else signs(pod).container or (names[0] if len(names) == 1 else CONTAINER)
    return Stream(Speaker(pod.ref.namespace, pod.ref.name, container), previous)


def _containers(pod: Obj) -> list[str]:
    return [str(c.get("name")) for key in ("containers", "initContainers") for c in pod.items(f"spec.{key}")]
