"""Which lists `diagnose` reads, and where they live in the API."""

from __future__ import annotations

PREFIX: dict[str, str] = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
    "events": "/api/v1",
    "statefulsets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "daemonsets": "/apis/apps/v1",
    "endpointslices": "/apis/discovery.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "poddisruptionbudgets": "/apis/policy/v1",
}
"""Namespaced plural -> API prefix. ConfigMaps are not listed: only those that LiteFS pods use are read, by name."""

CLUSTER_PREFIX: dict[str, str] = {
    "persistentvolumes": "/api/v1",
    "nodes": "/api/v1",
    "storageclasses": "/apis/storage.k8s.io/v1",
}
"""Cluster-scoped plural -> API prefix."""

GROUPS: dict[str, str] = {
    plural: prefix.removeprefix("/apis/").split("/")[0] if prefix.startswith("/apis/") else ""
    for plural, prefix in (PREFIX | CLUSTER_PREFIX).items()
}
"""Plural -> API group, empty for the core group."""


def list_url(plural: str, namespace: str | None) -> str:
    """The path of a list; None lists over all namespaces (or a cluster-scoped kind)."""
    prefix = (PREFIX | CLUSTER_PREFIX)[plural]
    return f"{prefix}/namespaces/{namespace}/{plural}" if namespace else f"{prefix}/{plural}"
