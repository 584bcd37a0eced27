"""The report as plain data: what JSON and YAML show. Its keys are a contract."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..model.origin import Evidence, Gap, ObjectRef
from ..model.pod import Pod
from ..model.report import ClusterReport, Report
from ..model.rule import Finding

API_VERSION = "kubectl-litefs/v1"


def tree(report: Report) -> dict[str, Any]:
    """The same report gives the same tree, key by key and in the same order."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Report",
        "toolVersion": report.tool_version,
        "takenAt": time_text(report.taken_at),
        "target": {"namespaces": list(report.namespaces), "source": report.source},
        "summary": report.summary(),
        "clusters": [_cluster(c) for c in report.clusters],
        "findings": [_finding(f) for f in report.findings],
        "checks": [
            {"rule": c.rule, "status": c.status.value, "gaps": [gap_tree(g) for g in c.gaps]} for c in report.checks
        ],
        "gaps": [gap_tree(g) for g in report.gaps],
        **_changes(report),
    }


def _changes(report: Report) -> dict[str, Any]:
    """Only where files were laid over the cluster."""
    changes = report.changes
    if changes is None:
        return {}
    drift = [
        {"object": _ref(d.ref), "field": d.field, "file": d.file, "cluster": d.cluster, "evidence": _evidence(d.evidence, sides=True)}
        for d in changes.drift
    ]
    gone = [_finding(f) for f in changes.gone]
    return {"changes": {"gone": gone, "drift": drift, "restarted": [_ref(r) for r in changes.restarted]}}


def _ref(ref: ObjectRef) -> dict[str, str]:
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def time_text(at: datetime | None) -> str | None:
    """UTC, to the second; None where nothing tells the time."""
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def gap_tree(gap: Gap) -> dict[str, Any]:
    """What was not seen, and why."""
    return {"what": gap.what, "why": gap.why.value, "detail": gap.detail}


def finding_head(finding: Finding) -> dict[str, Any]:
    """What tells a finding from others, without evidence and remedy."""
    full = _finding(finding)
    keys = ("rule", "name", "severity", "subject", "message", "consequenceOf", "fingerprint", "suppressed")
    return {key: full[key] for key in keys if key in full}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.value,
        "subject": {
            "kind": finding.subject.kind,
            "namespace": finding.subject.namespace,
            "name": finding.subject.name,
        },
        "message": finding.message,
        "impact": finding.impact,
        "cause": finding.cause,
        "evidence": [_evidence(e, sides=finding.change is not None) for e in finding.evidence],
        "remediation": list(finding.remediation),
        "commands": list(finding.commands),
        "consequenceOf": finding.consequence_of,
        "gotcha": finding.gotcha,
        "docs": finding.docs,
        "fingerprint": finding.fingerprint,
        **_suppressed(finding),
        **({"change": finding.change.value} if finding.change is not None else {}),
    }


def _evidence(seen: Evidence, *, sides: bool) -> dict[str, Any]:
    """`column` only where there is one: in files that were given. `side` says, of files and a cluster, which it is from."""
    column = {} if seen.column is None else {"column": seen.column}
    side = {"side": "cluster" if seen.column is None else "file"} if sides else {}
    return {"source": seen.source, "line": seen.line, **column, "excerpt": seen.excerpt, **side}


def _suppressed(finding: Finding) -> dict[str, Any]:
    """Nothing for a finding that counts."""
    by = finding.suppressed
    if by is None:
        return {}
    until = by.until.isoformat() if by.until else None
    return {"suppressed": {"by": by.by, "reason": by.reason, "until": until}}


def _cluster(seen: ClusterReport) -> dict[str, Any]:
    return {
        "namespace": seen.cluster.namespace,
        "name": seen.cluster.name,
        "workloads": [
            {"kind": w.kind, "namespace": w.namespace, "name": w.name} for w in seen.cluster.workloads
        ],
        "blind": seen.blind,
        "primary": seen.topology.primary.name if seen.topology.primary else None,
        "pods": [_pod(seen, pod) for pod in seen.cluster.pods],
    }


def _pod(seen: ClusterReport, pod: Pod) -> dict[str, Any]:
    """`databases` is null when nobody could ask, empty when there is none. `txid` is written as LiteFS does."""
    databases = pod.databases
    return {
        "pod": pod.name,
        "namespace": pod.namespace,
        "role": seen.topology.role(pod).value,
        "clusterID": pod.cluster_id,
        "databases": None
        if databases is None
        else [{"name": d.name, "txid": f"{d.txid:016x}", "checksum": d.checksum} for d in databases],
    }
