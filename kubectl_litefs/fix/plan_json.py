"""A plan read back from a journal or a Lease. What was written by somebody else is refused, not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .calls import Call
from .plan import Plan
from .plan_notes import Held
from .refusals import Refusal


def read_plan(document: object) -> Plan | None:
    """None for anything that is not a whole plan, or whose id is not that of its content."""
    if not isinstance(document, Mapping):
        return None
    try:
        plan = _plan(document)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return plan if plan.id == document.get("id") else None


def _plan(d: Mapping[str, Any]) -> Plan:
    cluster, target, owner, claim, lead = d["cluster"], d["target"], d["statefulSet"], d["claim"], d["primary"]
    versions = d["versions"]
    return Plan(
        server=str(cluster["server"]),
        context=cluster["context"],
        cluster_name=cluster["name"],
        namespace=str(cluster["namespace"]),
        pod=str(target["pod"]),
        pod_uid=str(target["uid"]),
        pod_version=str(versions["pod"]),
        container=str(target["container"]),
        port=int(target["port"]),
        set_name=str(owner["name"]),
        set_uid=str(owner["uid"]),
        set_version=str(versions["statefulSet"]),
        replicas=int(owner["replicas"]),
        generation=int(owner["generation"]),
        claim=str(claim["name"]),
        claim_uid=str(claim["uid"]),
        claim_version=str(versions["claim"]),
        volume=str(claim["volume"]),
        capacity=str(claim["capacity"]),
        storage_class=str(claim["storageClass"]),
        target_cluster_id=str(target["clusterID"]),
        primary=str(lead["pod"]),
        primary_uid=str(lead["uid"]),
        primary_cluster_id=str(lead["clusterID"]),
        others=tuple((str(o["pod"]), str(o["uid"]), str(o["clusterID"])) for o in d["otherPods"]),
        databases=tuple(Held(str(h["name"]), str(h["target"]), h["primary"], str(h["verdict"])) for h in d["databases"]),
        floor={str(n): int(t, 16) for n, t in d["primaryPositions"].items()},
        strategy=str(d["strategy"]),
        backup=str(d["backup"]["kind"]),
        backup_dir=str(d["backup"]["directory"]),
        disable_eviction=not any(c["path"].endswith("/eviction") for c in d["calls"]),
        accepted=tuple(Refusal(str(a["refusal"]), str(a["text"]), "", str(a["by"]), True) for a in d["accepted"]),
        warnings=tuple(str(w) for w in d["warnings"]),
        calls=tuple(Call(str(c["what"]), str(c["method"]), str(c["path"]), dict(c["body"])) for c in d["calls"]),
        grace=float(d["gracePeriodSeconds"]),
    )
