"""The locks that `fix-cluster-id` leaves where it was stopped: one Lease for a set, read by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..errors import KubeError
from ..model.objects import Obj
from . import redact
from .objects import json_object

PREFIX = "litefs-fix-"

Run = Callable[[Mapping[str, Callable[[], Any]]], dict[str, Any]]


def read_locks(get: Callable[[str], bytes], run: Run, sets: Iterable[Obj]) -> dict[str, bytes | BaseException]:
    """Bundle path -> the namespace's locks, or why they could not be read. Nothing where there is none."""
    url = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/{}{}"
    jobs = {f"{s.ref.namespace}/{s.ref.name}": partial(get, url.format(s.ref.namespace, PREFIX, s.ref.name)) for s in sets if s.ref.kind == "StatefulSet"}
    found: dict[str, list[dict[str, Any]]] = {}
    documents: dict[str, bytes | BaseException] = {}
    for key, got in run(jobs).items():
        namespace = key.split("/")[0]
        if isinstance(got, bytes):
            found.setdefault(namespace, []).append({"kind": "Lease", **json_object(got)})
        elif not (isinstance(got, KubeError) and got.status == 404):
            documents[f"objects/{namespace}/leases.json"] = got
    for namespace, items in found.items():
        listed = {"kind": "List", "apiVersion": "v1", "items": [redact.obj(i) for i in items]}
        documents[f"objects/{namespace}/leases.json"] = redact.canonical(listed)
    return documents
