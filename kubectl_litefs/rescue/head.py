"""What every plan for a set has in common: where, which set, which primary. From the facts, as JSON, and read back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..fix.aim import Aim
from ..fix.calls import Call
from ..fix.case import Case, uid, version
from ..model.pod import Pod


def fields(case: Case, lead: Pod) -> dict[str, Any]:
    """The fields of an `Aim` for the primary `lead`, which is the case's target."""
    owner, claim = case.set, case.claim
    assert owner is not None
    return {
        "server": case.server, "context": case.context, "cluster_name": case.cluster_name, "namespace": case.namespace,
        "pod": lead.name, "pod_uid": uid(lead.obj), "pod_version": version(lead.obj), "container": lead.container.name, "port": lead.http_port,
        "set_name": owner.ref.name, "set_uid": uid(owner), "set_version": version(owner),
        "replicas": int(owner.get("spec.replicas", 1)), "generation": int(owner.get("metadata.generation", 0)),
        "claim": claim.ref.name if claim else "", "claim_uid": uid(claim) if claim else "", "claim_version": version(claim) if claim else "",
        "primary": lead.name, "primary_uid": uid(lead.obj), "primary_cluster_id": str(lead.cluster_id or ""),
        "others": tuple((p.name, uid(p.obj), p.cluster_id or "") for p in case.cluster.pods if p is not lead),
        "disable_eviction": True, "grace": case.grace, "data_dir": str(lead.data_dir or ""),
    }  # fmt: skip


def as_json(plan: Aim, data_dir: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubectl-litefs/v1",
        "cluster": {"context": plan.context, "name": plan.cluster_name, "server": plan.server, "namespace": plan.namespace},
        "statefulSet": {"name": plan.set_name, "uid": plan.set_uid, "replicas": plan.replicas, "generation": plan.generation},
        "primary": {
            "pod": plan.pod, "uid": plan.pod_uid, "container": plan.container, "port": plan.port,
            "clusterID": plan.primary_cluster_id, "dataDirectory": data_dir,
            "claim": plan.claim, "claimUID": plan.claim_uid,
        },
        "otherPods": [{"pod": p, "uid": u, "clusterID": i} for p, u, i in plan.others],
        "warnings": list(plan.warnings),
        "versions": {"pod": plan.pod_version, "claim": plan.claim_version, "statefulSet": plan.set_version},
        "calls": [{"what": c.what, "method": c.method, "path": c.path, "body": dict(c.body)} for c in plan.calls],
        "gracePeriodSeconds": plan.grace,
    }  # fmt: skip


def read(d: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an `Aim`, from JSON. Raises KeyError, TypeError, ValueError or AttributeError for anything else."""
    cluster, owner, lead, versions = d["cluster"], d["statefulSet"], d["primary"], d["versions"]
    return {
        "server": str(cluster["server"]), "context": cluster["context"], "cluster_name": cluster["name"], "namespace": str(cluster["namespace"]),
        "pod": str(lead["pod"]), "pod_uid": str(lead["uid"]), "pod_version": str(versions["pod"]), "container": str(lead["container"]), "port": int(lead["port"]),
        "set_name": str(owner["name"]), "set_uid": str(owner["uid"]), "set_version": str(versions["statefulSet"]),
        "replicas": int(owner["replicas"]), "generation": int(owner["generation"]),
        "claim": str(lead["claim"]), "claim_uid": str(lead["claimUID"]), "claim_version": str(versions["claim"]),
        "primary": str(lead["pod"]), "primary_uid": str(lead["uid"]), "primary_cluster_id": str(lead["clusterID"]),
        "others": tuple((str(o["pod"]), str(o["uid"]), str(o["clusterID"])) for o in d["otherPods"]),
        "disable_eviction": True, "grace": float(d["gracePeriodSeconds"]), "data_dir": str(lead["dataDirectory"]),
        "warnings": tuple(str(w) for w in d["warnings"]),
        "calls": tuple(Call(str(c["what"]), str(c["method"]), str(c["path"]), dict(c["body"])) for c in d["calls"]),
    }  # fmt: skip


def others_changed(older: Aim, now: Aim) -> str:
    """Which other pod is not the one that was planned for; empty where all are."""
    before, after = ({p: (u, i) for p, u, i in plan.others} for plan in (older, now))
    changed = [p for p in sorted({*before, *after}) if before.get(p) != after.get(p)]
    return f"{changed[0]} was another pod or had another cluster id" if changed else ""
