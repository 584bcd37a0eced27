"""The locks that `fix-cluster-id` leaves where it was stopped: one Lease for a set, read by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..errors import KubeError
from ..model.objects import Obj
from . import redact

PREFIX = "litefs-fix-"

URL = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/{}{}"


def lock_jobs(get: Callable[[str], Any], sets: Iterable[Obj]) -> dict[str, Callable[[], Any]]:
    """What reads the lock of each StatefulSet, by a key of its own."""
    return {f"lock/{s.ref.namespace}/{s.ref.name}": partial(get, URL.format(s.ref.namespace, PREFIX, s.ref.name)) for s in sets if s.ref.kind == "StatefulSet"}


def read_locks(results: Mapping[str, Any]) -> dict[str, bytes | BaseException]:
    """Bundle path -> the namespace's locks, or why they could not be read. Nothing where there is none."""
    found: dict[str, list[dict[str, Any]]] = {}
    documents: dict[str, bytes | BaseException] = {}
    for key, got in results.items():
        if not key.startswith("lock/"):
            continue
        namespace = key.split("/")[1]
        if isinstance(got, dict):
            found.setdefault(namespace, []).append({"kind": "Lease", **got})
        elif not (isinstance(got, KubeError) and got.status == 404):
            documents[f"objects/{namespace}/leases.json"] = got
    for namespace, items in found.items():
        listed = {"kind": "List", "apiVersion": "v1", "items": [redact.obj(i) for i in items]}
        documents[f"objects/{namespace}/leases.json"] = redact.canonical(listed)
    return documents
