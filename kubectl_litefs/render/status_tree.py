"""The status as plain data: what JSON and YAML show. Its keys are a contract (docs/status.md)."""

from __future__ import annotations

from typing import Any

from ..model.memory import NOTHING, Known, Memory, missing
from ..model.origin import ObjectRef
from ..model.pod import Pod
from ..model.report import ClusterReport, Report
from .status import UNREAD, capacity
from .tree import API_VERSION, finding_head, gap_tree, time_text


def status_tree(report: Report, memory: Memory = NOTHING, error: str = "") -> dict[str, Any]:
    """The same look gives the same tree. `error` says why `clusters` is an older look's."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Status",
        "toolVersion": report.tool_version,
        "takenAt": time_text(report.taken_at),
        "error": error or None,
        "target": {"namespaces": list(report.namespaces), "source": report.source},
        "clusters": [_cluster(c, memory) for c in report.clusters],
        "findings": [finding_head(f) for f in report.findings],
        "gaps": [gap_tree(g) for g in report.gaps if g.detail],
    }


def _cluster(seen: ClusterReport, memory: Memory) -> dict[str, Any]:
    absent = missing(seen)
    return {
        "namespace": seen.cluster.namespace,
        "name": seen.cluster.name,
        "workloads": [{"kind": w.kind, "namespace": w.namespace, "name": w.name} for w in seen.cluster.workloads],
        "primary": seen.topology.primary.name if seen.topology.primary else None,
        "blind": seen.blind,
        "allFollow": seen.topology.all_follow and not absent,
        "pods": [_pod(seen, p, memory.get(p.ref)) for p in seen.cluster.pods] + [_absent(seen, ref, memory.get(ref)) for ref in absent],
    }


def _pod(seen: ClusterReport, pod: Pod, known: Known | None) -> dict[str, Any]:
    old = known if known is not None and known.pod is not pod and pod.info is None else None
    return {
        "pod": pod.name,
        "namespace": pod.namespace,
        "role": seen.topology.role(pod).value,
        "connected": seen.topology.connected(pod),
        "why": seen.topology.links[pod.name].why,
        "restarts": pod.container.restarts,
        **_answer(seen, old.pod if old else pod),
        "oldSince": time_text(old.at) if old else None,
        "volume": {"claim": pod.data_claim, "capacity": capacity(seen, pod) or None, "used": None, "why": UNREAD},
    }


def _absent(seen: ClusterReport, ref: ObjectRef, known: Known | None) -> dict[str, Any]:
    return {
        "pod": ref.name,
        "namespace": ref.namespace,
        "role": "missing",
        "connected": False,
        "why": "is asked for and not there",
        "restarts": None,
        **(_answer(seen, known.pod) if known else {"clusterID": None, "databases": None}),
        "oldSince": time_text(known.at) if known else None,
        "volume": {"claim": None, "capacity": None, "used": None, "why": UNREAD},
    }


def _answer(seen: ClusterReport, pod: Pod) -> dict[str, Any]:
    """`databases` is null where nobody answered, empty where there is none."""
    return {
        "clusterID": pod.cluster_id,
        "databases": None
        if pod.databases is None
        else [
            {"name": d.name, "txid": f"{d.txid:016x}", "checksum": d.checksum, "behind": seen.topology.behind(pod, d)} for d in pod.databases
        ],
    }
