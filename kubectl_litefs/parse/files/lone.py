"""A litefs.yml that stands alone: a node of which nothing but its configuration is known."""

from __future__ import annotations

from ...model.objects import Obj, Written
from ...model.origin import Gap, GapReason, ObjectRef, Place, TextOrigin
from ...model.pod import ALONE, Container, Pod
from ..litefs_yml import read_litefs_yml
from ..node import http_port
from ..unseen import clean

NOT_SEEN = "only its litefs.yml was given"


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
        gaps={what: Gap(f"{what} of {path}", GapReason.OFFLINE, NOT_SEEN) for what in ("spec", "env", "info", "vars", "metrics", "log")},
    )
