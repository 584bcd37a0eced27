"""What `kubectl get pods` says of the same pods: mostly that all is well."""

from __future__ import annotations

from ..model.cluster import Cluster
from ..model.pod import Pod
from ..model.report import Report
from .words import clean


def get_pods(report: Report) -> str:
    """The table that everybody looks at first, from the recorded status."""
    rows = [("NAME", "READY", "STATUS", "RESTARTS")]
    rows += [_row(p) for c in report.clusters for p in c.cluster.pods]
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    return "".join("   ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() + "\n" for r in rows)


def unowned(cluster: Cluster) -> str:
    """What pods are called of which no owner is seen. Where only logs were seen, there may well be one."""
    return "pods" if "pods" in cluster.gaps else "pods without a controller"


def _row(pod: Pod) -> tuple[str, str, str, str]:
    running = [c for c in pod.containers if not c.init]
    ready = sum(c.status.get("ready") is True for c in running)
    reasons = [str(c.waiting["reason"]) for c in running if c.waiting.get("reason")]
    reasons += [str(c.terminated.get("reason")) for c in running if not c.running and not c.waiting and c.terminated]
    return clean(pod.name), f"{ready}/{len(running)}", clean(reasons[0] if reasons else pod.phase), str(sum(c.restarts for c in running))
