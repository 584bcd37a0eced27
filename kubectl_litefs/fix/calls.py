"""The requests that change something: what is sent, where, and under which preconditions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .case import Case, uid, version
from .options import FixOptions


@dataclass(frozen=True, slots=True)
class Call:
    """One request that changes something. `body` is sent as it stands here."""

    what: str
    method: str
    path: str
    body: Mapping[str, Any]


def core(namespace: str, plural: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/{plural}/{name}"


def calls(case: Case, options: FixOptions) -> tuple[Call, ...]:
    """The requests that change something, in order; the backup and the lock aside."""
    claim, pod, owner = case.claim, case.target.obj, case.set
    assert claim is not None and owner is not None
    delete_claim = Call(
        f"delete PVC {claim.ref.name}",
        "DELETE",
        core(case.namespace, "persistentvolumeclaims", claim.ref.name),
        delete_options(uid(claim), version(claim)),
    )
    if options.strategy == "scale":
        path = f"/apis/apps/v1/namespaces/{case.namespace}/statefulsets/{owner.ref.name}"
        start, now = int(owner.get("spec.ordinals.start", 0)), int(owner.get("spec.replicas", 1))
        down = (case.target.ordinal or 0) - start
        return (
            Call(
                f"note the replicas ({now}) in an annotation",
                "PATCH",
                path,
                {"metadata": {"annotations": {"kubectl-litefs/restore-replicas": str(now)}}},
            ),
            Call(f"scale to {down}", "PATCH", path + "/scale", {"spec": {"replicas": down}}),
            delete_claim,
            Call(f"scale back to {now}", "PATCH", path + "/scale", {"spec": {"replicas": now}}),
            Call(
                "remove the annotation", "PATCH", path, {"metadata": {"annotations": {"kubectl-litefs/restore-replicas": None}}}
            ),
        )
    path = core(case.namespace, "pods", pod.ref.name)
    if options.strategy == "in-place":
        file = f"{str(case.target.data_dir).rstrip('/')}/clusterid"
        aside = f"{file}.bak-{case.target_id}"
        rename = Call(
            f"put {file} aside",
            "EXEC",
            path + "/exec",
            {"container": case.target.container.name, "command": ["mv", "-n", "--", file, aside]},
        )
        return (rename, remove_pod(pod.ref.name, case.namespace, uid(pod), path, options.disable_eviction))
    return (delete_claim, remove_pod(pod.ref.name, case.namespace, uid(pod), path, options.disable_eviction))


def delete_options(claim_uid: str, claim_version: str | None = None) -> dict[str, Any]:
    """A DELETE body. With a body the server ignores the query string, so whatever matters must stand here."""
    preconditions = {"uid": claim_uid} | ({"resourceVersion": claim_version} if claim_version else {})
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}


def remove_pod(name: str, namespace: str, pod_uid: str, path: str, disable_eviction: bool) -> Call:
    if disable_eviction:
        return Call(f"delete pod {name}", "DELETE", path, delete_options(pod_uid))
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": {"preconditions": {"uid": pod_uid}},
    }
    return Call(f"evict pod {name}", "POST", path + "/eviction", body)
