"""Names for completion: one list request, what it says about pods and the sets that they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ..errors import KubeError
from ..model.objects import Obj
from ..parse.objects import CLUSTER, NAMESPACED, OPTIONAL_CLUSTER, as_obj
from ..ports import Kube
from .kinds import list_url

PAGE = 500
"""More names than that help nobody who presses a key."""
MAX_BYTES = 64 * 1024 * 1024


def first_page(kube: Kube, plural: str, namespace: str | None, *, timeout: float) -> list[Obj]:
    """The first objects of a kind, as the server orders them. Raises KubeError."""
    url = "/api/v1/namespaces" if plural == "namespaces" else list_url(plural, namespace)
    data = kube.get(url, {"limit": str(PAGE)}, timeout=timeout, max_bytes=MAX_BYTES)
    try:
        items = json.loads(data)["items"] or []
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KubeError(f"the answer to {url} is no list", status=None, reason="BadAnswer", verb="list", resource=plural) from None
    kind = (NAMESPACED | CLUSTER | OPTIONAL_CLUSTER)[plural]
    return [as_obj(raw, kind, "") for raw in items if isinstance(raw, Mapping)]


def litefs_pods(pods: Sequence[Obj]) -> list[Obj]:
    """Those that surely run LiteFS; where there is none, those that may."""
    from ..parse.discover import signs

    seen = [(pod, signs(pod)) for pod in pods]
    return [pod for pod, s in seen if s.strong] or [pod for pod, s in seen if s.weak]


def owner(pod: Obj) -> str | None:
    """`statefulset/abaci-app`: the set that a pod belongs to, told from the pod alone."""
    for reference in pod.items("metadata.ownerReferences"):
        kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
        if reference.get("controller") is not True or not name:
            continue
        if kind in ("StatefulSet", "DaemonSet"):
            return f"{kind.lower()}/{name}"
        suffix = f"-{pod.labels.get('pod-template-hash')}"
        if kind == "ReplicaSet" and name.endswith(suffix):
            return f"deployment/{name.removesuffix(suffix)}"
    return None
