"""The rights that a command needs, one table: printed as a Role, shown in gaps, held by tests."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

NAME = "kubectl-litefs-diagnose"
FIX_NAME = "kubectl-litefs-fix"
ACCOUNT = "kubectl-litefs"


@dataclass(frozen=True, slots=True)
class Right:
    """One rule of a Role. `why` says what is lost without it."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()
    """`resourceNames`, empty for all."""


NAMESPACED: tuple[Right, ...] = (
    Right("", ("pods", "services", "persistentvolumeclaims", "events"), ("list",), "the sets, their Services, claims and events"),
    Right("apps", ("statefulsets", "deployments", "daemonsets"), ("list",), "what owns the pods"),
    Right("discovery.k8s.io", ("endpointslices",), ("list",), "which addresses a Service publishes"),
    Right("networking.k8s.io", ("networkpolicies", "ingresses"), ("list",), "who may reach whom"),
    Right("autoscaling", ("horizontalpodautoscalers",), ("list",), "what scales the sets"),
    Right("policy", ("poddisruptionbudgets",), ("list",), "what may be evicted"),
    Right("", ("configmaps",), ("get",), "litefs.yml; only ConfigMaps that LiteFS pods use are read, by name"),
    Right("coordination.k8s.io", ("leases",), ("get",), "whether a reset was stopped half-way"),
    Right("", ("pods/log",), ("get",), "logs of LiteFS containers"),
    Right("", ("pods/proxy",), ("get",), "LiteFS's /info, /debug/vars and /metrics"),
)
"""What `diagnose` needs in each namespace it looks at."""

CLUSTER: tuple[Right, ...] = (
    Right("", ("namespaces",), ("get", "list"), "what pods may do in a namespace; tell one that does not exist from an empty one, and offer the nearest name"),
    Right("", ("persistentvolumes", "nodes"), ("list",), "volumes and nodes that the sets use"),
    Right("storage.k8s.io", ("storageclasses",), ("list",), "how claims are provisioned"),
)
"""Cluster-scoped reads: without them the report names what it could not see."""

LEASES = "coordination.k8s.io"

FIX: tuple[Right, ...] = (
    Right("", ("pods", "persistentvolumeclaims"), ("get", "list"), "the evidence, and what became of what is deleted"),
    Right("apps", ("statefulsets",), ("get", "list"), "the set that makes the pod anew"),
    Right("", ("services", "events"), ("list",), "which pods are LiteFS's; why something waits"),
    Right("policy", ("poddisruptionbudgets",), ("list",), "what stands against an eviction"),
    Right("", ("configmaps",), ("get",), "litefs.yml; only ConfigMaps that LiteFS pods use are read, by name"),
    Right("", ("pods/log",), ("get",), "the refusal in the log, and the proof that it follows"),
    Right("", ("pods/proxy",), ("get",), "LiteFS's /info, /debug/vars, /metrics, and /export for the backup"),
    Right("", ("persistentvolumeclaims",), ("delete",), "the one claim"),
    Right("", ("pods/eviction",), ("create",), "the one pod; with --disable-eviction: pods, delete"),
    Right(LEASES, ("leases",), ("create",), "the lock; create cannot be limited by name"),
    Right(LEASES, ("leases",), ("get", "update", "delete"), "the lock"),
)
"""What `fix-cluster-id` needs in the namespace of the set."""

FIX_CLUSTER: tuple[Right, ...] = (
    Right("", ("namespaces",), ("get",), "tell a namespace that does not exist or is being deleted"),
    Right("", ("persistentvolumes",), ("list",), "whether the volume outlives its claim"),
    Right("", ("nodes",), ("get", "list"), "whether a pod on its node can be confirmed dead"),
    Right("storage.k8s.io", ("storageclasses",), ("list",), "whether the new claim can be provisioned"),
)
"""Cluster-scoped reads: without them the plan says what could not be checked."""

FIX_SCALE: tuple[Right, ...] = (
    Right("apps", ("statefulsets", "statefulsets/scale"), ("patch",), "the replicas, and the annotation with their number"),
    Right("autoscaling", ("horizontalpodautoscalers",), ("list",), "whether somebody would set the replicas back"),
)
"""Strategy `scale` only."""

FIX_IN_PLACE: tuple[Right, ...] = (
    Right("", ("pods/exec",), ("create", "get"), "put the file clusterid aside; exec reads and writes everything in the pod"),
)
"""Strategy `in-place` only; it needs no delete of claims."""

RESCUE_NAME = "kubectl-litefs-rescue"

RESCUE_SAVE: tuple[Right, ...] = (
    Right("", ("pods", "services", "persistentvolumeclaims"), ("list",), "which pods are LiteFS's; which volume is the older"),
    Right("apps", ("statefulsets", "deployments", "daemonsets"), ("list",), "what owns the pods"),
    Right("", ("configmaps",), ("get",), "litefs.yml; only ConfigMaps that LiteFS pods use are read, by name"),
    Right("", ("pods/log",), ("get",), "which history counts"),
    Right("", ("pods/proxy",), ("get",), "LiteFS's /info, /debug/vars and /metrics, and /export for the copies"),
)
"""What `rescue save` needs in the namespace. It changes nothing."""

RESCUE_RUN: tuple[Right, ...] = (
    *RESCUE_SAVE,
    Right("", ("events",), ("list",), "why something waits"),
    Right("policy", ("poddisruptionbudgets",), ("list",), "what stands against an eviction"),
    Right("", ("pods", "persistentvolumeclaims"), ("get",), "what became of what is restarted"),
    Right(LEASES, ("leases",), ("create", "get", "update", "delete"), "the lock"),
)
"""What `rescue plan`, `run` and `undo` need in every strategy."""

RESCUE_RESTART: tuple[Right, ...] = (Right("", ("pods",), ("delete",), "the primary's pod, and no other"),)

RESCUE_DATA_DIR: tuple[Right, ...] = (
    Right("", ("pods/exec",), ("create", "get"), "copy and swap the data directory; exec reads and writes everything in the pod"),
)
"""Strategy `data-dir` and `rescue undo`, with RESCUE_RESTART."""

RESCUE_IMPORT: tuple[Right, ...] = (
    Right("", ("pods/proxy",), ("create",), "POST /import; it reaches every other port and path of every pod, too"),
)
"""Strategy `import`; for LFS110 with RESCUE_RESTART."""

RESCUE_RESET: tuple[Right, ...] = (
    Right("apps", ("statefulsets",), ("get",), "the set that makes the replicas anew"),
    Right("", ("persistentvolumeclaims",), ("delete",), "each replica's claim, after the primary's data is proven"),
    Right("", ("pods/eviction",), ("create",), "each replica's pod"),
)
"""Strategy `import` for LFS102: the replicas afterwards, with all that `rescue run` needs."""

RESCUE_CLUSTER: tuple[Right, ...] = (
    Right("", ("namespaces",), ("get",), "tell a namespace that does not exist from an empty one"),
    Right("", ("persistentvolumes",), ("list",), "whether a volume outlives its claim"),
    Right("", ("nodes",), ("get", "list"), "whether a pod on its node can be confirmed dead"),
    Right("storage.k8s.io", ("storageclasses",), ("list",), "whether a new claim can be provisioned"),
)
"""Cluster-scoped reads of `rescue plan`, `run` and `undo`; `rescue save` asks for the first only."""

WARNING = (
    "get on pods/proxy can read every database: LiteFS has no authentication, and /export on the same port is the whole",
    "database. It also reaches every other HTTP port of every pod in the namespace. Give this Role only to people who may",
    "read that data.",
)


def role(namespace: str, *, all_namespaces: bool = False) -> str:
    """YAML ready for `kubectl apply -f -`: a ServiceAccount, what it may read, and the bindings.

    For one namespace a Role, and a ClusterRole for the few cluster-scoped reads; for all namespaces one ClusterRole.
    """
    head = [f"# What `kubectl litefs diagnose {'-A' if all_namespaces else '-n ' + namespace}` needs, and nothing else: no Secrets, no exec, no writes."]
    head += ["#", *(f"# {line}" for line in WARNING)]
    if all_namespaces:
        account = _object("v1", "ServiceAccount", ACCOUNT, namespace)
        parts = [account, _role("ClusterRole", NAME, None, NAMESPACED + CLUSTER), _binding("ClusterRoleBinding", "ClusterRole", NAME, None, namespace)]
        return _document(head, parts)
    return _document(head, _in_namespace(NAME, namespace, NAMESPACED, CLUSTER))


def fix_role(namespace: str, pod: str | None = None) -> str:
    """YAML for `fix-cluster-id` in one namespace. With the pod's name every right that can be is limited to it."""
    head = [
        f"# What `kubectl litefs fix-cluster-id {pod or 'POD'} -n {namespace}` needs, and nothing else: no Secrets, no exec.",
        "# The last two Roles are for other strategies only. --backup=retain-pv needs get and patch on",
        "# persistentvolumes, --backup=snapshot create and get on volumesnapshots.snapshot.storage.k8s.io.",
        "#",
        *(f"# {line}" for line in WARNING),
    ]
    rights = tuple(_named(r, pod) for r in FIX) if pod else FIX
    parts = _in_namespace(FIX_NAME, namespace, rights, FIX_CLUSTER)
    for strategy, table in (("scale", FIX_SCALE), ("in-place", FIX_IN_PLACE)):
        more = _role("Role", f"{FIX_NAME}-{strategy}", namespace, table)
        parts.append(f"# Only for --strategy={strategy}; bind it when it is needed.\n{more}")
    return _document(head, parts)


def rescue_role(namespace: str) -> str:
    """YAML for `rescue` in one namespace: the Role of `save`, then one for each strategy, bound when it is needed."""
    head = [
        f"# What `kubectl litefs rescue save -n {namespace}` needs, and nothing else: no Secrets, no exec, no writes.",
        "# The Roles after it are for `rescue plan`, `run` and `undo`: one is shared, then one for each way.",
        "#",
        *(f"# {line}" for line in WARNING),
    ]
    parts = _in_namespace(RESCUE_NAME, namespace, RESCUE_SAVE, RESCUE_CLUSTER)
    more = (
        ("run", "Every strategy of `rescue plan` and `rescue run`, and `rescue undo`.", RESCUE_RUN[len(RESCUE_SAVE) :]),
        ("data-dir", "Strategy data-dir, and `rescue undo`.", RESCUE_RESTART + RESCUE_DATA_DIR),
        ("import", "Strategy import (LFS110).", RESCUE_RESTART + RESCUE_IMPORT),
        ("import-reset", "Strategy import (LFS102): the import, then the replicas one by one.", RESCUE_IMPORT + RESCUE_RESET),
    )
    for name, about, table in more:
        parts.append(f"# {about} Bind it when it is needed.\n{_role('Role', f'{RESCUE_NAME}-{name}', namespace, table)}")
    return _document(head, parts)


def _named(right: Right, pod: str) -> Right:
    """Limited to the pod's own names, where RBAC can do that: not for list and create."""
    stem = pod.rpartition("-")[0]
    names = {"pods/eviction": (pod,), "pods/log": (), "leases": (f"litefs-fix-{stem}",)}
    limited = names.get(right.resources[0], ())
    if right.resources == ("leases",) and "create" in right.verbs:
        return right
    return dataclasses.replace(right, names=limited)


def _in_namespace(name: str, namespace: str, rights: tuple[Right, ...], cluster: tuple[Right, ...]) -> list[str]:
    """Account, Role, ClusterRole for the optional reads, and their bindings."""
    optional = "# Optional: without it the command says that it could not see these."
    return [
        _object("v1", "ServiceAccount", ACCOUNT, namespace),
        _role("Role", name, namespace, rights),
        _binding("RoleBinding", "Role", name, namespace, namespace),
        f"{optional}\n{_role('ClusterRole', f'{name}-cluster', None, cluster)}",
        _binding("ClusterRoleBinding", "ClusterRole", f"{name}-cluster", None, namespace),
    ]


def _document(head: list[str], parts: list[str]) -> str:
    return "\n".join(head) + "\n" + "\n---\n".join(parts) + "\n"


def _object(version: str, kind: str, name: str, namespace: str | None) -> str:
    lines = [f"apiVersion: {version}", f"kind: {kind}", "metadata:", f"  name: {name}"]
    return "\n".join(lines + ([f"  namespace: {namespace}"] if namespace else []))


def _role(kind: str, name: str, namespace: str | None, rights: tuple[Right, ...]) -> str:
    lines = [_object("rbac.authorization.k8s.io/v1", kind, name, namespace), "rules:"]
    for right in rights:
        lines += [
            f"# {right.why}",
            f'- apiGroups: ["{right.group}"]',
            f"  resources: [{', '.join(right.resources)}]",
            f"  verbs: [{', '.join(right.verbs)}]",
            *([f"  resourceNames: [{', '.join(right.names)}]"] if right.names else []),
        ]
    return "\n".join(lines)


def _binding(kind: str, role_kind: str, name: str, namespace: str | None, account_namespace: str) -> str:
    return "\n".join(
        [
            _object("rbac.authorization.k8s.io/v1", kind, name, namespace),
            "roleRef:",
            "  apiGroup: rbac.authorization.k8s.io",
            f"  kind: {role_kind}",
            f"  name: {name}",
            "subjects:",
            "- kind: ServiceAccount",
            f"  name: {ACCOUNT}",
            f"  namespace: {account_namespace}",
        ]
    )
