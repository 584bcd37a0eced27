"""What Kubernetes says of a claim that has no volume, and of a pod that has no node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from .cluster import Cluster
from .objects import Obj, parse_time
from .origin import Evidence
from .pod import Pod

EVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Word:
    """`warning` is False for an event of type Normal."""

    reason: str
    message: str
    warning: bool
    evidence: Evidence


def about_claim(cluster: Cluster, claim: Obj) -> Word | None:
    """The newest event about this very claim, a warning rather than a note."""
    uid = claim.get("metadata.uid")

    def concerns(event: Obj) -> bool:
        about = event.mapping("involvedObject")
        named = about.get("kind") == "PersistentVolumeClaim" and about.get("name") == claim.ref.name
        return named and about.get("uid", uid) == uid

    events = [e for e in cluster.list("events") or () if concerns(e)]
    if not events:
        return None
    best = max(events, key=lambda e: (e.get("type") == "Warning", happened(e)))
    warning = best.get("type") == "Warning"
    return Word(str(best.get("reason")), str(best.get("message")), warning, best.seen("message"))


def happened(event: Obj) -> datetime:
    """When an event was last seen."""
    keys = ("series.lastObservedTime", "lastTimestamp", "eventTime", "metadata.creationTimestamp")
    return next((t for k in keys if (t := parse_time(event.get(k))) is not None), EVER)


def unscheduled(pod: Pod) -> Word | None:
    """Why the pod has no node; None where it has one."""
    for i, c in enumerate(pod.obj.items("status.conditions")):
        if c.get("type") == "PodScheduled" and c.get("status") == "False":
            message = str(c.get("message") or "")
            return Word(str(c.get("reason")), message, True, pod.obj.seen(f"status.conditions.{i}.message", message))
    return None


def volume_of(cluster: Cluster, claim: Obj) -> Obj | None:
    """The PersistentVolume that the claim is bound to; None where it has none, or none that was seen."""
    name = claim.get("spec.volumeName")
    return cluster.find("persistentvolumes", str(name), "") if name else None
