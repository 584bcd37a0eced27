"""What a watcher remembers of pods: their newest answer, for the time when they give none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .candidates import missing_pods
from .origin import ObjectRef
from .pod import Pod
from .report import ClusterReport, Report


@dataclass(frozen=True, slots=True)
class Known:
    """A pod as it last answered, and when that was."""

    pod: Pod
    at: datetime | None


Memory = Mapping[ObjectRef, Known]
NOTHING: Memory = {}


def remember(memory: Memory, report: Report) -> dict[ObjectRef, Known]:
    """The memory after this look: what answered now is new, what is silent or missing keeps its last answer.

    A pod that is gone and that nobody asks for any more is forgotten.
    """
    kept: dict[ObjectRef, Known] = {}
    for seen in report.clusters:
        for pod in seen.cluster.pods:
            if pod.info is not None:
                kept[pod.ref] = Known(pod, report.taken_at)
            elif pod.ref in memory:
                kept[pod.ref] = memory[pod.ref]
        kept |= {ref: memory[ref] for ref in missing(seen) if ref in memory}
    return kept


def missing(seen: ClusterReport) -> tuple[ObjectRef, ...]:
    """Pods that the set asks for and that are not there."""
    return tuple(ObjectRef("Pod", seen.cluster.namespace, name) for name in missing_pods(seen.cluster))
