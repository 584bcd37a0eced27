"""Files that stand alone: a litefs.yml, a Dockerfile, a script. Each is a node of which nothing else is known."""

from __future__ import annotations

import re
from typing import Any

from ...model.image import Image
from ...model.objects import Obj, Written
from ...model.origin import Gap, GapReason, ObjectRef, Place, TextOrigin
from ...model.pod import ALONE, Container, Pod
from ..litefs_yml import read_litefs_yml
from ..node import ALONE_TOLD, OBSERVED, http_port
from ..unseen import clean
from .images import with_image


def lone_script(path: str, text: str) -> Obj:
    """A container that runs this script."""
    match = _COMMAND.search(text)
    start = match.start() if match else 0
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    at_command = Place(path, line, column)
    origin = TextOrigin(path)
    written = Written(path, lambda keys: at_command, lambda keys: origin if keys[-2:] == ("command", "2") else None)
    return _alone(path, {"command": ["sh", "-c", clean(text)]}, written)


def lone_image(image: Image) -> Obj:
    """A container of this image."""
    start = Place(image.source, image.start.line or 1, image.start.column or 1)
    return with_image(_alone(image.source, {}, Written(image.source, lambda keys: start, lambda keys: None)), "", image)


def _alone(path: str, container: dict[str, Any], written: Written) -> Obj:
    raw = {"kind": ALONE, "metadata": {"name": path}, "spec": {"containers": [{"name": "", **container}]}}
    return Obj(ObjectRef(ALONE, "", path), raw, path, written)


_COMMAND = re.compile(r"(?<![\w./-])(?:/\S*/)?litefs[ \t]+mount\b|\blitefs\b")


def lone_config(path: str, text: str) -> Pod:
    """One node for all that may use this file. What hangs on its environment is unknown, never wrong."""
    config = read_litefs_yml(
        clean(text),
        name=path,
        source=path,
        path=path,
        env={},
        env_complete=False,
        host_name=None,
        expand_env=True,
        after_dashes=None,
        origin=TextOrigin(path),
    )
    ref = ObjectRef(ALONE, "", path)
    there = Written(path, lambda keys: Place(path, 1, 1), lambda keys: None)
    return Pod(
        ref=ref,
        obj=Obj(ref, {"kind": ALONE, "metadata": {"name": path}}, path, there),
        workload=ref,
        ordinal=None,
        host_name=None,
        container=(container := Container("", "", False, {}, {}, (), None, (), "spec.containers.0")),
        containers=(container,),
        env={},
        env_complete=False,
        http_port=http_port(config),
        config=config,
        sweeps=(),
        log=None,
        previous=None,
        gaps={what: Gap(f"{what} of {path}", GapReason.OFFLINE, ALONE_TOLD) for what in (*OBSERVED, "spec", "env")},
    )
